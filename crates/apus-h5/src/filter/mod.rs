//! The filters of a chunk: what a writer did to its bytes, undone.
//!
//! A [`Pipeline`] is built once per dataset from the [`Filter`]s that the file declares; building it checks every parameter, so
//! that decoding a chunk can only fail on the chunk's own bytes. Every filter has a file of its own, of one shape: the number
//! `ID`, a type that holds the checked parameters, `new`, `max_encoded_len` (how long its output can be, which bounds what the
//! stage before it may inflate to), and `decode` from one slice into another. Adding a filter is copying one and naming it in
//! `pipeline.rs`.

mod bits;
mod deflate;
mod error;
mod fletcher32;
mod lz4;
mod lzf;
mod nbit;
mod pipeline;
mod registered;
mod scale_offset;
mod shuffle;
mod zstd;

pub use error::FilterError;
pub use pipeline::{Pipeline, Scratch};

/// One stage of the filter pipeline, as the file declares it (in the order of writing).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    /// The registered number: 1 deflate, 2 shuffle, 3 fletcher32, 4 szip, 5 nbit, 6 scale-offset, 32000 lzf ...
    pub id: u16,
    /// The name in the file, or the one registered for the number.
    pub name: String,
    /// Whether a writer might leave the stage out of a chunk.
    pub optional: bool,
    /// The client data values.
    pub parameters: Vec<u32>,
}
