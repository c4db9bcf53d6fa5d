//! The formats in which values are sent, one file each. Nothing of HTTP here but the media types.
//!
//! Formats of fixed length (npy, raw) pass on the reader's blocks as they are; text formats ([`json`], [`csv`], [`ecsv`], [`votable`]) turn each block
//! into text. All of them describe types as numpy does: see [`dtype`].

pub mod arrow;
pub mod colours;
pub mod columns;
pub mod csv;
pub mod dtype;
pub mod ecsv;
pub mod json;
pub mod msgpack;
pub mod npy;
pub mod npz;
pub mod number;
pub mod parquet;
pub mod png;
pub mod savetxt;
pub mod tiff;
pub mod votable;

mod cells;
mod nesting;
mod scalar;

/// Turns native elements into text, piece by piece.
pub trait TextEncoder: Send + 'static {
    /// The bytes of an element.
    fn element_bytes(&self) -> usize;

    /// Writes the next elements; `elements` must hold whole ones.
    fn write(&mut self, elements: &[u8], out: &mut Vec<u8>);

    /// Writes the end, after all elements.
    fn finish(&mut self, out: &mut Vec<u8>);
}

/// Why values cannot be sent in a format.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// The format cannot represent the type.
    #[error("{what} cannot be written as {form}; try format={instead}")]
    NoForm {
        /// The type.
        what: String,
        /// The requested format.
        form: &'static str,
        /// A format that can.
        instead: &'static str,
    },
    /// The format cannot represent a value of a type that it has a form for.
    #[error("column {column} holds {value}, and {form} has no numbers over {limit}; try format={instead}")]
    OutOfRange {
        /// The column.
        column: String,
        /// The value.
        value: u64,
        /// The greatest number.
        limit: i64,
        /// The format.
        form: &'static str,
        /// A format that can.
        instead: &'static str,
    },
    /// No format can represent the type.
    #[error("{what} cannot be written in any format")]
    NoFormAtAll {
        /// The type.
        what: String,
    },
    /// The extents would make an answer of nothing but brackets.
    #[error("an array of shape {shape:?} has no values, but {n_empty} empty rows, over the limit of {limit}")]
    TooManyEmptyRows {
        /// The shape.
        shape: Vec<u64>,
        /// The number of empty rows.
        n_empty: u64,
        /// The most that are written.
        limit: u64,
    },
}
