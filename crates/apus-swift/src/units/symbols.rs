//! The names of units.

use super::Dimensions;

/// The solar mass in g, IAU 2015 nominal GM over CODATA 2018 G: what astropy has.
pub(super) const SOLAR_MASS_G: f64 = 1.988_409_870_698_051e33;
/// The parsec in cm, IAU 2015.
pub(super) const PARSEC_CM: f64 = 3.085_677_581_491_367_3e18;
/// The Julian year in s, which unyt and astropy both call `yr`.
pub(super) const YEAR_S: f64 = 31_557_600.0;

/// The constants that a file may calibrate.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Symbols {
    pub(super) solar_mass_g: f64,
    pub(super) parsec_cm: f64,
    /// The Hubble parameter, for `Mpc/h`.
    pub(super) h: Option<f64>,
}

impl Default for Symbols {
    fn default() -> Self {
        Self { solar_mass_g: SOLAR_MASS_G, parsec_cm: PARSEC_CM, h: None }
    }
}

impl Symbols {
    /// For telling what is a unit and what is not, before a file is at hand.
    pub(crate) fn any_hubble_parameter() -> Self {
        Self { h: Some(1.0), ..Self::default() }
    }
}

// Powers of mass, length and time.
const MASS: [f64; 3] = [1.0, 0.0, 0.0];
const LENGTH: [f64; 3] = [0.0, 1.0, 0.0];
const TIME: [f64; 3] = [0.0, 0.0, 1.0];
const FREQUENCY: [f64; 3] = [0.0, 0.0, -1.0];
const ENERGY: [f64; 3] = [1.0, 2.0, -2.0];
const FORCE: [f64; 3] = [1.0, 1.0, -2.0];
const POWER: [f64; 3] = [1.0, 2.0, -3.0];
const PRESSURE: [f64; 3] = [1.0, -1.0, -2.0];
const VELOCITY: [f64; 3] = [0.0, 1.0, -1.0];

/// Units that take a prefix of the SI (`km`, `Myr`, `keV`).
const PREFIXED: &[(&str, f64, [f64; 3])] = &[
    ("g", 1.0, MASS),
    ("m", 1e2, LENGTH),
    ("s", 1.0, TIME),
    ("yr", YEAR_S, TIME),
    ("Hz", 1.0, FREQUENCY),
    ("eV", 1.602_176_634e-12, ENERGY),
    ("J", 1e7, ENERGY),
    ("erg", 1.0, ENERGY),
    ("N", 1e5, FORCE),
    ("W", 1e7, POWER),
    ("Pa", 10.0, PRESSURE),
    ("bar", 1e6, PRESSURE),
];

/// Units that stand alone.
const PLAIN: &[(&str, f64, [f64; 3])] = &[
    ("min", 60.0, TIME),
    ("hr", 3_600.0, TIME),
    ("hour", 3_600.0, TIME),
    ("day", 86_400.0, TIME),
    ("year", YEAR_S, TIME),
    ("AU", 1.495_978_707e13, LENGTH),
    ("au", 1.495_978_707e13, LENGTH),
    ("ly", 9.460_730_472_580_8e17, LENGTH),
    ("Angstrom", 1e-8, LENGTH),
    ("angstrom", 1e-8, LENGTH),
    ("micron", 1e-4, LENGTH),
    ("Rsun", 6.957e10, LENGTH),
    ("Lsun", 3.828e33, POWER),
    ("dyn", 1.0, FORCE),
    ("dyne", 1.0, FORCE),
    ("c", 2.997_924_58e10, VELOCITY),
    ("mp", 1.672_621_923_69e-24, MASS),
    ("m_p", 1.672_621_923_69e-24, MASS),
    ("amu", 1.660_539_066_60e-24, MASS),
];

const PREFIXES: &[(&str, f64)] = &[
    ("T", 1e12),
    ("G", 1e9),
    ("M", 1e6),
    ("k", 1e3),
    ("h", 1e2),
    ("da", 1e1),
    ("d", 1e-1),
    ("c", 1e-2),
    ("m", 1e-3),
    ("u", 1e-6),
    ("n", 1e-9),
    ("p", 1e-12),
];

/// How one named unit is written, for messages.
pub(super) const EXAMPLES: &str = "Mpc, kpc, Msun, km/s, g/cm**3, Gyr, K, erg";

impl Symbols {
    /// What the name is worth in cgs, and its dimensions. Case counts, as it does in unyt.
    pub(super) fn find(&self, name: &str) -> Option<(f64, Dimensions)> {
        match name {
            "dimensionless" => return Some((1.0, Dimensions::NONE)),
            "h" => return self.h.map(|h| (h, Dimensions::NONE)),
            "Msun" | "solMass" | "Solar_Mass" | "M_sun" | "Msol" => {
                return Some((self.solar_mass_g, Dimensions::MASS));
            }
            "parsec" => return Some((self.parsec_cm, Dimensions::LENGTH)),
            "K" => return Some((1.0, Dimensions { temperature: 1.0, ..Dimensions::NONE })),
            "A" => return Some((1.0, Dimensions { current: 1.0, ..Dimensions::NONE })),
            _ => {}
        }
        if let Some((_, cgs, powers)) = PLAIN.iter().find(|(n, ..)| *n == name) {
            return Some((*cgs, dimensions(*powers)));
        }
        // Without a prefix first, so that `m` is a metre and `min` no milli-inch.
        self.prefixable(name).or_else(|| {
            PREFIXES.iter().find_map(|(prefix, factor)| {
                let (cgs, dimensions) = self.prefixable(name.strip_prefix(prefix)?)?;
                Some((cgs * factor, dimensions))
            })
        })
    }

    fn prefixable(&self, name: &str) -> Option<(f64, Dimensions)> {
        if name == "pc" {
            return Some((self.parsec_cm, Dimensions::LENGTH));
        }
        PREFIXED.iter().find(|(n, ..)| *n == name).map(|(_, cgs, powers)| (*cgs, dimensions(*powers)))
    }
}

/// The name by which both unyt and astropy know a unit; `None` where there is none.
pub(super) fn shared_name(name: &str) -> Option<&str> {
    match name {
        "solMass" | "Solar_Mass" | "M_sun" | "Msol" => Some("Msun"),
        "parsec" => Some("pc"),
        "micron" => Some("um"),
        // `h` is a number here, and an hour in astropy.
        "dimensionless" | "h" | "ly" | "c" | "mp" | "m_p" | "amu" => None,
        "bar" => Some(name),
        _ if name.ends_with("bar") => None,
        _ => Some(name),
    }
}

/// The name of a unit in the Virtual Observatory, given one of [`shared_name`]; `None` where there is none, or a deprecated one.
///
/// Source: IVOA `VOUnits` 1.0, tables 3 to 5.
pub(super) fn vo_name(name: &str) -> Option<&str> {
    match name {
        "Msun" => Some("solMass"),
        "Rsun" => Some("solRad"),
        "Lsun" => Some("solLum"),
        "hr" | "hour" => Some("h"),
        "day" => Some("d"),
        "year" => Some("yr"),
        "au" => Some("AU"),
        "Angstrom" | "angstrom" | "dyn" | "dyne" => None,
        _ if name.ends_with("bar") || name.ends_with("erg") => None,
        _ => Some(name),
    }
}

fn dimensions([mass, length, time]: [f64; 3]) -> Dimensions {
    Dimensions { mass, length, time, ..Dimensions::NONE }
}
