//! The rows that lie somewhere and satisfy something, of several fields, in one answer.
//!
//! A [`SelectRequest`] says what is wanted; [`Selected::new`] plans what it means for the file. Forms that need not know how many rows there
//! are stream what is found (`table`); the others find all wanted rows first and then read field by field (`arrays`, `snapshot`).
//! [`Selected::explain`] tells what a selection would take.

mod arrays;
mod batches;
mod explain;
mod formulas;
mod halos;
mod metadata;
mod plan;
mod request;
mod scan;
mod snapshot;
mod table;
mod values;

use std::sync::Arc;

pub(super) use self::formulas::FormulaRows;
use self::plan::Plan;
pub use self::{
    halos::HaloQuery,
    metadata::frame_name,
    request::{Format, SelectRequest},
};
use super::{Content, EntityTag, Pinned};
use crate::{
    Result,
    encode::{arrow, csv, ecsv, json, npz, parquet, votable},
    store::VPath,
};

/// The media type of a snapshot.
const HDF5_CONTENT_TYPE: &str = "application/x-hdf5";

/// A selection of a file, planned.
pub struct Selected(Plan);

/// What a selection answers with.
#[derive(Debug)]
pub struct SelectedContent {
    /// The values.
    pub content: Content,
    /// The media type of the form.
    pub media_type: &'static str,
    /// In which unit and frame the values of each field are, as JSON; `None` where that is too long to travel beside them.
    pub fields_note: Option<String>,
    /// By how much cells were widened instead of looking at all rows of a file without bounds: rows of particles that drifted farther are
    /// not in the answer. `None` where that was not done.
    pub padding: Option<f64>,
    /// The rows of each group, `gas=100`, where that is known.
    pub rows_note: Option<String>,
}

impl Selected {
    /// Finds out which rows may be wanted and which datasets are read.
    ///
    /// Errors: those of the selection; those of reading.
    pub fn new(pinned: &Pinned, path: &VPath, request: SelectRequest) -> Result<Self> {
        Plan::new(pinned, path, request).map(Self)
    }

    /// The tag of the answer.
    ///
    /// Errors: none that such a request gives; the type is the tag's.
    pub fn tag(&self) -> Result<EntityTag> {
        self.0.pinned.tag(&("select", &self.0.query))
    }

    /// What the selection would take, found without reading a value of a particle, as JSON.
    ///
    /// Errors: those of reading descriptions.
    pub fn explain(&self) -> Result<Vec<u8>> {
        explain::explain(&self.0)
    }

    /// The values. Finds the wanted rows, unless the form can do with them as they come.
    ///
    /// Errors: those of reading; [`Error::TooLarge`](crate::Error::TooLarge), with the numbers and how to narrow it;
    /// [`Error::Gone`](crate::Error::Gone).
    pub fn content(self) -> Result<SelectedContent> {
        let plan = self.0;
        plan.check_known_size()?;
        let fields_note = metadata::fields_note(&plan);
        let padding = plan.groups.iter().find_map(plan::PlannedGroup::padding);
        let format = plan.query.format;
        let media_type = format.media_type();
        if format.is_table() {
            for group in &plan.groups {
                plan.check_size_by_counting(group)?;
            }
            let content = table::table_content(&plan)?;
            return Ok(SelectedContent { content, media_type, fields_note, padding, rows_note: None });
        }
        let wanted = plan.groups.iter().map(|group| plan.wanted_rows(group).map(Arc::new));
        let wanted = wanted.collect::<Result<Vec<_>>>()?;
        let held_bytes = wanted.iter().fold(0u64, |n, wanted| n.saturating_add(wanted.held_bytes()));
        plan.read_options().pace.set_held_bytes(held_bytes);
        let n_rows: Vec<u64> = wanted.iter().map(|wanted| wanted.n_rows()).collect();
        plan.check_size(&n_rows)?;
        let content = match format {
            Format::Json => arrays::json_content(&plan, &wanted)?,
            Format::Hdf5 => snapshot::snapshot_content(&plan, &wanted)?,
            _ => arrays::npz_content(&plan, &wanted)?,
        };
        let content = content.with_rows(n_rows.iter().fold(0, |n: u64, rows| n.saturating_add(*rows)));
        let groups = plan.groups.iter().zip(&n_rows);
        let rows: Vec<String> = groups.map(|(group, n)| format!("{}={n}", group.selection.name)).collect();
        Ok(SelectedContent { content, media_type, fields_note, padding, rows_note: Some(rows.join(",")) })
    }
}

impl Format {
    fn media_type(self) -> &'static str {
        match self {
            Self::Npz => npz::CONTENT_TYPE,
            Self::Arrow => arrow::STREAM_CONTENT_TYPE,
            Self::Feather => arrow::FILE_CONTENT_TYPE,
            Self::Hdf5 => HDF5_CONTENT_TYPE,
            Self::Parquet => parquet::CONTENT_TYPE,
            Self::Csv => csv::CONTENT_TYPE,
            Self::Ecsv => ecsv::CONTENT_TYPE,
            Self::Votable => votable::CONTENT_TYPE,
            Self::Json => json::CONTENT_TYPE,
        }
    }
}
