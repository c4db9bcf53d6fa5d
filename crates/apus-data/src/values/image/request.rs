//! What is asked for: a picture of wanted rows, in a form.

use apus_swift::{Formula, Frame};
use serde::Serialize;

use crate::values::{Drawing, select::SelectRequest};

/// A picture and its form. Serialised it says all that the answer depends on, but for the files.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ImageRequest {
    /// Which rows. Its fields, units and format do not matter.
    pub select: SelectRequest,
    /// The particle type: `gas`, or `PartType0`.
    pub particle_type: String,
    /// What is pictured by its mean; `None` for the surface density of the weight.
    pub field: Option<Formula>,
    /// What particles are weighted by; `None` for their mass.
    pub weight: Option<Formula>,
    /// Where from.
    pub view: ViewRequest,
    /// The pixels.
    pub pixels: Pixels,
    /// How particles are spread over them.
    pub backend: Backend,
    /// What surface densities are multiplied by: the inverse of a sample that stands for all.
    pub sample_factor: f64,
    /// The unit of the values; the file's where there is none.
    pub unit: Option<String>,
    /// The frame of the values: comoving for densities, the field's own for means, where there is none.
    pub frame: Option<Frame>,
    /// The form.
    pub form: ImageForm,
    /// How a form with colours looks.
    pub drawing: Drawing,
}

/// Where a picture looks from.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub enum ViewRequest {
    /// Along an axis of the box, 0 to 2.
    Axis(usize),
    /// Along a direction, about the centre of the region.
    Along([f64; 3]),
}

/// The pixels of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Pixels {
    /// Square ones, so many along the longer side.
    Longer(usize),
    /// So many along x and y.
    Sides([usize; 2]),
}

/// How particles are spread over pixels, in swiftsimio's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Backend {
    /// With the kernel of their smoothing length; cloud-in-cell where they have none.
    Fast,
    /// The same, and each kernel sums to the particle's whole.
    Renormalised,
    /// Each in its pixel.
    Histogram,
}

/// The form of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum ImageForm {
    /// Colours.
    Png,
    /// An array.
    Npy,
    /// What the values lie between.
    Json,
}

impl Backend {
    /// All of them, by name.
    pub const ALL: [(&'static str, Self); 3] =
        [("fast", Self::Fast), ("renormalised", Self::Renormalised), ("histogram", Self::Histogram)];
}

impl ImageForm {
    /// All of them, by name.
    pub const ALL: [(&'static str, Self); 3] = [("png", Self::Png), ("npy", Self::Npy), ("json", Self::Json)];
}
