//! A part of an answer of known length, for a client that goes on where its connection broke.

use std::{ops::Range, sync::Arc};

use axum::http::header;
use bytes::Bytes;

use super::plan::Plan;
use crate::{
    api::rest::conditions::{Conditions, Part, mark_part},
    error::ApiResult,
    read_task::{Answer, AnswerBody, Blocks},
};

/// The part of the answer that is wanted. Values before it are read again, since the checksums behind them rest on all of them; they do not
/// leave. An answer of unknown length is given whole.
///
/// Errors: 416 where the part lies outside.
pub(super) fn wanted_part(answer: Answer, plan: Arc<Plan>, conditions: &Conditions, tag: &str) -> ApiResult<Answer> {
    let Answer { status, headers, body } = answer;
    let AnswerBody::Blocks { blocks, size_bytes: Some(size_bytes) } = body else {
        return Ok(Answer { status, headers, body });
    };
    let part = conditions.part(tag, size_bytes)?;
    let (blocks, part_bytes): (Blocks, u64) = match &part {
        Part::Whole => (blocks, size_bytes),
        Part::Bytes(bytes) => (Box::new(PartBlocks::new(blocks, bytes, plan)), bytes.end - bytes.start),
    };
    let body = AnswerBody::Blocks { blocks, size_bytes: Some(part_bytes) };
    let answer = Answer { status, headers, body }.with_header(header::ACCEPT_RANGES, "bytes");
    Ok(mark_part(answer, &part, size_bytes))
}

struct PartBlocks {
    blocks: Blocks,
    /// Bytes that come before the part.
    skip: u64,
    /// Bytes of the part that are still to come.
    left: u64,
    plan: Arc<Plan>,
}

impl PartBlocks {
    fn new(blocks: Blocks, part: &Range<u64>, plan: Arc<Plan>) -> Self {
        Self { blocks, skip: part.start, left: part.end - part.start, plan }
    }

    /// What of a block belongs to the part.
    fn cut(&mut self, block: &Bytes) -> Bytes {
        let len = block.len();
        let index = |at: u64| usize::try_from(at).unwrap_or(len).min(len);
        let cut = block.slice(index(self.skip)..index(self.skip.saturating_add(self.left)));
        self.skip = self.skip.saturating_sub(len as u64);
        self.left = self.left.saturating_sub(cut.len() as u64);
        cut
    }
}

impl Iterator for PartBlocks {
    type Item = ApiResult<Bytes>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.left > 0 {
            let cut = match self.blocks.next()? {
                Ok(block) => self.cut(&block),
                Err(error) => {
                    self.left = 0;
                    return Some(Err(error));
                }
            };
            // Before the last bytes leave: after them the client has all that it was promised.
            if self.left == 0
                && let Err(error) = self.plan.check_unchanged()
            {
                return Some(Err(error));
            }
            if !cut.is_empty() {
                return Some(Ok(cut));
            }
        }
        None
    }
}
