//! How an output is spread over files.

use serde::Serialize;

use crate::Header;

/// How an output is spread over files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "form")]
pub enum Distribution {
    /// The file is the whole output.
    Single,
    /// The file is one of several; the rows of all types and the offsets of cells are its own.
    Part {
        /// Which one, from 0.
        index: u64,
        /// How many there are.
        n_files: u64,
    },
    /// The file joins the parts of a distributed output by virtual datasets.
    Virtual,
}

impl Distribution {
    /// What a header tells. A meta-file has `Virtual` 1 and says that it is the only file.
    pub fn of(header: &Header) -> Self {
        if header.is_virtual {
            Self::Virtual
        } else if header.n_files_per_snapshot > 1 {
            Self::Part { index: header.this_file.unwrap_or(0), n_files: header.n_files_per_snapshot }
        } else {
            Self::Single
        }
    }
}
