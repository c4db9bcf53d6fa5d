//! How far about the centre of a halo.

use std::str::FromStr;

use serde::Serialize;

use crate::{Error, Length, Result};

/// How far about the centre of a halo rows are wanted.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Aperture {
    /// A radius that the catalogue has for each halo: `r200c`, `200_crit`, `fof_groups.radii`.
    Radius(String),
    /// The same length for all.
    Length(Length),
}

impl FromStr for Aperture {
    type Err = Error;

    /// Reads `500 kpc`, `2 Mpc physical`, or the name of a radius.
    ///
    /// Errors: [`Error::BadSelection`] for nothing, and for numbers that are no length.
    fn from_str(text: &str) -> Result<Self> {
        if text.trim().is_empty() {
            return Err(super::bad(
                "aperture: say a radius of the catalogue such as r200c, or a length such as 2 Mpc".to_owned(),
            ));
        }
        let Some(length) = Length::parse(text) else { return Ok(Self::Radius(text.trim().to_owned())) };
        if !(length.value.is_finite() && length.value >= 0.0) {
            return Err(super::bad(format!("aperture: {} is not a length", length.value)));
        }
        Ok(Self::Length(length))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Frame;

    #[test]
    fn numbers_are_lengths_and_all_else_is_a_name() {
        let check = |text: &str, expected: Aperture| assert_eq!(text.parse::<Aperture>().unwrap(), expected);
        let name = |name: &str| Aperture::Radius(name.to_owned());
        let length =
            |value, unit: Option<&str>, frame| Aperture::Length(Length { value, unit: unit.map(str::to_owned), frame });
        check("r200c", name("r200c"));
        check(" 200_crit ", name("200_crit"));
        check("5xR_500_crit", name("5xR_500_crit"));
        check("2 Mpc", length(2.0, Some("Mpc"), None));
        check("2e2 kpc physical", length(200.0, Some("kpc"), Some(Frame::Physical)));
        check("0.5 1e3 kpc comoving", length(0.5, Some("1e3 kpc"), Some(Frame::Comoving)));
        check("3", length(3.0, None, None));
        check("3 comoving", length(3.0, None, Some(Frame::Comoving)));
        for nonsense in ["", "  ", "-1 Mpc", "nan Mpc", "inf"] {
            assert!(matches!(nonsense.parse::<Aperture>(), Err(Error::BadSelection { .. })), "{nonsense:?}");
        }
    }
}
