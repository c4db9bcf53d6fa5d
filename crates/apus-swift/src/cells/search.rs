//! Which cells a region touches.

use std::ops::Range;

use apus_h5::RowRanges;
use serde::Serialize;

use crate::Region;

/// When the rows of a cell are wanted of a region.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum CellTest {
    /// Where the region touches the cell: exactly the rows, in the order, that swiftsimio gives after `mask.constrain_spatial`
    /// (several boxes: joined with `union=True`).
    Touches,
    /// Where a particle of the cell may lie in the region; then [`Region::contains`] tells which do. All rows where cells cannot
    /// tell: where their bounds are assumed, or where not each row is in one cell.
    MayContain {
        /// How far stored positions are off the true ones, which bounds are of. Units: the file's length.
        allowance: f64,
    },
}

/// What was found among the cells of a group.
#[derive(Clone, Debug, PartialEq)]
pub struct FoundCells {
    /// The rows, in swiftsimio's order; neighbouring ranges are joined.
    pub rows: RowRanges,
    /// The number of cells.
    pub n_cells: usize,
    /// How many of them were found; those without rows are not looked for.
    pub n_found: usize,
    /// What was taken for the bounds of cells.
    pub source: BoundsSource,
}

/// Where the bounds of cells are from, by which rows outside a region are left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BoundsSource {
    /// They are stored in the file.
    Stored,
    /// They were learned from the positions of particles.
    Learned,
    /// Cells were widened, as the file has none. Particles may have drifted farther.
    Padded,
    /// There are none: all rows are looked at.
    None,
}

/// Looks at cells, one after the other.
pub(super) struct CellSearch<'r> {
    region: &'r Region,
    by: CellTest,
    /// The rows of those that were found, with the key to sort them by.
    found: Vec<(u64, Range<u64>)>,
    n_cells: usize,
    /// The rows of all cells, those joined that follow each other.
    all: Vec<Range<u64>>,
}

impl<'r> CellSearch<'r> {
    pub(super) fn new(region: &'r Region, by: CellTest) -> Self {
        Self { region, by, found: Vec::new(), n_cells: 0, all: Vec::new() }
    }

    pub(super) fn see(&mut self, key: u64, [lower, upper]: &[[f64; 3]; 2], rows: &Range<u64>) {
        self.n_cells += 1;
        if rows.is_empty() {
            return;
        }
        push(&mut self.all, rows.clone());
        let is_wanted = match self.by {
            CellTest::Touches => self.region.touches(*lower, *upper),
            CellTest::MayContain { allowance } => self.region.may_contain(*lower, *upper, allowance),
        };
        if is_wanted {
            self.found.push((key, rows.clone()));
        }
    }

    /// What was found among the cells of a group of so many rows. `is_padded` says that widened cells do where bounds are not measured.
    pub(super) fn found(mut self, is_measured: bool, is_padded: bool, n_rows: u64) -> FoundCells {
        let n_found = self.found.len();
        let mut rows = Vec::new();
        let mut source = if is_measured { BoundsSource::Stored } else { BoundsSource::Padded };
        let can_tell = || (is_measured || is_padded) && is_each_row_in_one(self.all, n_rows);
        if matches!(self.by, CellTest::MayContain { .. }) && !can_tell() {
            source = BoundsSource::None;
            rows.push(0..n_rows);
        } else {
            self.found.sort_by_key(|(key, _)| *key);
            self.found.into_iter().for_each(|(_, found)| push(&mut rows, found));
        }
        // Each end is at or after its start, so there always are ranges.
        let rows = RowRanges::new(rows).unwrap_or_default();
        FoundCells { rows, n_cells: self.n_cells, n_found, source }
    }
}

/// Whether these ranges, none of them empty, are a partition of so many rows.
pub(super) fn is_each_row_in_one(mut ranges: Vec<Range<u64>>, n_rows: u64) -> bool {
    ranges.sort_unstable_by_key(|range| range.start);
    let mut end = 0;
    ranges.iter().all(|range| range.start == std::mem::replace(&mut end, range.end)) && end == n_rows
}

/// Adds a range; to the last one, where it follows that without a gap.
fn push(ranges: &mut Vec<Range<u64>>, range: Range<u64>) {
    match ranges.last_mut() {
        Some(last) if last.end == range.start => last.end = range.end,
        _ => ranges.push(range),
    }
}
