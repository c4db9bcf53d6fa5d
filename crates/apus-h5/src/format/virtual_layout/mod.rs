//! The mapping of a virtual dataset: which part of it is which part of which other dataset.
//!
//! Source: specification, sections III.F "Global Heap Block for Virtual Datasets", IV.A.2.i "Data Layout Message" (virtual).

mod name;
mod selection;

pub(crate) use name::SourceName;
pub(crate) use selection::{Count, Dimension, MappedSelection};

use super::{Cursor, Parse, checksum};

/// One line of the mapping: `selected` elements of the virtual dataset are, in row-major order, the `source_selected` elements
/// of the source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mapping {
    /// The source's file; "." is the file of the virtual dataset.
    pub(crate) file: SourceName,
    /// The path of the source in that file.
    pub(crate) dataset: SourceName,
    /// Elements of the source.
    pub(crate) source_selected: MappedSelection,
    /// Elements of the virtual dataset.
    pub(crate) selected: MappedSelection,
}

/// Reads the mapping from its object of the global heap.
pub(crate) fn parse(cursor: &Cursor<'_>) -> Parse<Vec<Mapping>> {
    /// The file's name stands in an earlier line, whose number is here.
    const FILE_SHARED: u8 = 1;
    /// The dataset's name stands in an earlier line, whose number is here.
    const DATASET_SHARED: u8 = 2;
    /// The source is in the same file, and there is no name.
    const SAME_FILE: u8 = 4;

    let body = checksum::verified(cursor.what(), cursor.rest())?;
    let mut cursor = Cursor::new(cursor.what(), body, cursor.sizes());
    let version = cursor.u8()?;
    if version > 1 {
        return Err(cursor.unsupported(format_args!("version {version}")));
    }
    let n_mappings = cursor.length()?;
    let mut mappings: Vec<Mapping> = Vec::new();
    for _ in 0..n_mappings {
        let flags = if version == 0 { 0 } else { cursor.u8()? };
        let unknown = flags & !(FILE_SHARED | DATASET_SHARED | SAME_FILE);
        if unknown != 0 {
            return Err(cursor.unsupported(format_args!("flags {unknown:#04x}")));
        }
        let file = if flags & SAME_FILE != 0 {
            SourceName::parse(".".to_owned())
        } else if flags & FILE_SHARED != 0 {
            earlier(&mut cursor, &mappings)?.file.clone()
        } else {
            source_name(&mut cursor)?
        };
        let dataset = if flags & DATASET_SHARED != 0 {
            earlier(&mut cursor, &mappings)?.dataset.clone()
        } else {
            source_name(&mut cursor)?
        };
        let source_selected = MappedSelection::parse(&mut cursor)?;
        let selected = MappedSelection::parse(&mut cursor)?;
        mappings.push(Mapping { file, dataset, source_selected, selected });
    }
    Ok(mappings)
}

fn source_name(cursor: &mut Cursor<'_>) -> Parse<SourceName> {
    let name = cursor.c_string()?;
    Ok(SourceName::parse(cursor.text(name)?))
}

fn earlier<'a>(cursor: &mut Cursor<'_>, mappings: &'a [Mapping]) -> Parse<&'a Mapping> {
    let number = cursor.length()?;
    let mapping = usize::try_from(number).ok().and_then(|number| mappings.get(number));
    mapping.ok_or_else(|| cursor.damaged(format_args!("mapping {} takes a name from mapping {number}", mappings.len())))
}
