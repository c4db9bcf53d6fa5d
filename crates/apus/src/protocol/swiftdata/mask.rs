//! Masks: ranges of rows as JSON text.

use std::{fmt, ops::Range};

use apus_h5::RowRanges;
use serde::{
    Deserialize, Deserializer,
    de::{self, Visitor},
};

/// Reads `[[0,5],[7,9]]`: half-open ranges in any order, overlaps and empty ones allowed, all within `n_rows`.
///
/// Errors: a text for the client.
pub(super) fn parse_mask(
    json: &str,
    data_type: Option<&str>,
    n_rows: u64,
    max_ranges: usize,
) -> Result<RowRanges, String> {
    if let Some(data_type) = data_type.filter(|&name| !is_integer_type(name)) {
        return Err(format!("mask_data_type: {data_type:?} is not an integer type that numpy knows"));
    }
    let too_many = |n: usize| format!("mask_array_json: {n} ranges, the most is {max_ranges}");
    // Counted before room is made for them.
    let n_brackets = json.bytes().filter(|byte| *byte == b'[').count();
    if n_brackets.saturating_sub(1) > max_ranges {
        return Err(too_many(n_brackets - 1));
    }
    let bounds: Vec<(Bound, Bound)> = serde_json::from_str(json)
        .map_err(|error| format!("mask_array_json: not a list of ranges [start, end]: {error}"))?;
    if bounds.len() > max_ranges {
        return Err(too_many(bounds.len()));
    }
    let ranges = bounds.into_iter().map(|(Bound(start), Bound(end))| {
        let row = |bound: i128| u64::try_from(bound).ok().filter(|&row| row <= n_rows);
        let range = row(start).zip(row(end)).map(|(start, end)| Range { start, end }).filter(|r| r.start <= r.end);
        range.ok_or_else(|| {
            format!("mask_array_json: the range [{start}, {end}] is not within the {n_rows} rows of the field")
        })
    });
    let ranges = ranges.collect::<Result<Vec<_>, _>>()?;
    RowRanges::new(ranges).ok_or_else(|| "mask_array_json: a range has its end before its start".to_owned())
}

/// A bound: an integer, or a float that is whole.
struct Bound(i128);

impl<'de> Deserialize<'de> for Bound {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(BoundVisitor)
    }
}

struct BoundVisitor;

impl Visitor<'_> for BoundVisitor {
    type Value = Bound;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number")
    }

    fn visit_i64<E>(self, value: i64) -> Result<Bound, E> {
        Ok(Bound(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Bound, E> {
        Ok(Bound(value.into()))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Bound, E> {
        #[expect(clippy::cast_possible_truncation, reason = "a whole number below 2^53 fits")]
        if value.fract() == 0.0 && value.abs() < 9e15 {
            return Ok(Bound(value as i128));
        }
        Err(E::invalid_value(de::Unexpected::Float(value), &self))
    }
}

/// numpy's names of integer types: `int64`, `i4`, `<i8`, `uint`.
fn is_integer_type(name: &str) -> bool {
    let bare = name.strip_prefix(['<', '>', '=', '|']).unwrap_or(name);
    let coded = bare.strip_prefix(['i', 'u']).is_some_and(|size| ["1", "2", "4", "8"].contains(&size));
    let named = name.strip_prefix('u').unwrap_or(name);
    let named = named.strip_prefix("int").is_some_and(|bits| ["", "8", "16", "32", "64", "p", "c"].contains(&bits));
    coded || named || ["long", "ulong", "longlong", "ulonglong", "short", "ushort", "byte", "ubyte"].contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(json: &str, expect: &[Range<u64>]) {
        assert_eq!(parse_mask(json, None, 10, 5).unwrap().as_slice(), expect, "{json}");
    }

    #[test]
    fn ranges_are_kept_as_they_are() {
        check("[]", &[]);
        check("[[0,5],[3,4],[3,3],[10,10]]", &[0..5, 3..4, 3..3, 10..10]);
        check("[[0.0,5.0]]", &[Range { start: 0, end: 5 }]);
    }

    #[test]
    fn what_is_no_range_within_the_rows_is_refused() {
        for bad in [
            "",
            "abc",
            "null",
            "5",
            "{}",
            "[0,5]",
            "[[]]",
            "[[0]]",
            "[[0,5,7]]",
            "[true,false]",
            "[[true,false]]",
            "[[0,0.5]]",
            "[[0,NaN]]",
            "[[\"0\",\"5\"]]",
            "[[[0,5]]]",
            "[[0,99999999999999999999]]",
            "[[0,11]]",
            "[[-1,5]]",
            "[[5,2]]",
            "[[0,1],[0,1],[0,1],[0,1],[0,1],[0,1]]",
        ] {
            assert!(parse_mask(bad, None, 10, 5).is_err(), "{bad}");
        }
    }

    #[test]
    fn integer_types_by_numpys_names() {
        for good in ["int64", "<i8", "int32", "i4", "int", "int16", ">i8", "uint64", "uint8", "u1", "intp"] {
            assert!(is_integer_type(good), "{good}");
        }
        for bad in ["nonsense", "", "datetime64", "float64", "S5", "<i8,<i8", "f4", "i3", "u", "bool"] {
            assert!(!is_integer_type(bad), "{bad}");
        }
    }
}
