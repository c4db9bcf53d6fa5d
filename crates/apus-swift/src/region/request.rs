//! What a caller asks for.

use serde::Serialize;

use super::Region;
use crate::{Dimensions, Error, Frame, Output, Result};

/// A shape in whatever length the request is in.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Shape {
    /// A box: lower and upper bound on each axis, `None` for a side that is open.
    Box([[Option<f64>; 2]; 3]),
    /// A sphere.
    Sphere {
        /// Its centre.
        centre: [f64; 3],
        /// Its radius.
        radius: f64,
    },
}

/// Shapes, and the length that their numbers are in.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct RegionRequest {
    /// The shapes; their union is wanted. None are no restriction.
    pub shapes: Vec<Shape>,
    /// The unit of all numbers; without one, the file's length.
    pub unit: Option<String>,
    /// The frame of all numbers; without one, comoving.
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
        let mut factor = match &self.unit {
            None => 1.0,
            Some(unit) => output.unit_context().factor("region", unit, Dimensions::LENGTH)?,
        };
        if self.frame == Some(Frame::Physical) {
            factor /= header.scale_factor;
        }
        let shapes: Vec<Shape> = self.shapes.iter().map(|shape| shape.scaled(factor)).collect();
        Region::new(&shapes, header.box_size)
    }
}

impl Shape {
    fn scaled(&self, factor: f64) -> Self {
        match self {
            Self::Box(bounds) => Self::Box(bounds.map(|axis| axis.map(|bound| bound.map(|b| b * factor)))),
            Self::Sphere { centre, radius } => {
                Self::Sphere { centre: centre.map(|c| c * factor), radius: radius * factor }
            }
        }
    }
}
