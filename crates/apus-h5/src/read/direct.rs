//! Reads segments straight into the answer, where nothing is to be decoded.

use std::{ops::Range, sync::Arc};

use super::{
    buffers::Buffer,
    place::fill_with,
    plan::{Run, Segment},
    segments::ChunkContext,
    storage::{Chunked, RawData},
};
use crate::{Result, format::chunk_index::ChunkLocation};

impl ChunkContext {
    /// Whether every segment can be read from the file straight into the answer: nothing is to be decoded or converted, and
    /// what is wanted of a chunk is contiguous in it and in the answer. Chunks with a checksum are read as a whole, so that each
    /// must be needed once.
    pub(crate) fn is_direct(&self) -> bool {
        let tiling = &self.tiling;
        (self.storage.is_all_plain() || self.storage.keeps_bytes() && !self.is_cached && !tiling.revisits)
            && self.storage.converter.is_none()
            && tiling.n_tiles() == 1
            && tiling.grid.chunk_step(tiling.axis) == tiling.step
            && tiling.runs(0) == [Run { src: 0, dst: 0, len: tiling.step }]
    }

    /// Lets segments be as short as blocks, where that makes no more to be read. Only where [`is_direct`](Self::is_direct).
    pub(crate) fn shorten_segments(&mut self) {
        if self.storage.is_all_plain()
            && let Some(tiling) = Arc::get_mut(&mut self.tiling)
        {
            tiling.shorten_segments();
        }
    }

    /// Reads a segment straight into the answer. Only where [`is_direct`](Self::is_direct).
    pub(crate) fn read_direct(&self, segment: &Segment) -> Result<Buffer> {
        let (storage, tiling) = (&self.storage, &self.tiling);
        let out_len = self.out_len(segment)?;
        // The checksum of a chunk comes to lie behind it, where the next one begins.
        let mut out = self.buffers.take(out_len.saturating_add(self.checksum_len()));
        let step_bytes = tiling.step * storage.stored_bytes as u64;
        let offset = tiling.outer_offset(segment) * storage.stored_bytes as u64;
        let mut pending: Option<(u64, Range<usize>)> = None;
        let mut checked: Option<(u64, Buffer)> = None;
        for piece in &segment.pieces {
            let to_usize = |n_steps: u64| usize::try_from(n_steps.checked_mul(step_bytes)?).ok();
            let part = to_usize(piece.out).zip(to_usize(piece.len)).zip(to_usize(piece.start));
            let Some(((at, len), start)) = part else {
                return Err(storage.damaged("a segment beyond the address space"));
            };
            let coords = tiling.coords(segment, piece.band, 0);
            let Some(location) = storage.locate(&tiling.grid, &coords) else {
                fill_with(&storage.fill, &mut out.bytes_mut()[at..at + len]);
                continue;
            };
            if !storage.is_plain(&location) {
                if len == self.chunk_len() {
                    self.read_checked(&coords, &location, &mut out.bytes_mut()[at..])?;
                    continue;
                }
                let chunk = match &checked {
                    Some((band, chunk)) if *band == piece.band => chunk,
                    _ => {
                        let mut chunk = self.buffers.take(self.chunk_len() + self.checksum_len());
                        self.read_checked(&coords, &location, chunk.bytes_mut())?;
                        &checked.insert((piece.band, chunk)).1
                    }
                };
                let start = start.saturating_add(usize::try_from(offset).unwrap_or(usize::MAX));
                let wanted = chunk.bytes().get(start..start.saturating_add(len));
                let wanted = wanted.ok_or_else(|| storage.damaged("a segment beyond its chunk"))?;
                out.bytes_mut()[at..at + len].copy_from_slice(wanted);
                continue;
            }
            self.check_plain_len(&coords, &location)?;
            let address = location.address.saturating_add(offset).saturating_add(start as u64);
            match &mut pending {
                Some((first, range)) if range.end == at && first.saturating_add(range.len() as u64) == address => {
                    range.end += len;
                }
                _ => {
                    if let Some((address, range)) = pending.replace((address, at..at + len)) {
                        storage.read_at(address, &mut out.bytes_mut()[range])?;
                    }
                }
            }
        }
        if let Some((address, range)) = pending {
            storage.read_at(address, &mut out.bytes_mut()[range])?;
        }
        out.truncate(out_len);
        Ok(out)
    }

    /// Reads a chunk that checksums follow to the beginning of `out`, the checksums behind it, and checks it.
    fn read_checked(&self, coords: &[u64], location: &ChunkLocation, out: &mut [u8]) -> Result<()> {
        let RawData::Chunked(Chunked { pipeline, grid, .. }) = &self.storage.raw_data else { return Ok(()) };
        let len = self.checked_raw_len(coords, location)?;
        let raw = out.get_mut(..len).ok_or_else(|| self.storage.damaged("a chunk beyond its segment"))?;
        self.storage.read_at(location.address, raw)?;
        let checked = pipeline.check(raw, location.filter_mask);
        checked.map_err(|error| self.storage.chunk_error(grid, coords, location, error))
    }

    /// The bytes that filters which only add checksums add to a chunk.
    fn checksum_len(&self) -> usize {
        match &self.storage.raw_data {
            RawData::Chunked(chunked) => chunked.pipeline.max_raw_len() - chunked.pipeline.chunk_len(),
            _ => 0,
        }
    }
}
