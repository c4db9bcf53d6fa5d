//! What a file's numbers mean together: units, scale factor, Hubble parameter.

use super::{
    Dimensions, Unit, UnitSystem,
    parse::{respell, vo_unit},
};
use crate::{Error, Result};

/// What is needed to turn quantities that people name into a file's own numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct UnitContext {
    /// The file's units; `None` where it does not say them.
    pub units: Option<UnitSystem>,
    /// The scale factor; 1 without cosmology.
    pub scale_factor: f64,
    /// The Hubble parameter of a cosmological run.
    pub h: Option<f64>,
}

impl UnitContext {
    /// Parses a unit; gives it with what one of it is in the file's unit of the same dimensions.
    ///
    /// Errors: [`Error::BadUnit`].
    pub fn parse(&self, text: &str) -> Result<(Unit, f64)> {
        let system = self.system(text)?;
        let unit = system.parse_unit(text, self.h)?;
        Ok((unit, unit.cgs / system.cgs(unit.dimensions)))
    }

    /// A unit as text that unyt and astropy both parse: `1e3*kg` for `1e3 kg`.
    ///
    /// Errors: [`Error::BadUnit`].
    pub fn respell(&self, text: &str) -> Result<String> {
        respell(text, &self.system(text)?.symbols(self.h))
    }

    /// A unit as the Virtual Observatory writes it: `1e10solMass.Mpc**-3`; empty for pure numbers.
    ///
    /// Errors: [`Error::BadUnit`].
    pub fn vo_unit(&self, text: &str) -> Result<String> {
        vo_unit(text, &self.system(text)?.symbols(self.h))
    }

    /// What one of `unit`, which must be of these dimensions, is in the file's. `what` is what messages call its use.
    ///
    /// Errors: [`Error::BadUnit`], [`Error::WrongDimensions`].
    pub fn factor(&self, what: &str, unit: &str, dimensions: Dimensions) -> Result<f64> {
        let (parsed, factor) = self.parse(unit)?;
        if parsed.dimensions.agrees_with(dimensions) {
            return Ok(factor);
        }
        let expected = self.units.map_or_else(String::new, |units| units.unit_string(dimensions));
        Err(Error::WrongDimensions {
            what: what.to_owned(),
            found: format!("{unit} ({})", parsed.dimensions),
            expected: format!("{expected} ({dimensions})"),
        })
    }

    fn system(&self, text: &str) -> Result<UnitSystem> {
        let no_units =
            || Error::BadUnit { unit: text.to_owned(), reason: "the file does not say its units".to_owned() };
        self.units.ok_or_else(no_units)
    }
}
