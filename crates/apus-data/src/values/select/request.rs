//! What is asked for: fields of wanted rows, in a form.

use apus_swift::{Granularity, Length, SelectionRequest, Shape};
use serde::Serialize;

use super::{halos::HaloQuery, metadata::frame_name};
use crate::encode::{arrow, votable};

/// The most regions, halos and ids that are said in words.
pub(super) const MAX_SHOWN: usize = 16;
/// The longest text of a selection.
const MAX_TEXT_BYTES: usize = 32 << 10;

/// A selection and the form of its answer. Serialised it says all that the answer depends on, but for the files.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SelectRequest {
    /// Which fields of which rows.
    pub request: SelectionRequest,
    /// The halos whose rows are wanted.
    pub halos: Option<HaloQuery>,
    /// The form.
    pub format: Format,
    /// Whether to tell what the selection would take instead of answering it.
    pub explain: bool,
}

/// The form of the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Format {
    /// An archive of npy files.
    Npz,
    /// A stream of Arrow.
    Arrow,
    /// A file of Arrow.
    Feather,
    /// A snapshot.
    Hdf5,
    /// Parquet.
    Parquet,
    /// CSV.
    Csv,
    /// ECSV.
    Ecsv,
    /// `VOTable`.
    Votable,
    /// JSON.
    Json,
}

impl SelectRequest {
    /// The selection in words, as in a query; long lists are cut short.
    pub fn text(&self) -> String {
        let request = &self.request;
        let mut parts = vec![format!("fields={}", request.fields.join(","))];
        let length = |length: &Option<Length>| length.as_ref().map_or_else(String::new, Length::to_string);
        for shape in request.region.shapes.iter().take(MAX_SHOWN) {
            parts.push(match shape {
                Shape::Box(bounds) => {
                    format!("box={}", bounds.iter().flatten().map(length).collect::<Vec<_>>().join(","))
                }
                Shape::Sphere { centre: [x, y, z], radius } => format!("sphere={x},{y},{z},{radius}"),
            });
        }
        if request.region.shapes.len() > MAX_SHOWN {
            parts.push(format!("... {} regions", request.region.shapes.len()));
        }
        parts.extend(request.region.unit.iter().map(|unit| format!("region_unit={unit}")));
        parts.extend(request.region.frame.iter().map(|frame| format!("region_frame={}", frame_name(*frame))));
        parts.extend(self.halos.iter().flat_map(HaloQuery::text));
        if request.granularity == Granularity::Cells {
            parts.push("rows=cells".to_owned());
        }
        parts.extend(request.padding.iter().map(|padding| format!("padding={}", padding.fraction())));
        parts.extend(request.conditions.iter().map(|condition| format!("where={}", condition.as_str())));
        if let Some(ids) = &request.ids {
            let shown: Vec<String> = ids.iter().take(MAX_SHOWN).map(u64::to_string).collect();
            let rest = if ids.len() > MAX_SHOWN { format!(",... {} ids", ids.len()) } else { String::new() };
            parts.push(format!("ids={}{rest}", shown.join(",")));
        }
        parts.extend(request.sample.iter().map(|sample| format!("sample={}", sample.fraction())));
        parts.extend(request.stride.iter().map(|stride| format!("stride={stride}")));
        parts.extend(request.limit.iter().map(|limit| format!("limit={limit}")));
        let mut text = parts.join("&");
        // An attribute has room for 64 KiB.
        let end = text.char_indices().map(|(at, _)| at).take_while(|at| *at <= MAX_TEXT_BYTES).last().unwrap_or(0);
        if text.len() > MAX_TEXT_BYTES {
            text.truncate(end);
            text.push_str("...");
        }
        text
    }
}

impl Format {
    /// All of them, by name.
    pub const ALL: [(&'static str, Self); 9] = [
        ("npz", Self::Npz),
        ("arrow", Self::Arrow),
        ("feather", Self::Feather),
        ("hdf5", Self::Hdf5),
        ("parquet", Self::Parquet),
        ("csv", Self::Csv),
        ("ecsv", Self::Ecsv),
        ("votable", Self::Votable),
        ("json", Self::Json),
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, format)| *format == self).map_or("", |(name, _)| name)
    }

    /// The ending of names of files in it.
    pub fn ending(self) -> &'static str {
        match self {
            Self::Arrow => arrow::STREAM_ENDING,
            Self::Feather => arrow::FILE_ENDING,
            Self::Votable => votable::ENDING,
            other => other.name(),
        }
    }

    /// Whether it holds the rows of one group, side by side.
    pub(super) fn is_table(self) -> bool {
        matches!(self, Self::Arrow | Self::Feather | Self::Parquet | Self::Csv | Self::Ecsv | Self::Votable)
    }
}
