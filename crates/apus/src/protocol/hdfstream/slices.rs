//! Slices of a dataset: the two forms in which clients write them, and what they select.

use std::ops::Range;

use apus_h5::{Indices, RowRanges, Selection};

/// The most slices of one request; clients split what is more.
pub(super) const MAX_SLICES: usize = 16_777_216;
/// The most dimensions of a slice.
pub(super) const MAX_DIMENSIONS: usize = 8;
/// The longest text of slices.
const MAX_TEXT_BYTES: usize = 8 << 20;

/// Slices as a request has them, well formed but not yet held against a dataset.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Slices {
    /// The number of dimensions; 0 selects a scalar.
    pub(super) rank: usize,
    /// The ranges along the first dimension.
    pub(super) rows: Vec<Range<u64>>,
    /// The range along each further dimension, the same for all slices.
    pub(super) inner: Vec<Range<u64>>,
    /// Whether slices differed in a further dimension, which no dataset can be read by.
    pub(super) inner_differs: bool,
}

impl Slices {
    /// What the slices select of a dataset of this shape.
    ///
    /// Errors: why the dataset cannot be read by them.
    pub(super) fn select(self, shape: &[u64]) -> Result<Selection, String> {
        if self.rank != shape.len() {
            return Err(format!("slices of {} dimensions for a dataset of {}", self.rank, shape.len()));
        }
        if self.inner_differs {
            return Err("slices differ in a dimension other than the first".to_owned());
        }
        let Some((&n_rows, inner_shape)) = shape.split_first() else { return Ok(Selection::default()) };
        for (axis, (range, &extent)) in self.inner.iter().zip(inner_shape).enumerate() {
            check_extent(range, extent, axis + 1)?;
        }
        let mut rows = self.rows;
        if let Some(range) = rows.iter().find(|range| range.end > n_rows) {
            check_extent(range, n_rows, 0)?;
        }
        if rows.windows(2).any(|pair| pair[1].start < pair[0].start || pair[1].start < pair[0].end) {
            return Err("slices overlap or are not in ascending order".to_owned());
        }
        rows.retain(|range| !range.is_empty());
        rows.dedup_by(|next, last| {
            next.start == last.end && {
                last.end = next.end;
                true
            }
        });
        rows.shrink_to_fit();
        let rows = RowRanges::new(rows).ok_or("a slice ends before it starts")?;
        let inner = self.inner.into_iter().map(|range| Indices::Range(range.start, range.end)).collect();
        Ok(Selection { rows: Some(rows), inner })
    }
}

fn check_extent(range: &Range<u64>, extent: u64, axis: usize) -> Result<(), String> {
    if range.end <= extent {
        return Ok(());
    }
    Err(format!("slice {}:{} passes the extent {extent} of dimension {axis}", range.start, range.end))
}

/// Reads slices as text: `start:stop` or a single index per dimension, dimensions joined by `,`, slices by `;`.
///
/// Errors: the texts that clients show.
pub(super) fn parse_text(text: &str) -> Result<Slices, String> {
    if text.len() > MAX_TEXT_BYTES {
        return Err("Slice string is too long!".to_owned());
    }
    let mut slices = Slices::default();
    let mut dimensions = Vec::with_capacity(MAX_DIMENSIONS);
    for (i, slice) in text.split(';').enumerate() {
        if i >= MAX_SLICES {
            return Err("Too many slices!".to_owned());
        }
        dimensions.clear();
        if !slice.trim().is_empty() {
            for dimension in slice.split(',') {
                if dimensions.len() == MAX_DIMENSIONS {
                    return Err("Too many dimensions!".to_owned());
                }
                dimensions.push(parse_range(dimension)?);
            }
        }
        if i == 0 {
            slices.rank = dimensions.len();
            slices.inner = dimensions.get(1..).unwrap_or_default().to_vec();
        } else if dimensions.len() != slices.rank {
            return Err("Slices must all have the same number of dimensions!".to_owned());
        } else {
            slices.inner_differs |= dimensions.get(1..).unwrap_or_default() != slices.inner;
        }
        slices.rows.extend(dimensions.first().cloned());
    }
    Ok(slices)
}

fn parse_range(text: &str) -> Result<Range<u64>, String> {
    let (start, stop) = match text.split_once(':') {
        Some((start, stop)) => (start, Some(stop)),
        None => (text, None),
    };
    let start = parse_index(start, "start")?;
    let stop = match stop {
        Some(stop) => parse_index(stop, "stop")?,
        None => start.checked_add(1).ok_or("Unable to parse start index as integer")?,
    };
    if stop < start {
        return Err("Slice stop index must not be less than its start".to_owned());
    }
    Ok(start..stop)
}

fn parse_index(text: &str, which: &str) -> Result<u64, String> {
    let text = text.trim();
    if let Some(digits) = text.strip_prefix('-')
        && !digits.is_empty()
        && digits.bytes().all(|b| b.is_ascii_digit())
    {
        return Err("Slice indexes must not be negative".to_owned());
    }
    text.parse().map_err(|_| format!("Unable to parse {which} index as integer"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_gives_ranges_and_keeps_the_rank() {
        let slices = parse_text("0:10, 0:3 ; 20 ,0:3").unwrap();
        assert_eq!(
            (slices.rank, slices.rows, slices.inner, slices.inner_differs),
            (2, vec![0..10, 20..21], vec![0..3], false)
        );
        assert_eq!(parse_text("").unwrap(), Slices::default());
        assert_eq!(parse_text(";;").unwrap().rank, 0);
        assert!(parse_text("0:1,0:2;1:2,0:3").unwrap().inner_differs);
    }

    #[test]
    fn bad_text_is_refused_with_the_texts_that_clients_know() {
        for (text, error) in [
            ("a", "Unable to parse start index as integer"),
            (":", "Unable to parse start index as integer"),
            ("1:", "Unable to parse stop index as integer"),
            ("1:2:3", "Unable to parse stop index as integer"),
            ("-1", "Slice indexes must not be negative"),
            ("1;1,2", "Slices must all have the same number of dimensions!"),
            ("1,1,1,1,1,1,1,1,1", "Too many dimensions!"),
            ("18446744073709551616", "Unable to parse start index as integer"),
        ] {
            assert_eq!(parse_text(text).unwrap_err(), error, "{text:?}");
        }
        assert_eq!(parse_text(&"1;".repeat(5 << 20)).unwrap_err(), "Slice string is too long!");
    }

    #[test]
    fn slices_must_fit_the_dataset() {
        let select = |text: &str, shape: &[u64]| parse_text(text).unwrap().select(shape);
        assert_eq!(select("", &[]).unwrap(), Selection::default());
        let touching = select("0:2,0:3;2:4,0:3;4:4,0:3;9:10,0:3", &[10, 3]).unwrap();
        assert_eq!(touching.rows.unwrap().as_slice(), &[0..4, 9..10]);
        assert_eq!(touching.inner, [Indices::Range(0, 3)]);
        for (text, shape) in [
            ("", &[10u64][..]),
            ("0:11", &[10]),
            ("0:1,0:4", &[10, 3]),
            ("5:6;4:5", &[10]),
            ("0:5;4:6", &[10]),
            ("0:1,0:1;1:2,0:2", &[10, 3]),
            ("0:1", &[10, 3]),
        ] {
            assert!(select(text, shape).is_err(), "{text:?} of {shape:?}");
        }
    }
}
