//! A cache of blocks, for metadata.

use std::{
    collections::HashMap,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::ByteSource;

/// The size of a block. Metadata of one group or dataset tends to lie together, so one block often serves several
/// structures; yet a cold block should stay cheap to fetch.
const BLOCK_BYTES: u64 = 16 << 10;

/// The most recently used blocks of a source, up to a number of bytes. No lock is held while the source is asked, so that a
/// slow read stops nobody else; two threads may then fetch the same block, which does no harm.
#[derive(Debug)]
pub(crate) struct BlockCache {
    source: Arc<dyn ByteSource>,
    max_blocks: usize,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    blocks: HashMap<u64, (Arc<[u8]>, u64)>,
    /// Counts uses; a block's number is the time of its last use.
    clock: u64,
}

impl BlockCache {
    /// Keeps at most `max_bytes` of `source` (and at least one block).
    pub(crate) fn new(source: Arc<dyn ByteSource>, max_bytes: usize) -> Self {
        let block_bytes = usize::try_from(BLOCK_BYTES).unwrap_or(usize::MAX);
        Self { source, max_blocks: (max_bytes / block_bytes).max(1), kept: Mutex::default() }
    }

    /// The source beneath.
    pub(crate) fn source(&self) -> &Arc<dyn ByteSource> {
        &self.source
    }

    /// Fills `buf` with the bytes from `offset` on. What would push out a quarter of the cache passes by it.
    pub(crate) fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<()> {
        if buf.is_empty() {
            return Ok(());
        }
        let end = offset.checked_add(buf.len() as u64).filter(|&end| end <= self.source.len());
        let end = end.ok_or(io::ErrorKind::UnexpectedEof)?;
        let (first, last) = (offset / BLOCK_BYTES, (end - 1) / BLOCK_BYTES);
        if last - first >= (self.max_blocks as u64 / 4).max(1) {
            return self.source.read_at(offset, buf);
        }
        for number in first..=last {
            let block = self.block(number)?;
            let block_start = number * BLOCK_BYTES;
            let (from, to) = (offset.max(block_start), end.min(block_start + block.len() as u64));
            let part =
                |start: u64| usize::try_from(from - start).ok().zip(usize::try_from(to.checked_sub(start)?).ok());
            let parts = part(block_start).zip(part(offset));
            let parts = parts.and_then(|((a, b), (c, d))| block.get(a..b).zip(buf.get_mut(c..d)));
            let (source, target) = parts.ok_or(io::ErrorKind::UnexpectedEof)?;
            target.copy_from_slice(source);
        }
        Ok(())
    }

    fn block(&self, number: u64) -> io::Result<Arc<[u8]>> {
        {
            let mut kept = self.kept();
            kept.clock += 1;
            let now = kept.clock;
            if let Some((block, used)) = kept.blocks.get_mut(&number) {
                *used = now;
                return Ok(Arc::clone(block));
            }
        }
        let start = number * BLOCK_BYTES;
        let len = self.source.len().saturating_sub(start).min(BLOCK_BYTES);
        let mut bytes = vec![0; usize::try_from(len).unwrap_or(0)];
        self.source.read_at(start, &mut bytes)?;
        let block: Arc<[u8]> = bytes.into();
        let mut kept = self.kept();
        if kept.blocks.len() >= self.max_blocks {
            kept.drop_oldest(self.max_blocks);
        }
        let now = kept.clock;
        kept.blocks.insert(number, (Arc::clone(&block), now));
        Ok(block)
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    /// Makes room: drops the quarter that was not used for longest, so that this runs once in a while only.
    fn drop_oldest(&mut self, max_blocks: usize) {
        let mut times: Vec<u64> = self.blocks.values().map(|&(_, used)| used).collect();
        times.sort_unstable();
        let Some(&limit) = times.get(max_blocks / 4) else { return };
        self.blocks.retain(|_, &mut (_, used)| used > limit);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::source::Memory;

    proptest! {
        #[test]
        fn gives_the_bytes_of_the_source(reads in prop::collection::vec((0u64..200_000, 0usize..70_000), 1..40), blocks in 0usize..9) {
            let bytes: Vec<u8> = (0..200_000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
            let cache = BlockCache::new(Arc::new(Memory::new(bytes.clone())), blocks << 14);
            for (offset, len) in reads {
                let mut buf = vec![0; len];
                let read = cache.read_at(offset, &mut buf);
                let start = usize::try_from(offset).unwrap();
                let expected = bytes.get(start..start + len);
                prop_assert_eq!(read.is_ok().then_some(&buf[..]), expected);
                prop_assert!(cache.kept().blocks.len() <= blocks.max(1));
            }
        }
    }
}
