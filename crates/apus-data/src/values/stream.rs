//! Values of one dataset as they are read, in the frame of a form.

use std::collections::VecDeque;

use apus_h5::Pace;
use bytes::Bytes;

use super::element_form::Elements;
use crate::{Error, Result, encode::TextEncoder};

/// Text is handed on when it has so many bytes.
const TEXT_BLOCK_BYTES: usize = 256 << 10;
/// A block of text is no shorter than this, however slowly its client reads.
const MIN_TEXT_BLOCK_BYTES: usize = 16 << 10;
/// So many bytes of elements are turned into text at once.
const STEP_BYTES: usize = 16 << 10;
/// What a block may have when it is handed on, for nearly all types: a step of doubles is three times as long as text.
const TEXT_CAPACITY_BYTES: usize = TEXT_BLOCK_BYTES + 4 * STEP_BYTES;

/// Bytes that stand before values, and how many bytes of values follow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) head: Bytes,
    pub(super) values_bytes: u64,
}

/// The blocks of a reader as they are, without a copy, with frames between them. The first values are read before the first head leaves, so
/// that an error in them comes in time to be said otherwise than by breaking off.
pub(super) struct FramedBlocks {
    elements: Elements,
    /// The frames that are still to come.
    frames: VecDeque<Frame>,
    /// Values that were read and are still to leave.
    block: Bytes,
    /// What is still missing of the values of the frame whose head has left.
    left_bytes: u64,
}

impl FramedBlocks {
    pub(super) fn new(elements: impl Into<Elements>, frames: impl IntoIterator<Item = Frame>) -> Self {
        Self { elements: elements.into(), frames: frames.into_iter().collect(), block: Bytes::new(), left_bytes: 0 }
    }

    fn step(&mut self) -> Result<Option<Bytes>> {
        loop {
            let is_between = self.left_bytes == 0;
            let wants_values = !is_between || self.frames.iter().any(|frame| frame.values_bytes > 0);
            while wants_values && self.block.is_empty() {
                let block = self.elements.next().ok_or_else(|| Error::internal("the reader ended before its size"))?;
                self.block = block?;
            }
            if is_between {
                let Some(Frame { head, values_bytes }) = self.frames.pop_front() else { return Ok(None) };
                self.left_bytes = values_bytes;
                if head.is_empty() {
                    continue;
                }
                return Ok(Some(head));
            }
            let n_bytes = usize::try_from(self.left_bytes).unwrap_or(usize::MAX).min(self.block.len());
            self.left_bytes -= n_bytes as u64;
            return Ok(Some(self.block.split_to(n_bytes)));
        }
    }
}

impl Iterator for FramedBlocks {
    type Item = Result<Bytes>;

    fn next(&mut self) -> Option<Self::Item> {
        self.step().transpose()
    }
}

/// The values of a reader as text, between a head and a tail.
pub(super) struct TextBlocks<E> {
    elements: Elements,
    pace: Pace,
    encoder: E,
    /// Text that is still to leave.
    out: Vec<u8>,
    /// What stands after all values; `None` when it was written.
    tail: Option<Vec<u8>>,
    /// What is left of the block that is being written.
    block: Bytes,
    /// The length of the memory that this keeps, as far as it is known.
    kept_bytes: usize,
}

impl<E: TextEncoder> TextBlocks<E> {
    pub(super) fn new(elements: impl Into<Elements>, pace: Pace, encoder: E, head: Vec<u8>, tail: Vec<u8>) -> Self {
        Self {
            elements: elements.into(),
            pace,
            encoder,
            out: head,
            tail: Some(tail),
            block: Bytes::new(),
            kept_bytes: 0,
        }
    }

    /// Writes until there is enough for a block of text, or nothing more.
    fn fill(&mut self) -> Result<()> {
        let element_bytes = self.encoder.element_bytes().max(1);
        let step_bytes = (STEP_BYTES / element_bytes).max(1) * element_bytes;
        let block_bytes = self.pace.block_bytes().clamp(MIN_TEXT_BLOCK_BYTES, TEXT_BLOCK_BYTES);
        while self.out.len() < block_bytes {
            if self.block.is_empty() {
                if let Some(block) = self.elements.next() {
                    self.block = block?;
                    self.kept_bytes = usize::MAX;
                    continue;
                }
                if let Some(mut tail) = self.tail.take() {
                    self.encoder.finish(&mut self.out);
                    self.out.append(&mut tail);
                }
                return Ok(());
            }
            let step = self.block.split_to(step_bytes.min(self.block.len()));
            self.encoder.write(&step, &mut self.out);
        }
        if block_bytes < TEXT_BLOCK_BYTES && self.block.len() <= self.kept_bytes / 2 {
            // A block keeps all that was decoded with it; a client that takes it slowly is left with little more than it still needs.
            self.block = Bytes::copy_from_slice(&self.block);
            self.kept_bytes = self.block.len();
        }
        Ok(())
    }
}

impl<E: TextEncoder> Iterator for TextBlocks<E> {
    type Item = Result<Bytes>;

    fn next(&mut self) -> Option<Self::Item> {
        self.tail.as_ref()?;
        if let Err(error) = self.fill() {
            return Some(Err(error));
        }
        // So that a slow client does not hold room for more.
        let capacity = if self.out.len() < TEXT_BLOCK_BYTES { self.out.len() } else { TEXT_CAPACITY_BYTES };
        let out = std::mem::replace(&mut self.out, Vec::with_capacity(capacity));
        Some(Ok(out.into()))
    }
}
