//! Bodies: bytes that leave block by block, and never look whole where they are not.

use std::fmt;

use apus_h5::Pace;
use bytes::Bytes;

use super::Pinned;
use crate::{Error, Result};

/// Makes the blocks of a body, one after the other.
pub type Blocks = Box<dyn Iterator<Item = Result<Bytes>> + Send>;

/// What leaves. Only [`Pinned`] makes it.
#[derive(Debug)]
pub enum Body {
    /// All of it.
    Whole(Bytes),
    /// A stream.
    Blocks(CheckedBlocks),
}

impl Body {
    /// Its length, where that is known.
    pub fn size_bytes(&self) -> Option<u64> {
        match self {
            Self::Whole(bytes) => Some(bytes.len() as u64),
            Self::Blocks(blocks) => blocks.size_bytes,
        }
    }
}

/// The blocks of a body. They end with an error, once, where a file has changed since the request met it, or where they are not as many
/// bytes as were announced; the last bytes of a body of known length leave after that was looked at, and so does the end of any other.
pub struct CheckedBlocks {
    blocks: Blocks,
    pinned: Pinned,
    size_bytes: Option<u64>,
    /// What is still to come of that.
    left_bytes: Option<u64>,
    is_over: bool,
}

impl CheckedBlocks {
    pub(super) fn new(pinned: Pinned, blocks: Blocks, size_bytes: Option<u64>) -> Self {
        Self { blocks, pinned, size_bytes, left_bytes: size_bytes, is_over: size_bytes == Some(0) }
    }

    /// The pace of what makes them.
    pub fn pace(&self) -> Pace {
        self.pinned.read_options().pace
    }

    fn step(&mut self) -> Result<Option<Bytes>> {
        let Some(block) = self.blocks.next().transpose()? else {
            if self.left_bytes.is_some() {
                return Err(Error::internal("a body ended before the length that was announced"));
            }
            self.pinned.check_unchanged()?;
            return Ok(None);
        };
        if let Some(left) = &mut self.left_bytes {
            let n_bytes = block.len() as u64;
            *left = left.checked_sub(n_bytes).ok_or_else(|| Error::internal("a body is longer than was announced"))?;
            if *left == 0 {
                self.pinned.check_unchanged()?;
                self.is_over = true;
            }
        }
        Ok(Some(block))
    }
}

impl Iterator for CheckedBlocks {
    type Item = Result<Bytes>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        let step = self.step().transpose();
        self.is_over |= !matches!(step, Some(Ok(_)));
        step
    }
}

impl fmt::Debug for CheckedBlocks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CheckedBlocks({:?} bytes)", self.size_bytes)
    }
}
