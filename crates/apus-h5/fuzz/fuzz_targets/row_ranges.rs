//! Takes arbitrary bytes as ranges of rows and compares what is made of them with the rows taken one by one.
#![no_main]

use std::collections::BTreeSet;

use apus_h5::RowRanges;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    // Few and short ranges, so that they meet; and, from eight bytes on, two of any size.
    let mut ranges: Vec<_> =
        input.chunks_exact(2).take(64).map(|pair| u64::from(pair[0])..u64::from(pair[1])).collect();
    let valid = ranges.iter().all(|range| range.start <= range.end);
    let Some(taken) = RowRanges::new(ranges.clone()) else {
        assert!(!valid, "sound ranges were refused");
        return;
    };
    assert!(valid, "a reversed range was taken");
    let rows: Vec<u64> = ranges.iter().cloned().flatten().collect();
    assert_eq!(taken.n_rows(), Some(rows.len() as u64));
    let merged = taken.sorted_and_merged();
    let merged_rows: Vec<u64> = merged.as_slice().iter().cloned().flatten().collect();
    assert_eq!(merged_rows, rows.iter().copied().collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>());
    assert!(merged.is_sorted());
    assert!(merged.as_slice().windows(2).all(|pair| pair[0].end < pair[1].start), "neighbours were not joined");
    if let Some((start, _)) = input.split_first_chunk() {
        ranges.push(u64::from_le_bytes(*start)..u64::MAX);
        ranges.push(0..u64::MAX);
        if let Some(large) = RowRanges::new(ranges) {
            let _ = (large.n_rows(), large.is_sorted(), large.sorted_and_merged());
        }
    }
});
