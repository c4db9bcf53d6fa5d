//! Zones of made-up rows.

use std::sync::Arc;

use apus_h5::write::Number;
use proptest::prelude::*;

use super::{super::BoundsNotes, *};
use crate::Shape;

/// Coordinates in a box of 4: inside, hardly outside, far outside, and no numbers.
fn coordinate() -> impl Strategy<Value = f64> {
    prop_oneof![
        20 => 0.0..4.0f64,
        4 => -0.1..4.1f64,
        1 => -100.0..100.0f64,
        1 => prop::sample::select(vec![f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.0, 4.0, -4.0, 8.0]),
    ]
}

fn see(zones: &Arc<ZoneBounds>, positions: &[[f64; 3]], seen: &[Range<u64>]) {
    let mut notes = BoundsNotes::new(Arc::clone(zones), &f64::DTYPE).unwrap();
    for range in seen {
        let rows = usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap();
        let bytes: Vec<u8> = positions[rows].iter().flatten().flat_map(|x| x.to_le_bytes()).collect();
        notes.see(range.clone(), &bytes);
    }
}

fn region(shape: Shape) -> Region {
    Region::new(&[shape], [4.0; 3]).unwrap()
}

#[test]
fn zones_are_cells_and_what_is_outside_of_them() {
    let starts = |cells: &[Range<u64>], n_rows| ZoneBounds::of_cells(cells.to_vec(), n_rows).starts;
    assert_eq!(starts(&[0..5, 5..9], 9), [0, 5]);
    assert_eq!(starts(&[5..9, 9..9, 0..5], 9), [0, 5]);
    assert_eq!(starts(&[2..5, 7..9], 12), [0, 2, 5, 7, 9]);
    assert_eq!(starts(&[], 20_000), [0, 8192, 16_384]);
    assert_eq!(starts(&[0..5, 4..9], 9), [0], "cells that share rows do not count");
    assert_eq!(starts(&[0..5, 5..10], 9), [0], "nor do those of other rows");
    assert_eq!(starts(&[], 0), []);
    assert!(starts(&[3..7], u64::MAX).len() <= MAX_ZONES);
    let many: Vec<Range<u64>> = (0..=MAX_ZONES as u64).map(|row| 2 * row..2 * row + 1).collect();
    assert!(starts(&many, 1 << 40).len() <= MAX_ZONES);
}

#[test]
fn zones_are_known_once_all_of_them_was_seen() {
    let positions: Vec<[f64; 3]> = (0..10u8).map(|i| [f64::from(i); 3]).collect();
    let zones = Arc::new(ZoneBounds::of_cells(vec![0..4, 4..10], 10));
    see(&zones, &positions, &[1..4, 4..7]);
    assert_eq!((zones.n_known(), zones.unknown_rows()), (0, vec![0..10]));
    see(&zones, &positions, &[0..2, 2..4, 5..10]);
    assert_eq!((zones.n_known(), zones.unknown_rows()), (1, vec![4..10]));
    see(&zones, &positions, &[4..5, 5..10]);
    assert_eq!(zones.parts().unwrap().1, [[[0.0; 3], [3.0; 3]], [[4.0; 3], [9.0; 3]]]);
    zones.forget();
    see(&zones, &positions, &[0..10]);
    assert_eq!((zones.n_known(), zones.parts()), (0, None));
    assert_eq!(zones.find(&region(Shape::Sphere { centre: [1.0; 3], radius: 0.1 })).unwrap().rows.as_slice(), [0..10]);
    // Values that are fewer than their rows.
    let mut notes = BoundsNotes::new(Arc::new(ZoneBounds::of_cells(vec![], 10)), &f32::DTYPE).unwrap();
    notes.see(0..10, &[0; 119]);
    notes.see(u64::MAX - 3..u64::MAX, &[0; 36]);
    assert!(BoundsNotes::new(Arc::new(ZoneBounds::of_cells(vec![], 10)), &i64::DTYPE).is_none());
}

