//! Filters on made-up rows.

use std::num::NonZeroU64;

use apus_h5::write::Number;
use proptest::prelude::*;

use super::*;
use crate::{Field, Frame, Region, Sample, Shape};

pub(in crate::selection) fn field(path: &str, dtype: apus_h5::Datatype, shape: &[u64]) -> Field {
    Field {
        path: path.to_owned(),
        name: path.to_owned(),
        dtype,
        shape: shape.to_vec(),
        unit: None,
        a_exponent: 0.0,
        h_exponent: 0.0,
        frame: Frame::Comoving,
        convertible: true,
        description: None,
        expression: None,
        lossy_filter: None,
        named_columns: None,
        mask: None,
    }
}

pub(in crate::selection) fn selection() -> GroupSelection {
    GroupSelection {
        group: "PartType0".to_owned(),
        name: "gas".to_owned(),
        n_rows: 1000,
        fields: Vec::new(),
        region: Region::everywhere(),
        halos: None,
        membership: None,
        granularity: Granularity::Particles,
        padding: None,
        positions: None,
        conditions: Vec::new(),
        ids: None,
        sample: None,
        id_field: None,
        stride: None,
        limit: None,
    }
}

fn with_ids(selection: GroupSelection) -> GroupSelection {
    GroupSelection { id_field: Some(field("/PartType0/ParticleIDs", i64::DTYPE, &[1000])), ..selection }
}

/// The rows that are wanted of blocks of ids.
fn wanted(filter: &mut RowFilter, blocks: &[&[i64]]) -> Vec<Vec<usize>> {
    let mut wanted = Vec::new();
    let mut first_row = 0;
    for ids in blocks {
        let bytes: Vec<u8> = ids.iter().flat_map(|id| id.to_le_bytes()).collect();
        let columns: &[&[u8]] = if filter.columns().is_empty() { &[] } else { &[&bytes] };
        let mask = filter.next(&FilterBlock { n_rows: ids.len(), columns, first_row }).unwrap();
        wanted.push(mask.runs().flatten().collect());
        first_row += ids.len() as u64;
    }
    wanted
}

#[test]
fn ids_are_compared_by_their_bits() {
    let all = [-1i64, 5, 7, i64::MIN];
    let ids = Some(vec![5, 1 << 63, u64::MAX]);
    let mut filter = Arc::new(with_ids(GroupSelection { ids, ..selection() })).filter();
    assert!(!filter.keeps_all());
    assert_eq!(wanted(&mut filter, &[&all]), [vec![0, 1, 3]]);
}

#[test]
fn a_filter_of_nothing_keeps_all() {
    let filter = Arc::new(selection()).filter();
    assert!(filter.keeps_all() && !filter.needs_row_numbers() && filter.columns().is_empty());
    let region = Region::new(&[Shape::Sphere { centre: [1.0; 3], radius: 1.0 }], [4.0; 3]).unwrap();
    let positions = Some(field("/PartType0/Coordinates", f64::DTYPE, &[1000, 3]));
    let exact = GroupSelection { region, positions, ..selection() };
    assert_eq!(Arc::new(exact.clone()).filter().columns()[0].n_elements, 3);
    // The candidates of whole cells are the wanted rows.
    assert!(Arc::new(GroupSelection { granularity: Granularity::Cells, ..exact }).filter().keeps_all());
}

#[test]
fn samples_of_rows_without_ids_go_by_their_numbers() {
    let sample = Sample::new(0.5).unwrap();
    let mut filter = Arc::new(GroupSelection { sample: Some(sample), ..selection() }).filter();
    assert!(filter.needs_row_numbers());
    let found: Vec<usize> = wanted(&mut filter, &[&[0; 40], &[0; 60]]).concat();
    let expected: Vec<usize> =
        (0..100u64).filter(|row| sample.contains(*row)).map(|row| usize::try_from(row % 40).unwrap()).collect();
    assert_eq!(found.len(), expected.len());
    // With ids, it is they that count, wherever the row is.
    let mut filter = Arc::new(with_ids(GroupSelection { sample: Some(sample), ..selection() })).filter();
    assert!(!filter.needs_row_numbers());
    let ids: Vec<i64> = (0..100).rev().collect();
    let found = wanted(&mut filter, &[&ids]).concat();
    assert!(found.iter().all(|row| sample.contains(u64::try_from(ids[*row]).unwrap())));
    assert_eq!(found.len(), expected.len());
}

#[test]
fn a_limit_ends_the_work() {
    let mut filter = Arc::new(GroupSelection { limit: Some(3), ..selection() }).filter();
    assert_eq!(wanted(&mut filter, &[&[0; 2]]), [vec![0, 1]]);
    assert!(!filter.is_done());
    assert_eq!(wanted(&mut filter, &[&[0; 4], &[0; 4]]), [vec![0], vec![]]);
    assert!(filter.is_done() && filter.n_wanted() == 3);
}

#[test]
fn columns_of_another_length_are_refused() {
    let mut filter = Arc::new(with_ids(GroupSelection { ids: Some(vec![1]), ..selection() })).filter();
    let block = |columns| FilterBlock { n_rows: 2, columns, first_row: 0 };
    assert!(filter.next(&block(&[&[0; 16]])).is_ok());
    for columns in [&[][..], &[&[0; 15][..]], &[&[0; 24][..]], &[&[0; 16][..], &[0; 16][..]]] {
        assert!(matches!(filter.next(&block(columns)), Err(Error::Malformed { .. })));
    }
}

proptest! {
    #[test]
    fn strides_and_limits_count_over_blocks(
        blocks in prop::collection::vec(prop::collection::vec(0i64..4, 0..90), 0..6), stride in 1u64..8, limit in prop::option::of(0u64..60),
    ) {
        let ids = Some(vec![1, 3]);
        let stride = NonZeroU64::new(stride);
        let mut filter = Arc::new(with_ids(GroupSelection { ids, stride, limit, ..selection() })).filter();
        let blocks: Vec<&[i64]> = blocks.iter().map(Vec::as_slice).collect();
        let found = wanted(&mut filter, &blocks);
        let all = blocks.iter().enumerate().flat_map(|(block, ids)| ids.iter().enumerate().map(move |(row, id)| (block, row, *id)));
        let kept = all.filter(|(_, _, id)| *id == 1 || *id == 3).step_by(usize::try_from(stride.unwrap().get()).unwrap());
        let kept: Vec<(usize, usize)> =
            kept.take(limit.map_or(usize::MAX, |l| usize::try_from(l).unwrap())).map(|(block, row, _)| (block, row)).collect();
        let found: Vec<(usize, usize)> =
            found.iter().enumerate().flat_map(|(block, rows)| rows.iter().map(move |row| (block, *row))).collect();
        prop_assert_eq!(found, kept);
    }
}
