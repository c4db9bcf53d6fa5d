//! Which of the candidate rows are wanted, block by block.

use std::sync::Arc;

use apus_h5::check_cancelled;

use super::{Granularity, GroupSelection};
use crate::{ColumnBlock, ConditionColumn, Error, Interval, Result, RowMask};

/// Decides block by block which rows of a [`GroupSelection`] are wanted. Blocks must come in the order of the candidate rows, since strides
/// and limits count on.
#[derive(Clone, Debug)]
pub struct RowFilter {
    pub(super) selection: Arc<GroupSelection>,
    columns: Vec<FilterColumn>,
    /// For each condition, where its columns are among `columns`.
    pub(super) condition_columns: Vec<Vec<usize>>,
    positions: Option<usize>,
    membership: Option<usize>,
    ids: Option<usize>,
    /// Rows that passed everything but stride and limit.
    n_passed: u64,
    /// Rows that are wanted.
    n_wanted: u64,
}

/// A column that a filter looks at: one of a field with several, or a whole field (positions: three numbers for each row).
#[derive(Clone, Debug, PartialEq)]
pub struct FilterColumn {
    /// The path of the field.
    pub path: String,
    /// Which of its columns; `None` for all.
    pub index: Option<u64>,
    /// The type of its elements.
    pub dtype: apus_h5::Datatype,
    /// The elements of a row.
    pub n_elements: usize,
}

/// Rows that follow each other among the candidates, with the values of a filter's columns.
#[derive(Clone, Copy, Debug)]
pub struct FilterBlock<'a> {
    /// The number of rows.
    pub n_rows: usize,
    /// The bytes of each column, in the order of [`RowFilter::columns`]: native, little-endian.
    pub columns: &'a [&'a [u8]],
    /// The numbers of the rows in the file, where they follow each other there: that of the first.
    pub first_row: u64,
}

impl GroupSelection {
    /// The filter for its candidate rows.
    pub fn filter(self: &Arc<Self>) -> RowFilter {
        let mut columns: Vec<FilterColumn> = Vec::new();
        let mut place = |column: FilterColumn| {
            columns.iter().position(|c| *c == column).unwrap_or_else(|| {
                columns.push(column);
                columns.len() - 1
            })
        };
        let whole = |field: &crate::Field, n_elements| FilterColumn {
            path: field.path.clone(),
            index: None,
            dtype: field.dtype.clone(),
            n_elements,
        };
        let positions = self.positions.as_ref().filter(|_| self.granularity == Granularity::Particles);
        let positions = positions.map(|field| place(whole(field, 3)));
        let membership = self.membership.as_ref().map(|field| place(whole(field, 1)));
        let ids = self.id_field.as_ref().map(|field| place(whole(field, 1)));
        let single = |column: &ConditionColumn| FilterColumn {
            path: column.path.clone(),
            index: column.index,
            dtype: column.dtype.clone(),
            n_elements: 1,
        };
        let condition_columns =
            self.conditions.iter().map(|c| c.columns().iter().map(|column| place(single(column))).collect()).collect();
        RowFilter {
            selection: Arc::clone(self),
            columns,
            condition_columns,
            positions,
            membership,
            ids,
            n_passed: 0,
            n_wanted: 0,
        }
    }
}

impl RowFilter {
    /// The columns that it needs the values of, in this order; none where all candidate rows pass unseen.
    pub fn columns(&self) -> &[FilterColumn] {
        &self.columns
    }

    /// Which of its columns are the positions, where it looks at them.
    pub fn positions(&self) -> Option<usize> {
        self.positions
    }

    /// Whether all rows are wanted, so that it need not be asked.
    pub fn keeps_all(&self) -> bool {
        let selection = &self.selection;
        self.columns.is_empty()
            && self.condition_columns.is_empty()
            && selection.sample.is_none()
            && selection.stride.is_none_or(|stride| stride.get() == 1)
            && selection.limit.is_none()
    }

    /// Whether it goes by the rows' numbers, so that the rows of a block must follow each other in the file.
    pub fn needs_row_numbers(&self) -> bool {
        self.ids.is_none() && self.selection.sample.is_some()
    }

    /// Whether no row of any further block can be wanted, since the limit is reached.
    pub fn is_done(&self) -> bool {
        self.selection.limit.is_some_and(|limit| self.n_wanted >= limit)
    }

