//! Reading the datasets of `/Cells`, none of them larger than the grid can be.

use apus_h5::{Array, Data, Dataset, Dataspace, ReadOptions, Reader, Selection};

use super::grid::malformed;
use crate::{Error, Output, Result};

/// So many bytes are turned into numbers at a time, which a near cache keeps.
const BLOCK_BYTES: usize = 48 << 10;

/// The numbers of a dataset of `/Cells`, taken from its beginning to its end.
pub(super) struct Column<'a, T> {
    output: &'a Output,
    path: String,
    reader: Reader,
    /// The block that was read last.
    block: Array,
    convert: fn(&Array) -> Option<Vec<T>>,
    /// What was read and not yet taken, from `next` on.
    values: Vec<T>,
    next: usize,
}

impl<'a> Column<'a, f64> {
    /// One position for each cell, the coordinates of all after one another.
    pub(super) fn of_positions(
        output: &'a Output,
        dataset: &Dataset,
        n_cells: usize,
        options: Option<&ReadOptions>,
    ) -> Result<Self> {
        if dataset.shape() != [n_cells as u64, 3] {
            let reason = format!("has the shape {:?}, not one position for each of {n_cells} cells", dataset.shape());
            return Err(malformed(output, dataset.path(), &reason));
        }
        Self::new(output, dataset, options, Array::to_f64)
    }
}

impl<'a> Column<'a, u64> {
    /// One count for each cell, where the file has them.
    pub(super) fn of_counts(
        output: &'a Output,
        path: &str,
        n_cells: usize,
        options: Option<&ReadOptions>,
    ) -> Result<Option<Self>> {
        let Some(dataset) = optional_dataset(output, path)? else { return Ok(None) };
        if dataset.shape() != [n_cells as u64] {
            let reason = format!("has the shape {:?}, not one number for each of {n_cells} cells", dataset.shape());
            return Err(malformed(output, path, &reason));
        }
        Self::new(output, &dataset, options, Array::to_u64).map(Some)
    }
}

impl<'a, T: Copy> Column<'a, T> {
    fn new(
        output: &'a Output,
        dataset: &Dataset,
        options: Option<&ReadOptions>,
        convert: fn(&Array) -> Option<Vec<T>>,
    ) -> Result<Self> {
        let reader = match options {
            Some(options) => {
                dataset.reader(Selection::default(), &ReadOptions { block_bytes: BLOCK_BYTES, ..options.clone() })?
            }
            None => dataset.reader_without_pool(Selection::default())?,
        };
        let data = Data::Fixed(Vec::new());
        let block = Array { dtype: dataset.dtype().clone(), space: Dataspace::Null, data };
        Ok(Self { output, path: dataset.path().to_owned(), reader, block, convert, values: Vec::new(), next: 0 })
    }

    /// The next `n` numbers.
    ///
    /// Errors: those of reading; [`Error::Malformed`] where the numbers are not of that kind, or fewer.
    pub(super) fn take(&mut self, n: usize) -> Result<&[T]> {
        if self.values.len() - self.next < n {
            self.values.drain(..self.next);
            self.next = 0;
        }
        while self.values.len() < n {
            let bytes = self.reader.next().ok_or_else(|| self.malformed("ends too early"))??;
            if let Data::Fixed(data) = &mut self.block.data {
                data.clear();
                data.extend_from_slice(bytes.bytes());
            }
            let values = (self.convert)(&self.block);
            self.values.extend(values.ok_or_else(|| self.malformed("does not hold positions or counts"))?);
        }
        let first = self.next;
        self.next += n;
        Ok(&self.values[first..self.next])
    }

    fn malformed(&self, reason: &str) -> Error {
        malformed(self.output, &self.path, reason)
    }
}

/// The dataset of that path, where the file has one.
pub(super) fn optional_dataset(output: &Output, path: &str) -> Result<Option<Dataset>> {
    match output.file().dataset(path) {
        Ok(dataset) => Ok(Some(dataset)),
        Err(apus_h5::Error::NotFound { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
