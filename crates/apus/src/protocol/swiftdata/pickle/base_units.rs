//! The file's base units as swiftsimio names them: `10000000000.0 Msun` rather than `1.98841e+43 g`.

use apus_h5::{Error, File, Result};

use super::{Memo, Writer, quantity};

/// The five base units of a file, in the order mass, length, time, current, temperature.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::protocol::swiftdata) struct BaseUnits {
    /// In cgs (currents in statA), by the names in the file.
    cgs: [f64; 5],
    /// In the nearest unit that swiftsimio knows.
    nearest: [(f64, &'static str); 5],
}

/// The places of the base units in a pickle.
#[derive(Clone, Copy, Debug)]
pub(super) struct Quantities {
    pub(super) mass: Memo,
    pub(super) length: Memo,
    pub(super) time: Memo,
    pub(super) current: Memo,
    pub(super) temperature: Memo,
}

struct Dimension {
    /// swiftsimio's name.
    name: &'static str,
    /// The attribute of `Units`.
    attribute: &'static str,
    /// The unit of that attribute.
    cgs_unit: &'static str,
    /// The units to choose from, with their value in the cgs unit.
    candidates: &'static [(&'static str, f64)],
}

/// Source: swiftsimio 7.0.1, `metadata/unit/unit_types.py`; the values are those of unyt 3 (`unyt.Unit(name).in_cgs()`).
const DIMENSIONS: [Dimension; 5] = [
    Dimension {
        name: "mass",
        attribute: "Unit mass in cgs (U_M)",
        cgs_unit: "g",
        candidates: &[("g", 1.0), ("kg", 1e3), ("Mearth", 5.9742e27), ("Msun", 1.988_409_870_698_051e33)],
    },
    Dimension {
        name: "length",
        attribute: "Unit length in cgs (U_L)",
        cgs_unit: "cm",
        candidates: &[
            ("cm", 1.0),
            ("m", 1e2),
            ("km", 1e5),
            ("Rearth", 6.3781e8),
            ("pc", 3.085_677_581_491_367e18),
            ("kpc", 3.085_677_581_491_367e21),
            ("Mpc", 3.085_677_581_491_367e24),
            ("Gpc", 3.085_677_581_491_367e27),
        ],
    },
    Dimension {
        name: "time",
        attribute: "Unit time in cgs (U_t)",
        cgs_unit: "s",
        candidates: &[("s", 1.0), ("yr", 31_557_600.0), ("Myr", 31_557_600.0e6), ("Gyr", 31_557_600.0e9)],
    },
    Dimension {
        name: "current",
        attribute: "Unit current in cgs (U_I)",
        cgs_unit: "statA",
        candidates: &[("statA", 1.0)],
    },
    Dimension {
        name: "temperature",
        attribute: "Unit temperature in cgs (U_T)",
        cgs_unit: "K",
        candidates: &[("K", 1.0)],
    },
];

impl BaseUnits {
    /// Reads the group `Units`.
    ///
    /// Errors: [`Error::NotFound`] where there is none, or one of the five is missing; [`Error::Damaged`] where one is no positive
    /// number.
    pub(in crate::protocol::swiftdata) fn read(file: &File) -> Result<Self> {
        let group = file.group("/Units")?;
        let mut cgs = [0.0; 5];
        for (value, dimension) in cgs.iter_mut().zip(&DIMENSIONS) {
            let object = || format!("/Units@{}", dimension.attribute);
            let missing = || Error::NotFound { file: file.name().to_owned(), object: object() };
            let attribute = group.attribute(dimension.attribute)?.ok_or_else(missing)?;
            *value = attribute.value.to_f64().and_then(|v| v.first().copied()).ok_or_else(missing)?;
            if !(value.is_finite() && *value > 0.0) {
                let reason = format!("a unit must be a positive number, and this is {value}");
                return Err(Error::Damaged { file: file.name().to_owned(), object: object(), reason });
            }
        }
        let mut nearest = [(0.0, ""); 5];
        for ((nearest, &cgs), dimension) in nearest.iter_mut().zip(&cgs).zip(&DIMENSIONS) {
            *nearest = nearest_unit(cgs, dimension.candidates);
        }
        Ok(Self { cgs, nearest })
    }

    /// Name in the file, value and unit of each as stored.
    pub(in crate::protocol::swiftdata) fn stored(&self) -> impl Iterator<Item = (&'static str, f64, &'static str)> {
        self.cgs.iter().zip(&DIMENSIONS).map(|(&value, dimension)| (dimension.attribute, value, dimension.cgs_unit))
    }

    /// swiftsimio's name, value and unit of each in the nearest unit.
    pub(in crate::protocol::swiftdata) fn nearest(&self) -> impl Iterator<Item = (&'static str, f64, &'static str)> {
        self.nearest.iter().zip(&DIMENSIONS).map(|(&(value, unit), dimension)| (dimension.name, value, unit))
    }

    /// The unit of length: value and unit.
    pub(in crate::protocol::swiftdata) fn length(&self) -> (f64, &'static str) {
        self.nearest[1]
    }

    /// Writes the attributes `mass`, `length`, ... of `SWIFTUnits`, names and values in turn.
    pub(super) fn write(&self, w: &mut Writer) -> Quantities {
        let [mass, length, time, current, temperature] = std::array::from_fn(|i| {
            w.str(DIMENSIONS[i].name);
            let (value, unit) = self.nearest[i];
            quantity(w, value, unit)
        });
        Quantities { mass, length, time, current, temperature }
    }
}

/// The candidate whose logarithm is nearest, and how many of it there are, to five digits as swiftsimio rounds.
fn nearest_unit(cgs: f64, candidates: &[(&'static str, f64)]) -> (f64, &'static str) {
    let distance = |value: f64| (value / cgs).ln().abs();
    let nearest = candidates.iter().copied().min_by(|a, b| distance(a.1).total_cmp(&distance(b.1)));
    let (unit, value) = nearest.unwrap_or(("", 1.0));
    // Python's float("%.5g" % x).
    let rounded = format!("{:.4e}", cgs / value).parse().unwrap_or(cgs / value);
    (rounded, unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each expected value is what `swiftsimio.metadata.unit_types.find_nearest_base_unit` of 7.0.1 gives.
    #[test]
    fn names_units_as_swiftsimio_does() {
        let check = |cgs, dimension: usize, expect| {
            assert_eq!(nearest_unit(cgs, DIMENSIONS[dimension].candidates), expect);
        };
        check(1.988_41e43, 0, (1e10, "Msun"));
        check(1.988_48e43, 0, (1e10, "Msun"));
        check(1.0, 0, (1.0, "g"));
        check(3.085_678e24, 1, (1.0, "Mpc"));
        check(3.085_678e21, 1, (1.0, "kpc"));
        check(3.085_678e19, 2, (977.79, "Gyr"));
        check(1.0, 2, (1.0, "s"));
    }
}
