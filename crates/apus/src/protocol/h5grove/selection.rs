//! Selections as text, `0:10:5, 2, 3:`, and what they select: numpy's basic indexing as far as h5py takes it.

use std::num::IntErrorKind;

use apus_h5::{Dataspace, Indices, RowRanges, Selection};

/// What is selected along one axis, as written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Member {
    /// One index, whose axis is gone then.
    Index(i128),
    /// A slice.
    Slice { start: Option<i128>, stop: Option<i128>, step: i128 },
}

/// The indices `start, start + step, ...` of one axis, so many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Progression {
    start: u64,
    n_indices: u64,
    step: u64,
}

/// What a text selects of a dataset of this extent, and the axes that are gone. Along an axis with a step, at most so many indices.
///
/// Errors: text that is no selection, or does not fit.
pub(super) fn select(text: &str, space: &Dataspace, max_indices: usize) -> Result<(Selection, Vec<usize>), String> {
    let shape = space.shape();
    let n_members = text.split(',').count();
    if n_members > shape.len() {
        return Err(format!("{text} has too many members to slice a {}D dataset", shape.len()));
    }
    let mut selection = Selection::default();
    let mut dropped_axes = Vec::new();
    for (axis, (text, &extent)) in text.split(',').zip(shape).enumerate() {
        let member = parse_member(text)?;
        if matches!(member, Member::Index(_)) {
            dropped_axes.push(axis);
        }
        let indices = member.indices(extent).map_err(|why| format!("{why} (axis {axis})"))?;
        let is_stepped = indices.step > 1 && indices.n_indices > 1;
        if is_stepped && indices.n_indices > max_indices as u64 {
            let n = indices.n_indices;
            return Err(format!(
                "{text} selects {n} indices by steps, over the limit of {max_indices}; ask for fewer at once"
            ));
        }
        if axis == 0 {
            selection.rows = indices.rows(extent);
        } else {
            selection.inner.push(indices.indices(extent));
        }
    }
    Ok((selection, dropped_axes))
}

fn parse_member(text: &str) -> Result<Member, String> {
    let bounds: Vec<&str> = text.split(':').collect();
    let bound = |text: &str| if text.is_empty() { Ok(None) } else { parse_integer(text).map(Some) };
    match *bounds.as_slice() {
        [index] => Ok(Member::Index(parse_integer(index)?)),
        [start, stop] => Ok(Member::Slice { start: bound(start)?, stop: bound(stop)?, step: 1 }),
        [start, stop, step] => {
            let step = bound(step)?.unwrap_or(1);
            if step < 1 {
                return Err(format!("Step must be >= 1 (got {step})"));
            }
            Ok(Member::Slice { start: bound(start)?, stop: bound(stop)?, step })
        }
        _ => Err(format!("{text} is not a valid slice")),
    }
}

/// As Python's `int` reads it; what has more digits than any index is some number beyond all extents.
fn parse_integer(text: &str) -> Result<i128, String> {
    let text = text.trim();
    let no_integer = || format!("{text:?} is not an index; a selection is like 0:10,5,::2");
    if text.starts_with('_') || text.ends_with('_') || text.contains("__") {
        return Err(no_integer());
    }
    match text.replace('_', "").parse() {
        Ok(index) => Ok(index),
        Err(error) => match error.kind() {
            IntErrorKind::PosOverflow => Ok(i128::MAX),
            IntErrorKind::NegOverflow => Ok(i128::MIN),
            _ => Err(no_integer()),
        },
    }
}

impl Member {
    /// The indices of an axis of that extent.
    fn indices(self, extent: u64) -> Result<Progression, String> {
        let within = |index: i128| {
            let index = if index < 0 { index.saturating_add(extent.into()) } else { index };
            u64::try_from(index.clamp(0, extent.into())).unwrap_or(extent)
        };
        match self {
            Self::Index(index) => {
                let from_start = if index < 0 { index.saturating_add(extent.into()) } else { index };
                match u64::try_from(from_start) {
                    Ok(start) if start < extent => Ok(Progression { start, n_indices: 1, step: 1 }),
                    _ if extent == 0 => Err(format!("Index ({index}) out of range: the axis is empty")),
                    _ => Err(format!("Index ({index}) out of range for (0-{})", extent - 1)),
                }
            }
            Self::Slice { start, stop, step } => {
                let (start, stop) = (start.map_or(0, within), stop.map_or(extent, within));
                let step = u64::try_from(step).unwrap_or(u64::MAX);
                Ok(Progression { start, n_indices: stop.saturating_sub(start).div_ceil(step), step })
            }
        }
    }
}

