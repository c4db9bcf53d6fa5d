//! Which datasets the elements of a virtual dataset come from, however deep.

use std::{collections::HashSet, ops::Range};

use super::{
    part::{self, Part, VirtualObject},
    shape_of,
};
use crate::{Dataset, Result, RowRanges, format::message::LayoutMessage};

/// Opens every source of these rows (of all where there is `None`), and the sources of the sources.
///
/// Shape: of a source all rows count, whichever the mapping takes.
pub(crate) fn resolve_sources(dataset: &Dataset, rows: Option<&RowRanges>) -> Result<()> {
    resolve(dataset, rows, 0, &mut HashSet::new())
}

/// `seen` holds the datasets that were visited: number of the file, address in it.
fn resolve(dataset: &Dataset, rows: Option<&RowRanges>, depth: usize, seen: &mut HashSet<(u64, u64)>) -> Result<()> {
    let LayoutMessage::Virtual(id) = &dataset.description().layout else { return Ok(()) };
    let (_, number) = dataset.file().caches();
    if !seen.insert((number, dataset.address())) {
        return Ok(());
    }
    let object = VirtualObject::of(dataset);
    object.check_depth(depth)?;
    for part in part::parts(&object, object.mappings(*id)?, &shape_of(dataset))? {
        if rows.is_some_and(|rows| !holds(&part, rows)) {
            continue;
        }
        if let Some(source) = part.open_dataset(&object)? {
            resolve(&source, None, depth + 1, seen)?;
        }
    }
    Ok(())
}

/// Whether some of the rows lie between the first and the last row of a part.
fn holds(part: &Part, rows: &RowRanges) -> bool {
    let Range { start, end } = part.elements.bounds();
    rows.as_slice().iter().any(|rows| rows.start.max(start) < rows.end.min(end))
}
