//! By how much cells without bounds are widened.

use serde::Serialize;

use crate::{Error, Result};

/// By how much cells are widened on each side where the file has no bounds of them, since particles may have drifted out: a fraction of the
/// side of a cell, as swiftsimio's `safe_padding`. Particles that drifted farther are not found.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Padding(f64);

impl Padding {
    /// A padding of that fraction.
    ///
    /// Errors: [`Error::BadSelection`] for what is not between 0 and 1.
    pub fn new(fraction: f64) -> Result<Self> {
        if (0.0..=1.0).contains(&fraction) {
            return Ok(Self(fraction));
        }
        let reason = format!("padding is a fraction of a cell between 0 and 1, not {fraction}; swiftsimio takes 0.1");
        Err(Error::BadSelection { reason })
    }

    /// The fraction.
    pub fn fraction(self) -> f64 {
        self.0
    }
}
