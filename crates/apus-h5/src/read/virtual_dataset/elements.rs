//! Which elements of a dataset one side of a mapping speaks of, in row-major order.

use std::ops::Range;

use super::{
    boxes::{BoxSet, Ranges},
    comb::Comb,
};
use crate::format::{
    grid::product,
    virtual_layout::{Count, Dimension, MappedSelection},
};

/// Elements of a dataset, none of them twice. Their number in row-major order is the *ordinal*.
#[derive(Debug)]
pub(super) enum Elements {
    /// The product of one comb for each axis.
    Combs(Vec<Comb>),
    /// A union of boxes.
    Boxes(BoxSet),
}

impl Elements {
    /// What a selection means for a dataset of that shape. `n_unlimited` says how many indices it has on its unlimited axis.
    ///
    /// Errors: why it does not fit the shape, as text.
    pub(super) fn new(selection: &MappedSelection, shape: &[u64], n_unlimited: Option<u64>) -> Result<Self, String> {
        if let Some(rank) = selection.rank()
            && rank != shape.len()
        {
            return Err(format!("a selection of {rank} axes in a dataset of {}", shape.len()));
        }
        let elements = match selection {
            MappedSelection::None => Self::Combs(shape.iter().map(|_| Comb::range(0, 0)).collect()),
            MappedSelection::All => Self::Combs(shape.iter().map(|n| Comb::range(0, *n)).collect()),
            MappedSelection::Regular(dims) => Self::Combs(dims.iter().map(|dim| comb(dim, n_unlimited)).collect()),
            MappedSelection::Boxes(boxes) => match &boxes[..] {
                // Version 1 of hyperslabs has only boxes: whole rows are one of them.
                [(first, last)] => {
                    Self::Combs(first.iter().zip(last).map(|(a, b)| Comb::range(*a, b + 1 - a)).collect())
                }
                boxes => {
                    let ranges =
                        |(first, last): &(Vec<u64>, Vec<u64>)| first.iter().zip(last).map(|(a, b)| *a..b + 1).collect();
                    let boxes: Vec<Ranges> = boxes.iter().map(ranges).collect();
                    Self::Boxes(BoxSet::new(&boxes).ok_or("a selection of too many boxes")?)
                }
            },
        };
        if let Self::Combs(combs) = &elements {
            let n: Vec<u64> = combs.iter().map(|comb| comb.n).collect();
            let counted = product(&n).is_some() && combs.iter().all(|comb| comb.n == 0 || end_of(comb).is_some());
            if !counted {
                return Err(format!("a selection of {n:?} elements"));
            }
        }
        Ok(elements)
    }

    /// The number of elements.
    pub(super) fn n_elements(&self) -> u64 {
        match self {
            // A dataset without axes has one element; the product of nothing says so.
            Self::Combs(combs) => combs.iter().map(|comb| comb.n).product(),
            Self::Boxes(boxes) => boxes.n_elements(),
        }
    }

    /// The indices on axis 0 between which all elements lie.
    pub(super) fn bounds(&self) -> Range<u64> {
        match self {
            Self::Combs(combs) if combs.iter().any(|comb| comb.n == 0) => 0..0,
            Self::Combs(combs) => combs.first().map_or(0..1, |comb| comb.start..comb.end()),
            Self::Boxes(boxes) => boxes.bounds(),
        }
    }

    /// Whether all elements lie within a shape.
    pub(super) fn fits(&self, shape: &[u64]) -> bool {
        match self {
            Self::Combs(combs) => {
                combs.iter().any(|comb| comb.n == 0)
                    || combs.iter().zip(shape).all(|(comb, extent)| comb.end() <= *extent)
            }
            Self::Boxes(boxes) => boxes.fits(shape),
        }
    }

    /// The rows, where the elements are whole rows, next to each other, of a dataset of that shape.
    pub(super) fn as_rows(&self, shape: &[u64]) -> Option<Range<u64>> {
        let Self::Combs(combs) = self else { return None };
        let ((first, further), (_, shape)) = (combs.split_first()?, shape.split_first()?);
        let whole = further.iter().zip(shape).all(|(comb, extent)| comb.as_range() == Some(0..*extent));
        if whole { first.as_range() } else { None }
    }