#[test]
fn coordinates_far_outside_the_box_are_of_particles_inside() {
    for far in [5.0, -5.0, 3.0, -3.0, 100.0] {
        let positions = [[1.0 + 4.0 * far, 1.0, 1.0], [3.0; 3]];
        let zones = Arc::new(ZoneBounds::of_cells(vec![0..1, 1..2], 2));
        see(&zones, &positions, &[0..2]);
        for shape in [Shape::Sphere { centre: [1.0; 3], radius: 0.5 }, Shape::Box([[Some(0.5), Some(1.5)]; 3])] {
            let region = region(shape);
            assert!(region.contains(positions[0]));
            assert_eq!(zones.find(&region).unwrap().rows.as_slice(), [0..1], "{far} boxes away");
        }
    }
}

#[test]
fn only_what_was_given_is_taken_back() {
    let ok = [[0.0; 3], [1.0; 3]];
    let check = |n_rows, starts: &[u64], bounds: &[Bounds]| {
        ZoneBounds::from_parts(n_rows, starts.to_vec(), bounds.to_vec()).is_some()
    };
    assert!(check(9, &[0, 4], &[ok, ok]));
    assert!(check(0, &[], &[]));
    assert!(check(9, &[0, 4], &[EMPTY, UNKNOWN]));
    assert!(check(9, &[0], &[[[0.0, f64::INFINITY, 0.0], [1.0, f64::NEG_INFINITY, 1.0]]]));
    for (n_rows, starts, bounds) in [
        (9, vec![0, 4], vec![ok]),
        (9, vec![1, 4], vec![ok, ok]),
        (9, vec![0, 9], vec![ok, ok]),
        (9, vec![0, 4, 4], vec![ok, ok, ok]),
        (9, vec![], vec![]),
        (0, vec![0], vec![ok]),
        (9, vec![0], vec![[[1.0; 3], [0.0; 3]]]),
        (9, vec![0], vec![[[f64::NAN; 3], [0.0; 3]]]),
        (9, vec![0], vec![[[0.0; 3], [1.0, f64::NAN, 1.0]]]),
    ] {
        assert!(!check(n_rows, &starts, &bounds), "{n_rows} {starts:?} {bounds:?}");
    }
}

proptest! {
    #[test]
    fn no_row_in_a_region_is_left_out(
        positions in prop::collection::vec([coordinate(), coordinate(), coordinate()], 1..80),
        cells in prop::collection::vec((0u64..80, 0u64..20), 0..6),
        seen in prop::collection::vec((0u64..80, 0u64..80), 0..4),
        centre in [-2.0..6.0f64, -2.0..6.0f64, -2.0..6.0f64],
        radius in 0.0..1.5f64,
        bounds in [(-2.0..6.0f64, -2.0..6.0f64), (-2.0..6.0f64, -2.0..6.0f64), (-2.0..6.0f64, -2.0..6.0f64)],
    ) {
        let n_rows = positions.len() as u64;
        let cells = cells.into_iter().map(|(start, n)| start.min(n_rows)..(start + n).min(n_rows)).collect();
        let zones = Arc::new(ZoneBounds::of_cells(cells, n_rows));
        let ranges: Vec<Range<u64>> = seen.iter().map(|(a, b)| (*a.min(b)).min(n_rows)..(*a.max(b)).min(n_rows)).collect();
        let sphere = region(Shape::Sphere { centre, radius });
        let slabs = region(Shape::Box(bounds.map(|(a, b)| [Some(a), Some(b)])));
        for seen in [ranges, vec![0..n_rows]] {
            see(&zones, &positions, &seen);
            for region in [&sphere, &slabs] {
                let found = zones.find(region).unwrap();
                let rows: Vec<u64> = found.rows.as_slice().iter().cloned().flatten().collect();
                for (row, position) in (0..).zip(&positions) {
                    prop_assert!(!region.contains(*position) || rows.contains(&row), "row {row} at {position:?}");
                }
                let (starts, bounds) = zones.parts().unwrap();
                let again = ZoneBounds::from_parts(n_rows, starts.to_vec(), bounds).unwrap();
                prop_assert_eq!(again.find(region).unwrap(), found);
            }
        }
    }
}
