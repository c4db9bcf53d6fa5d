//! Which parts of which chunks make which part of the answer: pure and lazy.
//!
//! The answer is an array in C order. It is cut into [`Segment`]s, which are contiguous in it: on one axis (mostly axis 0) a
//! number of wanted indices, on the axes after it all of them, on the axes before it one index each. A segment is a mebibyte
//! or so, and ends where a band of chunks ends, so that for rising indices every chunk is part of one segment only. Nothing is
//! kept for a range of rows before its turn comes.

use std::{ops::Range, sync::Arc};

use super::wanted::{Axis, Wanted};
use crate::format::grid::Grid;

/// A segment ends before the chunk band with which it would be longer than this: it is to leave as one block.
const SEGMENT_BYTES: u64 = 1 << 20;
/// A segment whose chunks decode to more ends, too: few rows may be wanted of each chunk.
const SEGMENT_CHUNK_BYTES: u64 = 4 << 20;
/// So that tiny chunks do not make a segment of very many.
const SEGMENT_CHUNKS: u64 = 4096;
/// One index on the segment's axis takes at most this in the answer, and so does one band of chunks if each chunk is to be
/// decoded only once.
const MAX_BAND_BYTES: u64 = 32 << 20;
/// One index on the segment's axis touches at most this much of decoded chunks.
const MAX_STEP_CHUNK_BYTES: u64 = 256 << 20;
/// One index on the segment's axis touches at most this many chunks.
const MAX_STEP_CHUNKS: u64 = 65_536;
/// Pieces of a segment where indices do not rise: with rising ones there are at most as many as a band has rows.
const MAX_UNSORTED_PIECES: usize = 65_536;

/// What never changes from segment to segment.
#[derive(Debug)]
pub(crate) struct Tiling {
    pub(crate) grid: Grid,
    pub(crate) wanted: Wanted,
    /// The axis on which the answer is cut.
    pub(crate) axis: usize,
    /// Elements of the answer for one index on that axis.
    pub(crate) step: u64,
    /// Whether a chunk may be needed by more than one segment.
    pub(crate) revisits: bool,
    /// For each axis after `axis` the chunks that are touched.
    inner: Vec<Vec<AxisChunk>>,
    element_bytes: u64,
    chunk_bytes: u64,
    /// No segment is longer, unless one index on its axis is.
    max_segment_bytes: u64,
}

/// A chunk on one axis, and what is wanted of it there.
#[derive(Clone, Debug, PartialEq, Eq)]
struct AxisChunk {
    coord: u64,
    clips: Vec<Clip>,
}

/// Wanted indices that lie next to each other in a chunk and in the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Clip {
    start: u64,
    len: u64,
    out: u64,
}

/// The part of a chunk that one index on the segment's axis needs: elements that lie next to each other in the chunk and in
/// the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    /// First element in the chunk's step.
    pub(crate) src: u64,
    /// First element in the answer's step.
    pub(crate) dst: u64,
    /// Number of elements.
    pub(crate) len: u64,
}

/// A contiguous part of the answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Segment {
    /// The index on each axis before the segment's.
    pub(crate) outer: Vec<u64>,
    /// The wanted indices on the segment's axis; those of one band stand together where the indices rise.
    pub(crate) pieces: Vec<BandRun>,
    /// How many indices that are.
    pub(crate) n_steps: u64,
}

/// Wanted indices that lie next to each other in a band of chunks and in the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BandRun {
    /// The coordinate of the chunk on the segment's axis.
    pub(crate) band: u64,
    /// First index, counted from the band's.
    pub(crate) start: u64,
    /// Number of indices.
    pub(crate) len: u64,
    /// First index in the segment's part of the answer.
    pub(crate) out: u64,
}

/// Yields the segments of an answer, in order. A clone goes on from the same place.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    tiling: Arc<Tiling>,
    /// On each axis up to the segment's, which run comes next and how far into it.
    cursors: Vec<Cursor>,
    done: bool,
}

#[derive(Clone, Copy, Debug, Default)]
struct Cursor {
    run: usize,
    offset: u64,
}

impl Cursor {
    /// The index it stands at.
    fn index(self, axis: &Axis) -> Option<u64> {
        axis.runs().get(self.run).map(|run| run.start + self.offset)
    }

    /// Moves on by `n` indices, which the run still has.
    fn advance(&mut self, axis: &Axis, n: u64) {
        self.offset += n;
        if axis.runs().get(self.run).is_some_and(|run| self.offset >= run.end - run.start) {
            *self = Self { run: self.run + 1, offset: 0 };
        }
    }
}

