//! Fetches and decodes the segments of one answer.

use std::{
    cell::RefCell,
    collections::HashMap,
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use super::{
    buffers::{Buffer, Buffers},
    caches::KeptChunk,
    fetch::{Request, coalesce},
    place::Placement,
    plan::{Segment, Tiling},
    storage::{Chunked, RawData, Storage},
};
use crate::{
    Result,
    filter::{FilterError, Scratch},
    format::chunk_index::ChunkLocation,
};

/// Decoded chunks that a request may need again are kept up to this size (and always the last one).
const MAX_KEPT_CHUNK_BYTES: u64 = 64 << 20;
/// A request whose chunks decode to more is a scan: what it reads is not kept for others.
const MAX_CACHED_READ_BYTES: u64 = 4 << 20;
/// What is needed of an unfiltered chunk is read in parts where more than this lies between them.
const MAX_PLAIN_GAP_BYTES: u64 = 64 << 10;
/// A thread's scratch buffers are dropped after chunks above this size.
const MAX_KEPT_SCRATCH_BYTES: usize = 32 << 20;

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// What all segments of an answer share.
#[derive(Debug)]
pub(crate) struct ChunkContext {
    pub(crate) storage: Arc<Storage>,
    pub(crate) tiling: Arc<Tiling>,
    pub(super) buffers: Buffers,
    cancelled: AtomicBool,
    /// Whether its chunks are kept for other requests: the file has a cache, and few chunks are touched.
    pub(super) is_cached: bool,
}

/// A segment whose bytes are here, to be decoded.
#[derive(Debug)]
pub(crate) struct Fetched {
    segment: Segment,
    tasks: Vec<Task>,
    raw: Buffer,
    out_len: usize,
}

/// A chunk, or a part of an unfiltered one, and what is wanted of it.
#[derive(Debug)]
struct Task {
    band: u64,
    tile: usize,
    pieces: Range<usize>,
    bytes: Bytes,
}

/// Where the bytes of a task are.
#[derive(Debug)]
enum Bytes {
    /// Nothing was written.
    Missing,
    /// In the raw buffer, encoded.
    Encoded { raw: Range<usize>, location: ChunkLocation },
    /// In the raw buffer, as they are, from this element of the chunk on.
    Plain { raw: Range<usize>, first: usize },
    /// With the chunks that may be needed again.
    Kept(Arc<KeptChunk>),
}

/// The chunks that may be needed again, by number, each with the time of its last use.
#[derive(Debug, Default)]
pub(crate) struct KeptChunks {
    chunks: HashMap<u64, (Arc<KeptChunk>, u64)>,
    bytes: u64,
    clock: u64,
}

impl ChunkContext {
    pub(crate) fn new(storage: Arc<Storage>, tiling: Arc<Tiling>, buffers: Buffers) -> Self {
        let is_cached = storage.keeps_chunks() && tiling.touched_chunk_bytes() <= MAX_CACHED_READ_BYTES;
        Self { storage, tiling, buffers, cancelled: AtomicBool::new(false), is_cached }
    }

    /// Says that nobody wants the segments any more.
    pub(crate) fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    /// Whether nobody wants the segments any more.
    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }

    pub(super) fn out_len(&self, segment: &Segment) -> Result<usize> {
        let elements = segment.n_steps.checked_mul(self.tiling.step);
        let len = elements.and_then(|n| usize::try_from(n).ok()?.checked_mul(self.storage.native_bytes));
        len.ok_or_else(|| self.storage.damaged("a part of the answer does not fit the address space"))
    }

    /// The bytes that a chunk takes in the file; no more than its filters can leave.
    pub(super) fn checked_raw_len(&self, coords: &[u64], location: &ChunkLocation) -> Result<usize> {
        let RawData::Chunked(Chunked { pipeline, grid, .. }) = &self.storage.raw_data else { return Ok(0) };
        let max = pipeline.max_raw_len();
        usize::try_from(location.size).ok().filter(|size| *size <= max).ok_or_else(|| {
            let reason = format!("{} bytes, and its filters leave at most {max}", location.size);
            self.storage.chunk_error(grid, coords, location, FilterError::Damaged(reason))
        })
    }

    /// Checks that a chunk without filters is as long as a chunk.
    pub(super) fn check_plain_len(&self, coords: &[u64], location: &ChunkLocation) -> Result<()> {
        match &self.storage.raw_data {
            RawData::Chunked(Chunked { pipeline, grid, .. }) if location.size < pipeline.chunk_len() as u64 => {
                let (size, len) = (location.size, pipeline.chunk_len());
                let error = FilterError::Damaged(format!("{size} bytes, and unfiltered it has {len}"));
                Err(self.storage.chunk_error(grid, coords, location, error))
            }
            _ => Ok(()),
        }
    }

    /// Reads what a segment needs.
    pub(crate) fn fetch(&self, mut segment: Segment, kept: &mut KeptChunks) -> Result<Fetched> {
        let out_len = self.out_len(&segment)?;
        let mut tasks = Vec::new();
        let mut requests = Vec::new();
        // The task that waits for each request.
        let mut waiting = Vec::new();
        for (band, pieces) in segment.bands() {
            for tile in 0..self.tiling.n_tiles() {
                let coords = self.tiling.coords(&segment, band, tile);
                let Some(location) = self.storage.locate(&self.tiling.grid, &coords) else {
                    tasks.push(Task { band, tile, pieces: pieces.clone(), bytes: Bytes::Missing });
                    continue;
                };
                if self.storage.is_plain(&location) {
                    self.plain_tasks(&segment, band, tile, &pieces, &location, |task, request| {
                        waiting.push(tasks.len());
                        tasks.push(task);
                        requests.push(request);
                    })?;
                    continue;
                }
                if let Some(chunk) = kept.get(self.tiling.grid.number(&coords)) {
                    tasks.push(Task { band, tile, pieces: pieces.clone(), bytes: Bytes::Kept(chunk) });
                    continue;
                }
                self.checked_raw_len(&coords, &location)?;
                if self.is_cached {
                    let number = self.tiling.grid.number(&coords);
                    let chunk = self.storage.cached_chunk(number, location, self.chunk_len())?;
                    tasks.push(Task { band, tile, pieces: pieces.clone(), bytes: Bytes::Kept(chunk) });
                    continue;
                }
                waiting.push(tasks.len());
                requests.push(Request { address: location.address, len: location.size });
                tasks.push(Task { band, tile, pieces: pieces.clone(), bytes: Bytes::Encoded { raw: 0..0, location } });
            }
        }
        let (reads, starts, total) = coalesce(&requests);
        let address_space = || self.storage.damaged(format!("{total} bytes to be read at once"));
        let mut raw = self.buffers.take(usize::try_from(total).map_err(|_| address_space())?);
        for read in reads {
            let range = usize::try_from(read.at).ok().zip(usize::try_from(read.len).ok());
            let part = range.and_then(|(at, len)| raw.bytes_mut().get_mut(at..at.checked_add(len)?));
            self.storage.read_at(read.address, part.ok_or_else(address_space)?)?;
        }
        for ((task, request), start) in waiting.into_iter().zip(&requests).zip(starts) {
            let range = usize::try_from(start).ok().zip(usize::try_from(start.saturating_add(request.len)).ok());
            let (start, end) = range.ok_or_else(address_space)?;
            let task = &mut tasks[task];
            match &mut task.bytes {
                Bytes::Encoded { raw: range, location } if self.tiling.revisits => {
                    let (location, bytes) = (*location, raw.bytes()[start..end].into());
                    *range = start..end;
                    let number = self.tiling.grid.number(&self.tiling.coords(&segment, task.band, task.tile));
                    task.bytes = Bytes::Kept(kept.insert(number, bytes, location, self.chunk_len()));
                }
                Bytes::Encoded { raw, .. } | Bytes::Plain { raw, .. } => *raw = start..end,
                Bytes::Missing | Bytes::Kept(_) => {}
            }
        }
        Ok(Fetched { segment, tasks, raw, out_len })
    }

    pub(super) fn chunk_len(&self) -> usize {
        match &self.storage.raw_data {
            RawData::Chunked(chunked) => chunked.pipeline.chunk_len(),
            _ => 0,
        }
    }

    /// Cuts what is wanted of an unfiltered chunk into parts that lie close together.
    fn plain_tasks(
        &self,
        segment: &Segment,
        band: u64,
        tile: usize,
        pieces: &Range<usize>,
        location: &ChunkLocation,
        mut push: impl FnMut(Task, Request),
    ) -> Result<()> {
        let (tiling, stored_bytes) = (&self.tiling, self.storage.stored_bytes as u64);
        let runs = tiling.runs(tile);
        let lowest = runs.iter().map(|run| run.src).min().unwrap_or(0);
        let highest = runs.iter().map(|run| run.src + run.len).max().unwrap_or(0);
        let step = tiling.grid.chunk_step(tiling.axis);
        let outer = tiling.outer_offset(segment);
        self.check_plain_len(&tiling.coords(segment, band, tile), location)?;
        let mut emit = |pieces: Range<usize>, first: u64, end: u64| {
            let request = Request {
                address: location.address.saturating_add(first * stored_bytes),
                len: (end - first) * stored_bytes,
            };
            let first = usize::try_from(first).map_err(|_| self.storage.damaged("a chunk beyond the address space"))?;
            push(Task { band, tile, pieces, bytes: Bytes::Plain { raw: 0..0, first } }, request);
            Ok(())
        };
        let mut open: Option<(Range<usize>, u64, u64)> = None;
        for i in pieces.clone() {
            let piece = &segment.pieces[i];
            let first = outer + piece.start * step + lowest;
            let end = outer + (piece.start + piece.len - 1) * step + highest;
            match &mut open {
                Some((range, lo, hi))
                    if first.saturating_sub(*hi) * stored_bytes <= MAX_PLAIN_GAP_BYTES
                        && lo.saturating_sub(end) * stored_bytes <= MAX_PLAIN_GAP_BYTES =>
                {
                    range.end = i + 1;
                    *lo = first.min(*lo);
                    *hi = end.max(*hi);
                }
                _ => {
                    if let Some((range, lo, hi)) = open.replace((i..i + 1, first, end)) {
                        emit(range, lo, hi)?;
                    }
                }
            }
        }
        if let Some((range, lo, hi)) = open {
            emit(range, lo, hi)?;
        }
        Ok(())
    }

    /// Decodes a segment.
    pub(crate) fn decode(&self, fetched: &Fetched) -> Result<Buffer> {
        let mut out = self.buffers.take(fetched.out_len);
        SCRATCH.with_borrow_mut(|scratch| {
            for task in &fetched.tasks {
                if self.is_cancelled() {
                    break;
                }
                self.decode_task(fetched, task, scratch, out.bytes_mut())?;
            }
            if self.chunk_len() > MAX_KEPT_SCRATCH_BYTES {
                *scratch = Scratch::default();
            }
            Ok(())
        })?;
        Ok(out)
    }

    fn decode_task(&self, fetched: &Fetched, task: &Task, scratch: &mut Scratch, out: &mut [u8]) -> Result<()> {
        let (storage, tiling, segment) = (&self.storage, &self.tiling, &fetched.segment);
        let too_large = || storage.damaged("a chunk beyond the address space");
        let runs = tiling.runs(task.tile);
        let to_usize = |n: u64| usize::try_from(n).map_err(|_| too_large());
        let mut placement = Placement {
            runs: &runs,
            pieces: &segment.pieces[task.pieces.clone()],
            src_step: to_usize(tiling.grid.chunk_step(tiling.axis))?,
            dst_step: to_usize(tiling.step)?,
            src_first: 0,
            src_offset: to_usize(tiling.outer_offset(segment))?,
            stored_bytes: storage.stored_bytes,
            native_bytes: storage.native_bytes,
            converter: storage.converter.as_ref(),
        };
        let located = |location: &ChunkLocation, error: FilterError| {
            storage.chunk_error(&tiling.grid, &tiling.coords(segment, task.band, task.tile), location, error)
        };
        let done = match (&task.bytes, &storage.raw_data) {
            (Bytes::Missing, _) => placement.fill(&storage.fill, out),
            (Bytes::Plain { raw, first }, _) => {
                placement.src_first = *first;
                placement.copy(&fetched.raw.bytes()[raw.clone()], out)
            }
            (Bytes::Encoded { raw, location }, RawData::Chunked(Chunked { pipeline, .. })) => {
                let raw = &fetched.raw.bytes()[raw.clone()];
                let chunk_len = pipeline.chunk_len();
                let whole = placement.whole(chunk_len / storage.stored_bytes);
                if let Some(part) = whole.and_then(|at| out.get_mut(at..at.checked_add(chunk_len)?)) {
                    let decoded = pipeline.decode_into(raw, location.filter_mask, scratch, part);
                    decoded.map_err(|error| located(location, error))?;
                    Some(())
                } else {
                    let decoded = pipeline.decode(raw, location.filter_mask, scratch);
                    placement.copy(decoded.map_err(|error| located(location, error))?, out)
                }
            }
            (Bytes::Kept(chunk), RawData::Chunked(Chunked { pipeline, .. })) => {
                let decoded = chunk.decoded(pipeline, scratch);
                match decoded {
                    Ok(decoded) => placement.copy(decoded, out),
                    Err(error) => return Err(located(&chunk.location, error.clone())),
                }
            }
            (Bytes::Encoded { .. } | Bytes::Kept(_), _) => None,
        };
        done.ok_or_else(too_large)
    }
}

