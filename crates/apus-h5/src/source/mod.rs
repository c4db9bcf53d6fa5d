//! Where bytes come from.
//!
//! Nothing here assumes that bytes are near or cheap: a source is asked for whole ranges, and metadata is read through a
//! cache of blocks.

mod cache;
mod local;
mod memory;

use std::{fmt, io};

pub(crate) use cache::BlockCache;
pub use local::LocalFile;
pub use memory::Memory;

/// Random access to the bytes of one file. Reading is blocking and may happen from many threads at once.
pub trait ByteSource: Send + Sync + fmt::Debug {
    /// The length in bytes when the source was opened.
    fn len(&self) -> u64;

    /// Whether there are no bytes at all.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Fills `buf` with the bytes from `offset` on.
    ///
    /// Errors: [`io::ErrorKind::UnexpectedEof`] where the source ends before `buf` is full, as it does when a file is
    /// truncated under its readers.
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<()>;
}
