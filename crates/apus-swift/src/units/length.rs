//! Lengths that a request names.

use std::fmt;

use serde::Serialize;

use super::{Dimensions, UnitContext};
use crate::{Frame, Result};

/// A length as a caller names it: `1500 kpc`, `2 Mpc physical`, `3`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Length {
    /// The number.
    pub value: f64,
    /// Its unit; without one, that of the request, or the file's length.
    pub unit: Option<String>,
    /// The frame; without one, that of the request, or comoving.
    pub frame: Option<Frame>,
}

impl Length {
    /// Reads a number, after it a unit and `comoving` or `physical`, all of them words; `None` where no number comes first.
    pub fn parse(text: &str) -> Option<Self> {
        let mut words: Vec<&str> = text.split_whitespace().collect();
        let value = words.first()?.parse().ok()?;
        let frame = match words.last() {
            Some(&"comoving") => Some(Frame::Comoving),
            Some(&"physical") => Some(Frame::Physical),
            _ => None,
        };
        if frame.is_some() {
            words.pop();
        }
        let unit = words.get(1..).unwrap_or_default().join(" ");
        Some(Self { value, unit: (!unit.is_empty()).then_some(unit), frame })
    }

    /// The length in the file's unit, comoving. `what` is what messages call it.
    ///
    /// Errors: [`Error::BadUnit`](crate::Error::BadUnit), [`Error::WrongDimensions`](crate::Error::WrongDimensions).
    pub(crate) fn comoving(&self, what: &str, context: &UnitContext) -> Result<f64> {
        let factor = match &self.unit {
            None => 1.0,
            Some(unit) => context.factor(what, unit, Dimensions::LENGTH)?,
        };
        let physical = if self.frame == Some(Frame::Physical) { context.scale_factor } else { 1.0 };
        Ok(self.value * factor / physical)
    }
}

impl From<f64> for Length {
    fn from(value: f64) -> Self {
        Self { value, unit: None, frame: None }
    }
}

impl fmt::Display for Length {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.value)?;
        if let Some(unit) = &self.unit {
            write!(f, " {unit}")?;
        }
        match self.frame {
            None => Ok(()),
            Some(Frame::Comoving) => f.write_str(" comoving"),
            Some(Frame::Physical) => f.write_str(" physical"),
        }
    }
}
