//! `/Header`.

use serde::Serialize;

use crate::{Attributes, Error, Result};

/// `/Header`, with SWIFT's defaults where old files lack an attribute.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Header {
    /// The code that wrote the file: `SWIFT`, `SOAP`.
    pub code: Option<String>,
    /// The name of the run.
    pub run_name: Option<String>,
    /// The machine.
    pub system: Option<String>,
    /// When the file was written, as it stands there (`01:52:54 2026-11-24 UTC`).
    pub snapshot_date: Option<String>,
    /// `OutputType`; absent in old files.
    pub output_type: Option<String>,
    /// The section of the select-output file that chose the fields.
    pub select_output: Option<String>,
    /// The side lengths of the box. Units: the file's length, comoving.
    pub box_size: [f64; 3],
    /// The number of dimensions of the run.
    pub dimension: Option<u64>,
    /// Redshift; absent where the file does not say.
    pub redshift: Option<f64>,
    /// The scale factor: 1 where the file does not say, as in runs without cosmology.
    pub scale_factor: f64,
    /// The time. Units: the file's time.
    pub time: Option<f64>,
    /// The number of particles of each type in this file.
    pub n_part_this_file: Vec<u64>,
    /// The number of particles of each type in the whole output, high words taken in.
    pub n_part_total: Vec<u64>,
    /// Which types the run could have; absent in old files.
    pub can_have_types: Option<Vec<bool>>,
    /// SWIFT's own names of the types (`Gas`, `DM`, `DMBackground` ...).
    pub part_type_names: Vec<String>,
    /// The files of the output.
    pub n_files_per_snapshot: u64,
    /// Which of them this is.
    pub this_file: Option<u64>,
    /// Whether the file joins others by virtual datasets.
    pub is_virtual: bool,
    /// The mass that all particles of a type share, or 0. Units: the file's mass.
    pub mass_table: Vec<f64>,
    /// The mean mass of each type at the start. Units: the file's mass.
    pub initial_mass_table: Vec<f64>,
    /// By how much positions were shifted. Units: the file's length.
    pub shift: Option<Vec<f64>>,
    /// The fraction of each type that a subsampled output holds.
    pub subsample_fractions: Option<Vec<f64>>,
    /// The number of FOF groups in this file.
    pub n_groups_this_file: Option<u64>,
    /// The number of FOF groups in the whole catalogue.
    pub n_groups_total: Option<u64>,
    /// The number of subhalos in this file (SOAP).
    pub n_subhalos_this_file: Option<u64>,
    /// The number of subhalos in the whole catalogue (SOAP).
    pub n_subhalos_total: Option<u64>,
    /// The groups of a SOAP catalogue (`BoundSubhalo`, `SO/200_crit` ...).
    pub subhalo_types: Option<Vec<String>>,
}

/// More types than any code has; a list that is longer is damage.
const MAX_TYPES: usize = 64;
/// More apertures than any catalogue has.
const MAX_SUBHALO_TYPES: usize = 4096;

