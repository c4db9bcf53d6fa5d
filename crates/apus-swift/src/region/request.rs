//! What a caller asks for.

use serde::Serialize;

use super::Region;
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
        let Some(header) = output.header() else {
            return Err(Error::BadRegion { reason: format!("a {} has no box", output.kind()) });
        };
        let context = output.unit_context();
        let shapes = self.shapes.iter().map(|shape| self.comoving(shape, &context)).collect::<Result<Vec<_>>>()?;
        Region::new(&shapes, header.box_size)
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
