//! Virtual datasets that are rows of sources, one source after another.

use std::{ops::Range, sync::Arc};

use super::{VirtualContext, cast::Cast, general::GeneralReader};
use crate::{
    Indices, Result, RowRanges,
    format::grid::product,
    read::{Block, Reader, Selection, buffers::Buffers, storage::Representation, wanted::Wanted},
};

/// So many ranges of one source are asked for at a time; they take memory beside those of the request.
const MAX_RANGES: usize = 1 << 20;

/// Rows of the virtual dataset, and which part they are in.
type RowParts = Vec<(Range<u64>, usize)>;

/// The rows of each part, sorted. `None` where a part is not whole rows, or where two overlap.
pub(super) fn row_parts(context: &VirtualContext) -> Option<RowParts> {
    let rows = context.parts.iter().enumerate().map(|(i, part)| Some((part.as_rows(&context.shape)?, i)));
    let mut rows = rows.collect::<Option<RowParts>>()?;
    rows.retain(|(rows, _)| !rows.is_empty());
    rows.sort_by_key(|(rows, _)| rows.start);
    rows.windows(2).all(|w| w[0].0.end <= w[1].0.start).then_some(rows)
}

/// Reads source after source, and starts the next one while the last blocks of the one before leave.
#[derive(Debug)]
pub(super) struct RowsReader {
    parts: RowParts,
    /// The wanted rows, and the first of them that no source was asked for yet.
    rows: Vec<Range<u64>>,
    next_row: (usize, u64),
    inner: Vec<Indices>,
    /// Bytes of a row of the answer.
    row_bytes: usize,
    buffers: Buffers,
    current: Option<Stretch>,
    following: Option<Stretch>,
}

/// A number of rows that come from one place.
#[derive(Debug)]
enum Stretch {
    /// Bytes of fill values.
    Fill(u64),
    /// A source.
    Source { reader: Box<Reader>, cast: Option<Cast> },
    /// All that is left, because a source is not what its mapping looks like.
    General(Box<GeneralReader>),
    /// What went wrong.
    Failed(crate::Error),
}

impl RowsReader {
    pub(super) fn new(context: &VirtualContext, parts: RowParts, wanted: Wanted, inner: Vec<Indices>) -> Result<Self> {
        let row_bytes = wanted.shape().get(1..).and_then(product).and_then(|n| usize::try_from(n).ok());
        let row_bytes = row_bytes.and_then(|n| n.checked_mul(context.element_bytes));
        let row_bytes = row_bytes.ok_or_else(|| context.object.damaged("a row does not fit the address space"))?;
        let rows = wanted.into_rows();
        let buffers = context.options.pool.buffers().clone();
        Ok(Self { parts, rows, next_row: (0, 0), inner, row_bytes, buffers, current: None, following: None })
    }

    /// Starts the first source.
    pub(super) fn start(&mut self, context: &Arc<VirtualContext>) {
        if self.current.is_none() {
            self.current = self.next_stretch(context);
        }
        if let Some(Stretch::Source { reader, .. }) = &mut self.current {
            reader.start();
        }
    }

    pub(super) fn next(&mut self, context: &Arc<VirtualContext>) -> Option<Result<Block>> {
        loop {
            if self.current.is_none() {
                self.current = self.following.take().or_else(|| self.next_stretch(context));
            }
            match self.current.as_mut()? {
                Stretch::Fill(0) => {}
                Stretch::Fill(left) => {
                    let len = context.block_bytes().min(usize::try_from(*left).unwrap_or(usize::MAX));
                    *left -= len as u64;
                    let buffer = context.filled(self.buffers.take(len));
                    return Some(Ok(Block::new(Arc::new(buffer), 0..len)));
                }
                Stretch::General(reader) => {
                    if let Some(next) = reader.next(context) {
                        return Some(next);
                    }
                }
                Stretch::Source { reader, cast } => {
                    if let Some(next) = reader.next() {
                        let cast = *cast;
                        if reader.is_all_started() && self.following.is_none() {
                            self.following = self.next_stretch(context);
                            if let Some(Stretch::Source { reader, .. }) = &mut self.following {
                                reader.start();
                            }
                        }
                        return Some(next.map(|block| self.cast(cast, block)));
                    }
                }
                Stretch::Failed(_) => {
                    if let Some(Stretch::Failed(error)) = self.current.take() {
                        return Some(Err(error));
                    }
                }
            }
            self.current = None;
        }
    }