impl Header {
    /// Reads the header from the group's attributes and the strings of `Header/PartTypeNames`.
    ///
    /// Errors: [`Error::Malformed`] for a box that is no box, a scale factor that is none, or counts that are none.
    pub(crate) fn new(file: &str, attributes: &Attributes, part_type_names: Vec<String>) -> Result<Self> {
        let malformed = |attribute: &str, reason: String| Error::Malformed {
            file: file.to_owned(),
            object: format!("/Header@{attribute}"),
            reason,
        };
        let counts = |name: &'static str| -> Result<Option<Vec<u64>>> {
            if !attributes.contains(name) {
                return Ok(None);
            }
            let counts = attributes.u64s(name).filter(|c| c.len() <= MAX_TYPES);
            counts.map(Some).ok_or_else(|| malformed(name, "is no list of counts".to_owned()))
        };
        let box_size = attributes.f64s("BoxSize").as_deref().and_then(box_sides).ok_or_else(|| {
            malformed("BoxSize", "is missing or is not one, two or three positive lengths".to_owned())
        })?;
        let scale_factor = attributes.f64("Scale-factor").unwrap_or(1.0);
        if !(scale_factor.is_finite() && scale_factor > 0.0) {
            return Err(malformed("Scale-factor", format!("is {scale_factor}, not a positive number")));
        }
        let n_part_this_file = counts("NumPart_ThisFile")?.unwrap_or_default();
        let n_part_total = match counts("TotalNumberOfParticles")? {
            Some(total) => total,
            None => with_high_words(
                counts("NumPart_Total")?.unwrap_or_else(|| n_part_this_file.clone()),
                &counts("NumPart_Total_HighWord")?.unwrap_or_default(),
            ),
        };
        let masses = |name: &str| attributes.f64s(name).filter(|m| m.len() <= MAX_TYPES).unwrap_or_default();
        Ok(Self {
            code: attributes.text("Code"),
            run_name: attributes.text("RunName"),
            system: attributes.text("System"),
            snapshot_date: attributes.text("SnapshotDate").or_else(|| attributes.text("Snapshot date")),
            output_type: attributes.text("OutputType"),
            select_output: attributes.text("SelectOutput"),
            box_size,
            dimension: attributes.u64("Dimension"),
            redshift: attributes.f64("Redshift"),
            scale_factor,
            time: attributes.f64("Time"),
            can_have_types: counts("CanHaveTypes")?.map(|types| types.into_iter().map(|t| t != 0).collect()),
            part_type_names,
            n_files_per_snapshot: attributes.u64("NumFilesPerSnapshot").unwrap_or(1),
            this_file: attributes.u64("ThisFile"),
            is_virtual: attributes.flag("Virtual").unwrap_or(false),
            mass_table: masses("MassTable"),
            initial_mass_table: masses("InitialMassTable"),
            shift: attributes.f64s("Shift").filter(|s| s.len() <= 3),
            subsample_fractions: attributes.f64s("SubSampleFractions").filter(|s| s.len() <= MAX_TYPES),
            // SWIFT writes NumGroups, older versions wrote NumGroup.
            n_groups_this_file: attributes.u64("NumGroups_ThisFile").or_else(|| attributes.u64("NumGroup_ThisFile")),
            n_groups_total: attributes.u64("NumGroups_Total").or_else(|| attributes.u64("NumGroup_Total")),
            n_subhalos_this_file: attributes.u64("NumSubhalos_ThisFile"),
            n_subhalos_total: attributes.u64("NumSubhalos_Total"),
            subhalo_types: attributes.texts("SubhaloTypes").filter(|types| types.len() <= MAX_SUBHALO_TYPES),
            n_part_this_file,
            n_part_total,
        })
    }
}

/// Three side lengths from one (a cube) or up to three (missing ones like the first).
fn box_sides(given: &[f64]) -> Option<[f64; 3]> {
    let first = *given.first()?;
    let sides = [first, *given.get(1).unwrap_or(&first), *given.get(2).unwrap_or(&first)];
    (given.len() <= 3 && sides.iter().all(|s| s.is_finite() && *s > 0.0)).then_some(sides)
}

fn with_high_words(low: Vec<u64>, high: &[u64]) -> Vec<u64> {
    let high = high.iter().copied().chain(std::iter::repeat(0));
    low.into_iter().zip(high).map(|(low, high)| if high >> 32 == 0 { low | high << 32 } else { low }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn high_words_count_in_units_of_2_to_the_32() {
        assert_eq!(with_high_words(vec![7, 1], &[2]), vec![7 + (2 << 32), 1]);
        assert_eq!(with_high_words(vec![7], &[u64::MAX]), vec![7]);
    }

    #[test]
    fn a_single_box_size_is_a_cube() {
        assert_eq!(box_sides(&[2.0]), Some([2.0; 3]));
        assert_eq!(box_sides(&[1.0, 2.0, 3.0]), Some([1.0, 2.0, 3.0]));
        assert_eq!(box_sides(&[1.0, f64::NAN, 3.0]), None);
        assert_eq!(box_sides(&[0.0]), None);
        assert_eq!(box_sides(&[]), None);
    }
}