impl Progression {
    fn is_whole(self, extent: u64) -> bool {
        self.start == 0 && self.n_indices == extent && self.step == 1
    }

    fn list(self) -> impl Iterator<Item = u64> {
        (0..self.n_indices).map(move |i| self.start + i * self.step)
    }

    /// The range, where it is one.
    fn range(self) -> Option<std::ops::Range<u64>> {
        (self.step == 1 || self.n_indices <= 1).then_some(self.start..self.start + self.n_indices)
    }

    fn rows(self, extent: u64) -> Option<RowRanges> {
        if self.is_whole(extent) {
            return None;
        }
        let ranges = self.range().map_or_else(|| self.list().map(|row| row..row + 1).collect(), |range| vec![range]);
        RowRanges::new(ranges)
    }

    fn indices(self, extent: u64) -> Indices {
        match self.range() {
            _ if self.is_whole(extent) => Indices::All,
            Some(range) => Indices::Range(range.start, range.end),
            None => Indices::List(self.list().collect()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str, shape: &[u64]) -> Result<(Selection, Vec<usize>), String> {
        let space =
            Dataspace::Simple { dims: shape.to_vec(), max_dims: shape.iter().map(|&extent| Some(extent)).collect() };
        select(text, &space, 100)
    }

    fn rows(text: &str) -> Vec<u64> {
        let (selection, _) = of(text, &[10]).unwrap();
        selection.rows.map_or((0..10).collect(), |rows| rows.into_ranges().into_iter().flatten().collect())
    }

    /// Expected: `numpy.arange(10)[...]`.
    #[test]
    fn slices_are_numpys() {
        assert_eq!(rows(":"), (0..10).collect::<Vec<_>>());
        assert_eq!(rows("0:100"), (0..10).collect::<Vec<_>>());
        assert_eq!(rows(" 1 : 3"), [1, 2]);
        assert_eq!(rows("-3:"), [7, 8, 9]);
        assert_eq!(rows(":-8"), [0, 1]);
        assert_eq!(rows("-100:2"), [0, 1]);
        assert_eq!(rows("::4"), [0, 4, 8]);
        assert_eq!(rows("1:9:3"), [1, 4, 7]);
        assert_eq!(rows("9::3"), [9]);
        assert_eq!(rows("2::99999999999999999999999999999999999999999999"), [2]);
        assert_eq!(rows("5:2"), [0; 0]);
        assert_eq!(rows("20:"), [0; 0]);
        assert_eq!(rows("-1"), [9]);
        assert_eq!(rows("+0_3"), [3]);
    }

    #[test]
    fn every_axis_may_have_a_step() {
        let (selection, dropped_axes) = of("0:1,::2,-1,:,3:8:2", &[5, 6, 7, 8, 9, 10]).unwrap();
        assert_eq!(selection.rows.unwrap().as_slice(), std::slice::from_ref(&(0..1)));
        let list = |list: &[u64]| Indices::List(list.to_vec());
        assert_eq!(selection.inner, [list(&[0, 2, 4]), Indices::Range(6, 7), Indices::All, list(&[3, 5, 7])]);
        assert_eq!(dropped_axes, [2]);
    }

    #[test]
    fn what_is_no_selection_is_refused() {
        for (text, expected) in [
            ("", "\"\" is not an index; a selection is like 0:10,5,::2"),
            ("a", "\"a\" is not an index; a selection is like 0:10,5,::2"),
            ("1_", "\"1_\" is not an index; a selection is like 0:10,5,::2"),
            ("20", "Index (20) out of range for (0-9) (axis 0)"),
            ("-11", "Index (-11) out of range for (0-9) (axis 0)"),
            ("::0", "Step must be >= 1 (got 0)"),
            ("::-1", "Step must be >= 1 (got -1)"),
            ("1:2:3:4", "1:2:3:4 is not a valid slice"),
            ("1,2", "1,2 has too many members to slice a 1D dataset"),
        ] {
            assert_eq!(of(text, &[10]).unwrap_err(), expected, "{text:?}");
        }
        assert!(of("0", &[]).is_err());
        assert_eq!(of("0", &[0]).unwrap_err(), "Index (0) out of range: the axis is empty (axis 0)");
        assert!(of("::2", &[202]).unwrap_err().contains("over the limit of 100"));
        assert!(of("::2", &[200]).is_ok());
    }
}
