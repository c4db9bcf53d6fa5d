//! Wanted rows, kept between finding them and reading their values.

use std::ops::Range;

use super::{
    ScannedWindow,
    windows::{masked_rows, n_rows_of, push_joined},
};
use crate::RowMask;

/// The wanted rows of a group in their order, in little memory: ranges where they are together, bits where they are scattered.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WantedRows {
    pieces: Vec<Piece>,
    n_rows: u64,
    held_bytes: u64,
}

#[derive(Clone, Debug, PartialEq)]
enum Piece {
    Ranges(Vec<Range<u64>>),
    Bits(Vec<Range<u64>>, RowMask),
}

/// Pieces of ranges are joined up to so many.
const MAX_RANGES: usize = 1 << 16;
/// What a range takes.
const RANGE_BYTES: u64 = size_of::<Range<u64>>() as u64;

impl WantedRows {
    /// Rows that are known without looking, in their order.
    pub fn all(candidates: Vec<Range<u64>>) -> Self {
        let held_bytes = candidates.len() as u64 * RANGE_BYTES;
        Self { n_rows: n_rows_of(&candidates), held_bytes, pieces: vec![Piece::Ranges(candidates)] }
    }

    /// Adds what was found in the next window.
    pub fn push(&mut self, window: &ScannedWindow) {
        let rows = window.rows();
        self.n_rows = self.n_rows.saturating_add(n_rows_of(&rows));
        if let Some(mask) = &window.mask {
            let bits_bytes = mask.n_rows().div_ceil(8) as u64 + window.candidates.len() as u64 * RANGE_BYTES;
            if bits_bytes < rows.len() as u64 * RANGE_BYTES {
                self.held_bytes = self.held_bytes.saturating_add(bits_bytes);
                self.pieces.push(Piece::Bits(window.candidates.clone(), mask.clone()));
                return;
            }
        }
        self.held_bytes = self.held_bytes.saturating_add(rows.len() as u64 * RANGE_BYTES);
        match self.pieces.last_mut() {
            Some(Piece::Ranges(last)) if last.len() + rows.len() <= MAX_RANGES => {
                rows.into_iter().for_each(|range| push_joined(last, range));
            }
            _ if rows.is_empty() => {}
            _ => self.pieces.push(Piece::Ranges(rows)),
        }
    }

    /// The number of wanted rows.
    pub fn n_rows(&self) -> u64 {
        self.n_rows
    }

    /// About what is held in memory.
    pub fn held_bytes(&self) -> u64 {
        self.held_bytes
    }

    /// The number of [`piece`](Self::piece)s.
    pub fn n_pieces(&self) -> usize {
        self.pieces.len()
    }

    /// A piece of the rows, in the order in which they are wanted; `None` past the last.
    pub fn piece(&self, index: usize) -> Option<Vec<Range<u64>>> {
        Some(match self.pieces.get(index)? {
            Piece::Ranges(ranges) => ranges.clone(),
            Piece::Bits(candidates, mask) => masked_rows(candidates, mask),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_hold_what_was_pushed() {
        let mut wanted = WantedRows::default();
        let mut expected: Vec<u64> = Vec::new();
        for (first, stride) in [(0u64, 1usize), (1000, 2), (5000, 97), (9000, 2), (20_000, 100_000)] {
            let candidates = vec![first..first + 300, first + 400..first + 1000];
            let mask = RowMask::from_fn(900, |row| row % stride == 1 % stride);
            let rows: Vec<u64> = candidates.iter().cloned().flatten().collect();
            expected.extend((0..900).filter(|row| row % stride == 1 % stride).map(|row| rows[row]));
            wanted.push(&ScannedWindow { candidates, mask: Some(mask) });
        }
        wanted.push(&ScannedWindow { candidates: vec![7..9], mask: None });
        expected.extend([7, 8]);
        let pieces = (0..wanted.n_pieces()).filter_map(|i| wanted.piece(i));
        assert_eq!(pieces.flatten().flatten().collect::<Vec<u64>>(), expected);
        assert_eq!(wanted.n_rows(), expected.len() as u64);
        // Every other row costs a bit, not a range.
        assert!(wanted.held_bytes() < 2_000, "{}", wanted.held_bytes());
        assert_eq!(wanted.piece(wanted.n_pieces()), None);
    }
}
