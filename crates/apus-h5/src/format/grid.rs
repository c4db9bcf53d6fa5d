//! How a dataset is cut into chunks: pure arithmetic on shapes.

/// The shape of a dataset and of its chunks, slowest axis first. Every dimension is at least 1 (datasets without elements have
/// no grid), and the number of elements and of chunks fit 64 bits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Grid {
    dims: Vec<u64>,
    chunk: Vec<u64>,
    counts: Vec<u64>,
}

impl Grid {
    /// A grid over an extent. `None` where the ranks differ, a dimension is zero, or a product does not fit 64 bits.
    pub(crate) fn new(dims: &[u64], chunk: &[u64]) -> Option<Self> {
        if dims.is_empty() || dims.len() != chunk.len() || dims.contains(&0) || chunk.contains(&0) {
            return None;
        }
        let counts: Vec<u64> = dims.iter().zip(chunk).map(|(d, c)| d.div_ceil(*c)).collect();
        product(dims)?;
        product(&counts)?;
        product(chunk)?;
        Some(Self { dims: dims.to_vec(), chunk: chunk.to_vec(), counts })
    }

    /// The number of axes.
    pub(crate) fn rank(&self) -> usize {
        self.dims.len()
    }

    /// The extent.
    pub(crate) fn dims(&self) -> &[u64] {
        &self.dims
    }

    /// The shape of a chunk.
    pub(crate) fn chunk(&self) -> &[u64] {
        &self.chunk
    }

    /// The number of chunks on each axis.
    pub(crate) fn counts(&self) -> &[u64] {
        &self.counts
    }

    /// The number of chunks.
    pub(crate) fn n_chunks(&self) -> u64 {
        self.counts.iter().product()
    }

    /// The number of a chunk, counted in row-major order, from its coordinates.
    pub(crate) fn number(&self, coords: &[u64]) -> u64 {
        coords.iter().zip(&self.counts).fold(0, |n, (p, count)| n * count + p)
    }

    /// The coordinates of a chunk.
    pub(crate) fn coords(&self, number: u64) -> Vec<u64> {
        let mut rest = number;
        let mut coords: Vec<u64> = self
            .counts
            .iter()
            .rev()
            .map(|count| {
                let p = rest % count;
                rest /= count;
                p
            })
            .collect();
        coords.reverse();
        coords
    }

    /// The number of the chunk whose first element has these coordinates; `None` where it lies outside the extent or between
    /// chunks.
    pub(crate) fn number_at(&self, coordinates: &[u64]) -> Option<u64> {
        let mut number = 0;
        for ((x, c), count) in coordinates.iter().zip(&self.chunk).zip(&self.counts) {
            let p = x / c;
            if p * c != *x || p >= *count {
                return None;
            }
            number = number * count + p;
        }
        Some(number)
    }

    /// Whether the chunk at these coordinates reaches beyond the extent.
    pub(crate) fn is_partial(&self, coords: &[u64]) -> bool {
        coords.iter().zip(&self.chunk).zip(&self.dims).any(|((p, c), d)| d - p * c < *c)
    }

    /// The number of elements of a chunk on the axes after `axis`.
    pub(crate) fn chunk_step(&self, axis: usize) -> u64 {
        self.chunk.iter().skip(axis + 1).product()
    }
}

/// The product of all, `None` where it does not fit.
pub(crate) fn product(factors: &[u64]) -> Option<u64> {
    factors.iter().try_fold(1u64, |n, f| n.checked_mul(*f))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_places_agree() {
        let grid = Grid::new(&[10, 7, 3], &[4, 2, 3]).unwrap();
        assert_eq!(grid.counts(), [3, 4, 1]);
        for number in 0..grid.n_chunks() {
            let coords = grid.coords(number);
            assert_eq!(grid.number(&coords), number);
            let first: Vec<u64> = coords.iter().zip(grid.chunk()).map(|(p, c)| p * c).collect();
            assert_eq!(grid.number_at(&first), Some(number));
            assert_eq!(grid.is_partial(&coords), coords[0] == 2 || coords[1] == 3);
        }
        assert_eq!(grid.number_at(&[4, 1, 0]), None);
        assert_eq!(grid.number_at(&[12, 0, 0]), None);
    }

    #[test]
    fn refuses_what_has_no_chunks_or_too_many() {
        assert_eq!(Grid::new(&[0], &[1]), None);
        assert_eq!(Grid::new(&[1], &[0]), None);
        assert_eq!(Grid::new(&[1, 2], &[1]), None);
        assert_eq!(Grid::new(&[u64::MAX, 2], &[u64::MAX, 2]), None);
    }
}
