//! The grid of cells, and the cells of its groups as they pass by.

use std::{array::from_fn, ops::Range};

use apus_h5::{Dataset, ReadOptions, check_cancelled};
use serde::Serialize;

use super::{
    CellBounds, CellTable, CellTest, FoundCells, MAX_CELLS, Padding,
    read::{Column, optional_dataset},
    search::CellSearch,
};
use crate::{Attributes, Distribution, Error, Output, OutputKind, ParticleGroup, Region, Result};

/// The grid of top-level cells (`/Cells`).
///
/// Units of lengths: the file's length, comoving.
#[derive(Clone, Debug, Serialize)]
pub struct CellGrid {
    /// The number of cells.
    pub n_cells: usize,
    /// The number of cells on each axis.
    pub dimension: [u64; 3],
    /// The side lengths of a cell.
    pub size: [f64; 3],
    /// The group whose offsets give swiftsimio's order of cells: the first.
    #[serde(skip)]
    first: Option<String>,
    /// How cells are read.
    #[serde(skip)]
    options: Option<ReadOptions>,
}

const CENTRES: &str = "/Cells/Centres";
/// The group of cells that all groups of a SOAP catalogue share.
const SHARED_CELLS: &str = "Subhalos";
/// By how much swiftsimio widens cells where particles may have drifted out of them, unless it is told otherwise, in cells.
const PADDING: f64 = 0.1;
/// So many cells are looked at at a time.
const BATCH: usize = 2048;

/// A cell, for the rows of one group.
struct Cell {
    centre: [f64; 3],
    bounds: [[f64; 3]; 2],
    /// Empty where it has none in this file.
    rows: Range<u64>,
    /// What swiftsimio sorts cells by.
    key: u64,
}

impl Output {
    /// The cells; `None` where the file has none.
    ///
    /// Errors: [`Error::Malformed`] where they contradict themselves, and those of reading.
    pub fn cells(&self) -> Result<Option<CellGrid>> {
        self.cells_read_with(None)
    }