    /// Calls `f` with every run of elements on a line of the last axis: first index, ordinal, length. `prefix` says where the
    /// line is on the axes before.
    pub(super) fn runs_on(&self, prefix: &[u64], within: Range<u64>, mut f: impl FnMut(u64, u64, u64)) {
        match self {
            Self::Boxes(boxes) => boxes.runs_on(prefix, within, f),
            Self::Combs(combs) => {
                let Some((last, before)) = combs.split_last() else { return f(0, 0, 1) };
                let row = before
                    .iter()
                    .zip(prefix)
                    .try_fold(0, |row, (comb, index)| comb.position(*index).map(|position| row * comb.n + position));
                if let Some(row) = row {
                    last.runs_in(within, |index, position, len| f(index, row * last.n + position, len));
                }
            }
        }
    }

    /// Calls `f` with every run on the last axis of the elements with these ordinals: coordinates of the first, length.
    pub(super) fn runs_at(&self, ordinals: Range<u64>, mut f: impl FnMut(&[u64], u64)) {
        match self {
            Self::Boxes(boxes) => boxes.runs_at(ordinals, f),
            Self::Combs(combs) => {
                let Some((last, before)) = combs.split_last() else { return f(&[], 1) };
                let mut at = vec![0; combs.len()];
                let mut next = ordinals.start;
                while next < ordinals.end && last.n > 0 {
                    let (mut row, position) = (next / last.n, next % last.n);
                    for (comb, x) in before.iter().zip(&mut at).rev() {
                        *x = comb.at(row % comb.n);
                        row /= comb.n;
                    }
                    let n = (last.n - position).min(ordinals.end - next);
                    last.runs_at(position..position + n, |index, len| {
                        if let Some(x) = at.last_mut() {
                            *x = index;
                        }
                        f(&at, len);
                    });
                    next += n;
                }
            }
        }
    }
}

/// One more than the last index, where that fits 64 bits.
pub(super) fn end_of(comb: &Comb) -> Option<u64> {
    let last = comb.n.checked_sub(1)?;
    let block = (last / comb.block).checked_mul(comb.stride)?;
    block.checked_add(comb.start)?.checked_add(last % comb.block)?.checked_add(1)
}

/// The indices of one axis of a regular hyperslab, of which there are `n_unlimited` where it has no end.
fn comb(dim: &Dimension, n_unlimited: Option<u64>) -> Comb {
    let comb = endless(dim);
    match (dim.count, dim.block) {
        (Count::Limited(count), Count::Limited(block)) => Comb { n: count * block, ..comb },
        _ => Comb { n: n_unlimited.unwrap_or(0), ..comb },
    }
}

/// The same without an end, to see how many lie below an extent.
pub(super) fn endless(dim: &Dimension) -> Comb {
    let (start, n) = (dim.start, u64::MAX);
    match (dim.count, dim.block) {
        // One block: the stride says nothing.
        (Count::Limited(1), Count::Limited(block)) => Comb { start, stride: block, block, n },
        (_, Count::Limited(block)) => Comb { start, stride: dim.stride, block, n },
        (_, Count::Unlimited) => Comb { start, stride: 1, block: 1, n },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_rows_however_they_are_written() {
        let once =
            |start, block| Dimension { start, stride: 1, count: Count::Limited(1), block: Count::Limited(block) };
        let rows = |selection| Elements::new(&selection, &[1000, 3], None).unwrap().as_rows(&[1000, 3]);
        assert_eq!(rows(MappedSelection::Regular(vec![once(250, 250), once(0, 3)])), Some(250..500));
        // In version 1, as h5py writes them.
        assert_eq!(rows(MappedSelection::Boxes(vec![(vec![250, 0], vec![499, 2])])), Some(250..500));
        assert_eq!(rows(MappedSelection::Boxes(vec![(vec![250, 0], vec![499, 1])])), None);
        assert_eq!(rows(MappedSelection::Boxes(vec![(vec![0, 0], vec![9, 2]), (vec![20, 0], vec![29, 2])])), None);
    }
}
