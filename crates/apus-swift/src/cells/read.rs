//! Reading the datasets of `/Cells`, none of them larger than the grid can be.

use apus_h5::{Array, Data, Dataset, Dataspace, ReadOptions, Selection};

use super::grid::malformed;
use crate::{Output, Result};

/// So many bytes are turned into numbers at a time, which a near cache keeps.
const BLOCK_BYTES: usize = 48 << 10;

/// One position for each cell, the coordinates of all after one another.
pub(super) fn positions(
    output: &Output,
    path: &str,
    max_cells: usize,
    options: Option<&ReadOptions>,
) -> Result<Vec<f64>> {
    let dataset = output.file().dataset(path)?;
    if !matches!(dataset.shape(), [n, 3] if *n <= max_cells as u64) {
        let reason = format!("has the shape {:?}, not up to {max_cells} positions", dataset.shape());
        return Err(malformed(output, path, &reason));
    }
    let values = numbers(&dataset, 3 * max_cells, options, Array::to_f64)?;
    values.ok_or_else(|| malformed(output, path, "holds no numbers"))
}

/// One position for each cell, where the file has them.
pub(super) fn optional_positions(
    output: &Output,
    path: &str,
    n_cells: usize,
    options: Option<&ReadOptions>,
) -> Result<Option<Vec<f64>>> {
    if optional_dataset(output, path)?.is_none() {
        return Ok(None);
    }
    let positions = positions(output, path, n_cells, options)?;
    if positions.len() != 3 * n_cells {
        return Err(malformed(output, path, &format!("has {} positions for {n_cells} cells", positions.len() / 3)));
    }
    Ok(Some(positions))
}

/// One count for each cell, where the file has them.
pub(super) fn counts(
    output: &Output,
    path: &str,
    n_cells: usize,
    options: Option<&ReadOptions>,
) -> Result<Option<Vec<u64>>> {
    let Some(dataset) = optional_dataset(output, path)? else { return Ok(None) };
    if dataset.shape() != [n_cells as u64] {
        let reason = format!("has the shape {:?}, not one number for each of {n_cells} cells", dataset.shape());
        return Err(malformed(output, path, &reason));
    }
    let counts = numbers(&dataset, n_cells, options, Array::to_u64)?;
    counts.map(Some).ok_or_else(|| malformed(output, path, "holds no counts"))
}

/// All values of a dataset, of which there are at most `max_values`, block by block as `convert` makes them; `None` where it cannot.
fn numbers<T>(
    dataset: &Dataset,
    max_values: usize,
    options: Option<&ReadOptions>,
    convert: impl Fn(&Array) -> Option<Vec<T>>,
) -> Result<Option<Vec<T>>> {
    let reader = match options {
        Some(options) => {
            dataset.reader(Selection::default(), &ReadOptions { block_bytes: BLOCK_BYTES, ..options.clone() })?
        }
        None => dataset.reader_without_pool(Selection::default())?,
    };
    let n_values = reader.size_bytes() / dataset.dtype().size_bytes().max(1);
    let mut values = Vec::with_capacity(usize::try_from(n_values).unwrap_or(max_values).min(max_values));
    let mut block = Array { dtype: dataset.dtype().clone(), space: Dataspace::Null, data: Data::Fixed(Vec::new()) };
    for bytes in reader {
        block.data = Data::Fixed(bytes?.bytes().to_vec());
        let Some(converted) = convert(&block) else { return Ok(None) };
        values.extend(converted);
    }
    Ok(Some(values))
}

fn optional_dataset(output: &Output, path: &str) -> Result<Option<Dataset>> {
    match output.file().dataset(path) {
        Ok(dataset) => Ok(Some(dataset)),
        Err(apus_h5::Error::NotFound { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
