//! Virtual datasets of any other mapping: element by element.
//!
//! The answer is cut into segments as for a dataset with one chunk. For each segment and each part: which runs of the wanted
//! elements are the part's, under which ordinals; which runs of the source have these ordinals; and a reader over the rows of
//! the source from first to last of them, from whose blocks the runs are picked.

use std::{collections::HashMap, ops::Range, sync::Arc};

use super::{VirtualContext, cast::Cast, part::Source};
use crate::{
    Indices, Result, RowRanges,
    format::grid::Grid,
    read::{
        Block, Reader, Selection,
        buffers::{Buffer, Buffers},
        plan::{Plan, Segment, Tiling},
        storage::Representation,
        wanted::Wanted,
    },
};

/// Sources that are kept open.
const MAX_OPEN: usize = 64;

/// Matches the elements of segment after segment.
#[derive(Debug)]
pub(super) struct GeneralReader {
    tiling: Arc<Tiling>,
    plan: Plan,
    buffers: Buffers,
    open: HashMap<usize, Option<Arc<Source>>>,
    current: Option<(Arc<Buffer>, usize)>,
}

/// Elements that lie next to each other in the virtual dataset and in the answer.
#[derive(Clone, Copy, Debug)]
struct Run {
    /// First element of the virtual dataset, counted in row-major order.
    element: u64,
    /// First element of the segment.
    out: u64,
    len: u64,
}

/// Elements that lie next to each other in what is read of a source, and in the answer.
#[derive(Clone, Copy, Debug)]
struct Pick {
    at: u64,
    out: u64,
    len: u64,
}

impl GeneralReader {
    pub(super) fn new(context: &VirtualContext, wanted: Wanted) -> Result<Self> {
        let grid = Grid::new(&context.shape, &context.shape);
        let grid = grid.ok_or_else(|| context.object.damaged(format!("an extent of {:?}", context.shape)))?;
        let mut tiling = Tiling::new(grid, wanted, context.element_bytes as u64, 0);
        tiling.shorten_segments();
        let tiling = Arc::new(tiling);
        let plan = Plan::new(Arc::clone(&tiling));
        Ok(Self { tiling, plan, buffers: context.options.pool.buffers().clone(), open: HashMap::new(), current: None })
    }

    pub(super) fn next(&mut self, context: &VirtualContext) -> Option<Result<Block>> {
        loop {
            if let Some((buffer, at)) = &mut self.current
                && *at < buffer.len()
            {
                let end = at.saturating_add(context.block_bytes()).min(buffer.len());
                let block = Block::new(Arc::clone(buffer), *at..end);
                *at = end;
                return Some(Ok(block));
            }
            self.current = None;
            let segment = self.plan.next()?;
            match self.read(context, &segment) {
                Ok(buffer) => self.current = Some((Arc::new(buffer), 0)),
                Err(error) => return Some(Err(error)),
            }
        }
    }

    fn read(&mut self, context: &VirtualContext, segment: &Segment) -> Result<Buffer> {
        let too_large = || context.object.damaged("a part of the answer does not fit the address space");
        let len = segment.n_steps.checked_mul(self.tiling.step).and_then(|n| usize::try_from(n).ok());
        let len = len.and_then(|n| n.checked_mul(context.element_bytes)).ok_or_else(too_large)?;
        let mut out = context.filled(self.buffers.take(len));
        let runs = self.runs(segment);
        let row = context.shape.iter().skip(1).product::<u64>().max(1);
        let lo = runs.iter().map(|run| run.element / row).min().unwrap_or(0);
        let hi = runs.iter().map(|run| (run.element + run.len - 1) / row + 1).max().unwrap_or(0);
        for (i, part) in context.parts.iter().enumerate() {
            let bounds = part.elements.bounds();
            if bounds.start >= hi || bounds.end <= lo {
                continue;
            }
            // Pairs of ordinal and place in the answer.
            let mut matched: Vec<(u64, u64, u64)> = Vec::new();
            for run in &runs {
                for_each_line(&context.shape, run.element, run.len, |prefix, within, before| {
                    part.elements.runs_on(prefix, within.clone(), |index, ordinal, len| {
                        matched.push((ordinal, run.out + before + (index - within.start), len));
                    });
                });
            }
            if matched.is_empty() {
                continue;
            }
            if let Some(source) = self.source(context, i)? {
                pick(context, &source, &matched, out.bytes_mut())?;
            }
        }
        Ok(out)
    }

    /// The wanted elements of a segment.
    fn runs(&self, segment: &Segment) -> Vec<Run> {
        let (tiling, mut found) = (&self.tiling, Vec::<Run>::new());
        let (src_step, dst_step) = (tiling.grid.chunk_step(tiling.axis), tiling.step);
        let outer = tiling.outer_offset(segment);
        let runs = tiling.runs(0);
        for piece in &segment.pieces {
            for step in 0..piece.len {
                for run in &runs {
                    let element = outer + (piece.start + step) * src_step + run.src;
                    let out = (piece.out + step) * dst_step + run.dst;
                    match found.last_mut() {
                        Some(last) if last.element + last.len == element && last.out + last.len == out => {
                            last.len += run.len;
                        }
                        _ => found.push(Run { element, out, len: run.len }),
                    }
                }
            }
        }
        found
    }

    fn source(&mut self, context: &VirtualContext, part: usize) -> Result<Option<Arc<Source>>> {
        if let Some(source) = self.open.get(&part) {
            return Ok(source.clone());
        }
        if self.open.len() >= MAX_OPEN {
            self.open.clear();
        }
        let source = context.parts[part].open(&context.object, &context.native)?;
        self.open.insert(part, source.clone());
        Ok(source)
    }
}

