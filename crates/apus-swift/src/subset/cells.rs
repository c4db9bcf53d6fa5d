//! `/Cells` of a subset: which of its rows lie where.

use std::ops::Range;

use apus_h5::{
    Data, Dataspace, Datatype,
    write::{Contents, DatasetSpec, Number, ObjectId, Tree},
};

use super::SubsetGroup;
use crate::{CellBounds, Output, OutputKind, Result, WantedRows};

/// The cells of a subset, in swiftsimio's order.
pub(super) struct SubsetCells {
    centres: Vec<[f64; 3]>,
    groups: Vec<GroupCells>,
}

struct GroupCells {
    /// The name under `/Cells/Counts`.
    name: String,
    rows: CellRows,
    bounds: Option<Vec<[[f64; 3]; 2]>>,
}

/// For each cell, its rows in the subset.
#[derive(Debug, PartialEq, Eq)]
struct CellRows {
    counts: Vec<u64>,
    offsets: Vec<u64>,
}

impl SubsetCells {
    /// `None` where the output has no cells, or none of a group, or where rows of a cell are apart.
    pub(super) fn new(output: &Output, groups: &[SubsetGroup<'_>]) -> Result<Option<Self>> {
        let Some(grid) = output.cells()? else { return Ok(None) };
        let is_shared = *output.kind() == OutputKind::SoapCatalogue;
        let (mut centres, mut cells) = (Vec::new(), Vec::new());
        for SubsetGroup { selection, rows } in groups.iter().take(if is_shared { 1 } else { usize::MAX }) {
            let Some(group) = output.group(&selection.group)? else { return Ok(None) };
            let Some(table) = grid.table(output, group)? else { return Ok(None) };
            let Some(cell_rows) = CellRows::new(table.rows(), rows) else { return Ok(None) };
            centres = table.centres().to_vec();
            let bounds = match table.bounds() {
                CellBounds::Measured(bounds) => Some(bounds.clone()),
                CellBounds::Assumed(_) => None,
            };
            let name = if is_shared { "Subhalos".to_owned() } else { selection.group.clone() };
            cells.push(GroupCells { name, rows: cell_rows, bounds });
        }
        Ok(Some(Self { centres, groups: cells }))
    }

    /// Adds the datasets to `/Cells`, which has its `Meta-data` already.
    pub(super) fn write(self, tree: &mut Tree) -> Result<()> {
        let Some(cells) = tree.find("/Cells") else { return Ok(()) };
        add(tree, cells, "Centres", f64::DTYPE, &[self.centres.len() as u64, 3], positions(self.centres.iter()))?;
        let [counts, offsets, files] = ["Counts", "OffsetsInFile", "Files"].map(|name| tree.add_group(cells, name));
        let (counts, offsets, files) = (counts?, offsets?, files?);
        let n_cells = [self.centres.len() as u64];
        for group in &self.groups {
            add(tree, counts, &group.name, i64::DTYPE, &n_cells, numbers(&group.rows.counts))?;
            add(tree, offsets, &group.name, i64::DTYPE, &n_cells, numbers(&group.rows.offsets))?;
            add(tree, files, &group.name, i32::DTYPE, &n_cells, vec![0; 4 * self.centres.len()])?;
        }
        if self.groups.iter().all(|group| group.bounds.is_some()) {
            let [least, greatest] = ["MinPositions", "MaxPositions"].map(|name| tree.add_group(cells, name));
            let (least, greatest) = (least?, greatest?);
            let shape = [self.centres.len() as u64, 3];
            for group in &self.groups {
                let bounds = group.bounds.as_deref().unwrap_or_default();
                add(tree, least, &group.name, f64::DTYPE, &shape, positions(bounds.iter().map(|[lower, _]| lower)))?;
                add(tree, greatest, &group.name, f64::DTYPE, &shape, positions(bounds.iter().map(|[_, upper]| upper)))?;
            }
        }
        Ok(())
    }
}

impl CellRows {
    /// Counts the rows of each cell; `None` where they do not follow each other.
    fn new(cells: &[Range<u64>], wanted: &WantedRows) -> Option<Self> {
        let mut by_start: Vec<usize> = (0..cells.len()).filter(|cell| !cells[*cell].is_empty()).collect();
        by_start.sort_unstable_by_key(|cell| cells[*cell].start);
        let (mut counts, mut offsets) = (vec![0u64; cells.len()], vec![0u64; cells.len()]);
        // The number of rows of the subset before the one that is looked at.
        let mut place = 0u64;
        for piece in (0..wanted.n_pieces()).filter_map(|index| wanted.piece(index)) {
            for range in piece {
                let mut next = by_start.partition_point(|cell| cells[*cell].end <= range.start);
                let mut row = range.start;
                while row < range.end {
                    let Some(&cell) = by_start.get(next).filter(|cell| cells[**cell].start < range.end) else { break };
                    let Range { start, end } = cells[cell].clone();
                    let first = row.max(start);
                    let n_rows = end.min(range.end) - first;
                    let offset = place + (first - range.start);
                    if counts[cell] == 0 {
                        offsets[cell] = offset;
                    } else if offsets[cell] + counts[cell] != offset {
                        return None;
                    }
                    counts[cell] += n_rows;
                    row = first + n_rows;
                    next += 1;
                }
                place += range.end - range.start;
            }
        }
        // Cells without rows stand where the one before them ends, so that cells keep their order when sorted by offset.
        let mut end = 0;
        for (count, offset) in counts.iter().zip(&mut offsets) {
            if *count == 0 {
                *offset = end;
            }
            end = *offset + count;
        }
        Some(Self { counts, offsets })
    }
}

fn add(tree: &mut Tree, group: ObjectId, name: &str, dtype: Datatype, shape: &[u64], bytes: Vec<u8>) -> Result<()> {
    let contents = Contents::Held(Data::Fixed(bytes));
    tree.add_dataset(group, name, DatasetSpec { dtype, space: Dataspace::simple(shape), contents })?;
    Ok(())
}

fn numbers(numbers: &[u64]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
}

fn positions<'a>(positions: impl Iterator<Item = &'a [f64; 3]>) -> Vec<u8> {
    positions.flatten().flat_map(|number| number.to_le_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{RowMask, ScannedWindow};

    #[test]
    fn rows_that_are_apart_have_no_cells() {
        let wanted = WantedRows::all(vec![0..2, 10..12, 2..4]);
        assert_eq!(CellRows::new(&[0..5, 10..15], &wanted), None);
        let wanted = WantedRows::all(vec![10..12, 0..2, 2..4]);
        let expected = CellRows { counts: vec![4, 2], offsets: vec![2, 0] };
        assert_eq!(CellRows::new(&[0..5, 10..15], &wanted), Some(expected));
    }

    proptest! {
        #[test]
        fn each_row_is_counted_where_it_lies(
            sizes in prop::collection::vec(0u64..20, 1..12), gap in 0u64..3, kept in prop::collection::vec(any::<bool>(), 300), turn in 0usize..12,
        ) {
            let mut start = 0;
            let mut cells: Vec<Range<u64>> = Vec::new();
            for size in &sizes {
                cells.push(start..start + size);
                start += size + gap;
            }
            let turn = turn % cells.len();
            cells.rotate_left(turn);
            let n: u64 = sizes.iter().sum();
            let n = usize::try_from(n).unwrap();
            let mut wanted = WantedRows::default();
            wanted.push(&ScannedWindow { candidates: cells.clone(), mask: Some(RowMask::from_fn(n, |row| kept[row])) });
            let rows = CellRows::new(&cells, &wanted).unwrap();
            let emitted: Vec<u64> = (0..wanted.n_pieces()).filter_map(|i| wanted.piece(i)).flatten().flatten().collect();
            for (cell, (count, offset)) in cells.iter().zip(rows.counts.iter().zip(&rows.offsets)) {
                let places = usize::try_from(*offset).unwrap()..usize::try_from(offset + count).unwrap();
                prop_assert!(emitted[places].iter().all(|row| cell.contains(row)));
                prop_assert_eq!(*count, emitted.iter().filter(|row| cell.contains(row)).count() as u64);
            }
            prop_assert!(rows.offsets.windows(2).all(|pair| pair[0] <= pair[1]));
        }
    }
}
