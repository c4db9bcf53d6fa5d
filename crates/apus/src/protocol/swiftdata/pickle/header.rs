//! What swiftsimio makes of the header: `postprocess_header` of 7.0.1.

use apus_h5::{Attribute, File, Result};

use super::{
    Quantities, Writer, find,
    naming::{N_PARTICLE_TYPES, type_name},
    numpy::{self, Origin},
};

/// Header strings, by the attributes of the metadata that they become.
const STRINGS: [(&str, &str); 4] = [
    ("RunName", "run_name"),
    ("SelectOutput", "select_output"),
    ("OutputType", "output_type"),
    ("System", "system_name"),
];

/// Header mass tables, by the attributes of the metadata that they become.
const MASS_TABLES: [(&str, &str); 2] = [("MassTable", "mass_table"), ("InitialMassTable", "initial_mass_table")];

/// A header, and which particle types swiftsimio will look for.
pub(super) struct Header<'a> {
    pub(super) file: &'a File,
    pub(super) attributes: &'a [Attribute],
    /// The numbers of the types that have a group in the file.
    pub(super) present: &'a [usize],
    pub(super) quantities: Quantities,
}

impl Header<'_> {
    /// Writes the attributes of the metadata that come from the header, names and values in turn.
    pub(super) fn write(&self, w: &mut Writer) -> Result<()> {
        self.write_arrays(w)?;
        for (field, name) in MASS_TABLES {
            w.str(name);
            self.write_mass_table(w, field)?;
        }
        for (field, name) in STRINGS {
            w.str(name);
            w.str(&find(self.attributes, field).and_then(|a| a.value.as_str()).unwrap_or_default());
        }
        for (field, names) in
            [("Time", ["time", "t"].as_slice()), ("Dimension", &["dimension"]), ("Redshift", &["redshift", "z"])]
        {
            let Some(attribute) = find(self.attributes, field) else { continue };
            for name in names {
                w.str(name);
                self.write_first(w, attribute, field == "Time")?;
            }
        }
        for name in ["a", "scale_factor"] {
            w.str(name);
            self.write_scale_factor(w)?;
        }
        w.str("snapshot_date");
        let date = ["SnapshotDate", "Snapshot date"].into_iter().find_map(|name| find(self.attributes, name));
        write_date(w, &date.and_then(|a| a.value.as_str()).unwrap_or_default());
        self.write_numbers(w)
    }

    /// The scale factor as a numpy scalar, or 1.
    pub(super) fn write_scale_factor(&self, w: &mut Writer) -> Result<()> {
        if let Some(attribute) = find(self.attributes, "Scale-factor") {
            self.write_first(w, attribute, false)
        } else {
            w.float(1.0);
            Ok(())
        }
    }

    fn write_arrays(&self, w: &mut Writer) -> Result<()> {
        if let Some(attribute) = find(self.attributes, "BoxSize") {
            w.str("boxsize");
            let (_, result) = w.call("unyt", "unyt_array", |w| {
                numpy::attribute(w, &self.origin(), attribute)?;
                w.get(self.quantities.length);
                Ok(())
            });
            result?;
        }
        let numbers = find(self.attributes, "NumPart_ThisFile");
        if let Some(attribute) = numbers {
            w.str("num_part");
            numpy::attribute(w, &self.origin(), attribute)?;
        }
        // swiftsimio derives the types that are present from this one. A type that the run could have but that has no group in the
        // file (it was switched off in the output) is left out, where swiftsimio itself fails.
        let (can_have, found) = match find(self.attributes, "CanHaveTypes") {
            Some(attribute) => (Some(attribute), attribute.value.to_i128()),
            None => (None, numbers.and_then(|n| n.value.to_i128())),
        };
        let claimed = found.unwrap_or_default();
        let is_present = |p: usize| self.present.contains(&p);
        let agrees = claimed.iter().enumerate().all(|(p, &n)| (n != 0) == is_present(p));
        match can_have {
            Some(attribute) if agrees => {
                w.str("has_type");
                numpy::attribute(w, &self.origin(), attribute)?;
            }
            None if agrees => {}
            _ => {
                w.str("has_type");
                let flags: Vec<u8> = (0..claimed.len()).flat_map(|p| i32::from(is_present(p)).to_le_bytes()).collect();
                numpy::ndarray(w, &[u64::try_from(claimed.len()).unwrap_or(u64::MAX)], "<i4", &flags);
            }
        }
        Ok(())
    }

    fn write_mass_table(&self, w: &mut Writer, field: &str) -> Result<()> {
        let (_, result) = w.call("swiftsimio.reader", "MassTable", |w| {
            match find(self.attributes, field) {
                Some(attribute) => numpy::attribute(w, &self.origin(), attribute)?,
                None => numpy::ndarray(w, &[7], "<f8", &[0; 7 * 8]),
            }
            w.get(self.quantities.mass);
            Ok(())
        });
        result
    }

    /// `header[field][0]`, for times with their unit.
    fn write_first(&self, w: &mut Writer, attribute: &Attribute, is_time: bool) -> Result<()> {
        if !is_time {
            return numpy::first(w, &self.origin(), &attribute.value);
        }
        let (_, result) = w.call("unyt", "unyt_quantity", |w| {
            numpy::first(w, &self.origin(), &attribute.value)?;
            w.get(self.quantities.time);
            Ok(())
        });
        result
    }

    /// `n_gas`, `n_dark_matter`, ...: elements of the array, 0 beyond its end.
    fn write_numbers(&self, w: &mut Writer) -> Result<()> {
        let Some(numbers) = find(self.attributes, "NumPart_ThisFile") else { return Ok(()) };
        for p in 0..N_PARTICLE_TYPES {
            w.str(&format!("n_{}", type_name(p)));
            numpy::element(w, &self.origin(), &numbers.value, p)?;
        }
        Ok(())
    }

    fn origin(&self) -> Origin<'_> {
        Origin { file: self.file, object: "/Header" }
    }
}

