//! `/Header` of a subset.

use apus_h5::{
    Array, Attribute, Data, Dataspace, Datatype,
    write::{Number, ObjectId, Tree},
};

use super::SubsetGroup;
use crate::{Output, OutputKind, Result};

/// Puts the counts of the subset in the place of the output's; the subset is one file.
pub(super) fn write(tree: &mut Tree, output: &Output, groups: &[SubsetGroup<'_>]) -> Result<()> {
    let Some(header) = tree.find("/Header") else { return Ok(()) };
    for (name, number) in [("NumFilesPerSnapshot", 1), ("ThisFile", 0), ("Virtual", 0)] {
        set_counts(tree, header, name, &[number])?;
    }
    match output.kind() {
        OutputKind::FofCatalogue => {
            let n_groups = groups.first().map_or(0, |group| group.rows.n_rows());
            for name in ["NumGroups_ThisFile", "NumGroups_Total", "NumGroup_ThisFile", "NumGroup_Total"] {
                set_counts(tree, header, name, &[n_groups])?;
            }
        }
        OutputKind::SoapCatalogue => {
            let n_subhalos = groups.first().map_or(0, |group| group.rows.n_rows());
            for name in ["NumSubhalos_ThisFile", "NumSubhalos_Total"] {
                set_counts(tree, header, name, &[n_subhalos])?;
            }
            if tree.attribute(header, "SubhaloTypes").is_some() {
                let names: Vec<&str> = groups.iter().map(|group| group.selection.group.as_str()).collect();
                tree.set_attribute(header, texts("SubhaloTypes", &names))?;
            }
        }
        kind if kind.has_particle_types() => {
            let n_types = output.header().map_or(0, |h| h.n_part_this_file.len().max(h.n_part_total.len()));
            let mut counts = vec![0u64; n_types];
            let mut has_type = vec![0u64; n_types];
            for group in groups {
                let number = group.selection.group.strip_prefix("PartType").and_then(|n| n.parse::<usize>().ok());
                if let Some(number) = number.filter(|number| *number < n_types) {
                    counts[number] = group.rows.n_rows();
                    has_type[number] = 1;
                }
            }
            let high_words: Vec<u64> = counts.iter().map(|count| count >> 32).collect();
            for name in ["NumPart_ThisFile", "TotalNumberOfParticles"] {
                set_counts(tree, header, name, &counts)?;
            }
            // Low words, where that is what the type has room for.
            let has_high_words = tree.attribute(header, "NumPart_Total_HighWord").is_some();
            let low_words: Vec<u64> = counts.iter().map(|count| count & 0xffff_ffff).collect();
            set_counts(tree, header, "NumPart_Total", if has_high_words { &low_words } else { &counts })?;
            set_counts(tree, header, "NumPart_Total_HighWord", &high_words)?;
            set_counts(tree, header, "CanHaveTypes", &has_type)?;
        }
        _ => {}
    }
    let output_type = output.header().and_then(|header| header.output_type.as_deref());
    let subset_type = match output_type {
        Some("FullVolume") => "VolumeSubset",
        Some("FOF") => "FOFSubset",
        Some("SOAP") => "SOAPSubset",
        _ => return Ok(()),
    };
    Ok(tree.set_attribute(header, Attribute::fixed_text("OutputType", subset_type))?)
}

/// Sets counts in the type that the attribute has, where it has room; an attribute that is not there stays away.
fn set_counts(tree: &mut Tree, header: ObjectId, name: &str, counts: &[u64]) -> Result<()> {
    let Some(former) = tree.attribute(header, name) else { return Ok(()) };
    let space = match &former.value.space {
        Dataspace::Scalar if counts.len() == 1 => Dataspace::Scalar,
        _ => Dataspace::simple(&[counts.len() as u64]),
    };
    let fits = |size: u32, signed: bool| {
        let bits = (8 * size.min(8)) - u32::from(signed);
        counts.iter().all(|count| bits >= 64 || count >> bits == 0)
    };
    let dtype = match &former.value.dtype {
        Datatype::Integer { size, signed, .. } if fits(*size, *signed) => former.value.dtype.clone(),
        _ => u64::DTYPE,
    };
    let size = usize::try_from(dtype.size_bytes()).unwrap_or(8).min(8);
    let bytes = counts.iter().flat_map(|count| count.to_le_bytes().into_iter().take(size)).collect();
    Ok(tree.set_attribute(header, Attribute::new(name, Array { dtype, space, data: Data::Fixed(bytes) }))?)
}

/// Strings of variable length, as catalogues write theirs.
fn texts(name: &str, texts: &[&str]) -> Attribute {
    let dtype = Datatype::VariableString { character_set: apus_h5::CharacterSet::Utf8 };
    let data = Data::Variable(texts.iter().map(|text| text.as_bytes().to_vec()).collect());
    Attribute::new(name, Array { dtype, space: Dataspace::simple(&[texts.len() as u64]), data })
}
