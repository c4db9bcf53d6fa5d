//! What is written is read again, and nothing else is.

use proptest::prelude::*;

use super::*;

fn number() -> impl Strategy<Value = f64> {
    prop_oneof![8 => -1e3..1e3f64, 1 => any::<f64>().prop_filter("a number", |x| !x.is_nan())]
}

fn interval() -> impl Strategy<Value = Interval> {
    let some = (number(), number(), any::<bool>())
        .prop_map(|(a, b, has_nan)| Interval::from_parts(a.min(b), a.max(b), has_nan).unwrap());
    prop_oneof![8 => some, 1 => Just(Interval::EMPTY), 1 => Just(Interval::UNKNOWN)]
}

fn bounds() -> impl Strategy<Value = Bounds> {
    let some = [(number(), number()), (number(), number()), (number(), number())]
        .prop_map(|axes: [(f64, f64); 3]| [axes.map(|(a, b)| a.min(b)), axes.map(|(a, b)| a.max(b))]);
    prop_oneof![8 => some, 1 => Just([[f64::INFINITY; 3], [f64::NEG_INFINITY; 3]]), 1 => Just([[f64::NEG_INFINITY; 3], [f64::INFINITY; 3]])]
}

fn column() -> impl Strategy<Value = ZoneValues> {
    (prop::collection::vec(interval(), 1..20), 1u64..9000).prop_map(|(blocks, block_rows)| {
        let n_rows = (blocks.len() as u64 - 1) * block_rows + 1;
        ZoneValues::Column(Arc::new(ColumnStatistics::from_parts(n_rows, block_rows, blocks).unwrap()))
    })
}

fn positions() -> impl Strategy<Value = ZoneValues> {
    prop::collection::vec((1u64..9000, bounds()), 0..20).prop_map(|zones| {
        let mut n_rows = 0;
        let starts = zones.iter().map(|(rows, _)| {
            n_rows += rows;
            n_rows - rows
        });
        let starts = starts.collect();
        let bounds = zones.into_iter().map(|(_, bounds)| bounds).collect();
        ZoneValues::Positions(Arc::new(ZoneBounds::from_parts(n_rows, starts, bounds).unwrap()))
    })
}

fn map() -> impl Strategy<Value = (MapKey, ZoneValues)> {
    let column = (any::<u8>(), any::<Option<u32>>(), column())
        .prop_map(|(state, index, values)| (MapKey::of_test(state, Subject::Column(index.map(u64::from))), values));
    let positions =
        (any::<u8>(), positions()).prop_map(|(state, values)| (MapKey::of_test(state, Subject::Positions), values));
    prop_oneof![column, positions]
}

/// What there is to compare.
fn parts(values: &ZoneValues) -> String {
    match values {
        ZoneValues::Column(column) => format!("{} {:?}", column.n_rows(), column.parts()),
        ZoneValues::Positions(zones) => format!("{} {:?}", zones.n_rows(), zones.parts()),
    }
}

/// The same file with a checksum that is right.
fn with_checksum(mut file: Vec<u8>) -> Vec<u8> {
    file.truncate(file.len() - CHECKSUM_BYTES);
    let checksum = Sha256::digest(&file);
    file.extend_from_slice(&checksum);
    file
}

proptest! {
    #[test]
    fn what_is_written_is_read_again((key, values) in map()) {
        let (file, n_known) = encode(&key, &values).unwrap();
        prop_assert_eq!(n_known, values.n_known());
        let read = decode(&key, &file).unwrap();
        prop_assert_eq!(parts(&read), parts(&values));
    }

    #[test]
    fn every_truncation_and_every_other_byte_is_refused((key, values) in map(), flip in 1u8..) {
        let (file, _) = encode(&key, &values).unwrap();
        for length in 0..file.len() {
            prop_assert!(decode(&key, &file[..length]).is_err(), "{length} bytes");
        }
        let mut longer = file.clone();
        longer.push(0);
        prop_assert!(decode(&key, &longer).is_err());
        for place in 0..file.len() {
            let mut other = file.clone();
            other[place] ^= flip;
            prop_assert!(decode(&key, &other).is_err(), "byte {place}");
        }
    }

    /// Whoever makes checksums can say what is not true, but break nothing.
    #[test]
    fn hostile_numbers_do_no_harm((key, values) in map(), place in any::<prop::sample::Index>(), number in prop_oneof![any::<u64>(), Just(u64::MAX), Just(0)]) {
        let (mut file, _) = encode(&key, &values).unwrap();
        let place = place.index(file.len() - CHECKSUM_BYTES - 7);
        file[place..place + 8].copy_from_slice(&number.to_le_bytes());
        let file = with_checksum(file);
        if let Ok(values) = decode(&key, &file) {
            let _ = (values.n_known(), values.n_zones(), parts(&values));
        }
    }
}

#[test]
fn each_fault_is_told() {
    let key = MapKey::of_test(1, Subject::Positions);
    let bounds = vec![[[0.0; 3], [1.0; 3]]];
    let values = ZoneValues::Positions(Arc::new(ZoneBounds::from_parts(9, vec![0], bounds).unwrap()));
    let (file, _) = encode(&key, &values).unwrap();
    assert_eq!(file.len(), HEAD_BYTES + ZONE_BYTES + CHECKSUM_BYTES);
    let refused = |key: &MapKey, file: &[u8]| decode(key, file).map(|_| ()).unwrap_err();
    let changed = |place: usize, byte: u8| {
        let mut file = file.clone();
        file[place] = byte;
        file
    };
    assert_eq!(refused(&key, b""), Refused::NoZoneMap);
    assert_eq!(refused(&key, &changed(0, b'a')), Refused::NoZoneMap);
    assert_eq!(refused(&key, &changed(8, 2)), Refused::OtherVersion);
    let mut other_order = file.clone();
    other_order[8..12].copy_from_slice(&VERSION.to_be_bytes());
    assert_eq!(refused(&key, &other_order), Refused::OtherVersion);
    assert_eq!(refused(&key, &changed(100, 7)), Refused::WrongChecksum);
    assert_eq!(refused(&key, &file[..40]), Refused::WrongChecksum);
    assert_eq!(refused(&MapKey::of_test(2, Subject::Positions), &file), Refused::OtherValues);
    assert_eq!(refused(&MapKey::of_test(1, Subject::Column(None)), &file), Refused::OtherValues);
    assert_eq!(refused(&key, &with_checksum(changed(72, 2))), Refused::WrongLength);
    assert_eq!(refused(&key, &with_checksum(changed(79, 255))), Refused::WrongLength);
    assert_eq!(refused(&key, &with_checksum(changed(80, 1))), Refused::Contradictory);
}
