//! Reading through the candidate rows of a selection to find those that are wanted.

use std::{ops::Range, sync::Arc};

use apus_h5::{Dataset, Indices, ReadOptions, RowRanges, Selection};

use super::{
    FilterBlock, GroupSelection, RowFilter, Statistics,
    statistics::StatisticsNotes,
    windows::{RowWindows, masked_rows, n_rows_of},
};
use crate::{
    ColumnBlock, Error, Interval, Output, Result, RowMask, ZoneBounds, condition::number_type, zones::BoundsNotes,
};

/// Goes through the candidate rows of a selection, window by window, and reads only what its conditions are about. Memory is bounded by the
/// window, whatever the candidates.
#[derive(Debug)]
pub struct RowScan {
    filter: RowFilter,
    columns: Vec<ScannedColumn>,
    windows: RowWindows,
    options: ReadOptions,
    is_over: bool,
}

/// What a [`RowScan`] found in some candidates that follow each other.
#[derive(Clone, Debug, PartialEq)]
pub struct ScannedWindow {
    /// The candidates.
    pub candidates: Vec<Range<u64>>,
    /// Which of them are wanted; `None` for all.
    pub mask: Option<RowMask>,
}

/// A column that is read for what its values are, and what is remembered of them.
#[derive(Debug)]
pub(crate) struct ScannedColumn {
    pub(crate) dataset: Dataset,
    pub(crate) index: Option<u64>,
    row_bytes: usize,
    /// The values for the rows of the window.
    pub(crate) values: Vec<u8>,
    /// What is remembered of them, if anything is.
    pub(crate) notes: Option<StatisticsNotes>,
    /// The same of positions.
    pub(crate) bounds_notes: Option<BoundsNotes>,
}

/// The most rows of a window: a mask of 32 KiB, and ranges of up to 2 MiB where every other row is wanted.
const MAX_WINDOW_ROWS: u64 = 1 << 18;
/// The fewest, unless there are no more.
const MIN_WINDOW_ROWS: u64 = 1 << 12;
/// About how many bytes of the columns are held at once.
const WINDOW_BYTES: u64 = 4 << 20;
/// Rows that are filtered at once: some milliseconds with the longest comparison. A multiple of the rows of a word of a mask.
const STEP_ROWS: usize = 1 << 14;
/// SWIFT's chunks have so many rows.
const USUAL_CHUNK_ROWS: u64 = 8192;

impl RowScan {
    /// Plans to look at these rows of the output that the selection was resolved for, and to add to what is known of the columns of its
    /// filter.
    ///
    /// Errors: those of opening the datasets; [`Error::Malformed`] where one is not what it was.
    pub fn new(
        output: &Output,
        selection: &Arc<GroupSelection>,
        candidates: RowRanges,
        statistics: &Statistics,
        options: &ReadOptions,
    ) -> Result<Self> {
        let filter = selection.filter();
        let mut columns = Vec::new();
        for (position, column) in filter.columns().iter().enumerate() {
            let dataset = output.file().dataset(&column.path)?;
            let element_bytes = usize::try_from(column.dtype.size_bytes()).ok();
            let row_bytes = element_bytes.and_then(|bytes| bytes.checked_mul(column.n_elements));
            let row_bytes = row_bytes.filter(|bytes| *bytes > 0 && *number_type(dataset.dtype()) == column.dtype);
            let row_bytes = row_bytes.ok_or_else(|| Error::Malformed {
                file: output.file().name().to_owned(),
                object: column.path.clone(),
                reason: "is of another type than it was when its file was described".to_owned(),
            })?;
            let notes = statistics.get(position).cloned().flatten().map(StatisticsNotes::new);
            columns.push(ScannedColumn { notes, ..ScannedColumn::new(dataset, column.index, row_bytes) });
        }
        let row_bytes = columns.iter().fold(1, |n: u64, column| n.saturating_add(column.row_bytes as u64));
        let max_rows = (WINDOW_BYTES / row_bytes).clamp(MIN_WINDOW_ROWS, MAX_WINDOW_ROWS);
        let chunk_rows = columns.first().and_then(|c| c.dataset.chunk_shape()?.first().copied());
        let windows = RowWindows::new(candidates.into_ranges(), max_rows, chunk_rows.unwrap_or(USUAL_CHUNK_ROWS));
        Ok(Self { filter, columns, windows, options: options.clone(), is_over: false })
    }

    /// The same scan, which also notes what the positions of zones lie between, where it looks at positions.
    #[must_use]
    pub fn with_bounds(mut self, zones: &Arc<ZoneBounds>) -> Self {
        if let Some(column) = self.filter.positions().and_then(|index| self.columns.get_mut(index)) {
            column.bounds_notes = BoundsNotes::new(Arc::clone(zones), number_type(column.dataset.dtype()));
        }
        self
    }

