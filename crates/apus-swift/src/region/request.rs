//! What a caller asks for.

use serde::Serialize;

use super::{AXES, Region, axis::Axis};
use crate::{Error, Frame, Length, Output, Result, UnitContext};

/// A shape: of numbers in the file's comoving length, or of lengths as a caller names them.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Shape<L = f64> {
    /// A box: lower and upper bound on each axis, `None` for a side that is open.
    Box([[Option<L>; 2]; 3]),
    /// A sphere.
    Sphere {
        /// Its centre.
        centre: [L; 3],
        /// Its radius.
        radius: L,
    },
}

/// Shapes, and the length that their numbers are in.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct RegionRequest {
    /// The shapes; their union is wanted. None are no restriction.
    pub shapes: Vec<Shape<Length>>,
    /// The unit of numbers without one; if it is missing too, the file's length.
    pub unit: Option<String>,
    /// The frame of lengths that do not say theirs; if it is missing too, comoving.
    pub frame: Option<Frame>,
}

impl RegionRequest {
    /// The same region in the file's comoving length.
    ///
    /// Errors: [`Error::BadUnit`], [`Error::WrongDimensions`] for a unit that is no length, [`Error::BadRegion`].
    pub fn resolve(&self, output: &Output) -> Result<Region> {
        let (shapes, box_size) = self.shapes_in(output)?;
        Region::new(&shapes, box_size)
    }

    /// The shapes in the file's comoving length, and its box.
    ///
    /// Errors: as [`resolve`](Self::resolve).
    pub fn shapes_in(&self, output: &Output) -> Result<(Vec<Shape>, [f64; 3])> {
        let Some(header) = output.header() else {
            return Err(Error::BadRegion { reason: format!("a {} has no box", output.kind()) });
        };
        let context = output.unit_context();
        let shapes = self.shapes.iter().map(|shape| self.comoving(shape, &context)).collect::<Result<Vec<_>>>()?;
        Ok((shapes, header.box_size))
    }

    fn comoving(&self, shape: &Shape<Length>, context: &UnitContext) -> Result<Shape> {
        let number = |length: &Length| {
            let unit = length.unit.clone().or_else(|| self.unit.clone());
            Length { value: length.value, unit, frame: length.frame.or(self.frame) }.comoving("region", context)
        };
        let side = |length: &Option<Length>| length.as_ref().map(number).transpose();
        Ok(match shape {
            Shape::Box([x, y, z]) => {
                let axis = |[lower, upper]: &[Option<Length>; 2]| Ok::<_, Error>([side(lower)?, side(upper)?]);
                Shape::Box([axis(x)?, axis(y)?, axis(z)?])
            }
            Shape::Sphere { centre: [x, y, z], radius } => {
                Shape::Sphere { centre: [number(x)?, number(y)?, number(z)?], radius: number(radius)? }
            }
        })
    }
}

impl From<Shape> for Shape<Length> {
    fn from(shape: Shape) -> Self {
        match shape {
            Shape::Box(bounds) => Self::Box(bounds.map(|axis| axis.map(|bound| bound.map(Length::from)))),
            Shape::Sphere { centre, radius } => {
                Self::Sphere { centre: centre.map(Length::from), radius: radius.into() }
            }
        }
    }
}

impl Shape {
    /// What it covers on each axis, as one interval that may lie partly outside the box; no wider than the box.
    ///
    /// Errors: [`Error::BadRegion`], as of [`Region::new`].
    pub fn extent(&self, box_size: [f64; 3]) -> Result<[[f64; 2]; 3]> {
        // What is no shape is found out there.
        Region::new(std::slice::from_ref(self), box_size)?;
        let mut extent = [[0.0; 2]; 3];
        for axis in 0..3 {
            let side = box_size[axis];
            extent[axis] = match self {
                Self::Box(bounds) => Axis::new(bounds[axis], side, AXES[axis])?.interval().unwrap_or([0.0, side]),
                Self::Sphere { centre, radius } => {
                    let radius = radius.min(side / 2.0);
                    [centre[axis] - radius, centre[axis] + radius]
                }
            };
        }
        Ok(extent)
    }
}
