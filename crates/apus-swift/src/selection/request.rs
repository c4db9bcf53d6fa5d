//! What a caller asks for.

use std::{num::NonZeroU64, sync::Arc};

use serde::Serialize;

use super::Sample;
use crate::{Condition, Frame, Halos, Padding, RegionRequest};

/// What a caller asks for, before it is known what it means for a file.
///
/// Serialised it says all that was asked for; halos were asked for by a [`HaloRequest`](crate::HaloRequest), which says that.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct SelectionRequest {
    /// The fields: `gas.coordinates`, `gas.element_mass_fractions.carbon`, `gas.*`, or paths in the file.
    pub fields: Vec<String>,
    /// Where the rows are to lie.
    pub region: RegionRequest,
    /// The halos whose rows are wanted, looked up already; `None` for rows wherever they belong.
    #[serde(skip)]
    pub halos: Option<Arc<Halos>>,
    /// Whether the region is meant exactly or by whole cells.
    pub granularity: Granularity,
    /// By how much cells without bounds are widened instead of looking at all rows; only with a region.
    pub padding: Option<Padding>,
    /// What the rows are to satisfy, all of it. Those with a type in front count for that type only.
    pub conditions: Vec<Condition>,
    /// The ids that are wanted; `None` for all.
    pub ids: Option<Vec<u64>>,
    /// A random sample of the rows.
    pub sample: Option<Sample>,
    /// Every how-manieth of the rows that are left.
    pub stride: Option<NonZeroU64>,
    /// The most rows of each group.
    pub limit: Option<u64>,
    /// Units for the answer: each for the fields of its dimensions.
    pub units: Vec<String>,
    /// The frame of the answer, and of quantities in conditions that do not say theirs; as stored where there is none.
    pub frame: Option<Frame>,
}

/// How exactly a region is meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub enum Granularity {
    /// The particles inside, and no others.
    #[default]
    Particles,
    /// All particles of the cells that the region touches: the rows that swiftsimio's `constrain_spatial` gives.
    Cells,
}
