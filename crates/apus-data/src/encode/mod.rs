//! The forms in which values leave, a file each. No word of HTTP here but the media type.
//!
//! Forms of fixed length (npy, raw) hand the reader's blocks on as they are; text forms ([`json`], [`csv`]) turn each block
//! into text. All of them name types in numpy's words, which [`dtype`] knows.

pub mod arrow;
pub mod columns;
pub mod csv;
pub mod dtype;
pub mod json;
pub mod msgpack;
pub mod npy;
pub mod npz;
pub mod number;
pub mod parquet;

mod nesting;
mod scalar;

/// Turns native elements into text, in as many pieces as they come.
pub trait TextEncoder: Send + 'static {
    /// The bytes of an element.
    fn element_bytes(&self) -> usize;

    /// Writes whole elements, which follow those that were written before.
    fn write(&mut self, elements: &[u8], out: &mut Vec<u8>);

    /// Writes what is left when all elements are written.
    fn finish(&mut self, out: &mut Vec<u8>);
}

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
