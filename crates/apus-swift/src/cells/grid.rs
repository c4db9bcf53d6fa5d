//! The grid of cells, and the tables of its groups.

use apus_h5::ReadOptions;
use serde::Serialize;

use super::{
    CellBounds, CellTable, MAX_CELLS,
    read::{counts, optional_positions, positions},
};
use crate::{Attributes, Distribution, Error, Output, OutputKind, ParticleGroup, Result};

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
    /// The centres of the cells, in the order of the file.
    #[serde(skip)]
    pub centres: Vec<[f64; 3]>,
    /// swiftsimio's order of cells: by ascending offset of the first group.
    #[serde(skip)]
    order: Vec<usize>,
    /// The offsets of the group that gives the order, by its name.
    #[serde(skip)]
    first_offsets: Option<(String, Vec<u64>)>,
    /// How tables are read.
    #[serde(skip)]
    options: Option<ReadOptions>,
}

/// The group of cells that all groups of a SOAP catalogue share.
const SHARED_CELLS: &str = "Subhalos";
/// By how much swiftsimio widens cells where particles may have drifted out of them, in cells.
const PADDING: f64 = 0.1;

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
        let centres = positions(self, "/Cells/Centres", MAX_CELLS, options)?.as_chunks().0.to_vec();
        let mut grid = CellGrid {
            n_cells: centres.len(),
            dimension: dimension
                .try_into()
                .map_err(|_| malformed(self, "/Cells/Meta-data@dimension", "is not three counts"))?,
            size: three("size")?,
            centres,
            order: Vec::new(),
            first_offsets: None,
            options: options.cloned(),
        };
        grid.order = (0..grid.n_cells).collect();
        let first = if *self.kind() == OutputKind::SoapCatalogue {
            Some(SHARED_CELLS)
        } else {
            self.groups()?.iter().find(|g| g.present).map(|g| g.group.as_str())
        };
        if let Some(first) = first {
            let offsets = grid.offsets(self, first)?;
            // Stable, as numpy's is: cells without rows share their offset with others.
            grid.order.sort_by_key(|cell| offsets[*cell]);
            grid.first_offsets = Some((first.to_owned(), offsets));
        }
        Ok(Some(grid))
    }
}

impl CellGrid {
    /// The centres of the cells, in the order of a [`CellTable`].
    pub fn sorted_centres(&self) -> Vec<[f64; 3]> {
        self.order.iter().map(|cell| self.centres[*cell]).collect()
    }

    /// The table of one group of the output that the grid is of; `None` where the cells do not count that group. In a part of a
    /// distributed output, cells of other parts have no rows.
    ///
    /// Errors: [`Error::Malformed`] where cells have rows that the group does not have, and those of reading.
    pub fn table(&self, output: &Output, group: &ParticleGroup) -> Result<Option<CellTable>> {
        let options = self.options.as_ref();
        let shared = *output.kind() == OutputKind::SoapCatalogue;
        let cells = if shared { SHARED_CELLS } else { group.group.as_str() };
        let Some(counts) = counts(output, &format!("/Cells/Counts/{cells}"), self.n_cells, options)? else {
            return Ok(None);
        };
        let offsets = match &self.first_offsets {
            Some((first, offsets)) if first == cells => offsets,
            _ => &self.offsets(output, cells)?,
        };
        let this_file = match output.distribution() {
            Distribution::Part { index, .. } => self.files(output, cells)?.map(|files| (files, index)),
            Distribution::Single | Distribution::Virtual => None,
        };
        let mut rows = Vec::with_capacity(self.n_cells);
        for cell in &self.order {
            let (start, count) = (offsets[*cell], counts[*cell]);
            if this_file.as_ref().is_some_and(|(files, index)| files[*cell] != *index) {
                rows.push(0..0);
                continue;
            }
            let end = start.checked_add(count).filter(|end| *end <= group.n_rows || count == 0).ok_or_else(|| {
                let reason = format!("cell {cell} has rows {start} to {start}+{count} of {}", group.n_rows);
                malformed(output, &format!("/Cells/Counts/{cells}"), &reason)
            })?;
            rows.push(start..end);
        }
        Ok(Some(CellTable { rows, bounds: self.bounds(output, cells, shared)?, n_rows: group.n_rows }))
    }

    fn offsets(&self, output: &Output, cells: &str) -> Result<Vec<u64>> {
        // Before files could be distributed, offsets had another name.
        for name in ["OffsetsInFile", "Offsets"] {
            if let Some(offsets) =
                counts(output, &format!("/Cells/{name}/{cells}"), self.n_cells, self.options.as_ref())?
            {
                return Ok(offsets);
            }
        }
        Err(malformed(output, &format!("/Cells/OffsetsInFile/{cells}"), "is missing"))
    }

    fn files(&self, output: &Output, cells: &str) -> Result<Option<Vec<u64>>> {
        counts(output, &format!("/Cells/Files/{cells}"), self.n_cells, self.options.as_ref())
    }

    /// The bounds of each cell, in swiftsimio's order.
    ///
    /// Source: swiftsimio 12, `masks.py`, `_unpack_cell_metadata`.
    fn bounds(&self, output: &Output, cells: &str, shared: bool) -> Result<CellBounds> {
        let measured = |name: &str| {
            optional_positions(output, &format!("/Cells/{name}/{cells}"), self.n_cells, self.options.as_ref())
        };
        if let (Some(least), Some(greatest)) = (measured("MinPositions")?, measured("MaxPositions")?) {
            let (least, greatest) = (least.as_chunks::<3>().0, greatest.as_chunks::<3>().0);
            let bounds = self.order.iter().map(|cell| {
                let (centre, least, greatest) = (self.centres[*cell], least[*cell], greatest[*cell]);
                let axis = |i: usize| {
                    let (lower, upper) = (centre[i] - 0.5 * self.size[i], centre[i] + 0.5 * self.size[i]);
                    (
                        if lower < least[i] { lower } else { least[i] },
                        if upper > greatest[i] { upper } else { greatest[i] },
                    )
                };
                let [x, y, z] = [axis(0), axis(1), axis(2)];
                [[x.0, y.0, z.0], [x.1, y.1, z.1]]
            });
            return Ok(CellBounds::Measured(bounds.collect()));
        }
        let half = if shared { 0.5 } else { PADDING + 0.5 };
        let bounds = self.order.iter().map(|cell| {
            let centre = self.centres[*cell];
            [[0, 1, 2].map(|i| centre[i] - half * self.size[i]), [0, 1, 2].map(|i| centre[i] + half * self.size[i])]
        });
        Ok(CellBounds::Assumed(bounds.collect()))
    }
}

pub(super) fn malformed(output: &Output, object: &str, reason: &str) -> Error {
    Error::Malformed { file: output.file().name().to_owned(), object: object.to_owned(), reason: reason.to_owned() }
}
