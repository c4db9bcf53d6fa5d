//! Selections: which values of which rows are wanted.
//!
//! A [`SelectionRequest`] is what a caller asks for, already free of syntax errors. [`SelectionRequest::resolve`] finds out what it means
//! for one output: a [`GroupSelection`] for each group of fields. How its rows come about, in this order:
//!
//! 1. [`GroupSelection::candidate_rows`]: the rows of the cells that the region touches, or all;
//! 2. of these, those that a [`RowFilter`] keeps, block by block: inside the region (unless whole cells are wanted), satisfying all
//!    conditions, with one of the ids, in the sample;
//! 3. of these, every `stride`th, and at most `limit`.
//!
//! A [`RowScan`] goes through 1 to 3 with a bounded amount of memory; [`WantedRows`] keeps what it finds where the number of rows must be
//! known before values leave.
//!
//! Scans remember what the values of each block lie between, in [`ColumnStatistics`]; [`RowFilter::rows_that_may_match`] leaves out of the
//! candidates what cannot satisfy the conditions by that.
//!
//! Rows keep the order of the file's cells. A [`Conversion`] says what happens to the values of a field before they leave; without one they
//! leave as stored.

mod conversion;
mod filter;
mod request;
mod resolve;
mod sample;
mod scan;
mod statistics;
mod wanted;
mod windows;

pub use conversion::Conversion;
pub use filter::{FilterBlock, FilterColumn, RowFilter};
pub use request::{Granularity, SelectionRequest};
pub use resolve::{GroupSelection, SelectedField};
pub use sample::Sample;
pub use scan::{RowScan, ScannedWindow, read_rows, rows_reader};
pub use statistics::{ColumnStatistics, Statistics};
pub use wanted::WantedRows;
pub use windows::RowWindows;
pub(crate) use {scan::ScannedColumn, statistics::StatisticsNotes, windows::push_joined};

/// More fields than anybody needs in one request.
pub const MAX_FIELDS: usize = 1024;
/// The most ids in one request.
pub const MAX_IDS: usize = 1 << 24;
