//! Content: what an answer holds, planned but not yet read.

use std::{fmt, ops::Range};

use bytes::Bytes;

use super::{Blocks, Body, Pinned};
use crate::{Error, Result};

/// The bytes of an answer, still to be made: all of them, or a part where their number is known.
#[derive(Debug)]
pub struct Content {
    pinned: Pinned,
    source: Source,
    guard: Guard,
    /// How many rows they hold, for whoever counts them.
    pub n_rows: Option<u64>,
}

enum Source {
    /// Bytes that are there.
    Whole(Bytes),
    /// A stream of unknown length.
    Stream(Blocks),
    /// A stream of known length.
    Sized { size_bytes: u64, start: Start },
}

/// Makes the blocks from a byte on or from one before it: how many bytes come first that are not wanted is told.
type Start = Box<dyn FnOnce(Range<u64>) -> Result<(Blocks, u64)> + Send>;

impl Content {
    /// Bytes that are there.
    pub fn whole(pinned: Pinned, bytes: impl Into<Bytes>) -> Self {
        Self { pinned, source: Source::Whole(bytes.into()), guard: Guard(None), n_rows: None }
    }

    /// A stream; of `size_bytes` where that is known.
    pub(super) fn stream(
        pinned: Pinned,
        blocks: impl Iterator<Item = Result<Bytes>> + Send + 'static,
        size_bytes: Option<u64>,
    ) -> Self {
        let blocks: Blocks = Box::new(blocks);
        let source = match size_bytes {
            None => Source::Stream(blocks),
            Some(size_bytes) => Source::Sized { size_bytes, start: Box::new(|part| Ok((blocks, part.start))) },
        };
        Self { pinned, source, guard: Guard(None), n_rows: None }
    }

    /// A stream of known length that can begin anywhere: `start` makes the blocks of a range of bytes, perhaps with more in front, and tells
    /// how many those are.
    pub(super) fn seekable(
        pinned: Pinned,
        size_bytes: u64,
        start: impl FnOnce(Range<u64>) -> Result<(Blocks, u64)> + Send + 'static,
    ) -> Self {
        Self { pinned, source: Source::Sized { size_bytes, start: Box::new(start) }, guard: Guard(None), n_rows: None }
    }

    /// Of so many rows.
    #[must_use]
    pub(super) fn with_rows(mut self, n_rows: u64) -> Self {
        self.n_rows = Some(n_rows);
        self
    }

    /// Keeps `guard` until the body is gone: what counts the memory that the request takes, say.
    #[must_use]
    pub fn holding(mut self, guard: impl Send + 'static) -> Self {
        self.guard = Guard(Some(Box::new(guard)));
        self
    }

    /// The length, where that is known.
    pub fn size_bytes(&self) -> Option<u64> {
        match &self.source {
            Source::Whole(bytes) => Some(bytes.len() as u64),
            Source::Stream(_) => None,
            Source::Sized { size_bytes, .. } => Some(*size_bytes),
        }
    }

    /// All of it.
    ///
    /// Errors: those of planning what is read; [`Error::Unreadable`] where a file has changed.
    pub fn into_body(self) -> Result<Body> {
        match self.source {
            Source::Whole(bytes) => self.pinned.whole(bytes),
            Source::Stream(blocks) => Ok(self.pinned.body(self.guard.keep(blocks), None)),
            Source::Sized { size_bytes, .. } => self.into_part(0..size_bytes),
        }
    }

    /// Those bytes of it, which it must have.
    ///
    /// Errors: as [`into_body`](Self::into_body).
    pub fn into_part(self, part: Range<u64>) -> Result<Body> {
        let outside = || Error::internal(format!("the bytes {part:?} of content that does not have them"));
        if self.size_bytes().is_none_or(|size| part.end > size || part.start > part.end) {
            return Err(outside());
        }
        match self.source {
            Source::Whole(bytes) => {
                let index = |at: u64| usize::try_from(at).map_err(|_| outside());
                self.pinned.whole(bytes.slice(index(part.start)?..index(part.end)?))
            }
            Source::Stream(_) => Err(outside()),
            Source::Sized { start, .. } => {
                let left = part.end - part.start;
                let (blocks, skip) = if left == 0 { (Box::new(std::iter::empty()) as Blocks, 0) } else { start(part)? };
                Ok(self.pinned.body(self.guard.keep(PartBlocks { blocks, skip, left }), Some(left)))
            }
        }
    }
}

/// What is kept until the body is gone.
struct Guard(Option<Box<dyn Send>>);

impl Guard {
    fn keep<B: Iterator + Send>(self, blocks: B) -> impl Iterator<Item = B::Item> + Send {
        let mut blocks = blocks;
        std::iter::from_fn(move || {
            let _kept = &self;
            blocks.next()
        })
    }
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Guard({})", self.0.is_some())
    }
}

/// Blocks, less what comes before and after those that are wanted.
struct PartBlocks {
    blocks: Blocks,
    /// Bytes that come before the part.
    skip: u64,
    /// Bytes of the part that are still to come.
    left: u64,
}

impl Iterator for PartBlocks {
    type Item = Result<Bytes>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.left > 0 {
            let block = match self.blocks.next()? {
                Ok(block) => block,
                Err(error) => return Some(Err(error)),
            };
            let len = block.len();
            let index = |at: u64| usize::try_from(at).unwrap_or(len).min(len);
            let cut = block.slice(index(self.skip)..index(self.skip.saturating_add(self.left)));
            self.skip = self.skip.saturating_sub(len as u64);
            self.left = self.left.saturating_sub(cut.len() as u64);
            if !cut.is_empty() {
                return Some(Ok(cut));
            }
        }
        None
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(bytes) => write!(f, "Whole({} bytes)", bytes.len()),
            Self::Stream(_) => write!(f, "Stream"),
            Self::Sized { size_bytes, .. } => write!(f, "Sized({size_bytes} bytes)"),
        }
    }
}
