//! Chunk indexes: where the chunks of a dataset are.
//!
//! A file keeps the index in one of six forms. Whatever the form, it is read once, whole, into a
//! [`ChunkIndex`]: for every place of the chunk grid 16 bytes, found by arithmetic. Where the grid is far larger than a file
//! could fill (sparse, or hostile), the chunks that there are stand in a sorted list instead.
//!
//! Source: specification, sections III.A.1 "Version 1 B-trees", III.A.2 "Version 2 B-trees" (types 10, 11), III "Fixed Array
//! Index", "Extensible Array Index", and the library's behaviour on how chunks are numbered.

mod btree1;
mod btree2;
mod extensible_array;
mod fixed_array;
mod numbering;
mod table;

pub(crate) use table::{ChunkIndex, ChunkLocation};

use self::{fixed_array::Chunks, numbering::Numbering, table::Builder};
use super::{
    Fault, Meta, Parse,
    grid::Grid,
    message::{ChunkIndex as Kind, Chunked},
};

/// Reads the index of the chunks of `grid`. `max_dims` is what the dimensions may grow to, `chunk_bytes` the size of a decoded
/// chunk, `filtered` whether the dataset has filters.
pub(crate) fn read(
    meta: &Meta,
    layout: &Chunked,
    grid: &Grid,
    max_dims: &[Option<u64>],
    chunk_bytes: u64,
    filtered: bool,
) -> Parse<ChunkIndex> {
    let mut builder = Builder::new(meta, grid, chunk_bytes);
    // An undefined address says that nothing was written yet.
    let Some(address) = layout.address else { return Ok(builder.finish()) };
    let budget = meta.len();
    match layout.index {
        Kind::BTree1 => btree1::read(meta, address, grid, layout.element_bytes, &mut builder)?,
        Kind::BTree2 => btree2::read(meta, address, grid, filtered, &mut builder)?,
        Kind::Single { filtered: size_and_mask } => {
            if grid.n_chunks() != 1 {
                return Err(Fault::Damaged(format!("an index of one chunk for {} of them", grid.n_chunks())));
            }
            check_filtered(size_and_mask.is_some(), filtered)?;
            let (size, mask) = size_and_mask.unwrap_or((chunk_bytes, 0));
            builder.insert(0, address, size, mask)?;
        }
        Kind::Implicit => {
            check_filtered(false, filtered)?;
            return Ok(ChunkIndex::implicit(address, chunk_bytes, Numbering::new(grid, max_dims)?, grid));
        }
        Kind::FixedArray { .. } => {
            let numbering = Numbering::new(grid, max_dims)?;
            let n_set = numbering.n_chunks_max(grid, max_dims)?;
            let mut chunks = Chunks { grid, numbering: &numbering, builder: &mut builder, budget, n_set, filtered };
            fixed_array::read(meta, address, &mut chunks)?;
        }
        Kind::ExtensibleArray { .. } => {
            let numbering = Numbering::with_unlimited_first(grid, max_dims)?;
            let mut chunks = Chunks { grid, numbering: &numbering, builder: &mut builder, budget, n_set: 0, filtered };
            extensible_array::read(meta, address, &mut chunks)?;
        }
    }
    Ok(builder.finish())
}

/// Whether an index is of filtered chunks, and so states their sizes, must agree with the dataset's filters.
fn check_filtered(index: bool, dataset: bool) -> Parse<()> {
    match (index, dataset) {
        (true, false) => Err(Fault::damaged("an index of filtered chunks for a dataset without filters")),
        (false, true) => Err(Fault::damaged("an index of unfiltered chunks for a dataset with filters")),
        _ => Ok(()),
    }
}
