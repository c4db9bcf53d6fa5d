//! Ranges of rows.

use std::{ops::Range, sync::Arc};

/// Half-open ranges of rows, in the order in which they were asked for; they may overlap, and empty ones are allowed. Cheap to clone: there may
/// be millions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RowRanges(Arc<Vec<Range<u64>>>);

impl RowRanges {
    /// Takes ranges as they are; `None` where one has its end before its start.
    pub fn new(ranges: Vec<Range<u64>>) -> Option<Self> {
        ranges.iter().all(|r| r.start <= r.end).then(|| Self(Arc::new(ranges)))
    }

    /// The ranges.
    pub fn as_slice(&self) -> &[Range<u64>] {
        &self.0
    }

    /// The ranges, given away.
    pub fn into_ranges(self) -> Vec<Range<u64>> {
        Arc::unwrap_or_clone(self.0)
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
    #[must_use]
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
        Self(Arc::new(merged))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn ranges() -> impl Strategy<Value = RowRanges> {
        proptest::collection::vec((0u64..60, 0u64..12), 0..12)
            .prop_map(|v| RowRanges::new(v.into_iter().map(|(start, n)| start..start + n).collect()).unwrap())
    }

    #[test]
    fn refuses_a_range_that_ends_before_it_starts() {
        #[expect(clippy::reversed_empty_ranges, reason = "the point of the test")]
        let ranges = vec![0..1, 5..4];
        assert_eq!(RowRanges::new(ranges), None);
        assert_eq!(RowRanges::new(vec![0..u64::MAX, 0..1]).unwrap().n_rows(), None);
    }

    proptest! {
        #[test]
        fn merging_keeps_the_set(rows in ranges()) {
            let set = |rows: &RowRanges| rows.as_slice().iter().cloned().flatten().collect::<BTreeSet<u64>>();
            let merged = rows.sorted_and_merged();
            prop_assert_eq!(set(&rows), set(&merged));
            prop_assert!(merged.is_sorted());
            prop_assert_eq!(merged.n_rows(), Some(set(&rows).len() as u64));
            prop_assert!(merged.as_slice().windows(2).all(|w| w[0].end < w[1].start));
        }

        #[test]
        fn sorted_means_that_rows_rise(rows in ranges()) {
            let rows_without_empty: Vec<u64> = rows.as_slice().iter().cloned().flatten().collect();
            if rows.is_sorted() {
                prop_assert!(rows_without_empty.windows(2).all(|w| w[0] < w[1]));
            }
        }
    }
}
