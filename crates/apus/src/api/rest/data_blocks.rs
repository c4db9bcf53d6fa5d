//! The bodies of `/v1/data`, block by block.

use std::ops::Range;

use apus_h5::{Block, Reader};
use bytes::Bytes;

use super::data::Source;
use crate::{
    catalog::Identity,
    encode::{csv::CsvEncoder, json::JsonEncoder},
    error::{ApiError, ApiResult},
    read_task::Blocks,
};

/// Text is handed on when it has so many bytes.
const TEXT_BLOCK_BYTES: usize = 256 << 10;
/// So many bytes of elements are turned into text at once.
const STEP_BYTES: usize = 16 << 10;
/// What a block may have when it is handed on, for nearly all types: a step of doubles is three times as long as text.
const TEXT_CAPACITY_BYTES: usize = TEXT_BLOCK_BYTES + 4 * STEP_BYTES;

/// The bytes `part` of `head` followed by the reader's values. Only the rows that the part touches are read.
///
/// Errors: the reader's, while planning.
pub(super) fn fixed_blocks(source: Source, reader: Reader, head: Vec<u8>, part: Range<u64>) -> ApiResult<Blocks> {
    let head_bytes = head.len() as u64;
    let values = part.start.saturating_sub(head_bytes)..part.end.saturating_sub(head_bytes);
    let head = slice(&Bytes::from(head), part.start, part.end);
    let n_rows = reader.shape().first().copied().unwrap_or(0);
    let row_bytes = reader.size_bytes().checked_div(n_rows).unwrap_or(0);
    let is_whole = values == (0..reader.size_bytes());
    let (reader, skip) = if is_whole || row_bytes == 0 {
        (reader, values.start)
    } else {
        let (first, end) = (values.start / row_bytes, values.end.div_ceil(row_bytes));
        let rows = source.rows_of_answer(first, end);
        (source.dataset.reader(rows, &source.app.read_options())?, values.start - first * row_bytes)
    };
    let blocks = FixedBlocks { reader, skip, left: values.end - values.start, end: Some(AtEnd::new(source)?) };
    Ok(Box::new(WithHead { head: (!head.is_empty()).then_some(head), first: None, blocks }))
}

/// The head, and then the blocks. The first block is made before the head leaves, so that an error in it comes in time for a
/// status of its own.
struct WithHead {
    head: Option<Bytes>,
    first: Option<Bytes>,
    blocks: FixedBlocks,
}

impl Iterator for WithHead {
    type Item = ApiResult<Bytes>;

    fn next(&mut self) -> Option<Self::Item> {
        let Some(head) = self.head.take() else {
            return self.first.take().map(Ok).or_else(|| self.blocks.next());
        };
        match self.blocks.next().transpose() {
            Ok(first) => {
                self.first = first;
                Some(Ok(head))
            }
            Err(error) => Some(Err(error)),
        }
    }
}

struct FixedBlocks {
    reader: Reader,
    /// Bytes of the reader's that come before the part.
    skip: u64,
    /// Bytes of the part that are still to come.
    left: u64,
    end: Option<AtEnd>,
}

impl Iterator for FixedBlocks {
    type Item = ApiResult<Bytes>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.left > 0 {
            let block = match self.reader.next() {
                Some(Ok(block)) => Bytes::from_owner(OwnedBlock(block)),
                Some(Err(error)) => return Some(self.fail(error.into())),
                None => return Some(self.fail(ApiError::internal("the reader ended before its size"))),
            };
            let n_bytes = block.len() as u64;
            let part = slice(&block, self.skip, self.skip.saturating_add(self.left));
            self.skip = self.skip.saturating_sub(n_bytes);
            self.left = self.left.saturating_sub(part.len() as u64);
            // The check comes before the last block leaves: after it the client has all that it was promised.
            if self.left == 0
                && let Some(Err(error)) = self.end.take().map(AtEnd::check)
            {
                return Some(self.fail(error));
            }
            if !part.is_empty() {
                return Some(Ok(part));
            }
        }
        None
    }
}

impl FixedBlocks {
    fn fail(&mut self, error: ApiError) -> ApiResult<Bytes> {
        self.left = 0;
        Err(error)
    }
}

/// The bytes `[start, end)` of a block, as far as it goes; without a copy.
fn slice(block: &Bytes, start: u64, end: u64) -> Bytes {
    let len = block.len();
    let index = |at: u64| usize::try_from(at).unwrap_or(len).min(len);
    block.slice(index(start)..index(end).max(index(start)))
}

