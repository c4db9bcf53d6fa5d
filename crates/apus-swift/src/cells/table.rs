//! The cells of one group.

use std::ops::Range;

use apus_h5::RowRanges;

use crate::Region;

/// Where the rows of one group lie: for each cell its rows and its bounds. Cells are in swiftsimio's order: by ascending
/// offset of the first group of the file.
///
/// Units of lengths: the file's length, comoving.
#[derive(Clone, Debug, PartialEq)]
pub struct CellTable {
    pub(super) rows: Vec<Range<u64>>,
    pub(super) bounds: CellBounds,
    pub(super) n_rows: u64,
}

/// What is known of where the particles of each cell are.
#[derive(Clone, Debug, PartialEq)]
pub enum CellBounds {
    /// The file gives the least and greatest position of each cell's particles (`MinPositions`, `MaxPositions`), here widened to
    /// the cell itself as swiftsimio has it: no particle is outside.
    Measured(Vec<[[f64; 3]; 2]>),
    /// The file does not: the cells themselves, widened by a tenth of a cell as swiftsimio does for snapshots. Particles may have
    /// drifted farther.
    Assumed(Vec<[[f64; 3]; 2]>),
}

impl CellBounds {
    /// Lower and upper bound of each cell.
    pub fn as_slice(&self) -> &[[[f64; 3]; 2]] {
        match self {
            Self::Measured(bounds) | Self::Assumed(bounds) => bounds,
        }
    }
}

impl CellTable {
    /// The rows of each cell; the range is empty for cells without rows in this file.
    pub fn rows(&self) -> &[Range<u64>] {
        &self.rows
    }

    /// Where the particles of each cell are.
    pub fn bounds(&self) -> &CellBounds {
        &self.bounds
    }

    /// The rows of the group, in cells or not.
    pub fn n_rows(&self) -> u64 {
        self.n_rows
    }

    /// Whether each row is in a cell. If not, cells cannot tell where particles are not.
    pub fn holds_all_rows(&self) -> bool {
        let in_cells = self.rows.iter().try_fold(0u64, |n, rows| n.checked_add(rows.end - rows.start));
        // Cells that overlap could make up for missing ones.
        in_cells == Some(self.n_rows) && {
            let mut sorted: Vec<&Range<u64>> = self.rows.iter().filter(|r| !r.is_empty()).collect();
            sorted.sort_unstable_by_key(|r| r.start);
            sorted.windows(2).all(|pair| pair[0].end == pair[1].start)
        }
    }

    /// The rows of all cells that a region touches: exactly those, in the order, that swiftsimio gives after
    /// `mask.constrain_spatial` (several boxes: joined with `union=True`). Neighbouring ranges are joined.
    pub fn rows_touching(&self, region: &Region) -> RowRanges {
        self.rows_of_cells(|[lower, upper]| region.touches(*lower, *upper))
    }

    /// The number of cells that a region touches, empty ones included.
    pub fn n_touching(&self, region: &Region) -> usize {
        self.bounds.as_slice().iter().filter(|[lower, upper]| region.touches(*lower, *upper)).count()
    }

    /// Rows among which all particles of the region are, where stored positions are up to `allowance` off the true ones that
    /// the bounds are of; then [`Region::contains`] tells which. All rows where the file's cells cannot tell.
    pub fn rows_that_may_lie_in(&self, region: &Region, allowance: f64) -> RowRanges {
        if matches!(self.bounds, CellBounds::Assumed(_)) || !self.holds_all_rows() {
            return joined(std::iter::once(0..self.n_rows));
        }
        self.rows_of_cells(|[lower, upper]| region.may_contain(*lower, *upper, allowance))
    }

    fn rows_of_cells(&self, mut wanted: impl FnMut(&[[f64; 3]; 2]) -> bool) -> RowRanges {
        let cells = self.rows.iter().zip(self.bounds.as_slice());
        joined(cells.filter(|(rows, bounds)| !rows.is_empty() && wanted(bounds)).map(|(rows, _)| rows.clone()))
    }
}

/// Ranges in their order, with those joined that follow each other without a gap.
fn joined(ranges: impl Iterator<Item = Range<u64>>) -> RowRanges {
    let mut joined: Vec<Range<u64>> = Vec::new();
    for range in ranges {
        match joined.last_mut() {
            Some(last) if last.end == range.start => last.end = range.end,
            _ => joined.push(range),
        }
    }
    // Each end is at or after its start, so there always are ranges.
    RowRanges::new(joined).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Shape;

    fn table(rows: Vec<Range<u64>>, n_rows: u64) -> CellTable {
        // A row of cells along x, one wide, each with its particles in its middle half.
        let bounds = (0u32..).zip(&rows).map(|(i, _)| {
            let x = f64::from(i);
            [[x + 0.25, 0.0, 0.0], [x + 0.75, 4.0, 4.0]]
        });
        CellTable { bounds: CellBounds::Measured(bounds.collect()), rows, n_rows }
    }

    fn slab(lower: f64, upper: f64) -> Region {
        let bounds = [[Some(lower), Some(upper)], [None, None], [None, None]];
        Region::new(&[Shape::Box(bounds)], [4.0; 3]).unwrap()
    }

    #[test]
    fn rows_are_in_the_order_of_cells_and_neighbours_joined() {
        let table = table(vec![4..6, 6..6, 6..10, 0..4], 10);
        assert!(table.holds_all_rows());
        assert_eq!(table.rows_touching(&slab(0.0, 4.0)).as_slice(), [4..10, 0..4]);
        assert_eq!(table.rows_touching(&slab(2.5, 3.5)).as_slice(), [6..10, 0..4]);
        assert_eq!(table.rows_touching(&slab(1.0, 2.0)).as_slice(), []);
        // Touching from outside is not overlapping.
        assert_eq!(table.rows_touching(&slab(2.75, 3.25)).as_slice(), []);
        assert_eq!(table.rows_that_may_lie_in(&slab(2.75, 3.25), 0.0).as_slice(), [6..10, 0..4]);
        // Across the boundary.
        assert_eq!(table.rows_touching(&slab(3.5, 0.5)).as_slice(), [4..6, 0..4]);
        assert_eq!(table.rows_touching(&slab(-0.5, 0.3)).as_slice(), [4..6, 0..4]);
    }

    #[test]
    fn cells_that_cannot_tell_give_all_rows() {
        for rows in [vec![0..2, 3..4], vec![0..2, 1..3], vec![0..2, 1..4]] {
            let table = table(rows, 4);
            assert!(!table.holds_all_rows());
            assert_eq!(table.rows_that_may_lie_in(&slab(0.0, 0.1), 0.0), joined(std::iter::once(0..4)));
        }
        let mut table = table(vec![0..2, 2..4], 4);
        table.bounds = CellBounds::Assumed(table.bounds.as_slice().to_vec());
        assert_eq!(table.rows_that_may_lie_in(&slab(0.0, 0.1), 0.0), joined(std::iter::once(0..4)));
    }
}
