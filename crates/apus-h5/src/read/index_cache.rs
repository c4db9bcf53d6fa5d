//! The chunk indexes of one file.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use crate::{Result, format::chunk_index::ChunkIndex};

/// Beyond this, indexes that are not asked for are forgotten: an index of ten million chunks is 160 MB.
const MAX_KEPT_BYTES: u64 = 256 << 20;

/// Keeps each index from its first use on, for all datasets that were opened at the same address.
#[derive(Debug, Default)]
pub(crate) struct IndexCache(Mutex<HashMap<u64, Arc<Slot>>>);

/// Its lock is held while the index is read, so that only one thread does.
type Slot = Mutex<Option<Arc<ChunkIndex>>>;

impl IndexCache {
    /// The index of the dataset whose object header is at `address`.
    pub(crate) fn get_or_read(
        &self,
        address: u64,
        read: impl FnOnce() -> Result<ChunkIndex>,
    ) -> Result<Arc<ChunkIndex>> {
        let slot = Arc::clone(self.slots().entry(address).or_default());
        let mut kept = slot.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(index) = &*kept {
            return Ok(Arc::clone(index));
        }
        let index = Arc::new(read()?);
        *kept = Some(Arc::clone(&index));
        drop(kept);
        self.forget_others(address, index.memory_bytes());
        Ok(index)
    }

    /// Makes room for the index that was added last.
    fn forget_others(&self, address: u64, added_bytes: u64) {
        let mut slots = self.slots();
        // An index that is being read right now is left alone.
        let size = |slot: &Slot| slot.try_lock().ok().and_then(|kept| kept.as_ref().map(|index| index.memory_bytes()));
        let mut total = slots.iter().filter(|(at, _)| **at != address).filter_map(|(_, slot)| size(slot)).sum::<u64>();
        total += added_bytes;
        if total > MAX_KEPT_BYTES {
            slots.retain(|at, slot| *at == address || size(slot).is_none());
        }
    }

    fn slots(&self) -> std::sync::MutexGuard<'_, HashMap<u64, Arc<Slot>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
