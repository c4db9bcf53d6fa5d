//! What scans remember of the columns that they read, so that later ones leave out what cannot match.

use std::{
    ops::Range,
    sync::{Arc, PoisonError, RwLock},
};

use apus_h5::{Dataset, RowRanges, check_cancelled};

use super::{RowFilter, windows::push_joined};
use crate::{Interval, Result};

/// What the values of one column lie between, in blocks of rows: in each chunk, where the dataset has chunks and not very many. Scans fill it
/// in, from any thread. It is true of one state of the dataset.
#[derive(Debug)]
pub struct ColumnStatistics {
    n_rows: u64,
    block_rows: u64,
    /// Those of the blocks, in order; none until one is known, and not even room for them where nothing shall be remembered any more.
    blocks: RwLock<Option<Vec<Interval>>>,
}

/// What is known of the columns of a [`RowFilter`], in their order; `None` for those of which nothing shall be remembered.
pub type Statistics = Vec<Option<Arc<ColumnStatistics>>>;

/// The most blocks of a column: 6 MiB, and enough for the chunks of two thousand million rows.
const MAX_BLOCKS: u64 = 1 << 18;
/// SWIFT's chunks have so many rows.
const USUAL_CHUNK_ROWS: u64 = 8192;

impl ColumnStatistics {
    /// Nothing is known yet of a column of so many rows, in chunks of so many, if in any.
    pub fn new(n_rows: u64, chunk_rows: Option<u64>) -> Self {
        let chunk_rows = chunk_rows.unwrap_or(USUAL_CHUNK_ROWS).clamp(1, n_rows.max(1));
        let chunks_per_block = n_rows.div_ceil(chunk_rows).div_ceil(MAX_BLOCKS).max(1);
        Self { n_rows, block_rows: chunk_rows.saturating_mul(chunks_per_block), blocks: RwLock::new(Some(Vec::new())) }
    }

    /// Nothing is known yet of a column of this dataset.
    pub fn of_dataset(dataset: &Dataset) -> Self {
        let chunk_rows = dataset.chunk_shape().and_then(|shape| shape.first().copied());
        Self::new(dataset.shape().first().copied().unwrap_or(0), chunk_rows)
    }

    /// What was seen before of a column of so many rows, as [`parts`](Self::parts) gave it; `None` for what is no such thing.
    pub fn from_parts(n_rows: u64, block_rows: u64, blocks: Vec<Interval>) -> Option<Self> {
        let n_blocks = n_rows.checked_div(block_rows)?.saturating_add(u64::from(!n_rows.is_multiple_of(block_rows)));
        let is_right = n_blocks <= MAX_BLOCKS && n_blocks == blocks.len() as u64;
        is_right.then(|| Self { n_rows, block_rows, blocks: RwLock::new(Some(blocks)) })
    }

    /// The rows of a block, and what the values of each lie between; `None` where nothing is known.
    pub fn parts(&self) -> Option<(u64, Vec<Interval>)> {
        let blocks = self.blocks.read().unwrap_or_else(PoisonError::into_inner);
        let blocks = blocks.as_ref().filter(|blocks| !blocks.is_empty());
        blocks.map(|blocks| (self.block_rows, blocks.clone()))
    }

    /// The rows of the column.
    pub fn n_rows(&self) -> u64 {
        self.n_rows
    }

    /// The number of blocks.
    pub fn n_blocks(&self) -> u64 {
        self.n_rows.div_ceil(self.block_rows)
    }

    /// Of how many blocks it is known what their values lie between.
    pub fn n_known(&self) -> u64 {
        let blocks = self.blocks.read().unwrap_or_else(PoisonError::into_inner);
        blocks.as_ref().map_or(0, |blocks| blocks.iter().filter(|block| **block != Interval::UNKNOWN).count() as u64)
    }

    /// Whether anything is known.
    pub fn knows_any(&self) -> bool {
        let blocks = self.blocks.read().unwrap_or_else(PoisonError::into_inner);
        blocks.as_ref().is_some_and(|blocks| blocks.iter().any(|block| *block != Interval::UNKNOWN))
    }