    /// Whether rows whose columns have values in these intervals can satisfy all conditions.
    pub(super) fn may_match(&self, columns: &[Interval]) -> bool {
        self.selection.conditions.iter().zip(&self.condition_columns).all(|(condition, indices)| {
            let values = |index: &usize| columns.get(*index).copied().unwrap_or(Interval::UNKNOWN);
            condition.may_hold(&indices.iter().map(values).collect::<Vec<_>>())
        })
    }

    /// The wanted rows so far.
    pub fn n_wanted(&self) -> u64 {
        self.n_wanted
    }

    /// Which rows of the next block are wanted.
    ///
    /// Errors: [`Error::Malformed`] where the bytes of a column are not those of `n_rows` rows; that nobody waits any more.
    pub fn next(&mut self, block: &FilterBlock<'_>) -> Result<RowMask> {
        let n_rows = block.n_rows;
        if block.columns.len() != self.columns.len() {
            let reason = format!("{} columns where {} are needed", block.columns.len(), self.columns.len());
            return Err(Error::Malformed { file: String::new(), object: self.selection.group.clone(), reason });
        }
        let mut values = Vec::with_capacity(self.columns.len());
        for (column, bytes) in self.columns.iter().zip(block.columns) {
            let elements = ColumnBlock::new(&column.dtype, bytes)?;
            if n_rows.checked_mul(column.n_elements) != Some(elements.n_rows()) {
                return Err(Error::Malformed {
                    file: String::new(),
                    object: column.path.clone(),
                    reason: format!(
                        "{} elements where {n_rows} rows of {} are needed",
                        elements.n_rows(),
                        column.n_elements
                    ),
                });
            }
            values.push(elements);
        }
        check_cancelled()?;
        let mut mask = RowMask::all(n_rows, true);
        let position =
            |row: usize| self.positions.map(|column| [0, 1, 2].map(|axis| values[column].float(row * 3 + axis)));
        if let (Some(halos), Some(membership)) = (&self.selection.halos, self.membership) {
            mask = RowMask::from_fn(n_rows, |row| {
                let halo = values[membership].integer(row).and_then(|id| halos.halo(id));
                halo.is_some_and(|halo| position(row).is_none_or(|position| halo.contains(position)))
            });
        }
        if self.positions.is_some() {
            let inside = |row| position(row).is_some_and(|position| self.selection.region.contains(position));
            mask = RowMask::from_fn(n_rows, |row| mask.contains(row) && inside(row));
        }
        for (condition, columns) in self.selection.conditions.iter().zip(&self.condition_columns) {
            let columns: Vec<ColumnBlock<'_>> = columns.iter().map(|column| values[*column]).collect();
            mask.and(&condition.evaluate(&columns, n_rows)?);
        }
        let id = |row: usize| match self.ids {
            Some(ids) => values[ids].integer(row).and_then(id_bits),
            None => Some(block.first_row.wrapping_add(row as u64)),
        };
        if let Some(wanted) = &self.selection.ids {
            mask.and(&RowMask::from_fn(n_rows, |row| id(row).is_some_and(|id| wanted.binary_search(&id).is_ok())));
        }
        if let Some(sample) = self.selection.sample {
            mask.and(&RowMask::from_fn(n_rows, |row| id(row).is_some_and(|id| sample.contains(id))));
        }
        Ok(self.thinned(mask))
    }

    /// What stride and limit leave.
    fn thinned(&mut self, mask: RowMask) -> RowMask {
        if self.selection.stride.is_none() && self.selection.limit.is_none() {
            let n_wanted = mask.n_wanted() as u64;
            self.n_passed += n_wanted;
            self.n_wanted += n_wanted;
            return mask;
        }
        let stride = self.selection.stride.map_or(1, u64::from);
        let limit = self.selection.limit.unwrap_or(u64::MAX);
        RowMask::from_fn(mask.n_rows(), |row| {
            if !mask.contains(row) {
                return false;
            }
            let is_wanted = self.n_passed.is_multiple_of(stride) && self.n_wanted < limit;
            self.n_passed += 1;
            self.n_wanted += u64::from(is_wanted);
            is_wanted
        })
    }
}

/// An id as 64 bits. SWIFT's lossy filters store ids as signed integers; negative ones keep their bits.
fn id_bits(id: i128) -> Option<u64> {
    u64::try_from(id).ok().or_else(|| i64::try_from(id).ok().map(i64::cast_unsigned))
}

#[cfg(test)]
#[path = "filter_tests.rs"]
pub(super) mod tests;
