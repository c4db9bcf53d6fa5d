//! From the rows that are wanted to blocks of bytes: plan, coalesce, fetch, decode, place.
//!
//! - [`wanted`] checks a [`Selection`] against the extent; [`plan`] cuts the answer into segments and says which parts of which
//!   chunks each is made of. Both are pure.
//! - [`storage`] knows where chunks are ([`caches`] keeps the indexes); [`fetch`] joins reads that are close in the file.
//! - [`segments`] reads, decodes and ([`place`]) puts elements where they belong, in [`buffers`] that are used again; [`direct`] reads them
//!   there, where nothing is to be decoded.
//! - [`stored`] does so ahead of what is asked for, on the [`DecodePool`]; [`reader`] hands the blocks out. Chunks of small
//!   reads are kept decoded ([`caches`]), those of scans are not.
//! - [`virtual_dataset`] reads from other datasets; [`whole`] reads into memory, also what is kept in heaps.

mod buffers;
pub(crate) mod caches;
mod direct;
mod fetch;
mod pace;
mod place;
mod plan;
mod pool;
mod reader;
mod rows;
mod segments;
pub(crate) mod storage;
mod stored;
pub(crate) mod virtual_dataset;
mod wanted;
pub(crate) mod whole;

pub use caches::{CacheStats, Caches};
pub use pace::Pace;
pub use pool::DecodePool;
pub use reader::{Block, Reader};
pub use rows::RowRanges;

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
    /// The most bytes of a block that is yielded (a single element may be larger).
    pub block_bytes: usize,
    /// The most bytes that may be fetched and decoded ahead of what was yielded (one part of the answer is always under way:
    /// a mebibyte or one band of chunks).
    pub work_ahead_bytes: usize,
    /// How whoever takes the blocks keeps up.
    pub pace: Pace,
}

impl Default for ReadOptions {
    /// Blocks of at most a mebibyte, made by the thread that asks for them.
    fn default() -> Self {
        Self { pool: DecodePool::none(), block_bytes: 1 << 20, work_ahead_bytes: 0, pace: Pace::default() }
    }
}
