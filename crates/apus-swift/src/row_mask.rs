//! Which rows of a block are wanted.

use std::ops::Range;

/// One bit for each row of a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowMask {
    words: Vec<u64>,
    n_rows: usize,
}

impl RowMask {
    /// A mask of `n_rows` rows of which those are wanted that `wanted` says.
    pub fn from_fn(n_rows: usize, mut wanted: impl FnMut(usize) -> bool) -> Self {
        let mut words = Vec::with_capacity(n_rows.div_ceil(64));
        for start in (0..n_rows).step_by(64) {
            let mut word = 0u64;
            for row in start..n_rows.min(start + 64) {
                word |= u64::from(wanted(row)) << (row - start);
            }
            words.push(word);
        }
        Self { words, n_rows }
    }

    /// A mask in which all rows are wanted, or none.
    pub fn all(n_rows: usize, wanted: bool) -> Self {
        let mut mask = Self { words: vec![if wanted { u64::MAX } else { 0 }; n_rows.div_ceil(64)], n_rows };
        mask.clear_beyond_the_end();
        mask
    }

    /// The masks of blocks that follow each other as the mask of one.
    pub fn concat(masks: &[Self]) -> Self {
        let n_rows = masks.iter().map(|mask| mask.n_rows).sum::<usize>();
        let mut words = vec![0u64; n_rows.div_ceil(64)];
        let mut start = 0usize;
        for mask in masks {
            if start.is_multiple_of(64) {
                for (word, other) in words.iter_mut().skip(start / 64).zip(&mask.words) {
                    *word = *other;
                }
            } else {
                for run in mask.runs() {
                    for row in start + run.start..start + run.end {
                        words[row / 64] |= 1 << (row % 64);
                    }
                }
            }
            start += mask.n_rows;
        }
        Self { words, n_rows }
    }

    /// The number of rows of the block.
    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// The number of rows that are wanted.
    pub fn n_wanted(&self) -> usize {
        self.words.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// Whether that row is wanted; rows past the end are not.
    pub fn contains(&self, row: usize) -> bool {
        self.words.get(row / 64).is_some_and(|word| word >> (row % 64) & 1 == 1)
    }

    /// Keeps the rows that both want. The masks must be of the same block.
    pub fn and(&mut self, other: &Self) {
        debug_assert_eq!(self.n_rows, other.n_rows);
        self.words.iter_mut().zip(&other.words).for_each(|(word, other)| *word &= other);
    }

    /// Keeps the rows that one of them wants. The masks must be of the same block.
    pub fn or(&mut self, other: &Self) {
        debug_assert_eq!(self.n_rows, other.n_rows);
        self.words.iter_mut().zip(&other.words).for_each(|(word, other)| *word |= other);
    }

    /// Wants the rows that it did not.
    pub fn invert(&mut self) {
        self.words.iter_mut().for_each(|word| *word = !*word);
        self.clear_beyond_the_end();
    }

    /// The runs of wanted rows, ascending.
    pub fn runs(&self) -> impl Iterator<Item = Range<usize>> {
        let mut at = 0;
        std::iter::from_fn(move || {
            let start = self.next(at, true)?;
            let end = self.next(start, false).unwrap_or(self.n_rows);
            at = end;
            Some(start..end)
        })
    }

    /// The first row from `row` on that is wanted, or is not.
    fn next(&self, row: usize, wanted: bool) -> Option<usize> {
        let mut row = row;
        while row < self.n_rows {
            let word = if wanted { self.words[row / 64] } else { !self.words[row / 64] };
            let rest = word >> (row % 64);
            if rest != 0 {
                row += rest.trailing_zeros() as usize;
                return (row < self.n_rows).then_some(row);
            }
            row = (row / 64 + 1) * 64;
        }
        None
    }

    fn clear_beyond_the_end(&mut self) {
        if let Some(last) = self.words.last_mut()
            && !self.n_rows.is_multiple_of(64)
        {
            *last &= (1 << (self.n_rows % 64)) - 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn mask(rows: &[bool]) -> RowMask {
        RowMask::from_fn(rows.len(), |row| rows[row])
    }

    proptest! {
        #[test]
        fn masks_are_sets_of_rows(
            rows in prop::collection::vec(prop::bool::weighted(0.8), 0..300), other in prop::collection::vec(any::<bool>(), 300),
        ) {
            let other = &other[..rows.len()];
            let a = mask(&rows);
            prop_assert_eq!(a.n_wanted(), rows.iter().filter(|r| **r).count());
            let from_runs: Vec<usize> = a.runs().flatten().collect();
            let expected: Vec<usize> = (0..rows.len()).filter(|r| rows[*r]).collect();
            prop_assert_eq!(&from_runs, &expected);
            prop_assert!(a.runs().zip(a.runs().skip(1)).all(|(a, b)| a.end < b.start));
            let joined = |join: fn(bool, bool) -> bool| {
                mask(&rows.iter().zip(other).map(|(a, b)| join(*a, *b)).collect::<Vec<_>>())
            };
            let mut and = a.clone();
            and.and(&mask(other));
            prop_assert_eq!(and, joined(|a, b| a && b));
            let mut or = a.clone();
            or.or(&mask(other));
            prop_assert_eq!(or, joined(|a, b| a || b));
            let mut not = a.clone();
            not.invert();
            prop_assert_eq!(not, joined(|a, _| !a));
        }
    }

    #[test]
    fn full_and_empty_masks_are_such() {
        for n in [0, 1, 63, 64, 65, 128] {
            assert_eq!(RowMask::all(n, true), mask(&vec![true; n]));
            assert_eq!(RowMask::all(n, false), mask(&vec![false; n]));
        }
    }
}
