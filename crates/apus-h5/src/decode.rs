//! The pieces that make native elements of a chunk's bytes, for those who fetch the bytes themselves.
//!
//! [`Dataset::reader`](crate::Dataset::reader) does all of this and more; these are here for tools that look into chunks, for
//! benchmarks and for fuzzing. A [`Pipeline`] undoes the filters, with a [`Scratch`] for each thread, and a [`Converter`] turns
//! stored elements into native ones. Both check once, when they are built, what the file declares.

pub use crate::{
    dtype::Converter,
    filter::{FilterError, Pipeline, Scratch},
};
