//! Reading the datasets of `/Cells`, none of them larger than the grid can be.

use apus_h5::Dataset;

use super::{MAX_CELLS, grid::malformed};
use crate::{Output, Result};

/// Three 64-bit numbers for each cell.
const MAX_BYTES: u64 = MAX_CELLS as u64 * 24;

/// One position for each cell.
pub(super) fn positions(output: &Output, path: &str, max_cells: usize) -> Result<Vec<[f64; 3]>> {
    let dataset = output.file().dataset(path)?;
    if !matches!(dataset.shape(), [n, 3] if *n <= max_cells as u64) {
        let reason = format!("has the shape {:?}, not up to {max_cells} positions", dataset.shape());
        return Err(malformed(output, path, &reason));
    }
    let values = dataset.read_all(MAX_BYTES)?.to_f64().ok_or_else(|| malformed(output, path, "holds no numbers"))?;
    let (positions, _) = values.as_chunks::<3>();
    Ok(positions.to_vec())
}

/// One position for each cell, where the file has them.
pub(super) fn optional_positions(output: &Output, path: &str, n_cells: usize) -> Result<Option<Vec<[f64; 3]>>> {
    if optional_dataset(output, path)?.is_none() {
        return Ok(None);
    }
    let positions = positions(output, path, n_cells)?;
    if positions.len() != n_cells {
        return Err(malformed(output, path, &format!("has {} positions for {n_cells} cells", positions.len())));
    }
    Ok(Some(positions))
}

/// One count for each cell, where the file has them.
pub(super) fn counts(output: &Output, path: &str, n_cells: usize) -> Result<Option<Vec<u64>>> {
    let Some(dataset) = optional_dataset(output, path)? else { return Ok(None) };
    if dataset.shape() != [n_cells as u64] {
        let reason = format!("has the shape {:?}, not one number for each of {n_cells} cells", dataset.shape());
        return Err(malformed(output, path, &reason));
    }
    let counts = dataset.read_all(MAX_BYTES)?.to_i128();
    let counts: Option<Vec<u64>> = counts.and_then(|c| c.into_iter().map(|count| u64::try_from(count).ok()).collect());
    counts.map(Some).ok_or_else(|| malformed(output, path, "holds no counts"))
}

fn optional_dataset(output: &Output, path: &str) -> Result<Option<Dataset>> {
    match output.file().dataset(path) {
        Ok(dataset) => Ok(Some(dataset)),
        Err(apus_h5::Error::NotFound { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