impl Fetched {
    /// The bytes of the answer that it becomes.
    pub(crate) fn out_len(&self) -> usize {
        self.out_len
    }

    /// Whether nothing is left to be decoded: all of it was kept.
    pub(crate) fn is_decoded(&self) -> bool {
        self.tasks.iter().all(|task| match &task.bytes {
            Bytes::Missing | Bytes::Plain { .. } => true,
            Bytes::Kept(chunk) => chunk.is_decoded(),
            Bytes::Encoded { .. } => false,
        })
    }

    /// The bytes that it takes until it is decoded.
    pub(crate) fn size_bytes(&self) -> usize {
        self.raw.len() + self.out_len + self.segment.pieces.len() * size_of::<super::plan::BandRun>()
    }
}

impl KeptChunks {
    fn get(&mut self, number: u64) -> Option<Arc<KeptChunk>> {
        self.clock += 1;
        let (chunk, used) = self.chunks.get_mut(&number)?;
        *used = self.clock;
        Some(Arc::clone(chunk))
    }

    fn insert(&mut self, number: u64, raw: Box<[u8]>, location: ChunkLocation, chunk_len: usize) -> Arc<KeptChunk> {
        let chunk = Arc::new(KeptChunk::new(raw, location, chunk_len));
        self.bytes += chunk.size_bytes();
        if self.bytes > MAX_KEPT_CHUNK_BYTES {
            // The half that was not used for longest, so that this is rare however small chunks are.
            let mut times: Vec<u64> = self.chunks.values().map(|(_, used)| *used).collect();
            times.sort_unstable();
            let limit = times.get(times.len() / 2).copied().unwrap_or_default();
            self.chunks.retain(|_, (_, used)| *used > limit);
            self.bytes = chunk.size_bytes() + self.chunks.values().map(|(chunk, _)| chunk.size_bytes()).sum::<u64>();
        }
        self.chunks.insert(number, (Arc::clone(&chunk), self.clock));
        chunk
    }
}