    fn cast(&self, cast: Option<Cast>, block: Block) -> Block {
        let Some(cast) = cast else { return block };
        let (from, to) = cast.sizes();
        let len = block.bytes().len() / from * to;
        let mut buffer = self.buffers.take(len);
        cast.convert(block.bytes(), buffer.bytes_mut());
        Block::new(Arc::new(buffer), 0..len)
    }

    /// The next rows that come from one place.
    fn next_stretch(&mut self, context: &Arc<VirtualContext>) -> Option<Stretch> {
        let begin = self.next_row;
        let first = self.rows.get(begin.0)?.start + begin.1;
        let after = self.parts.partition_point(|(rows, _)| rows.end <= first);
        let (within, part) = match self.parts.get(after) {
            Some((rows, part)) if rows.start <= first => (rows.clone(), Some(*part)),
            next => {
                let before = after.checked_sub(1).and_then(|before| self.parts.get(before));
                let start = before.map_or(0, |(rows, _)| rows.end);
                (start..next.map_or(u64::MAX, |(rows, _)| rows.start), None)
            }
        };
        let source = match part.map(|part| context.parts[part].open(&context.object, &context.native)).transpose() {
            Ok(source) => source.flatten(),
            Err(error) => return Some(Stretch::Failed(error)),
        };
        if let Some(source) = &source {
            let Some(first_row) = source.first_row(&context.shape) else {
                return Some(self.everything_left(context));
            };
            let mut ranges = Vec::new();
            self.take_rows(&within, |rows| {
                ranges.push(first_row + (rows.start - within.start)..first_row + (rows.end - within.start));
                ranges.len() < MAX_RANGES
            });
            let selection = Selection { rows: RowRanges::new(ranges), inner: self.inner.clone() };
            let bytes = usize::try_from(source.dataset.dtype().size_bytes()).unwrap_or(1);
            let options = context.source_options(bytes);
            let reader = Reader::new(&source.dataset, selection, &options, Representation::Native, context.depth + 1);
            return Some(match reader {
                Ok(reader) => Stretch::Source { reader: Box::new(reader), cast: source.cast },
                Err(error) => Stretch::Failed(error),
            });
        }
        let mut n_rows = 0u64;
        self.take_rows(&within, |rows| {
            n_rows += rows.end - rows.start;
            true
        });
        Some(Stretch::Fill(n_rows.saturating_mul(self.row_bytes as u64)))
    }

    /// Takes wanted rows as long as they lie within a range and `take` wants more.
    fn take_rows(&mut self, within: &Range<u64>, mut take: impl FnMut(Range<u64>) -> bool) {
        while let Some(rows) = self.rows.get(self.next_row.0) {
            let start = rows.start + self.next_row.1;
            if !within.contains(&start) {
                return;
            }
            let end = rows.end.min(within.end);
            self.next_row =
                if end == rows.end { (self.next_row.0 + 1, 0) } else { (self.next_row.0, end - rows.start) };
            if !take(start..end) {
                return;
            }
        }
    }

    fn everything_left(&mut self, context: &Arc<VirtualContext>) -> Stretch {
        let (first, offset) = std::mem::replace(&mut self.next_row, (self.rows.len(), 0));
        let mut rows = self.rows[first..].to_vec();
        if let Some(rows) = rows.first_mut() {
            rows.start += offset;
        }
        let selection = Selection { rows: RowRanges::new(rows), inner: self.inner.clone() };
        match context.wanted(selection).and_then(|wanted| GeneralReader::new(context, wanted)) {
            Ok(reader) => Stretch::General(Box::new(reader)),
            Err(error) => Stretch::Failed(error),
        }
    }
}
