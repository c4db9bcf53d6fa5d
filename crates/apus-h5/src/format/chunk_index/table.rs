//! The index in memory.

use super::numbering::Numbering;
use crate::format::{Fault, Meta, Parse, grid::Grid};

/// A flat table may always take this much, however short the file; the kernel gives the memory only where it is written to.
const MIN_TABLE_BYTES: u64 = 64 << 20;
/// A place of the flat table.
const PLACE_BYTES: u64 = 16;
/// An entry of the sorted list.
const ENTRY_BYTES: u64 = 24;

/// Where a chunk is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ChunkLocation {
    /// Its address, relative to the base address.
    pub(crate) address: u64,
    /// Its bytes in the file.
    pub(crate) size: u64,
    /// The filters that were left out: bit `i` for the `i`-th.
    pub(crate) filter_mask: u32,
}

/// Where all chunks of a dataset are.
#[derive(Debug)]
pub(crate) struct ChunkIndex {
    places: Places,
    stored_bytes: u64,
}

#[derive(Debug)]
enum Places {
    /// One for each place of the grid; a size of zero is no chunk.
    Table(Vec<[u64; 2]>),
    /// The number of a chunk and its place, by number.
    List(Vec<(u64, [u64; 2])>),
    /// One after another in the file.
    Implicit { address: u64, chunk_bytes: u64, numbering: Numbering, grid: Grid },
}

impl ChunkIndex {
    /// The index of chunks that need none.
    pub(super) fn implicit(address: u64, chunk_bytes: u64, numbering: Numbering, grid: &Grid) -> Self {
        Self {
            places: Places::Implicit { address, chunk_bytes, numbering, grid: grid.clone() },
            stored_bytes: grid.n_chunks().saturating_mul(chunk_bytes),
        }
    }

    /// The chunk of that number in the grid, `None` where it was never written.
    pub(crate) fn get(&self, number: u64) -> Option<ChunkLocation> {
        let place = match &self.places {
            Places::Table(table) => *table.get(usize::try_from(number).ok()?)?,
            Places::List(list) => list[list.binary_search_by_key(&number, |(n, _)| *n).ok()?].1,
            Places::Implicit { address, chunk_bytes, numbering, grid } => {
                // Past the end of 64 bits is past the end of the file, too, and said to be so when it is fetched.
                let offset = numbering.of_grid(number, grid).and_then(|index| index.checked_mul(*chunk_bytes));
                let address = offset.and_then(|offset| address.checked_add(offset)).unwrap_or(u64::MAX);
                return Some(ChunkLocation { address, size: *chunk_bytes, filter_mask: 0 });
            }
        };
        unpack(place)
    }

    /// The bytes of all chunks in the file.
    pub(crate) fn stored_bytes(&self) -> u64 {
        self.stored_bytes
    }

    /// The bytes that the index takes in memory.
    pub(crate) fn memory_bytes(&self) -> u64 {
        match &self.places {
            Places::Table(table) => table.len() as u64 * PLACE_BYTES,
            Places::List(list) => list.len() as u64 * ENTRY_BYTES,
            Places::Implicit { .. } => 0,
        }
    }
}

/// Size and filter mask share a word.
fn pack(address: u64, size: u32, filter_mask: u32) -> [u64; 2] {
    [address, u64::from(size) | u64::from(filter_mask) << 32]
}

fn unpack([address, word]: [u64; 2]) -> Option<ChunkLocation> {
    let size = word & u64::from(u32::MAX);
    let filter_mask = u32::try_from(word >> 32).unwrap_or_default();
    (size > 0).then_some(ChunkLocation { address, size, filter_mask })
}

/// Takes the chunks of an index as they come.
#[derive(Debug)]
pub(super) struct Builder {
    places: Places,
    n_places: u64,
    chunk_bytes: u64,
    /// The most chunks that the file can hold an index for, so that the list stays below the file's own size.
    max_listed: u64,
}

impl Builder {
    pub(super) fn new(meta: &Meta, grid: &Grid, chunk_bytes: u64) -> Self {
        let n_places = grid.n_chunks();
        let fits = n_places.checked_mul(PLACE_BYTES).is_some_and(|bytes| bytes <= meta.len().max(MIN_TABLE_BYTES));
        let table_len = usize::try_from(n_places).ok().filter(|_| fits);
        let places = table_len.map_or(Places::List(Vec::new()), |n| Places::Table(vec![[0; 2]; n]));
        Self { places, n_places, chunk_bytes, max_listed: meta.len() / 8 }
    }

    /// Takes the chunk of that number in the grid.
    pub(super) fn insert(&mut self, number: u64, address: u64, size: u64, filter_mask: u32) -> Parse<()> {
        if number >= self.n_places {
            return Ok(());
        }
        let small = u32::try_from(size).map_err(|_| {
            Fault::Unsupported(format!("a chunk of {size} bytes (4 GiB and more), at address {address}"))
        })?;
        if small == 0 {
            return Err(Fault::Damaged(format!("the chunk at address {address} has no bytes")));
        }
        let place = pack(address, small, filter_mask);
        match &mut self.places {
            Places::Table(table) => {
                if let Some(slot) = usize::try_from(number).ok().and_then(|n| table.get_mut(n)) {
                    *slot = place;
                }
            }
            Places::List(list) => {
                if list.len() as u64 >= self.max_listed {
                    return Err(Fault::damaged("the chunk index has more entries than the file could hold"));
                }
                list.push((number, place));
            }
            Places::Implicit { .. } => {}
        }
        Ok(())
    }

    /// Takes an unfiltered chunk.
    pub(super) fn insert_unfiltered(&mut self, number: u64, address: u64) -> Parse<()> {
        self.insert(number, address, self.chunk_bytes, 0)
    }

    pub(super) fn finish(self) -> ChunkIndex {
        let mut places = self.places;
        if let Places::List(list) = &mut places {
            list.sort_by_key(|(number, _)| *number);
            // Of several for one place the last one counts, as it does in the table.
            list.reverse();
            list.dedup_by_key(|(number, _)| *number);
            list.reverse();
        }
        let mut stored_bytes = 0u64;
        let mut count = |place: [u64; 2]| {
            stored_bytes = stored_bytes.saturating_add(unpack(place).map_or(0, |chunk| chunk.size));
        };
        match &places {
            Places::Table(table) => table.iter().for_each(|place| count(*place)),
            Places::List(list) => list.iter().for_each(|(_, place)| count(*place)),
            Places::Implicit { .. } => {}
        }
        ChunkIndex { places, stored_bytes }
    }
}
