//! Equally spaced blocks of indices on one axis.

use std::ops::Range;

/// `n` indices: blocks of `block`, from `start` on, `stride` apart; the last block may be cut short. Stride and block are at
/// least 1, blocks do not overlap, and the last index fits 64 bits with one to spare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Comb {
    pub(super) start: u64,
    pub(super) stride: u64,
    pub(super) block: u64,
    pub(super) n: u64,
}

impl Comb {
    /// `n` indices from `start` on.
    pub(super) fn range(start: u64, n: u64) -> Self {
        Self { start, stride: n.max(1), block: n.max(1), n }
    }

    /// How many of the indices, if there were no end to them, lie below `extent`.
    pub(super) fn n_below(&self, extent: u64) -> u64 {
        let Some(room) = extent.checked_sub(self.start) else { return 0 };
        room / self.stride * self.block + (room % self.stride).min(self.block)
    }

    /// The index at a position.
    pub(super) fn at(&self, position: u64) -> u64 {
        self.start + position / self.block * self.stride + position % self.block
    }

    /// One more than the last index.
    pub(super) fn end(&self) -> u64 {
        self.n.checked_sub(1).map_or(self.start, |last| self.at(last) + 1)
    }

    /// The position of an index.
    pub(super) fn position(&self, index: u64) -> Option<u64> {
        let from_start = index.checked_sub(self.start)?;
        let (block, within) = (from_start / self.stride, from_start % self.stride);
        let position = block.checked_mul(self.block)? + within;
        (within < self.block && position < self.n).then_some(position)
    }

    /// The indices as a range, where they are one.
    pub(super) fn as_range(&self) -> Option<Range<u64>> {
        let joined = self.n <= self.block || self.stride == self.block;
        joined.then(|| self.start..self.start + self.n)
    }

    /// Calls `f` with every run of its indices in `within`: first index, its position, length.
    pub(super) fn runs_in(&self, within: Range<u64>, mut f: impl FnMut(u64, u64, u64)) {
        let (lo, hi) = (within.start.max(self.start), within.end.min(self.end()));
        if lo >= hi {
            return;
        }
        if let Some(range) = self.as_range() {
            f(lo, lo - range.start, hi - lo);
            return;
        }
        let mut position = self.n_below(lo);
        while position < self.n {
            let index = self.at(position);
            if index >= hi {
                return;
            }
            let len = (self.block - position % self.block).min(self.n - position).min(hi - index);
            f(index, position, len);
            position += len;
        }
    }

    /// Calls `f` with every run of the indices at these positions: first index, length.
    pub(super) fn runs_at(&self, positions: Range<u64>, mut f: impl FnMut(u64, u64)) {
        if let Some(range) = self.as_range() {
            if !positions.is_empty() {
                f(range.start + positions.start, positions.end - positions.start);
            }
            return;
        }
        let mut position = positions.start;
        while position < positions.end {
            let len = (self.block - position % self.block).min(positions.end - position);
            f(self.at(position), len);
            position += len;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn comb() -> impl Strategy<Value = Comb> {
        (0u64..20, 1u64..5, 0u64..4, 0u64..30).prop_map(|(start, block, gap, n)| Comb {
            start,
            stride: block + gap,
            block,
            n,
        })
    }

    fn indices(comb: &Comb) -> Vec<u64> {
        (0..comb.n).map(|p| comb.start + p / comb.block * comb.stride + p % comb.block).collect()
    }

    proptest! {
        #[test]
        fn runs_are_the_indices(comb in comb(), lo in 0u64..80, len in 0u64..80) {
            let all = indices(&comb);
            let mut found = Vec::new();
            comb.runs_in(lo..lo + len, |index, position, n| {
                found.extend((0..n).map(|i| (index + i, position + i)));
            });
            let expect: Vec<(u64, u64)> =
                all.iter().zip(0..).filter(|(x, _)| (lo..lo + len).contains(*x)).map(|(x, p)| (*x, p)).collect();
            prop_assert_eq!(found, expect);
            let (from, to) = (lo.min(comb.n), (lo + len).min(comb.n));
            let mut found = Vec::new();
            comb.runs_at(from..to, |index, n| found.extend(index..index + n));
            prop_assert_eq!(&found[..], &all[usize::try_from(from).unwrap()..usize::try_from(to).unwrap()]);
            prop_assert_eq!(comb.position(lo), all.iter().position(|x| *x == lo).map(|p| p as u64));
            prop_assert_eq!(comb.end(), all.last().map_or(comb.start, |x| x + 1));
        }

        #[test]
        fn counts_what_lies_below(comb in comb(), extent in 0u64..100) {
            let endless = Comb { n: 200, ..comb };
            prop_assert_eq!(comb.n_below(extent), indices(&endless).iter().filter(|x| **x < extent).count() as u64);
        }
    }
}
