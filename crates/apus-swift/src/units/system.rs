//! A file's unit system, and the names of its units.

use serde::Serialize;

use super::{
    Dimensions, Symbols, Unit,
    dimensions::power_text,
    symbols::{PARSEC_CM, SOLAR_MASS_G, YEAR_S},
};
use crate::{Attributes, Result};

/// Five base units, as `/Units` (what the file's numbers are in) or `/InternalCodeUnits` (what the code calculated in) say.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct UnitSystem {
    /// The unit of mass in g.
    pub mass_cgs: f64,
    /// The unit of length in cm.
    pub length_cgs: f64,
    /// The unit of time in s.
    pub time_cgs: f64,
    /// The unit of electric current in A.
    pub current_cgs: f64,
    /// The unit of temperature in K.
    pub temperature_cgs: f64,
}

/// A named unit that a base unit may be a multiple of.
struct Base {
    name: &'static str,
    cgs: f64,
}

// The names that swiftsimio looks for, but for the mass and radius of the Earth, which unyt and astropy disagree about.
const MASSES: &[Base] =
    &[Base { name: "g", cgs: 1.0 }, Base { name: "kg", cgs: 1e3 }, Base { name: "Msun", cgs: SOLAR_MASS_G }];
const LENGTHS: &[Base] = &[
    Base { name: "cm", cgs: 1.0 },
    Base { name: "m", cgs: 1e2 },
    Base { name: "km", cgs: 1e5 },
    Base { name: "pc", cgs: PARSEC_CM },
    Base { name: "kpc", cgs: 1e3 * PARSEC_CM },
    Base { name: "Mpc", cgs: 1e6 * PARSEC_CM },
    Base { name: "Gpc", cgs: 1e9 * PARSEC_CM },
];
const TIMES: &[Base] = &[
    Base { name: "s", cgs: 1.0 },
    Base { name: "yr", cgs: YEAR_S },
    Base { name: "Myr", cgs: 1e6 * YEAR_S },
    Base { name: "Gyr", cgs: 1e9 * YEAR_S },
];
const CURRENTS: &[Base] = &[Base { name: "A", cgs: 1.0 }];
const TEMPERATURES: &[Base] = &[Base { name: "K", cgs: 1.0 }];

impl UnitSystem {
    /// Reads the system from the attributes of `/Units` or `/InternalCodeUnits`. `None` where one of the first three is
    /// missing or is no positive number; a missing current or temperature is 1 A, 1 K.
    pub(crate) fn from_attributes(attributes: &Attributes) -> Option<Self> {
        let positive = |name: &str| attributes.f64(name).filter(|v| v.is_finite() && *v > 0.0);
        Some(Self {
            mass_cgs: positive("Unit mass in cgs (U_M)")?,
            length_cgs: positive("Unit length in cgs (U_L)")?,
            time_cgs: positive("Unit time in cgs (U_t)")?,
            current_cgs: positive("Unit current in cgs (U_I)").unwrap_or(1.0),
            temperature_cgs: positive("Unit temperature in cgs (U_T)").unwrap_or(1.0),
        })
    }

    /// One unit of these dimensions, in cgs (currents in A).
    pub fn cgs(&self, dimensions: Dimensions) -> f64 {
        let units = [self.mass_cgs, self.length_cgs, self.time_cgs, self.current_cgs, self.temperature_cgs];
        units.iter().zip(dimensions.powers()).filter(|(_, p)| *p != 0.0).map(|(u, p)| raised(*u, p)).product()
    }

    /// The unit of a quantity of these dimensions, as text that unyt and astropy both parse: `1e10*Msun/Mpc**3`, `1` for
    /// pure numbers.
    ///
    /// Where lengths over times come in km/s, as they do in most cosmological runs, rates and velocities are written with
    /// that instead of a long number of `Gyr`.
    pub fn unit_string(&self, dimensions: Dimensions) -> String {
        let [mass, length, mut time, current, temperature] = dimensions.powers();
        let mut kilometre_per_second = 0.0;
        let mut length = length;
        if time < 0.0 && self.has_kilometres_per_second() {
            kilometre_per_second = -time;
            length += time;
            time = 0.0;
        }
        let mut coefficient = 1.0;
        let mut factors: Vec<(&str, f64)> = Vec::new();
        for (power, unit, bases) in [
            (mass, self.mass_cgs, MASSES),
            (length, self.length_cgs, LENGTHS),
            (time, self.time_cgs, TIMES),
            (current, self.current_cgs, CURRENTS),
            (temperature, self.temperature_cgs, TEMPERATURES),
        ] {
            if power != 0.0 {
                let (number, name) = nearest(unit, bases);
                coefficient *= raised(number, power);
                factors.push((name, power));
            }
        }
        if kilometre_per_second != 0.0 {
            factors.push(("km", kilometre_per_second));
            factors.push(("s", -kilometre_per_second));
        }
        write_product(coefficient, &factors)
    }

