//! The top-level cells: which rows lie where.
//!
//! SWIFT writes particles cell by cell, so that a region is a few ranges of rows. A [`CellGrid`] is `/Cells` without what
//! belongs to one group. It finds the cells of a group that a region touches as they pass by, a few at a time: memory that a request touches
//! for the first time costs more than the bytes in it. A [`CellTable`] has them all.

mod grid;
mod padding;
mod read;
mod search;
mod table;

pub use grid::CellGrid;
pub use padding::Padding;
pub use search::{BoundsSource, CellTest, FoundCells};
pub use table::{CellBounds, CellTable};

/// The most cells of a grid: ten times those of the largest runs. Each costs a [`CellTable`] 88 bytes.
pub const MAX_CELLS: usize = 1 << 22;
