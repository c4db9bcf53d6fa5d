//! How arrays of chunks are numbered in a file: by the grid that the dataset may grow to, not the one that it has.

use crate::format::{Fault, Parse, grid::Grid};

/// Numbers chunks as the file does: row-major over the largest grid, in some order of the axes, of which the slowest may be
/// without limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Numbering {
    /// The axes, slowest first, and how many chunks each may have (for the slowest: as many as there are now).
    axes: Vec<(usize, u64)>,
    /// Whether the numbers are the grid's own.
    is_grid: bool,
}

impl Numbering {
    /// Row-major over the largest grid.
    pub(super) fn new(grid: &Grid, max_dims: &[Option<u64>]) -> Parse<Self> {
        Self::in_order(grid, max_dims, (0..grid.rank()).collect())
    }

    /// The same with the unlimited axis moved to the front, as extensible arrays have it.
    pub(super) fn with_unlimited_first(grid: &Grid, max_dims: &[Option<u64>]) -> Parse<Self> {
        let unlimited = max_dims.iter().position(Option::is_none).unwrap_or(0);
        let order = std::iter::once(unlimited).chain((0..grid.rank()).filter(|axis| *axis != unlimited)).collect();
        Self::in_order(grid, max_dims, order)
    }

    fn in_order(grid: &Grid, max_dims: &[Option<u64>], order: Vec<usize>) -> Parse<Self> {
        let mut axes = Vec::with_capacity(order.len());
        let mut is_grid = order.is_sorted();
        for (i, axis) in order.into_iter().enumerate() {
            let (dim, chunk, count) = (grid.dims()[axis], grid.chunk()[axis], grid.counts()[axis]);
            let max_dim = max_dims.get(axis).copied().unwrap_or(Some(dim));
            let max_count = match max_dim {
                _ if i == 0 => count,
                Some(max_dim) if max_dim >= dim => max_dim.div_ceil(chunk),
                Some(max_dim) => {
                    return Err(Fault::Damaged(format!("dimension {axis} is {dim}, beyond its maximum of {max_dim}")));
                }
                None => return Err(Fault::damaged("an array of chunks with more than one unlimited dimension")),
            };
            is_grid &= max_count == count;
            axes.push((axis, max_count));
        }
        Ok(Self { axes, is_grid })
    }

    /// The number of chunks that the dataset may grow to, where no axis is unlimited.
    pub(super) fn n_chunks_max(&self, grid: &Grid, max_dims: &[Option<u64>]) -> Parse<u64> {
        let slowest = max_dims.first().copied().flatten().unwrap_or(grid.dims()[0]).div_ceil(grid.chunk()[0]);
        let n = self.axes.iter().skip(1).try_fold(slowest, |n, (_, count)| n.checked_mul(*count));
        n.ok_or_else(|| Fault::damaged("an array of more than 2^64 chunks"))
    }

    /// The grid's number of the chunk that the file numbers `index`; `None` where the dataset does not reach that far.
    pub(super) fn to_grid(&self, index: u64, grid: &Grid) -> Option<u64> {
        if self.is_grid {
            return (index < grid.n_chunks()).then_some(index);
        }
        let mut coords = vec![0; grid.rank()];
        let mut rest = index;
        for (i, (axis, max_count)) in self.axes.iter().enumerate().rev() {
            let p = if i == 0 { rest } else { rest % max_count };
            rest /= max_count;
            if p >= grid.counts()[*axis] {
                return None;
            }
            coords[*axis] = p;
        }
        Some(grid.number(&coords))
    }

    /// The file's number of the chunk that the grid numbers `number`; `None` where it does not fit 64 bits.
    pub(super) fn of_grid(&self, number: u64, grid: &Grid) -> Option<u64> {
        if self.is_grid {
            return Some(number);
        }
        let coords = grid.coords(number);
        self.axes.iter().try_fold(0u64, |n, (axis, max_count)| n.checked_mul(*max_count)?.checked_add(coords[*axis]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_over_the_largest_grid() {
        let grid = Grid::new(&[5, 4, 6], &[2, 2, 2]).unwrap();
        let numbering = Numbering::new(&grid, &[Some(9), Some(8), Some(6)]).unwrap();
        // Chunk (1, 1, 2) of a largest grid of 5 x 4 x 3.
        assert_eq!(numbering.of_grid(grid.number(&[1, 1, 2]), &grid), Some(12 + 3 + 2));
        let numbering = Numbering::with_unlimited_first(&grid, &[Some(9), None, Some(6)]).unwrap();
        // The axes in the order 1, 0, 2: the largest grid is ? x 5 x 3.
        assert_eq!(numbering.of_grid(grid.number(&[1, 1, 2]), &grid), Some(15 + 3 + 2));
        for number in 0..grid.n_chunks() {
            let index = numbering.of_grid(number, &grid).unwrap();
            assert_eq!(numbering.to_grid(index, &grid), Some(number));
        }
        assert_eq!(numbering.to_grid(3 * 3, &grid), None);
        assert!(Numbering::new(&grid, &[None, None, Some(6)]).is_err());
        assert!(Numbering::new(&grid, &[Some(5), Some(3), Some(6)]).is_err());
    }
}