/// Lets a block travel as [`Bytes`] without a copy; its buffer goes back to the reader when the socket is done with it.
struct OwnedBlock(Block);

impl AsRef<[u8]> for OwnedBlock {
    fn as_ref(&self) -> &[u8] {
        self.0.bytes()
    }
}

/// Turns elements into text.
pub(super) trait TextEncoder: Send + 'static {
    fn element_bytes(&self) -> usize;
    fn write(&mut self, elements: &[u8], out: &mut Vec<u8>);
    fn finish(&mut self, out: &mut Vec<u8>);
}

impl TextEncoder for JsonEncoder {
    fn element_bytes(&self) -> usize {
        Self::element_bytes(self)
    }

    fn write(&mut self, elements: &[u8], out: &mut Vec<u8>) {
        Self::write(self, elements, out);
    }

    fn finish(&mut self, out: &mut Vec<u8>) {
        Self::finish(self, out);
    }
}

impl TextEncoder for CsvEncoder {
    fn element_bytes(&self) -> usize {
        Self::element_bytes(self)
    }

    fn write(&mut self, elements: &[u8], out: &mut Vec<u8>) {
        Self::write(self, elements, out);
    }

    fn finish(&mut self, _out: &mut Vec<u8>) {}
}

/// The text of `head` followed by the reader's values as `encoder` writes them.
///
/// Errors: those of finding the files that the values lie in.
pub(super) fn text_blocks(
    source: Source,
    reader: Reader,
    encoder: impl TextEncoder,
    head: Vec<u8>,
) -> ApiResult<Blocks> {
    let end = Some(AtEnd::new(source)?);
    Ok(Box::new(TextBlocks { reader, encoder, out: head, block: None, used: 0, end, is_over: false }))
}

struct TextBlocks<E> {
    reader: Reader,
    encoder: E,
    out: Vec<u8>,
    /// The block that is being written, of which `used` bytes are.
    block: Option<Block>,
    used: usize,
    end: Option<AtEnd>,
    is_over: bool,
}

impl<E: TextEncoder> TextBlocks<E> {
    /// Writes until there is enough for a block of text. Whether there is more.
    fn fill(&mut self) -> ApiResult<bool> {
        let step_bytes =
            (STEP_BYTES / self.encoder.element_bytes().max(1)).max(1) * self.encoder.element_bytes().max(1);
        while self.out.len() < TEXT_BLOCK_BYTES {
            let Some(block) = &self.block else {
                match self.reader.next() {
                    Some(block) => {
                        self.block = Some(block?);
                        self.used = 0;
                        continue;
                    }
                    None => return Ok(false),
                }
            };
            let bytes = block.bytes();
            let end = self.used.saturating_add(step_bytes).min(bytes.len());
            self.encoder.write(bytes.get(self.used..end).unwrap_or_default(), &mut self.out);
            self.used = end;
            if end == bytes.len() {
                self.block = None;
            }
        }
        Ok(true)
    }
}

impl<E: TextEncoder> Iterator for TextBlocks<E> {
    type Item = ApiResult<Bytes>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        let outcome = self.fill().and_then(|has_more| {
            if !has_more {
                self.is_over = true;
                self.encoder.finish(&mut self.out);
                self.end.take().map_or(Ok(()), AtEnd::check)?;
            }
            Ok(())
        });
        if let Err(error) = outcome {
            self.is_over = true;
            return Some(Err(error));
        }
        let out = std::mem::replace(&mut self.out, Vec::with_capacity(TEXT_CAPACITY_BYTES));
        Some(Ok(out.into()))
    }
}

/// Looks, when all is read, whether the files that were read still are what they were.
struct AtEnd {
    source: Source,
    identities: Vec<Option<Identity>>,
}

impl AtEnd {
    fn new(source: Source) -> ApiResult<Self> {
        let identities = source.file.identities_of(&source.dataset)?;
        Ok(Self { source, identities })
    }

    fn check(self) -> ApiResult<()> {
        self.source.file.bytes.check_unchanged()?;
        let is_alone = self.identities.len() == 1;
        if is_alone || self.source.file.identities_of(&self.source.dataset)? == self.identities {
            return Ok(());
        }
        Err(ApiError::Unreadable {
            code: "changed",
            detail: format!(
                "{}: a file that it draws on was changed while it was read; ask again",
                self.source.query.object
            )
            .into(),
        })
    }
}