    /// The units that people may name, with the constants calibrated to this file.
    pub(crate) fn symbols(&self, h: Option<f64>) -> Symbols {
        let mut symbols = Symbols { h, ..Symbols::default() };
        if let (number, "Msun") = nearest(self.mass_cgs, MASSES)
            && is_power_of_ten(number)
        {
            symbols.solar_mass_g = self.mass_cgs / number;
        }
        if let (number, name @ ("pc" | "kpc" | "Mpc" | "Gpc")) = nearest(self.length_cgs, LENGTHS)
            && is_power_of_ten(number)
        {
            let parsecs = match name {
                "pc" => 1.0,
                "kpc" => 1e3,
                "Mpc" => 1e6,
                _ => 1e9,
            };
            symbols.parsec_cm = self.length_cgs / number / parsecs;
        }
        symbols
    }

    /// Parses a unit that is to be used with this file's numbers; `h` is the Hubble parameter that `Mpc/h` means.
    ///
    /// Errors: [`Error::BadUnit`](crate::Error::BadUnit).
    pub fn parse_unit(&self, text: &str, h: Option<f64>) -> Result<Unit> {
        Unit::parse_with(text, &self.symbols(h))
    }

    fn has_kilometres_per_second(&self) -> bool {
        let speed = self.length_cgs / self.time_cgs;
        let (number, _) = nearest(self.time_cgs, TIMES);
        (speed / 1e5 - 1.0).abs() < 1e-9 && !is_power_of_ten(number)
    }
}

/// The nearest named unit and how many of it `unit` is. The number is rounded to a power of ten where five digits of it are one.
fn nearest(unit: f64, bases: &'static [Base]) -> (f64, &'static str) {
    let distance = |b: &Base| (unit / b.cgs).log10().abs();
    let first = Base { name: "1", cgs: 1.0 };
    let base = bases.iter().min_by(|a, b| distance(a).total_cmp(&distance(b))).unwrap_or(&first);
    let number = unit / base.cgs;
    let power_of_ten = 10f64.powf(number.log10().round());
    let number = if (number / power_of_ten - 1.0).abs() < 5e-5 { power_of_ten } else { number };
    (number, base.name)
}

fn is_power_of_ten(number: f64) -> bool {
    let exponent = number.log10();
    (exponent - exponent.round()).abs() < 1e-12
}

/// A power, by multiplication where it is whole, so that `1e5` squared is `1e10`.
fn raised(base: f64, power: f64) -> f64 {
    if power.fract() == 0.0 && power.abs() <= 64.0 {
        #[expect(clippy::cast_possible_truncation, reason = "a whole number of at most 64")]
        base.powi(power as i32)
    } else {
        base.powf(power)
    }
}

/// `coefficient*a*b**2/(c*d)`.
pub(super) fn write_product(coefficient: f64, factors: &[(&str, f64)]) -> String {
    let write = |(name, power): &(&str, f64)| {
        let power = power.abs();
        match power_text(power) {
            text if text == "1" => (*name).to_owned(),
            text => format!("{name}**{text}"),
        }
    };
    let above: Vec<String> = factors.iter().filter(|f| f.1 > 0.0).map(write).collect();
    let below: Vec<String> = factors.iter().filter(|f| f.1 < 0.0).map(write).collect();
    let mut text = String::new();
    if (coefficient - 1.0).abs() > 1e-12 || above.is_empty() {
        text.push_str(&number_text(coefficient));
        if !above.is_empty() {
            text.push('*');
        }
    }
    text.push_str(&above.join("*"));
    match below.as_slice() {
        [] => {}
        [one] => text = format!("{text}/{one}"),
        several => text = format!("{text}/({})", several.join("*")),
    }
    text
}

