//! The cells of one group.

use std::ops::Range;

use super::{
    CellTest, FoundCells,
    search::{CellSearch, is_each_row_in_one},
};
use crate::Region;

/// Where the rows of one group lie: for each cell its centre, rows and bounds. Cells are in swiftsimio's order: by ascending
/// offset of the first group of the file.
///
/// Units of lengths: the file's length, comoving.
#[derive(Clone, Debug, PartialEq)]
pub struct CellTable {
    pub(super) centres: Vec<[f64; 3]>,
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
    /// The centre of each cell.
    pub fn centres(&self) -> &[[f64; 3]] {
        &self.centres
    }

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

    /// Whether each row is in one cell. If not, cells cannot tell where particles are not.
    pub fn holds_all_rows(&self) -> bool {
        is_each_row_in_one(self.rows.iter().filter(|rows| !rows.is_empty()).cloned().collect(), self.n_rows)
    }

    /// What is wanted of a region.
    pub fn find(&self, region: &Region, by: CellTest) -> FoundCells {
        let mut search = CellSearch::new(region, by);
        for ((rows, bounds), place) in self.rows.iter().zip(self.bounds.as_slice()).zip(0..) {
            search.see(place, bounds, rows);
        }
        search.found(matches!(self.bounds, CellBounds::Measured(_)), false, self.n_rows)
    }
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
        CellTable { centres: Vec::new(), bounds: CellBounds::Measured(bounds.collect()), rows, n_rows }
    }

    fn slab(lower: f64, upper: f64) -> Region {
        let bounds = [[Some(lower), Some(upper)], [None, None], [None, None]];
        Region::new(&[Shape::Box(bounds)], [4.0; 3]).unwrap()
    }

    fn touching(table: &CellTable, region: &Region) -> Vec<Range<u64>> {
        table.find(region, CellTest::Touches).rows.as_slice().to_vec()
    }

    fn that_may_lie_in(table: &CellTable, region: &Region) -> Vec<Range<u64>> {
        table.find(region, CellTest::MayContain { allowance: 0.0 }).rows.as_slice().to_vec()
    }

    #[test]
    fn rows_are_in_the_order_of_cells_and_neighbours_joined() {
        let table = table(vec![4..6, 6..6, 6..10, 0..4], 10);
        assert_eq!(touching(&table, &slab(0.0, 4.0)), [4..10, 0..4]);
        assert_eq!(touching(&table, &slab(2.5, 3.5)), [6..10, 0..4]);
        assert_eq!(touching(&table, &slab(1.0, 2.0)), []);
        // Touching from outside is not overlapping.
        assert_eq!(touching(&table, &slab(2.75, 3.25)), []);
        assert_eq!(that_may_lie_in(&table, &slab(2.75, 3.25)), [6..10, 0..4]);
        // Across the boundary.
        assert_eq!(touching(&table, &slab(3.5, 0.5)), [4..6, 0..4]);
        assert_eq!(touching(&table, &slab(-0.5, 0.3)), [4..6, 0..4]);
        let FoundCells { n_cells, n_found, .. } = table.find(&slab(0.0, 4.0), CellTest::Touches);
        assert_eq!((n_cells, n_found), (4, 3), "one has no rows");
    }

    #[test]
    fn cells_that_cannot_tell_give_all_rows() {
        for rows in [vec![0..2, 3..4], vec![0..2, 1..3], vec![0..2, 1..4], vec![0..2, 0..2], vec![0..2, 2..3]] {
            let table = table(rows, 4);
            assert!(!table.holds_all_rows());
            assert_eq!(that_may_lie_in(&table, &slab(0.0, 0.1)), [0..4]);
        }
        let mut table = table(vec![0..2, 2..4], 4);
        assert_eq!(that_may_lie_in(&table, &slab(0.0, 0.1)), []);
        table.bounds = CellBounds::Assumed(table.bounds.as_slice().to_vec());
        assert_eq!(that_may_lie_in(&table, &slab(0.0, 0.1)), [0..4]);
    }
}
