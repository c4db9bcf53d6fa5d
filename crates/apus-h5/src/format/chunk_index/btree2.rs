//! Version-2 B-trees of chunks: more than one dimension is unlimited.

use super::{check_filtered, table::Builder};
use crate::format::{Fault, Meta, Parse, btree_v2::BTreeV2, grid::Grid};

/// The record type of unfiltered chunks.
const PLAIN: u8 = 10;
/// The record type of filtered chunks.
const FILTERED: u8 = 11;

/// Reads all records of the tree whose header is at `address`.
pub(super) fn read(meta: &Meta, address: u64, grid: &Grid, filtered: bool, builder: &mut Builder) -> Parse<()> {
    const WHAT: &str = "version-2 B-tree record of a chunk";
    let tree = BTreeV2::open(meta, address)?;
    let kind = tree.kind();
    if !matches!(kind, PLAIN | FILTERED) {
        return Err(Fault::Damaged(format!("a version-2 B-tree with records of type {kind} as an index of chunks")));
    }
    check_filtered(kind == FILTERED, filtered)?;
    let mut coords = vec![0; grid.rank()];
    // libhdf5 searches the records, which finds what listing them finds only where they are in order.
    let mut before: Option<u64> = None;
    tree.for_each(|record| {
        let mut cursor = meta.cursor(WHAT, record);
        let address = cursor.defined_address("chunk")?;
        let filtered = if kind == FILTERED {
            // The size is as wide as what the other fields leave.
            let size_bytes = cursor.remaining().checked_sub(4 + 8 * grid.rank()).and_then(|n| u8::try_from(n).ok());
            let size_bytes = size_bytes.filter(|n| (1..=8).contains(n));
            let size_bytes = size_bytes.ok_or_else(|| cursor.damaged(format_args!("{} bytes", record.len())))?;
            Some((cursor.uint(size_bytes)?, cursor.u32()?))
        } else {
            None
        };
        for p in &mut coords {
            *p = cursor.u64()?;
        }
        if coords.iter().zip(grid.counts()).any(|(p, count)| p >= count) {
            return Err(cursor.damaged(format_args!("chunk {coords:?} in a grid of {:?} chunks", grid.counts())));
        }
        let number = grid.number(&coords);
        if before.replace(number).is_some_and(|before| number <= before) {
            return Err(cursor.damaged(format_args!("chunk {coords:?} comes too late in the order of the tree")));
        }
        match filtered {
            Some((size, filter_mask)) => builder.insert(number, address, size, filter_mask),
            None => builder.insert_unfiltered(number, address),
        }
    })
}
