//! Reading columns for nothing but what their values lie between.

use std::{ops::Range, sync::Arc};

use apus_h5::{Dataset, ReadOptions};

use super::{BoundsNotes, ZoneBounds};
use crate::{
    ColumnStatistics, Error, Result, RowWindows,
    condition::number_type,
    selection::{ScannedColumn, StatisticsNotes, read_rows},
};

/// Goes through the rows of a column whose bounds are not known yet, window by window, and notes them. Memory is bounded by the window.
#[derive(Debug)]
pub struct LearningScan {
    column: ScannedColumn,
    windows: RowWindows,
    options: ReadOptions,
    size_bytes: u64,
    is_over: bool,
}

/// About how many bytes are held at once.
const WINDOW_BYTES: u64 = 4 << 20;
/// SWIFT's chunks have so many rows.
const USUAL_CHUNK_ROWS: u64 = 8192;

impl LearningScan {
    /// The scan of positions, for the bounds of zones that are not known.
    ///
    /// Errors: [`Error::Malformed`] for what does not hold positions, or of other rows.
    pub fn of_positions(dataset: Dataset, zones: &Arc<ZoneBounds>, options: &ReadOptions) -> Result<Self> {
        let malformed = |reason: &str| malformed(&dataset, reason);
        let [n_rows, 3] = *dataset.shape() else { return Err(malformed("does not hold positions")) };
        if n_rows != zones.n_rows() {
            return Err(malformed("is not what it was when its file was described"));
        }
        let notes = BoundsNotes::new(Arc::clone(zones), number_type(dataset.dtype()));
        let notes = notes.ok_or_else(|| malformed("holds positions of a type whose bounds cannot be learned"))?;
        let row_bytes = dataset.dtype().size_bytes().saturating_mul(3);
        let rows = zones.unknown_rows();
        Ok(Self::new(dataset, None, row_bytes, rows, options, |column| column.bounds_notes = Some(notes)))
    }

    /// The scan of a column, for the blocks of its statistics that are not known.
    ///
    /// Errors: [`Error::Malformed`] for what does not hold numbers, one in each row.
    pub fn of_column(
        dataset: Dataset,
        index: Option<u64>,
        statistics: &Arc<ColumnStatistics>,
        options: &ReadOptions,
    ) -> Result<Self> {
        let is_column = match (dataset.shape(), index) {
            ([_], None) => true,
            ([_, n_columns], Some(index)) => index < *n_columns,
            _ => false,
        };
        let row_bytes = number_type(dataset.dtype()).size_bytes();
        if !is_column || crate::ColumnBlock::new(number_type(dataset.dtype()), &[]).is_err() || row_bytes == 0 {
            return Err(malformed(&dataset, "does not hold one number in each row"));
        }
        let notes = StatisticsNotes::new(Arc::clone(statistics));
        let rows = statistics.unknown_rows();
        Ok(Self::new(dataset, index, row_bytes, rows, options, |column| column.notes = Some(notes)))
    }

    fn new(
        dataset: Dataset,
        index: Option<u64>,
        row_bytes: u64,
        rows: Vec<Range<u64>>,
        options: &ReadOptions,
        take_notes: impl FnOnce(&mut ScannedColumn),
    ) -> Self {
        let n_rows = rows.iter().fold(0u64, |n, range| n.saturating_add(range.end - range.start));
        let align = dataset.chunk_shape().and_then(|shape| shape.first().copied()).unwrap_or(USUAL_CHUNK_ROWS);
        let mut column = ScannedColumn::new(dataset, index, usize::try_from(row_bytes).unwrap_or(usize::MAX));
        take_notes(&mut column);
        Self {
            column,
            windows: RowWindows::new(rows, WINDOW_BYTES / row_bytes.max(1), align),
            options: options.clone(),
            size_bytes: n_rows.saturating_mul(row_bytes),
            is_over: false,
        }
    }

    /// The bytes of values that it reads in all.
    pub fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    fn learn(&mut self, rows: &[Range<u64>]) -> Result<u64> {
        let column = &mut self.column;
        column.values.clear();
        read_rows(&column.dataset, rows.to_vec(), column.index, &self.options, &mut column.values)?;
        column.note(rows);
        Ok(column.values.len() as u64)
    }
}

impl Iterator for LearningScan {
    type Item = Result<u64>;

    /// Reads the next window; gives the bytes of its values.
    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        let learned = self.windows.next().map(|rows| self.learn(&rows));
        self.is_over = !matches!(learned, Some(Ok(_)));
        learned
    }
}

fn malformed(dataset: &Dataset, reason: &str) -> Error {
    Error::Malformed {
        file: dataset.file().name().to_owned(),
        object: dataset.path().to_owned(),
        reason: reason.to_owned(),
    }
}
