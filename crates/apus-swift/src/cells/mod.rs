//! The top-level cells: which rows lie where.
//!
//! SWIFT writes particles cell by cell, so that a region is a few ranges of rows. A [`CellGrid`] is `/Cells` without what
//! belongs to one group; a [`CellTable`] has the counts, offsets and bounds for the rows of one.

mod grid;
mod read;
mod table;

pub use grid::CellGrid;
pub use table::{CellBounds, CellTable};

/// The most cells of a grid: ten times those of the largest runs. Each costs up to 70 bytes for each particle type.
pub const MAX_CELLS: usize = 1 << 22;