/// `coefficient` right before `a.b**2.c**-1`; empty for pure numbers.
pub(super) fn write_vo_product(coefficient: f64, factors: &[(&str, f64)]) -> String {
    let write = |(name, power): &(&str, f64)| match (power_text(power.abs()), *power < 0.0) {
        (text, false) if text == "1" => (*name).to_owned(),
        (text, false) => format!("{name}**{text}"),
        (text, true) => match text.strip_prefix('(') {
            Some(inner) => format!("{name}**(-{inner}"),
            None => format!("{name}**-{text}"),
        },
    };
    let is_one = (coefficient - 1.0).abs() <= 1e-12;
    let number = if is_one { String::new() } else { number_text(coefficient) };
    number + &factors.iter().map(write).collect::<Vec<_>>().join(".")
}

fn number_text(number: f64) -> String {
    // Powers of rounded numbers leave a rest in the last digits, which nobody wants to read.
    let rounded: f64 = format!("{number:.12e}").parse().unwrap_or(number);
    let number = if (rounded / number - 1.0).abs() < 1e-14 { rounded } else { number };
    if number != 0.0 && !(1e-4..1e5).contains(&number.abs()) { format!("{number:e}") } else { format!("{number}") }
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "the very number is wanted")]
mod tests {
    use super::*;

    const COSMOLOGICAL: UnitSystem = UnitSystem {
        mass_cgs: 1.988_41e43,
        length_cgs: 3.085_677_581_49e24,
        time_cgs: 3.085_677_581_49e19,
        current_cgs: 1.0,
        temperature_cgs: 1.0,
    };
    const CGS: UnitSystem =
        UnitSystem { mass_cgs: 1.0, length_cgs: 1.0, time_cgs: 1.0, current_cgs: 1.0, temperature_cgs: 1.0 };

    fn check(mass: f64, length: f64, time: f64, temperature: f64, cosmological: &str, cgs: &str) {
        let dimensions = Dimensions { mass, length, time, current: 0.0, temperature };
        assert_eq!(COSMOLOGICAL.unit_string(dimensions), cosmological);
        assert_eq!(CGS.unit_string(dimensions), cgs);
    }

    #[test]
    fn units_are_written_with_the_names_of_the_field() {
        check(0.0, 0.0, 0.0, 0.0, "1", "1");
        check(1.0, 0.0, 0.0, 0.0, "1e10*Msun", "g");
        check(0.0, 1.0, 0.0, 0.0, "Mpc", "cm");
        check(1.0, -3.0, 0.0, 0.0, "1e10*Msun/Mpc**3", "g/cm**3");
        check(0.0, 1.0, -1.0, 0.0, "km/s", "cm/s");
        check(0.0, 2.0, -2.0, 0.0, "km**2/s**2", "cm**2/s**2");
        check(0.0, 0.0, -1.0, 0.0, "km/(Mpc*s)", "1/s");
        check(1.0, -1.0, -2.0, 0.0, "1e10*Msun*km**2/(Mpc**3*s**2)", "g/(cm*s**2)");
        check(0.0, 0.0, 0.0, 1.0, "K", "K");
        check(0.0, 0.0, 1.0, 0.0, "977.7922216803559*Gyr", "s");
        check(
            -2.0 / 3.0,
            4.0,
            -2.0,
            0.0,
            "2.1544346900318856e-7*Mpc**2*km**2/(Msun**(2/3)*s**2)",
            "cm**4/(g**(2/3)*s**2)",
        );
    }

    #[test]
    fn cgs_is_the_product_of_powers() {
        let speed = COSMOLOGICAL.cgs(Dimensions { length: 1.0, time: -1.0, ..Dimensions::NONE });
        assert!((speed / 1e5 - 1.0).abs() < 1e-15);
        assert_eq!(COSMOLOGICAL.cgs(Dimensions::NONE), 1.0);
    }

    #[test]
    fn a_solar_mass_is_what_the_file_says() {
        let unit = COSMOLOGICAL.parse_unit("1e10 Msun", None).unwrap();
        assert!((unit.cgs / COSMOLOGICAL.mass_cgs - 1.0).abs() < 1e-15);
        let unit = COSMOLOGICAL.parse_unit("Mpc", None).unwrap();
        assert_eq!(unit.cgs, COSMOLOGICAL.length_cgs);
        let unit = CGS.parse_unit("Msun", None).unwrap();
        assert_eq!(unit.cgs, SOLAR_MASS_G);
    }
}