/// Cuts a run of elements into lines of the last axis: calls `f` with the coordinates before that axis, the indices on it, and
/// how many elements came before.
fn for_each_line(shape: &[u64], element: u64, len: u64, mut f: impl FnMut(&[u64], Range<u64>, u64)) {
    let Some((&line, before_last)) = shape.split_last() else { return };
    let mut prefix = vec![0; before_last.len()];
    let mut done = 0;
    while done < len {
        let (mut row, start) = ((element + done) / line, (element + done) % line);
        for (x, extent) in prefix.iter_mut().zip(before_last).rev() {
            *x = row % extent;
            row /= extent;
        }
        let n = (line - start).min(len - done);
        f(&prefix, start..start + n, done);
        done += n;
    }
}

/// Reads the elements with these ordinals from a source, to their places in the answer.
fn pick(context: &VirtualContext, source: &Source, matched: &[(u64, u64, u64)], out: &mut [u8]) -> Result<()> {
    // From coordinates to what is read: some rows, and on each further axis what lies between the first and the last index.
    let shape = source.dataset.shape();
    let mut hull: Vec<Option<Range<u64>>> = vec![None; shape.len()];
    let mut rows: Vec<Range<u64>> = Vec::new();
    for (ordinal, _, len) in matched {
        source.elements.runs_at(*ordinal..*ordinal + *len, |at, n| {
            for (i, (x, range)) in at.iter().zip(&mut hull).enumerate() {
                let end = if i + 1 == shape.len() { x + n } else { x + 1 };
                let (lo, hi) = range.as_ref().map_or((*x, end), |range| (range.start, range.end));
                *range = Some(lo.min(*x)..hi.max(end));
            }
            if let [first, further @ ..] = at {
                let range = if further.is_empty() { *first..first + n } else { *first..first + 1 };
                match rows.last_mut() {
                    Some(last) if last.start <= range.start && range.start <= last.end => {
                        last.end = last.end.max(range.end);
                    }
                    _ => rows.push(range),
                }
            }
        });
    }
    let hull: Vec<Range<u64>> = hull.into_iter().map(Option::unwrap_or_default).collect();
    let rows = RowRanges::new(rows).unwrap_or_default().sorted_and_merged();
    // How many rows come before each range of rows in what is read.
    let mut n_before = Vec::with_capacity(rows.as_slice().len());
    let mut n_rows = 0;
    for range in rows.as_slice() {
        n_before.push(n_rows);
        n_rows += range.end - range.start;
    }
    let place = |at: &[u64]| {
        let Some((row, further)) = at.split_first() else { return 0 };
        let i = rows.as_slice().partition_point(|range| range.end <= *row);
        let row = rows.as_slice().get(i).map_or(0, |range| n_before[i] + (row - range.start));
        further.iter().zip(&hull[1..]).fold(row, |n, (x, range)| n * (range.end - range.start) + (x - range.start))
    };
    let mut picks: Vec<Pick> = Vec::new();
    for (ordinal, out, len) in matched {
        let mut done = 0;
        source.elements.runs_at(*ordinal..*ordinal + *len, |at, n| {
            let (at, out) = (place(at), out + done);
            match picks.last_mut() {
                Some(last) if last.at + last.len == at && last.out + last.len == out => last.len += n,
                _ => picks.push(Pick { at, out, len: n }),
            }
            done += n;
        });
    }
    picks.sort_unstable_by_key(|pick| pick.at);

    let inner = hull.iter().skip(1).map(|range| Indices::Range(range.start, range.end)).collect();
    let selection = Selection { rows: (!shape.is_empty()).then_some(rows), inner };
    let element_bytes = usize::try_from(source.dataset.dtype().size_bytes()).unwrap_or(1);
    let options = context.source_options(element_bytes);
    let reader = Reader::new(&source.dataset, selection, &options, Representation::Native, context.depth + 1)?;
    let (mut first, mut next) = (0, 0u64);
    for block in reader {
        let block = block?;
        let n = (block.bytes().len() / element_bytes) as u64;
        let here = next..next + n;
        next += n;
        while picks.get(first).is_some_and(|pick| pick.at + pick.len <= here.start) {
            first += 1;
        }
        for pick in picks[first..].iter().take_while(|pick| pick.at < here.end) {
            let (lo, hi) = (pick.at.max(here.start), (pick.at + pick.len).min(here.end));
            if lo < hi {
                copy(context, source, block.bytes(), lo - here.start, out, pick.out + (lo - pick.at), hi - lo)
                    .ok_or_else(|| context.object.damaged("a source gave fewer elements than it has"))?;
            }
        }
    }
    Ok(())
}

/// Copies `n` elements. `None` where they are not there.
fn copy(
    context: &VirtualContext,
    source: &Source,
    from: &[u8],
    at: u64,
    out: &mut [u8],
    to: u64,
    n: u64,
) -> Option<()> {
    let (from_bytes, to_bytes) = source.cast.map_or((context.element_bytes, context.element_bytes), Cast::sizes);
    let (at, to, n) = (usize::try_from(at).ok()?, usize::try_from(to).ok()?, usize::try_from(n).ok()?);
    let from = from.get(at * from_bytes..(at + n) * from_bytes)?;
    let out = out.get_mut(to * to_bytes..(to + n) * to_bytes)?;
    match source.cast {
        Some(cast) => cast.convert(from, out),
        None => out.copy_from_slice(from),
    }
    Some(())
}
