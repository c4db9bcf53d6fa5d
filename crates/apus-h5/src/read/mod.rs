//! From the rows that are wanted to blocks of bytes: plan, coalesce, fetch, decode, place.

mod pool;
mod rows;

pub use pool::DecodePool;
pub use rows::RowRanges;

use crate::{Datatype, Result};

/// Which elements of a dataset are wanted: rows (axis 0), and indices on each further axis.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// Rows, in the order in which they leave; `None` for all. Must be `None` for scalars.
    pub rows: Option<RowRanges>,
    /// Indices for axis 1, 2 ...; axes beyond the list are whole.
    pub inner: Vec<Indices>,
}

/// The indices that are wanted on one axis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Indices {
    /// All.
    All,
    /// A half-open range.
    Range(u64, u64),
    /// These, in this order.
    List(Vec<u64>),
}

/// How reading goes about it.
#[derive(Clone, Debug)]
pub struct ReadOptions {
    /// Where chunks are decoded.
    pub pool: DecodePool,
    /// The most bytes of a block that is yielded.
    pub block_bytes: usize,
    /// The most bytes that may be fetched and decoded ahead of what was yielded.
    pub work_ahead_bytes: usize,
}

/// A piece of the answer: whole elements, native, little-endian, following those of the block before.
#[derive(Debug)]
pub struct Block {}

impl Block {
    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        unimplemented!()
    }
}

/// Yields the selected elements as [`Block`]s. Nothing is done between two calls of `next` but what was started ahead, so a
/// reader that nobody asks costs neither a thread nor a lock; dropping it stops its work. After an error it ends.
#[derive(Debug)]
pub struct Reader {}

impl Reader {
    /// The type of the elements, native.
    pub fn dtype(&self) -> &Datatype {
        unimplemented!()
    }

    /// The shape of the answer.
    pub fn shape(&self) -> &[u64] {
        unimplemented!()
    }

    /// The bytes of all blocks together.
    pub fn size_bytes(&self) -> u64 {
        unimplemented!()
    }
}

impl Iterator for Reader {
    type Item = Result<Block>;

    fn next(&mut self) -> Option<Self::Item> {
        unimplemented!()
    }
}