impl Tiling {
    /// Decides how to cut the answer. `element_bytes` counts in the answer, `chunk_bytes` a decoded chunk.
    pub(crate) fn new(grid: Grid, wanted: Wanted, element_bytes: u64, chunk_bytes: u64) -> Self {
        let all = wanted.axes();
        let last = grid.rank() - 1;
        let (axis, step) = (0..last)
            .find_map(|k| {
                let step = all.iter().skip(k + 1).try_fold(1u64, |n, axis| n.checked_mul(axis.n_indices()))?;
                let n_chunks = (k + 1..=last)
                    .try_fold(1u64, |n, i| n.checked_mul(all[i].max_blocks(grid.chunk()[i], grid.counts()[i])))?;
                let fits = step.checked_mul(element_bytes)? <= MAX_BAND_BYTES
                    && n_chunks <= MAX_STEP_CHUNKS
                    && (n_chunks <= 1 || n_chunks.checked_mul(chunk_bytes)? <= MAX_STEP_CHUNK_BYTES);
                fits.then_some((k, step))
            })
            .unwrap_or((last, 1));
        let band_bytes = step.saturating_mul(element_bytes).saturating_mul(grid.chunk()[axis].min(grid.dims()[axis]));
        let revisits = !all[axis].is_sorted()
            || band_bytes > MAX_BAND_BYTES
            || (0..axis).any(|i| grid.chunk()[i] > 1 && all[i].n_indices() > 1);
        let inner = (axis + 1..=last).map(|i| axis_chunks(&all[i], grid.chunk()[i])).collect();
        let max_segment_bytes = MAX_BAND_BYTES + SEGMENT_BYTES;
        Self { grid, wanted, axis, step, revisits, inner, element_bytes, chunk_bytes, max_segment_bytes }
    }

    /// Lets segments end within a band: for data that are read where they lie, rather than decoded.
    pub(crate) fn shorten_segments(&mut self) {
        self.max_segment_bytes = SEGMENT_BYTES;
    }

    /// The number of chunks that one index on the segment's axis touches.
    pub(crate) fn n_tiles(&self) -> usize {
        self.inner.iter().map(Vec::len).product()
    }

    /// At most so many bytes of decoded chunks are touched.
    pub(crate) fn touched_chunk_bytes(&self) -> u64 {
        let axes = self.wanted.axes().iter().zip(self.grid.chunk()).zip(self.grid.counts());
        axes.fold(self.chunk_bytes, |n, ((axis, chunk), count)| n.saturating_mul(axis.max_blocks(*chunk, *count)))
    }

    /// The chunk on each axis after the segment's, for one of [`n_tiles`](Self::n_tiles).
    fn tile(&self, number: usize) -> Vec<&AxisChunk> {
        let mut rest = number;
        let mut tile: Vec<&AxisChunk> = self
            .inner
            .iter()
            .rev()
            .map(|chunks| {
                let chunk = &chunks[rest % chunks.len()];
                rest /= chunks.len();
                chunk
            })
            .collect();
        tile.reverse();
        tile
    }

    /// The coordinates of a chunk.
    pub(crate) fn coords(&self, segment: &Segment, band: u64, tile: usize) -> Vec<u64> {
        let outer = segment.outer.iter().zip(self.grid.chunk()).map(|(x, c)| x / c);
        outer.chain([band]).chain(self.tile(tile).iter().map(|chunk| chunk.coord)).collect()
    }

    /// The element of the chunk at which the segment's outer indices stand.
    pub(crate) fn outer_offset(&self, segment: &Segment) -> u64 {
        let outer = segment.outer.iter().zip(self.grid.chunk()).enumerate();
        outer.map(|(i, (x, c))| x % c * self.grid.chunk_step(i)).sum()
    }

    /// What one index on the segment's axis needs of a tile's chunk.
    pub(crate) fn runs(&self, tile: usize) -> Vec<Run> {
        let mut runs = vec![Run { src: 0, dst: 0, len: 1 }];
        let (mut src_step, mut dst_step) = (1, 1);
        for (i, chunk) in self.tile(tile).into_iter().enumerate().rev() {
            let axis = self.axis + 1 + i;
            let n: u64 = chunk.clips.iter().map(|clip| clip.len).sum();
            let joins = runs.len() == 1 && runs[0].len == src_step && src_step == dst_step;
            let mut next: Vec<Run> = Vec::with_capacity(if joins {
                chunk.clips.len()
            } else {
                usize::try_from(n).map_or(0, |n| n * runs.len())
            });
            for clip in &chunk.clips {
                if joins {
                    next.push(Run { src: clip.start * src_step, dst: clip.out * dst_step, len: clip.len * src_step });
                    continue;
                }
                for j in 0..clip.len {
                    let (src, dst) = ((clip.start + j) * src_step, (clip.out + j) * dst_step);
                    next.extend(runs.iter().map(|run| Run { src: src + run.src, dst: dst + run.dst, len: run.len }));
                }
            }
            runs = next;
            src_step *= self.grid.chunk()[axis];
            dst_step *= self.wanted.axes()[axis].n_indices();
        }
        runs
    }
}

