//! What is remembered of made-up columns, and what is left out by it, against brute force.

use std::collections::BTreeMap;

use apus_h5::write::Number;
use proptest::prelude::*;

use super::{
    super::filter::tests::{field, selection},
    *,
};
use crate::{ColumnBlock, Condition, GroupSelection, ParticleGroup, UnitContext};

/// The intervals of a column of whole numbers.
fn interval(values: &[i64]) -> Interval {
    let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
    ColumnBlock::new(&i64::DTYPE, &bytes).unwrap().interval()
}

fn see(notes: &mut StatisticsNotes, values: &[i64], rows: Range<u64>) {
    let place = |row: u64| usize::try_from(row).unwrap();
    let start = rows.start;
    notes.see(rows, |part| interval(&values[place(start + part.start)..place(start + part.end)]));
}

/// What is known after a scan over these ranges, block by block.
fn known(n_rows: u64, chunk_rows: u64, values: &[i64], seen: &[Range<u64>]) -> Arc<ColumnStatistics> {
    let statistics = Arc::new(ColumnStatistics::new(n_rows, Some(chunk_rows)));
    let mut notes = StatisticsNotes::new(Arc::clone(&statistics));
    seen.iter().for_each(|rows| see(&mut notes, values, rows.clone()));
    statistics
}

#[test]
fn only_blocks_that_were_seen_whole_are_known() {
    let values: Vec<i64> = (0..25).collect();
    let check = |seen: &[Range<u64>], expected: [bool; 3]| {
        let statistics = known(25, 10, &values, seen);
        let known = [0, 1, 2].map(|block| statistics.get(block) != Interval::UNKNOWN);
        assert_eq!(known, expected, "{seen:?}");
    };
    check(&[0..25], [true, true, true]);
    check(&[0..3, 3..10, 11..20, 20..25], [true, false, true]);
    check(&[0..3, 4..10], [false, false, false]);
    check(&[1..25], [false, true, true]);
    check(&[10..24], [false, true, false]);
    check(&[20..25, 0..10], [true, false, true]);
    check(&[0..5, 20..25, 5..10], [false, false, true]);
    let statistics = known(25, 10, &values, &[0..25]);
    let known = || [0, 1, 2].map(|block| statistics.get(block));
    assert_eq!(known(), [0..10, 10..20, 20..25].map(|rows| interval(&values[rows])));
    statistics.forget();
    see(&mut StatisticsNotes::new(Arc::clone(&statistics)), &values, 0..25);
    assert_eq!(known(), [Interval::UNKNOWN; 3]);
}

#[test]
fn very_many_chunks_share_blocks_and_hostile_numbers_do_no_harm() {
    for (n_rows, chunk_rows) in
        [(u64::MAX, Some(1)), (u64::MAX, None), (1 << 40, Some(0)), (7, Some(u64::MAX)), (0, Some(0))]
    {
        let statistics = ColumnStatistics::new(n_rows, chunk_rows);
        assert!(statistics.size_bytes() <= 6 << 20, "{n_rows} {chunk_rows:?}");
        let mut notes = StatisticsNotes::new(Arc::new(statistics));
        notes.see(u64::MAX - 2..u64::MAX, |_| Interval::EMPTY);
        notes.see(0..1, |_| Interval::EMPTY);
    }
    let statistics = ColumnStatistics::new(1 << 40, Some(8192));
    assert_eq!(statistics.block_rows % 8192, 0);
}

/// The filter of a condition on two columns of integers, which are its columns 0 and 1.
fn filter(condition: &str) -> RowFilter {
    let fields = ["a", "b"].map(|name| field(name, i64::DTYPE, &[1000]));
    let group = ParticleGroup {
        group: "PartType0".to_owned(),
        name: "gas".to_owned(),
        particle_type: Some(0),
        swift_name: None,
        present: true,
        n_rows: 1000,
        n_rows_total: None,
        fields: fields.into(),
        attributes: BTreeMap::new(),
        unreadable: Vec::new(),
    };
    let context = UnitContext { units: None, scale_factor: 1.0, h: None };
    let condition = condition.parse::<Condition>().unwrap().bind(&context, &group, None).unwrap();
    Arc::new(GroupSelection { conditions: vec![condition], ..selection() }).filter()
}

proptest! {
    #[test]
    fn no_row_that_matches_is_left_out(
        values in prop::collection::vec((-3i64..4, -3i64..4), 1..60),
        chunk_rows in (1u64..20, 1u64..20),
        seen in prop::collection::vec((0u64..60, 0u64..60), 0..4),
        asked in prop::collection::vec((0u64..60, 0u64..60), 0..4),
        threshold in -4i64..5,
    ) {
        let n_rows = values.len() as u64;
        let ranges = |pairs: &[(u64, u64)]| -> Vec<Range<u64>> {
            pairs.iter().map(|(a, b)| (*a.min(b)).min(n_rows)..(*a.max(b)).min(n_rows)).collect()
        };
        let (a, b): (Vec<i64>, Vec<i64>) = values.iter().copied().unzip();
        let filter = filter(&format!("a > {threshold} and a + b > 0"));
        let statistics = vec![
            Some(known(n_rows, chunk_rows.0, &a, &ranges(&seen))),
            Some(known(n_rows, chunk_rows.1, &b, &ranges(&seen))),
        ];
        let asked = RowRanges::new(ranges(&asked)).unwrap();
        let rows = |ranges: &RowRanges| -> Vec<u64> { ranges.as_slice().iter().cloned().flatten().collect() };
        let matches = |row: &u64| {
            let row = usize::try_from(*row).unwrap();
            a[row] > threshold && a[row] + b[row] > 0
        };
        let left = rows(&filter.rows_that_may_match(&asked, &statistics).unwrap());
        let wanted: Vec<u64> = rows(&asked).into_iter().filter(matches).collect();
        prop_assert_eq!(left.iter().copied().filter(matches).collect::<Vec<_>>(), wanted);
        // What nothing is known of stays; what is known not to match goes.
        let nothing = vec![None; 2];
        prop_assert_eq!(rows(&filter.rows_that_may_match(&asked, &nothing).unwrap()), rows(&asked));
        let all = vec![
            Some(known(n_rows, 1, &a, &[0..n_rows])),
            Some(known(n_rows, 1, &b, &[0..n_rows])),
        ];
        let exact = rows(&filter.rows_that_may_match(&asked, &all).unwrap());
        prop_assert_eq!(exact, rows(&asked).into_iter().filter(matches).collect::<Vec<_>>());
    }
}

#[test]
fn columns_of_conditions_are_told_from_others() {
    let selection = GroupSelection {
        ids: Some(vec![1]),
        id_field: Some(field("ids", i64::DTYPE, &[1000])),
        conditions: filter("b > 1").selection.conditions.clone(),
        ..selection()
    };
    let filter = Arc::new(selection).filter();
    let columns = filter.columns().iter().enumerate();
    let told: Vec<_> = columns.map(|(index, column)| (column.path.as_str(), filter.is_of_condition(index))).collect();
    assert_eq!(told, [("ids", false), ("b", true)]);
}
