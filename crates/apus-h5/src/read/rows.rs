//! Ranges of rows.

use std::ops::Range;

/// Half-open ranges of rows, in the order in which they were asked for; they may overlap, and empty ones are allowed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RowRanges(Vec<Range<u64>>);

impl RowRanges {
    /// Takes ranges as they are; `None` where one has its end before its start.
    pub fn new(ranges: Vec<Range<u64>>) -> Option<Self> {
        ranges.iter().all(|r| r.start <= r.end).then_some(Self(ranges))
    }

    /// The ranges.
    pub fn as_slice(&self) -> &[Range<u64>] {
        &self.0
    }

    /// The number of rows, repeats counted; `None` where it does not fit 64 bits.
    pub fn n_rows(&self) -> Option<u64> {
        self.0.iter().try_fold(0u64, |n, r| n.checked_add(r.end - r.start))
    }

    /// Whether each range starts at or after the end of the one before.
    pub fn is_sorted(&self) -> bool {
        self.0.windows(2).all(|w| w[0].end <= w[1].start)
    }

    /// The same rows in ascending order, each once, neighbours joined, empty ranges gone.
    pub fn sorted_and_merged(&self) -> Self {
        let mut ranges: Vec<_> = self.0.iter().filter(|r| !r.is_empty()).cloned().collect();
        ranges.sort_unstable_by_key(|r| (r.start, r.end));
        let mut merged: Vec<Range<u64>> = Vec::with_capacity(ranges.len());
        for range in ranges {
            match merged.last_mut() {
                Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
                _ => merged.push(range),
            }
        }
        Self(merged)
    }
}
