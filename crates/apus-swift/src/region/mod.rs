//! Regions: which part of the periodic box is wanted.
//!
//! A [`RegionRequest`] is what a caller asks for, in a unit and a frame; [`RegionRequest::resolve`] turns it into a
//! [`Region`] in the file's own comoving length, which is checked once and then only answers: [`Region::contains`] for a
//! particle, [`Region::touches`] for a cell.
//!
//! A box is half-open, `lower <= x < upper` on each axis; a sphere is closed. Both are periodic. A bound may lie up to half a
//! box outside the box, and an upper bound below the lower one means the part that crosses the boundary: both as in
//! swiftsimio's `mask.constrain_spatial`.

mod axis;
mod index;
mod parse;
mod request;
mod sphere;

use std::sync::Arc;

use axis::Axis;
use index::Index;
pub use request::{RegionRequest, Shape};
use sphere::Sphere;

use crate::{Error, Result};

/// More shapes than anybody needs in one request.
pub const MAX_SHAPES: usize = 1024;
/// With fewer shapes, comparing with each is as fast as looking up which may matter.
const MIN_INDEXED: u16 = 16;

/// A union of boxes and spheres in a periodic box. Units: the file's length, comoving.
#[derive(Clone, Debug, PartialEq)]
pub struct Region {
    box_size: [f64; 3],
    shapes: Vec<PeriodicShape>,
    /// Of unions of many shapes.
    index: Option<Arc<Index>>,
}

#[derive(Clone, Debug, PartialEq)]
enum PeriodicShape {
    Box([Axis; 3]),
    Sphere(Sphere),
}

impl Region {
    /// Takes shapes in the file's comoving length. No shapes are no restriction.
    ///
    /// Errors: [`Error::BadRegion`] for bounds or centres that are no numbers or lie more than half a box outside the box,
    /// negative radii, and more than [`MAX_SHAPES`] shapes.
    pub fn new(shapes: &[Shape], box_size: [f64; 3]) -> Result<Self> {
        if shapes.len() > MAX_SHAPES {
            return Err(Error::BadRegion { reason: format!("{} shapes are more than {MAX_SHAPES}", shapes.len()) });
        }
        let shape = |shape: &Shape| match shape {
            Shape::Box(bounds) => {
                let axis = |i: usize| Axis::new(bounds[i], box_size[i], AXES[i]);
                Ok(PeriodicShape::Box([axis(0)?, axis(1)?, axis(2)?]))
            }
            Shape::Sphere { centre, radius } => Sphere::new(*centre, *radius, box_size).map(PeriodicShape::Sphere),
        };
        let shapes: Vec<PeriodicShape> = shapes.iter().map(shape).collect::<Result<_>>()?;
        let n_shapes = u16::try_from(shapes.len()).ok().filter(|n| *n >= MIN_INDEXED);
        let index = n_shapes.map(|n_shapes| {
            Arc::new(Index::new(n_shapes, box_size, |i, lower, upper, allowance| {
                shapes.get(usize::from(i)).is_some_and(|shape| shape.may_contain(lower, upper, box_size, allowance))
            }))
        });
        Ok(Self { box_size, shapes, index })
    }

    /// No restriction at all, whatever the box.
    pub fn everywhere() -> Self {
        Self { box_size: [1.0; 3], shapes: Vec::new(), index: None }
    }

    /// The greatest size that a coordinate of a particle can have: somewhat more than the box. Units: the file's length.
    pub fn farthest_coordinate(&self) -> f64 {
        2.0 * self.box_size.into_iter().fold(0.0, f64::max)
    }

    /// Whether there is no restriction at all.
    pub fn is_everything(&self) -> bool {
        self.shapes.is_empty()
    }

    /// Whether a particle lies inside. Exactly what these lines of numpy say of float64 coordinates (float32 ones widened):
    /// for a box, after `x = np.mod(x, L)`, that for one of `k = -1, 0, 1` it holds `lower <= x + k*L` and `x + k*L < upper`;
    /// for a sphere, after `d = x - c; d -= L*np.round(d/L)`, that `d[0]**2 + d[1]**2 + d[2]**2 <= r**2`.
    ///
    /// So coordinates a hair outside the box, as lossy filters leave them, count as their periodic image; NaN is nowhere.
    pub fn contains(&self, position: [f64; 3]) -> bool {
        let contains = |shape: &PeriodicShape| shape.contains(position, self.box_size);
        match self.index.as_ref().and_then(|index| index.parts_at(position, self.box_size)) {
            Some(near) => near.iter().any(|i| self.shapes.get(usize::from(*i)).is_some_and(contains)),
            None => self.shapes.is_empty() || self.shapes.iter().any(contains),
        }
    }

    /// Whether a cell with these bounds is selected, as swiftsimio selects cells: for a box, that on each axis one of the three
    /// periodic copies of the cell overlaps it strictly. For a sphere, that a copy of the cell comes as near as the radius.
    pub fn touches(&self, lower: [f64; 3], upper: [f64; 3]) -> bool {
        self.shapes.is_empty()
            || self.shapes.iter().any(|shape| match shape {
                PeriodicShape::Box(axes) => (0..3).all(|i| axes[i].touches(lower[i], upper[i], self.box_size[i])),
                PeriodicShape::Sphere(sphere) => sphere.may_contain(lower, upper, self.box_size, 0.0),
            })
    }

    /// Whether all within these bounds is at most a box outside of the box: then [`may_contain`](Self::may_contain) tells, which looks at
    /// a few periodic copies.
    pub(crate) fn is_near_box(&self, lower: [f64; 3], upper: [f64; 3]) -> bool {
        (0..3).all(|axis| lower[axis] >= -self.box_size[axis] && upper[axis] <= 2.0 * self.box_size[axis])
    }

    /// Whether a particle whose stored position is up to `allowance` outside these bounds can lie inside. Errs only on the
    /// side of yes.
    pub fn may_contain(&self, lower: [f64; 3], upper: [f64; 3], allowance: f64) -> bool {
        self.shapes.is_empty()
            || self.shapes.iter().any(|shape| shape.may_contain(lower, upper, self.box_size, allowance))
    }
}

impl PeriodicShape {
    fn contains(&self, position: [f64; 3], box_size: [f64; 3]) -> bool {
        match self {
            Self::Box(axes) => (0..3).all(|i| axes[i].contains(position[i], box_size[i])),
            Self::Sphere(sphere) => sphere.contains(position, box_size),
        }
    }

    fn may_contain(&self, lower: [f64; 3], upper: [f64; 3], box_size: [f64; 3], allowance: f64) -> bool {
        match self {
            Self::Box(axes) => (0..3).all(|i| axes[i].may_contain(lower[i], upper[i], box_size[i], allowance)),
            Self::Sphere(sphere) => sphere.may_contain(lower, upper, box_size, allowance),
        }
    }
}

const AXES: [char; 3] = ['x', 'y', 'z'];

/// Refuses what is no number or lies more than half a box outside the box: one periodic copy on either side would not do.
fn check_coordinate(what: &str, axis: char, value: f64, box_size: f64) -> Result<()> {
    if !value.is_finite() {
        return Err(Error::BadRegion { reason: format!("the {what} in {axis} is {value}, not a number") });
    }
    if value < -box_size / 2.0 || value > 3.0 * box_size / 2.0 {
        return Err(Error::BadRegion {
            reason: format!(
                "the {what} in {axis} is {value}, outside {} to {} (half a box around the box of {box_size})",
                -box_size / 2.0,
                3.0 * box_size / 2.0
            ),
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests;
