//! Version-1 B-trees of chunks: what all files have whose layout message is older than version 4.

use super::table::Builder;
use crate::{
    format::{Fault, Meta, Parse},
    read::grid::Grid,
};

const WHAT: &str = "version-1 B-tree of chunks";
/// The node type of chunks.
const CHUNKS: u8 = 1;
/// Far deeper than 65,535-fold branching over 64-bit addresses can be.
const MAX_LEVEL: u8 = 32;

/// Reads all nodes below `root`.
pub(super) fn read(meta: &Meta, root: u64, grid: &Grid, builder: &mut Builder) -> Parse<()> {
    let mut nodes = vec![(root, None::<u8>)];
    // Nodes do not share bytes, so that together they are shorter than the file: this ends trees that bite their tails.
    let mut budget = meta.len();
    while let Some((address, level)) = nodes.pop() {
        read_node(meta, address, level, grid, &mut nodes, &mut budget, builder)?;
    }
    Ok(())
}

fn read_node(
    meta: &Meta,
    address: u64,
    expected_level: Option<u8>,
    grid: &Grid,
    nodes: &mut Vec<(u64, Option<u8>)>,
    budget: &mut u64,
    builder: &mut Builder,
) -> Parse<()> {
    let offset_bytes = u64::from(meta.sizes().offset);
    let header_bytes = 8 + 2 * offset_bytes;
    let header = meta.read(address, header_bytes)?;
    let mut cursor = meta.cursor(WHAT, &header);
    cursor.signature(b"TREE")?;
    let (kind, level, n_entries) = (cursor.u8()?, cursor.u8()?, cursor.u16()?);
    if kind != CHUNKS {
        return Err(cursor.damaged(format_args!("a node of type {kind} at address {address}")));
    }
    if expected_level.is_some_and(|expected| expected != level) || level > MAX_LEVEL {
        return Err(cursor.damaged(format_args!("a node of level {level} at address {address}")));
    }
    // A key: size, filter mask, an offset for each axis and one within the element, which is zero.
    let entry_bytes = 8 + 8 * (grid.rank() as u64 + 1) + offset_bytes;
    let size = u64::from(n_entries) * entry_bytes;
    *budget = budget
        .checked_sub(header_bytes + size)
        .ok_or_else(|| Fault::Damaged(format!("{WHAT}: nodes share bytes (address {address})")))?;
    let entries = meta.read(address + header_bytes, size)?;
    let mut cursor = meta.cursor(WHAT, &entries);
    let mut coordinates = vec![0; grid.rank()];
    for _ in 0..n_entries {
        let (size, filter_mask) = (cursor.u32()?, cursor.u32()?);
        for x in &mut coordinates {
            *x = cursor.u64()?;
        }
        cursor.u64()?;
        let child = cursor.defined_address("child")?;
        if level > 0 {
            nodes.push((child, Some(level - 1)));
        } else if let Some(number) = grid.number_at(&coordinates) {
            builder.insert(number, child, size.into(), filter_mask)?;
        } else if coordinates.iter().zip(grid.chunk()).any(|(x, c)| x % c != 0) {
            return Err(cursor.damaged(format_args!("a chunk at {coordinates:?}, where none begins")));
        }
    }
    Ok(())
}
