//! Cutting rows into pieces that are looked at together.

use std::{ops::Range, vec};

use crate::RowMask;

/// Cuts ranges of rows into windows of at most so many rows, in their order. A window ends at a multiple of `align` where that is possible
/// without making it small, so that a chunk is not decoded for two of them.
#[derive(Clone, Debug)]
pub struct RowWindows {
    ranges: vec::IntoIter<Range<u64>>,
    rest: Option<Range<u64>>,
    max_rows: u64,
    align: u64,
}

impl RowWindows {
    /// `max_rows` and `align` count as 1 where they are 0.
    pub fn new(ranges: Vec<Range<u64>>, max_rows: u64, align: u64) -> Self {
        Self { ranges: ranges.into_iter(), rest: None, max_rows: max_rows.max(1), align: align.max(1) }
    }
}

impl Iterator for RowWindows {
    type Item = Vec<Range<u64>>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut window = Vec::new();
        let mut n_rows = 0;
        while n_rows < self.max_rows {
            let Some(range) = self.rest.take().or_else(|| self.ranges.next()) else { break };
            let room = self.max_rows - n_rows;
            let length = range.end.saturating_sub(range.start);
            if length == 0 {
                continue;
            }
            if length <= room {
                n_rows += length;
                window.push(range);
                continue;
            }
            let full = range.start + room;
            let aligned = full - full % self.align;
            let is_small = aligned <= range.start || n_rows + (aligned - range.start) < self.max_rows.div_ceil(2);
            let cut = if is_small { full } else { aligned };
            window.push(range.start..cut);
            self.rest = Some(cut..range.end);
            break;
        }
        (!window.is_empty()).then_some(window)
    }
}

/// The rows that a mask over `ranges`, one after the other, wants; neighbours joined.
pub(crate) fn masked_rows(ranges: &[Range<u64>], mask: &RowMask) -> Vec<Range<u64>> {
    let mut rows: Vec<Range<u64>> = Vec::new();
    let mut ranges = ranges.iter();
    let mut current = ranges.next();
    // The place of the current range's first row in the mask.
    let mut start = 0u64;
    for run in mask.runs() {
        let (mut from, to) = (run.start as u64, run.end as u64);
        while let Some(range) = current {
            let end = start + (range.end - range.start);
            if from >= end {
                start = end;
                current = ranges.next();
                continue;
            }
            let until = to.min(end);
            push_joined(&mut rows, range.start + (from - start)..range.start + (until - start));
            from = until;
            if from == to {
                break;
            }
        }
    }
    rows
}

/// Adds a range; one that follows the last without a gap makes it longer.
pub(crate) fn push_joined(rows: &mut Vec<Range<u64>>, range: Range<u64>) {
    match rows.last_mut() {
        Some(last) if last.end == range.start => last.end = range.end,
        _ => rows.push(range),
    }
}

/// The number of rows of ranges that are known to be few enough.
pub(crate) fn n_rows_of(ranges: &[Range<u64>]) -> u64 {
    ranges.iter().fold(0, |n, range| n.saturating_add(range.end - range.start))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rows_of(ranges: &[Range<u64>]) -> Vec<u64> {
        ranges.iter().cloned().flatten().collect()
    }

    #[test]
    fn windows_end_where_chunks_do() {
        let windows: Vec<_> = RowWindows::new(vec![5..30, 50..52], 10, 8).collect();
        assert_eq!(windows, [vec![5..15], vec![15..24], vec![24..30, 50..52]]);
        assert_eq!(RowWindows::new(vec![], 10, 8).next(), None);
        assert_eq!(RowWindows::new(vec![3..3], 10, 8).next(), None);
    }

    fn ranges() -> impl Strategy<Value = Vec<Range<u64>>> {
        proptest::collection::vec((0u64..200, 0u64..40), 0..10)
            .prop_map(|v| v.into_iter().map(|(start, n)| start..start + n).collect())
    }

    proptest! {
        #[test]
        fn windows_hold_all_rows_in_order(ranges in ranges(), max_rows in 1u64..50, align in 1u64..20) {
            let windows: Vec<_> = RowWindows::new(ranges.clone(), max_rows, align).collect();
            prop_assert!(windows.iter().all(|w| (1..=max_rows).contains(&n_rows_of(w))));
            prop_assert_eq!(rows_of(&windows.concat()), rows_of(&ranges));
        }

        #[test]
        fn a_mask_picks_rows_by_their_places(ranges in ranges(), seed in any::<u64>()) {
            let rows = rows_of(&ranges);
            let is_wanted = |place: usize| (seed.rotate_left(u32::try_from(place % 64).unwrap()) ^ place as u64) & 3 != 0;
            let mask = RowMask::from_fn(rows.len(), is_wanted);
            let expected: Vec<u64> = (0..rows.len()).filter(|i| is_wanted(*i)).map(|i| rows[i]).collect();
            prop_assert_eq!(rows_of(&masked_rows(&ranges, &mask)), expected);
        }
    }
}
