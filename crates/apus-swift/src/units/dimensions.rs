//! Dimensions: powers of the five base quantities.

use std::fmt;

use serde::Serialize;

/// Powers of mass, length, time, current and temperature. Powers may be fractional, as an entropy's are, and come from
/// 32-bit floats, so that they are compared up to rounding.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Dimensions {
    /// The power of mass (`U_M exponent`).
    pub mass: f64,
    /// The power of length (`U_L exponent`).
    pub length: f64,
    /// The power of time (`U_t exponent`).
    pub time: f64,
    /// The power of electric current (`U_I exponent`).
    pub current: f64,
    /// The power of temperature (`U_T exponent`).
    pub temperature: f64,
}

/// How far two powers may differ and still be the same: wider than what 32-bit arithmetic on an adiabatic index leaves.
const TOLERANCE: f64 = 1e-4;

impl Dimensions {
    /// A pure number.
    pub const NONE: Self = Self { mass: 0.0, length: 0.0, time: 0.0, current: 0.0, temperature: 0.0 };
    /// A length.
    pub const LENGTH: Self = Self { length: 1.0, ..Self::NONE };
    /// A mass.
    pub const MASS: Self = Self { mass: 1.0, ..Self::NONE };
    /// A time.
    pub const TIME: Self = Self { time: 1.0, ..Self::NONE };

    /// The powers in the order mass, length, time, current, temperature.
    pub fn powers(self) -> [f64; 5] {
        [self.mass, self.length, self.time, self.current, self.temperature]
    }

    /// From powers in the order of [`powers`](Self::powers).
    pub fn from_powers([mass, length, time, current, temperature]: [f64; 5]) -> Self {
        Self { mass, length, time, current, temperature }
    }

    /// The dimensions of a product.
    #[must_use]
    pub fn times(self, other: Self) -> Self {
        self.plus_powers(other, 1.0)
    }

    /// The dimensions of a quotient.
    #[must_use]
    pub fn over(self, other: Self) -> Self {
        self.plus_powers(other, -1.0)
    }

    /// The dimensions of a power.
    #[must_use]
    pub fn power(self, exponent: f64) -> Self {
        Self::from_powers(self.powers().map(|p| p * exponent))
    }

    /// Whether the two are the same up to rounding.
    pub fn agrees_with(self, other: Self) -> bool {
        self.powers().iter().zip(other.powers()).all(|(a, b)| (a - b).abs() < TOLERANCE)
    }

    /// Whether this is a pure number.
    pub fn is_none(self) -> bool {
        self.agrees_with(Self::NONE)
    }

    fn plus_powers(self, other: Self, factor: f64) -> Self {
        let mut powers = self.powers();
        for (power, more) in powers.iter_mut().zip(other.powers()) {
            *power += factor * more;
        }
        Self::from_powers(powers)
    }
}

impl fmt::Display for Dimensions {
    /// For messages: `mass length^-3`, or `dimensionless`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = ["mass", "length", "time", "current", "temperature"];
        let mut separator = "";
        for (name, power) in names.into_iter().zip(self.powers()) {
            if power.abs() < TOLERANCE {
                continue;
            }
            f.write_str(separator)?;
            separator = " ";
            f.write_str(name)?;
            if (power - 1.0).abs() >= TOLERANCE {
                write!(f, "^{}", power_text(power))?;
            }
        }
        if separator.is_empty() { f.write_str("dimensionless") } else { Ok(()) }
    }
}

/// What 64-bit arithmetic leaves of a power. A unit may be the product of many names, so that wider roundings of their
/// powers would add up.
const ROUNDING: f64 = 1e-10;

/// A power as a fraction with a small denominator, where it is one up to `tolerance`.
fn fraction(power: f64, tolerance: f64) -> Option<(f64, u32)> {
    (1..=12u32).find_map(|denominator| {
        let numerator = power * f64::from(denominator);
        ((numerator - numerator.round()).abs() < tolerance).then_some((numerator.round(), denominator))
    })
}

/// The power that a file's 32-bit float stands for: -2/3 for -0.66666687.
pub(crate) fn meant_power(power: f64) -> f64 {
    fraction(power, TOLERANCE).map_or(power, |(numerator, denominator)| numerator / f64::from(denominator))
}

/// A power as text: a whole number, a fraction (in parentheses, as unyt and astropy want it), or a decimal in parentheses.
pub(super) fn power_text(power: f64) -> String {
    match fraction(power, ROUNDING) {
        Some((numerator, 1)) => format!("{numerator}"),
        Some((numerator, denominator)) => format!("({numerator}/{denominator})"),
        None => format!("({power})"),
    }
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "the very number is wanted")]
mod tests {
    use super::*;

    #[test]
    fn powers_are_written_as_people_would() {
        assert_eq!(power_text(2.0), "2");
        assert_eq!(power_text(-3.0), "-3");
        assert_eq!(power_text(-2.0 / 3.0), "(-2/3)");
        assert_eq!(power_text(0.6666), "(0.6666)");
        assert_eq!(meant_power(f64::from(-0.666_666_87_f32)), -2.0 / 3.0);
        assert_eq!(power_text(0.5), "(1/2)");
        assert_eq!(power_text(0.123_45), "(0.12345)");
        let entropy = Dimensions { mass: -2.0 / 3.0, length: 4.0, time: -2.0, ..Dimensions::NONE };
        assert_eq!(entropy.to_string(), "mass^(-2/3) length^4 time^-2");
        assert_eq!(Dimensions::NONE.to_string(), "dimensionless");
    }

    #[test]
    fn products_and_quotients_undo_each_other() {
        let speed = Dimensions::LENGTH.over(Dimensions::TIME);
        assert!(speed.times(Dimensions::TIME).agrees_with(Dimensions::LENGTH));
        assert!(speed.power(2.0).over(speed).over(speed).is_none());
        assert!(!speed.is_none());
    }
}