/// A `datetime.datetime` where the text is a date as SWIFT writes it, or the text.
fn write_date(w: &mut Writer, text: &str) {
    match date(text) {
        Some(numbers) => {
            w.call("datetime", "datetime", |w| numbers.into_iter().for_each(|n| w.int(n.into())));
        }
        None => w.str(text),
    }
}

/// Year, month, day, hour, minute, second of `"%H:%M:%S %Y-%m-%d %Z"` (in UTC, the one zone that all machines agree on), or of
/// `"%a %b %e %H:%M:%S %Y\n"`, which older versions of SWIFT wrote.
fn date(text: &str) -> Option<[u32; 6]> {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let numbers = |text: &str, separator| {
        let parts: Option<Vec<u32>> = text.split(separator).map(|p| p.parse().ok()).collect();
        <[u32; 3]>::try_from(parts?).ok()
    };
    let words: Vec<&str> = text.split_ascii_whitespace().collect();
    let ([hour, minute, second], [year, month, day]) = match words[..] {
        [time, date, zone] if ["UTC", "GMT"].iter().any(|z| zone.eq_ignore_ascii_case(z)) => {
            (numbers(time, ':')?, numbers(date, '-')?)
        }
        [_, month, day, time, year] => {
            let month = MONTHS.iter().zip(1..).find(|(name, _)| name.eq_ignore_ascii_case(month))?.1;
            (numbers(time, ':')?, [year.parse().ok()?, month, day.parse().ok()?])
        }
        _ => return None,
    };
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let n_days = match month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap => 29,
        2 => 28,
        1..=12 => 31,
        _ => return None,
    };
    // What `datetime` refuses must not become a pickle that cannot be loaded.
    let good = (1..=9999).contains(&year) && (1..=n_days).contains(&day) && hour < 24 && minute < 60 && second < 60;
    good.then_some([year, month, day, hour, minute, second])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_as_python_reads_them() {
        assert_eq!(date("13:05:59 2026-04-01 UTC"), Some([2026, 4, 1, 13, 5, 59]));
        assert_eq!(date("Thu Sep  5 12:00:00 2019\n"), Some([2019, 9, 5, 12, 0, 0]));
        for bad in [
            "",
            "13:05:59 2026-04-31 UTC",
            "13:05:59 2025-02-29 GMT",
            "24:00:00 2026-04-01 UTC",
            "13:05 2026-04-01 UTC",
            "1:2:3 2026-4-1 CEST",
        ] {
            assert_eq!(date(bad), None, "{bad}");
        }
    }
}