    /// The rows of blocks of which nothing is known, ascending.
    pub fn unknown_rows(&self) -> Vec<Range<u64>> {
        let mut rows = Vec::new();
        for block in (0..self.n_blocks())
            .filter(|block| self.get(usize::try_from(*block).unwrap_or(usize::MAX)) == Interval::UNKNOWN)
        {
            let start = block * self.block_rows;
            push_joined(&mut rows, start..start.saturating_add(self.block_rows).min(self.n_rows));
        }
        rows
    }

    /// What it takes in memory when all is known.
    pub fn size_bytes(&self) -> u64 {
        self.n_blocks().saturating_mul(size_of::<Interval>() as u64)
    }

    /// Gives the memory back, and remembers nothing from now on, whoever still holds it.
    pub fn forget(&self) {
        *self.blocks.write().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// The block that the row is in, and where it ends.
    fn block(&self, row: u64) -> (usize, Range<u64>) {
        let start = row - row % self.block_rows;
        let end = start.saturating_add(self.block_rows).min(self.n_rows);
        // Of hostile numbers, one that no block has.
        (usize::try_from(row / self.block_rows).unwrap_or(usize::MAX), start..end.max(row.saturating_add(1)))
    }

    fn get(&self, block: usize) -> Interval {
        let blocks = self.blocks.read().unwrap_or_else(PoisonError::into_inner);
        blocks.as_ref().and_then(|blocks| blocks.get(block)).copied().unwrap_or(Interval::UNKNOWN)
    }

    fn note(&self, block: usize, values: Interval) {
        let mut blocks = self.blocks.write().unwrap_or_else(PoisonError::into_inner);
        let Some(blocks) = blocks.as_mut() else { return };
        if blocks.is_empty() {
            blocks.resize(usize::try_from(self.n_blocks()).unwrap_or(0), Interval::UNKNOWN);
        }
        if let Some(known) = blocks.get_mut(block) {
            *known = values;
        }
    }
}

impl RowFilter {
    /// Which of its columns conditions are about, so that statistics of them are of use.
    pub fn is_of_condition(&self, column: usize) -> bool {
        self.condition_columns.iter().flatten().any(|index| *index == column)
    }

    /// Of these rows, those in blocks that may hold rows that satisfy all conditions, in their order.
    ///
    /// Errors: that nobody waits any more.
    pub fn rows_that_may_match(&self, rows: &RowRanges, statistics: &Statistics) -> Result<RowRanges> {
        let (mut left, mut values) = (Vec::new(), Vec::with_capacity(statistics.len()));
        for range in rows.as_slice() {
            let mut row = range.start;
            while row < range.end {
                check_cancelled()?;
                let mut end = range.end;
                values.clear();
                for column in statistics {
                    values.push(column.as_ref().map_or(Interval::UNKNOWN, |column| {
                        let (block, rows) = column.block(row);
                        end = end.min(rows.end);
                        column.get(block)
                    }));
                }
                if self.may_match(&values) {
                    push_joined(&mut left, row..end);
                }
                row = end;
            }
        }
        Ok(RowRanges::new(left).unwrap_or_default())
    }
}

/// Goes along with a scan and notes of each block that it has seen all of what its values lie between.
#[derive(Debug)]
pub(crate) struct StatisticsNotes {
    statistics: Arc<ColumnStatistics>,
    /// The row that comes next in a block that was seen from its first row on, and what the values so far lie between.
    begun: Option<(u64, Interval)>,
}

impl StatisticsNotes {
    pub(crate) fn new(statistics: Arc<ColumnStatistics>) -> Self {
        Self { statistics, begun: None }
    }

    /// Takes rows of the column that follow each other; `interval` tells what some of their values lie between, counted from the first.
    pub(super) fn see(&mut self, rows: Range<u64>, interval: impl Fn(Range<u64>) -> Interval) {
        let mut row = rows.start;
        while row < rows.end {
            let (block, block_rows) = self.statistics.block(row);
            let end = block_rows.end.min(rows.end);
            let before = match self.begun.take() {
                Some((next, values)) if next == row => Some(values),
                _ => (row == block_rows.start).then_some(Interval::EMPTY),
            };
            if let Some(before) = before
                && self.statistics.get(block) == Interval::UNKNOWN
            {
                let seen = before.joined(interval(row - rows.start..end - rows.start));
                if end == block_rows.end {
                    self.statistics.note(block, seen);
                } else {
                    self.begun = Some((end, seen));
                }
            }
            row = end;
        }
    }
}

#[cfg(test)]
#[path = "statistics_tests.rs"]
mod tests;
