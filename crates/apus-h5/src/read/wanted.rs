//! A selection that was checked against an extent: on every axis, runs of indices in the order in which they leave.

use std::ops::Range;

use super::{Indices, RowRanges, Selection};

/// The wanted indices of every axis. A scalar counts as one axis of one element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    axes: Vec<Axis>,
    shape: Vec<u64>,
}

/// The wanted indices of one axis: non-empty runs in the order in which they leave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Axis {
    runs: Vec<Range<u64>>,
    n_indices: u64,
    sorted: bool,
}

impl Wanted {
    /// Checks `selection` against the shape.
    ///
    /// Errors: which index passes which extent, as text for the caller's error.
    pub(crate) fn new(selection: Selection, shape: &[u64]) -> Result<Self, String> {
        let Selection { rows, inner } = selection;
        let Some((&n_rows, further)) = shape.split_first() else {
            return match (rows, inner.is_empty()) {
                (None, true) => Ok(Self { axes: vec![Axis::whole(1)], shape: Vec::new() }),
                _ => Err("a scalar has neither rows nor columns".to_owned()),
            };
        };
        if inner.len() > further.len() {
            return Err(format!("indices for {} axes, of {}", inner.len() + 1, shape.len()));
        }
        let mut axes = Vec::with_capacity(shape.len());
        axes.push(match rows {
            None => Axis::whole(n_rows),
            Some(rows) => Axis::of_rows(rows, n_rows)?,
        });
        let mut inner = inner.into_iter();
        for (i, &extent) in further.iter().enumerate() {
            axes.push(Axis::of_indices(inner.next().unwrap_or(Indices::All), extent, i + 1)?);
        }
        let shape = axes.iter().map(|axis| axis.n_indices).collect();
        Ok(Self { axes, shape })
    }

    /// The axes, slowest first.
    pub(crate) fn axes(&self) -> &[Axis] {
        &self.axes
    }

    /// The runs of the first axis, given away.
    pub(crate) fn into_rows(self) -> Vec<Range<u64>> {
        self.axes.into_iter().next().map_or_else(Vec::new, |axis| axis.runs)
    }

    /// The shape of the answer.
    pub(crate) fn shape(&self) -> &[u64] {
        &self.shape
    }
}

impl Axis {
    fn whole(extent: u64) -> Self {
        Self::of_runs((extent > 0).then_some(0..extent).into_iter().collect(), extent)
    }

    fn of_runs(runs: Vec<Range<u64>>, n_indices: u64) -> Self {
        let sorted = runs.windows(2).all(|w| w[0].end <= w[1].start);
        Self { runs, n_indices, sorted }
    }

    fn of_rows(rows: RowRanges, extent: u64) -> Result<Self, String> {
        if let Some(r) = rows.as_slice().iter().find(|r| r.end > extent) {
            return Err(format!("rows {}..{} of {extent}", r.start, r.end));
        }
        let n_rows = rows.n_rows().ok_or("the number of rows does not fit 64 bits")?;
        let mut runs = rows.into_ranges();
        runs.retain(|r| r.start < r.end);
        Ok(Self::of_runs(runs, n_rows))
    }

    fn of_indices(indices: Indices, extent: u64, axis: usize) -> Result<Self, String> {
        match indices {
            Indices::All => Ok(Self::whole(extent)),
            Indices::Range(start, end) if start <= end && end <= extent => {
                Ok(Self::of_runs((start < end).then_some(start..end).into_iter().collect(), end - start))
            }
            Indices::Range(start, end) => Err(format!("indices {start}..{end} of {extent} on axis {axis}")),
            Indices::List(list) => {
                if let Some(i) = list.iter().find(|i| **i >= extent) {
                    return Err(format!("index {i} of {extent} on axis {axis}"));
                }
                let mut runs: Vec<Range<u64>> = Vec::new();
                for &i in &list {
                    match runs.last_mut() {
                        Some(run) if run.end == i => run.end += 1,
                        _ => runs.push(i..i + 1),
                    }
                }
                Ok(Self::of_runs(runs, list.len() as u64))
            }
        }
    }

    /// The runs: none empty, each within the extent.
    pub(crate) fn runs(&self) -> &[Range<u64>] {
        &self.runs
    }

    /// The number of indices, repeats counted.
    pub(crate) fn n_indices(&self) -> u64 {
        self.n_indices
    }

    /// Whether the indices rise, so that none comes twice.
    pub(crate) fn is_sorted(&self) -> bool {
        self.sorted
    }

    /// Whether all indices below `extent` are wanted, in order.
    pub(crate) fn is_whole(&self, extent: u64) -> bool {
        self.sorted && self.n_indices == extent
    }

    /// At most how many blocks of `block` indices are touched, of `n_blocks`.
    pub(crate) fn max_blocks(&self, block: u64, n_blocks: u64) -> u64 {
        let mut n = 0u64;
        for run in &self.runs {
            n = n.saturating_add((run.end - 1) / block - run.start / block + 1);
            if n >= n_blocks {
                return n_blocks;
            }
        }
        n
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(ranges: &[Range<u64>]) -> Option<RowRanges> {
        RowRanges::new(ranges.to_vec())
    }

    #[test]
    fn joins_indices_into_runs() {
        let selection = Selection {
            rows: rows(&[5..7, 7..7, 0..3]),
            inner: vec![Indices::List(vec![4, 5, 6, 1, 1]), Indices::Range(2, 2)],
        };
        let wanted = Wanted::new(selection, &[7, 8, 9, 10]).unwrap();
        assert_eq!(wanted.shape(), [5, 5, 0, 10]);
        assert_eq!(wanted.axes()[0].runs(), [5..7, 0..3]);
        assert!(!wanted.axes()[0].is_sorted());
        assert_eq!(wanted.axes()[1].runs(), [4..7, 1..2, 1..2]);
        assert_eq!(wanted.axes()[1].max_blocks(2, 4), 4);
        assert!(wanted.axes()[2].runs().is_empty());
        assert!(wanted.axes()[3].is_whole(10));
    }

    #[test]
    fn names_the_index_that_does_not_fit() {
        let check = |selection: Selection, shape: &[u64], expect: &str| {
            assert_eq!(Wanted::new(selection, shape).unwrap_err(), expect);
        };
        check(Selection { rows: rows(&[1..3, 2..9]), inner: vec![] }, &[8], "rows 2..9 of 8");
        check(Selection { rows: None, inner: vec![Indices::All] }, &[8], "indices for 2 axes, of 1");
        check(Selection { rows: None, inner: vec![Indices::List(vec![0, 3])] }, &[8, 3], "index 3 of 3 on axis 1");
        check(Selection { rows: None, inner: vec![Indices::Range(2, 1)] }, &[8, 3], "indices 2..1 of 3 on axis 1");
        check(
            Selection { rows: Some(RowRanges::default()), inner: vec![] },
            &[],
            "a scalar has neither rows nor columns",
        );
        assert_eq!(Wanted::new(Selection::default(), &[]).unwrap().axes()[0].n_indices(), 1);
    }
}
