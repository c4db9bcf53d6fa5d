//! What is asked for: a histogram of wanted rows, in a form.

use apus_swift::{Formula, Frame};
use serde::Serialize;

use crate::values::{Drawing, select::SelectRequest};

/// A histogram and its form. Serialised it says all that the answer depends on, but for the files.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HistogramRequest {
    /// Which rows. Its fields, units and format do not matter.
    pub select: SelectRequest,
    /// The particle type: `gas`, or `PartType0`.
    pub particle_type: String,
    /// One or two axes; of a profile one, which has no formula.
    pub axes: Vec<AxisRequest>,
    /// What is summed instead of counting, or what a profile is weighted by.
    pub weight: Option<Formula>,
    /// The centre of a profile.
    pub radial: Option<Radial>,
    /// What a profile is the mean of; `None` for the density of the weight.
    pub field: Option<Formula>,
    /// The unit of the sums, or of the profile; the file's where there is none.
    pub unit: Option<String>,
    /// The frame of axes, weights and profiles; as stored where there is none.
    pub frame: Option<Frame>,
    /// The form.
    pub form: HistogramForm,
    /// How a form with colours looks.
    pub drawing: Drawing,
}

/// An axis.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AxisRequest {
    /// Its values; `None` for the distance from the centre of a profile.
    pub formula: Option<Formula>,
    /// The number of bins, at least one.
    pub n_bins: usize,
    /// The edges of the first and the last bin, in the axis' unit; what the values lie between where there is none.
    pub range: Option<[f64; 2]>,
    /// Whether bins are equally wide in the logarithm.
    pub is_log: bool,
    /// The unit; the file's where there is none.
    pub unit: Option<String>,
}

/// What a profile is about.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub enum Radial {
    /// A place, in the file's comoving length.
    Centre([f64; 3]),
    /// The centre of the only halo.
    Halo,
}

/// The form of a histogram.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum HistogramForm {
    /// An archive of npy files.
    Npz,
    /// JSON.
    Json,
    /// A line for each bin.
    Csv,
    /// Colours, or bars.
    Png,
}

impl HistogramForm {
    /// All of them, by name.
    pub const ALL: [(&'static str, Self); 4] =
        [("npz", Self::Npz), ("json", Self::Json), ("csv", Self::Csv), ("png", Self::Png)];
}