/// The chunks that an axis touches, each once, by coordinate.
fn axis_chunks(axis: &Axis, chunk: u64) -> Vec<AxisChunk> {
    let mut clips: Vec<(u64, Clip)> = Vec::new();
    let mut out = 0;
    for run in axis.runs() {
        let mut start = run.start;
        while start < run.end {
            let coord = start / chunk;
            let within = start - coord * chunk;
            let len = (run.end - start).min(chunk - within);
            clips.push((coord, Clip { start: within, len, out }));
            start += len;
            out += len;
        }
    }
    clips.sort_by_key(|(coord, _)| *coord);
    let mut chunks: Vec<AxisChunk> = Vec::new();
    for (coord, clip) in clips {
        match chunks.last_mut() {
            Some(last) if last.coord == coord => last.clips.push(clip),
            _ => chunks.push(AxisChunk { coord, clips: vec![clip] }),
        }
    }
    chunks
}

impl Plan {
    /// Starts at the beginning.
    pub(crate) fn new(tiling: Arc<Tiling>) -> Self {
        let done = tiling.wanted.axes().iter().any(|axis| axis.n_indices() == 0);
        Self { cursors: vec![Cursor::default(); tiling.axis + 1], tiling, done }
    }

    /// Whether all segments were yielded.
    pub(crate) fn is_done(&self) -> bool {
        self.done
    }

    /// Moves the outer indices on after the segment's axis has come to its end.
    fn advance_outer(&mut self) {
        let axes = self.tiling.wanted.axes();
        for (cursor, axis) in self.cursors.iter_mut().zip(axes).rev().skip(1) {
            cursor.advance(axis, 1);
            if cursor.run < axis.runs().len() {
                return;
            }
            *cursor = Cursor::default();
        }
        self.done = true;
    }
}

impl Iterator for Plan {
    type Item = Segment;

    fn next(&mut self) -> Option<Segment> {
        if self.done {
            return None;
        }
        let tiling = Arc::clone(&self.tiling);
        let (all, k) = (tiling.wanted.axes(), tiling.axis);
        let (axis, chunk) = (&all[k], tiling.grid.chunk()[k]);
        let outer = self.cursors.iter().zip(all).take(k).filter_map(|(cursor, axis)| cursor.index(axis)).collect();

        let step_bytes = tiling.step.saturating_mul(tiling.element_bytes).max(1);
        let band_chunks = tiling.n_tiles() as u64;
        let max_steps = (tiling.max_segment_bytes / step_bytes).max(1);
        let mut pieces: Vec<BandRun> = Vec::new();
        let (mut n_steps, mut n_bands) = (0u64, 0u64);
        let cursor = &mut self.cursors[k];
        while let Some(index) = cursor.index(axis) {
            let band = index / chunk;
            let start = index - band * chunk;
            let last = pieces.last_mut();
            let same_band = last.as_ref().is_some_and(|last| last.band == band);
            let run_end = axis.runs()[cursor.run].end;
            let len = (run_end - index).min(chunk - start);
            if !same_band {
                n_bands += 1;
                let n_chunks = (n_bands - 1).saturating_mul(band_chunks);
                if n_bands > 1 && (n_steps + len).saturating_mul(step_bytes) > SEGMENT_BYTES
                    || n_chunks.saturating_mul(tiling.chunk_bytes) >= SEGMENT_CHUNK_BYTES
                    || n_chunks >= SEGMENT_CHUNKS
                {
                    break;
                }
            }
            if n_steps >= max_steps || (!axis.is_sorted() && pieces.len() >= MAX_UNSORTED_PIECES) {
                break;
            }
            let len = len.min(max_steps - n_steps);
            match pieces.last_mut() {
                Some(last) if same_band && last.start + last.len == start => last.len += len,
                _ => pieces.push(BandRun { band, start, len, out: n_steps }),
            }
            n_steps += len;
            cursor.advance(axis, len);
        }
        if cursor.run >= axis.runs().len() {
            *cursor = Cursor::default();
            self.advance_outer();
        }
        Some(Segment { outer, pieces, n_steps })
    }
}

impl Segment {
    /// The pieces of each band, bands rising: pieces are sorted by band first (they are already where the indices rise).
    pub(crate) fn bands(&mut self) -> Vec<(u64, Range<usize>)> {
        if !self.pieces.is_sorted_by_key(|piece| piece.band) {
            self.pieces.sort_by_key(|piece| piece.band);
        }
        let mut bands: Vec<(u64, Range<usize>)> = Vec::new();
        for (i, piece) in self.pieces.iter().enumerate() {
            match bands.last_mut() {
                Some((band, range)) if *band == piece.band => range.end = i + 1,
                _ => bands.push((piece.band, i..i + 1)),
            }
        }
        bands
    }
}