    fn scan(&mut self, candidates: Vec<Range<u64>>) -> Result<ScannedWindow> {
        if self.filter.keeps_all() {
            return Ok(ScannedWindow { candidates, mask: None });
        }
        for column in &mut self.columns {
            column.values.clear();
            read_rows(&column.dataset, candidates.clone(), column.index, &self.options, &mut column.values)?;
        }
        let mut masks = Vec::new();
        let mut start = 0;
        if self.filter.needs_row_numbers() {
            for range in &candidates {
                let n_rows = usize::try_from(range.end - range.start).unwrap_or(usize::MAX);
                masks.push(mask_of(&mut self.filter, &self.columns, start, n_rows, range.start)?);
                start = start.saturating_add(n_rows);
            }
        } else {
            // In steps, since conditions may be long, and each step looks whether anybody waits.
            let end = usize::try_from(n_rows_of(&candidates)).unwrap_or(usize::MAX);
            while start < end {
                let n_rows = STEP_ROWS.min(end - start);
                masks.push(mask_of(&mut self.filter, &self.columns, start, n_rows, 0)?);
                start += n_rows;
            }
        }
        let mask = if masks.len() == 1 { masks.swap_remove(0) } else { RowMask::concat(&masks) };
        // The filter has checked that there are as many values as rows.
        self.columns.iter_mut().for_each(|column| column.note(&candidates));
        Ok(ScannedWindow { candidates, mask: Some(mask) })
    }
}

impl ScannedColumn {
    /// A column of which nothing is remembered.
    pub(crate) fn new(dataset: Dataset, index: Option<u64>, row_bytes: usize) -> Self {
        Self { dataset, index, row_bytes, values: Vec::new(), notes: None, bounds_notes: None }
    }

    /// Remembers what the values of the window, which are those of these rows, lie between.
    pub(crate) fn note(&mut self, candidates: &[Range<u64>]) {
        self.note_bounds(candidates);
        let Some(notes) = &mut self.notes else { return };
        let mut first_row = 0;
        for range in candidates {
            notes.see(range.clone(), |rows| {
                let place = |row: u64| usize::try_from(row).ok()?.checked_mul(self.row_bytes);
                let bytes = || self.values.get(place(first_row + rows.start)?..place(first_row + rows.end)?);
                let block = bytes().and_then(|bytes| ColumnBlock::new(number_type(self.dataset.dtype()), bytes).ok());
                block.map_or(Interval::UNKNOWN, |block| block.interval())
            });
            first_row += range.end - range.start;
        }
    }

    fn note_bounds(&mut self, candidates: &[Range<u64>]) {
        let Some(notes) = &mut self.bounds_notes else { return };
        let mut values = self.values.as_slice();
        for range in candidates {
            let n_bytes = usize::try_from(range.end - range.start).ok().and_then(|n| n.checked_mul(self.row_bytes));
            let Some((seen, rest)) = n_bytes.and_then(|n_bytes| values.split_at_checked(n_bytes)) else { return };
            notes.see(range.clone(), seen);
            values = rest;
        }
    }
}

/// What the filter says of `n_rows` rows of the window from `start` on, the first of which is `first_row` in the file.
fn mask_of(
    filter: &mut RowFilter,
    columns: &[ScannedColumn],
    start: usize,
    n_rows: usize,
    first_row: u64,
) -> Result<RowMask> {
    let part = |column: &ScannedColumn| {
        start.saturating_mul(column.row_bytes)..start.saturating_add(n_rows).saturating_mul(column.row_bytes)
    };
    let columns: Vec<&[u8]> = columns.iter().map(|c| c.values.get(part(c)).unwrap_or_default()).collect();
    filter.next(&FilterBlock { n_rows, columns: &columns, first_row })
}

impl Iterator for RowScan {
    type Item = Result<ScannedWindow>;

    /// What is found in the next window; ends early where the limit is reached, and after an error.
    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over || self.filter.is_done() {
            return None;
        }
        let scanned = self.windows.next().map(|candidates| self.scan(candidates));
        self.is_over = !matches!(scanned, Some(Ok(_)));
        scanned
    }
}

impl ScannedWindow {
    /// The number of wanted rows.
    pub fn n_wanted(&self) -> u64 {
        self.mask.as_ref().map_or_else(|| n_rows_of(&self.candidates), |mask| mask.n_wanted() as u64)
    }

    /// The wanted rows, in the order of the candidates.
    pub fn rows(&self) -> Vec<Range<u64>> {
        match &self.mask {
            None => self.candidates.clone(),
            Some(mask) => masked_rows(&self.candidates, mask),
        }
    }
}

/// Reads those rows of a dataset, of one of its columns or of all, and appends their native elements.
///
/// Errors: those of reading.
pub fn read_rows(
    dataset: &Dataset,
    rows: Vec<Range<u64>>,
    column: Option<u64>,
    options: &ReadOptions,
    out: &mut Vec<u8>,
) -> Result<()> {
    for block in rows_reader(dataset, rows, column, options)? {
        out.extend_from_slice(block?.bytes());
    }
    Ok(())
}

/// The reader of those rows of a dataset, of one of its columns or of all.
///
/// Errors: those of planning to read.
pub fn rows_reader(
    dataset: &Dataset,
    rows: Vec<Range<u64>>,
    column: Option<u64>,
    options: &ReadOptions,
) -> Result<apus_h5::Reader> {
    let inner = column.map(|index| Indices::Range(index, index.saturating_add(1)));
    // Ranges of a scan never end before they start.
    let rows = Some(RowRanges::new(rows).unwrap_or_default());
    Ok(dataset.reader(Selection { rows, inner: inner.into_iter().collect() }, options)?)
}