    /// As [`cells`](Self::cells), on the threads of these options where there are any: large grids take milliseconds.
    pub fn cells_read_with(&self, options: Option<&ReadOptions>) -> Result<Option<CellGrid>> {
        let cells = match self.file().group("/Cells") {
            Ok(cells) => cells,
            Err(apus_h5::Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let meta_data = match cells.get("Meta-data")? {
            apus_h5::Object::Group(group) => Attributes::from(group.attributes()?),
            _ => return Err(malformed(self, "/Cells/Meta-data", "is no group")),
        };
        let three = |name: &str| -> Result<[f64; 3]> {
            let values = meta_data.f64s(name).unwrap_or_default();
            <[f64; 3]>::try_from(values)
                .ok()
                .filter(|v| v.iter().all(|v| v.is_finite() && *v > 0.0))
                .ok_or_else(|| malformed(self, &format!("/Cells/Meta-data@{name}"), "is not three positive numbers"))
        };
        let dimension = meta_data.u64s("dimension").unwrap_or_default();
        let centres = self.file().dataset(CENTRES)?;
        let n_cells = match centres.shape() {
            [n, 3] => usize::try_from(*n).ok().filter(|n| *n <= MAX_CELLS),
            _ => None,
        };
        let n_cells = n_cells.ok_or_else(|| {
            let reason = format!("has the shape {:?}, not up to {MAX_CELLS} positions", centres.shape());
            malformed(self, CENTRES, &reason)
        })?;
        let first = if *self.kind() == OutputKind::SoapCatalogue {
            Some(SHARED_CELLS)
        } else {
            self.groups()?.iter().find(|g| g.present).map(|g| g.group.as_str())
        };
        Ok(Some(CellGrid {
            n_cells,
            dimension: dimension
                .try_into()
                .map_err(|_| malformed(self, "/Cells/Meta-data@dimension", "is not three counts"))?,
            size: three("size")?,
            first: first.map(str::to_owned),
            options: options.cloned(),
        }))
    }
}

impl CellGrid {
    /// The table of one group of the output that the grid is of; `None` where the cells do not count that group. In a part of a
    /// distributed output, cells of other parts have no rows.
    ///
    /// Errors: [`Error::Malformed`] where cells have rows that the group does not have, and those of reading.
    pub fn table(&self, output: &Output, group: &ParticleGroup) -> Result<Option<CellTable>> {
        let mut cells = Vec::with_capacity(self.n_cells);
        let Some(is_measured) = self.visit(output, group, PADDING, |cell| cells.push(cell))? else { return Ok(None) };
        // Stable, as numpy's is: cells without rows share their offset with others.
        cells.sort_by_key(|cell| cell.key);
        let bounds = cells.iter().map(|cell| cell.bounds).collect();
        Ok(Some(CellTable {
            centres: cells.iter().map(|cell| cell.centre).collect(),
            rows: cells.into_iter().map(|cell| cell.rows).collect(),
            bounds: if is_measured { CellBounds::Measured(bounds) } else { CellBounds::Assumed(bounds) },
            n_rows: group.n_rows,
        }))
    }

    /// Rows of a group among which all those are that are wanted of a region; `None` where the cells do not count that group. The same as its
    /// [`table`](Self::table) finds, without making it.
    ///
    /// Errors: as for [`table`](Self::table).
    pub fn find(
        &self,
        output: &Output,
        group: &ParticleGroup,
        region: &Region,
        by: CellTest,
    ) -> Result<Option<FoundCells>> {
        self.find_padded(output, group, region, by, None)
    }

    /// As [`find`](Self::find); with a padding, cells without bounds are widened by it, and that does for [`CellTest::MayContain`] too.
    ///
    /// Errors: as for [`table`](Self::table).
    pub fn find_padded(
        &self,
        output: &Output,
        group: &ParticleGroup,
        region: &Region,
        by: CellTest,
        padding: Option<Padding>,
    ) -> Result<Option<FoundCells>> {
        let mut search = CellSearch::new(region, by);
        let fraction = padding.map_or(PADDING, Padding::fraction);
        let see = |cell: Cell| search.see(cell.key, &cell.bounds, &cell.rows);
        let Some(is_measured) = self.visit(output, group, fraction, see)? else { return Ok(None) };
        Ok(Some(search.found(is_measured, padding.is_some(), group.n_rows)))
    }

    /// The rows of each cell that has any, in the order of the file; `None` where the cells do not count that group.
    ///
    /// Errors: as for [`table`](Self::table).
    pub fn rows(&self, output: &Output, group: &ParticleGroup) -> Result<Option<Vec<Range<u64>>>> {
        let mut rows = Vec::new();
        let see = |cell: Cell| rows.extend(Some(cell.rows).filter(|rows| !rows.is_empty()));
        Ok(self.visit(output, group, PADDING, see)?.map(|_| rows))
    }

    /// Shows the cells of a group, in the order of the file, and says whether their bounds are measured; cells without are widened by so
    /// much of a cell.
    ///
    /// Source of the bounds: swiftsimio 12, `masks.py`, `_unpack_cell_metadata`.
    fn visit(
        &self,
        output: &Output,
        group: &ParticleGroup,
        padding: f64,
        mut see: impl FnMut(Cell),
    ) -> Result<Option<bool>> {
        let shared = *output.kind() == OutputKind::SoapCatalogue;
        let cells = if shared { SHARED_CELLS } else { group.group.as_str() };
        let counts_path = format!("/Cells/Counts/{cells}");
        let Some(mut counts) = self.counts(output, &counts_path)? else { return Ok(None) };
        let mut offsets = self.offsets(output, cells)?;
        let first = self.first.as_deref().filter(|first| *first != cells);
        let mut keys = first.map(|first| self.offsets(output, first)).transpose()?;
        let mut files = match output.distribution() {
            Distribution::Part { index, .. } => {
                self.counts(output, &format!("/Cells/Files/{cells}"))?.map(|files| (files, index))
            }
            Distribution::Single | Distribution::Virtual => None,
        };
        let mut centres = self.positions(output, &output.file().dataset(CENTRES)?)?;
        let measured = |name: &str| optional_dataset(output, &format!("/Cells/{name}/{cells}"));
        let mut measured = match (measured("MinPositions")?, measured("MaxPositions")?) {
            (Some(least), Some(greatest)) => {
                Some((self.positions(output, &least)?, self.positions(output, &greatest)?))
            }
            _ => None,
        };
        let reach = if shared || measured.is_some() { 0.5 } else { padding + 0.5 };
        let reach = self.size.map(|size| reach * size);
        for first_cell in (0..self.n_cells).step_by(BATCH) {
            check_cancelled()?;
            let n = BATCH.min(self.n_cells - first_cell);
            let (counts, offsets) = (counts.take(n)?, offsets.take(n)?);
            let keys = keys.as_mut().map(|keys| keys.take(n)).transpose()?.unwrap_or(offsets);
            let files = files.as_mut().map(|(files, index)| Ok::<_, Error>((files.take(n)?, *index))).transpose()?;
            let centres = centres.take(3 * n)?.as_chunks::<3>().0;
            let measured = measured.as_mut().map(|(least, greatest)| {
                Ok::<_, Error>((least.take(3 * n)?.as_chunks::<3>().0, greatest.take(3 * n)?.as_chunks::<3>().0))
            });
            let measured = measured.transpose()?;
            for (i, centre) in centres.iter().enumerate() {
                let (start, count) = (offsets[i], counts[i]);
                let end = start.checked_add(count).filter(|end| *end <= group.n_rows || count == 0);
                let rows = match (&files, end) {
                    (Some((files, index)), _) if files[i] != *index => 0..0,
                    (_, Some(end)) => start..end,
                    (_, None) => {
                        let (cell, n_rows) = (first_cell + i, group.n_rows);
                        let reason = format!("cell {cell} has rows {start} to {start}+{count} of {n_rows}");
                        return Err(malformed(output, &counts_path, &reason));
                    }
                };
                let mut bounds = [from_fn(|k| centre[k] - reach[k]), from_fn(|k| centre[k] + reach[k])];
                if let Some((least, greatest)) = measured {
                    let [lower, upper] = &mut bounds;
                    *lower = from_fn(|k| if lower[k] < least[i][k] { lower[k] } else { least[i][k] });
                    *upper = from_fn(|k| if upper[k] > greatest[i][k] { upper[k] } else { greatest[i][k] });
                }
                see(Cell { centre: *centre, bounds, rows, key: keys[i] });
            }
        }
        Ok(Some(measured.is_some()))
    }

    fn offsets<'a>(&self, output: &'a Output, cells: &str) -> Result<Column<'a, u64>> {
        // Before files could be distributed, offsets had another name.
        for name in ["OffsetsInFile", "Offsets"] {
            if let Some(offsets) = self.counts(output, &format!("/Cells/{name}/{cells}"))? {
                return Ok(offsets);
            }
        }
        Err(malformed(output, &format!("/Cells/OffsetsInFile/{cells}"), "is missing"))
    }

    fn counts<'a>(&self, output: &'a Output, path: &str) -> Result<Option<Column<'a, u64>>> {
        Column::of_counts(output, path, self.n_cells, self.options.as_ref())
    }

    fn positions<'a>(&self, output: &'a Output, dataset: &Dataset) -> Result<Column<'a, f64>> {
        Column::of_positions(output, dataset, self.n_cells, self.options.as_ref())
    }
}

pub(super) fn malformed(output: &Output, object: &str, reason: &str) -> Error {
    Error::Malformed { file: output.file().name().to_owned(), object: object.to_owned(), reason: reason.to_owned() }
}
