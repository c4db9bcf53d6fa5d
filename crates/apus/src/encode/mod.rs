//! The forms in which values leave, a file each. No word of HTTP here but the media type.
//!
//! Forms of fixed length (npy, raw) hand the reader's blocks on as they are; text forms ([`json`], [`csv`]) turn each block
//! into text. All of them name types in numpy's words, which [`dtype`] knows.

pub mod arrow;
pub mod columns;
pub mod csv;
pub mod csv_table;
pub mod dtype;
pub mod json;
pub mod msgpack;
pub mod npy;
pub mod npz;
pub mod number;
pub(crate) mod numpy_type;
pub mod parquet;
pub mod pickle;

mod nesting;
mod scalar;

/// Why values cannot leave in a form.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// The form has no way to say elements of the type.
    #[error("{what} cannot be written as {form}; try format={instead}")]
    NoForm {
        /// The type.
        what: String,
        /// The form that was asked for.
        form: &'static str,
        /// A form that can.
        instead: &'static str,
    },
    /// No form can.
    #[error("{what} cannot be written in any form")]
    NoFormAtAll {
        /// The type.
        what: String,
    },
    /// The extents would make an answer of nothing but brackets.
    #[error("an array of shape {shape:?} has no values but {n_empty} empty rows, more than {limit}")]
    TooManyEmptyRows {
        /// The shape.
        shape: Vec<u64>,
        /// The rows.
        n_empty: u64,
        /// The most that are written.
        limit: u64,
    },
}
