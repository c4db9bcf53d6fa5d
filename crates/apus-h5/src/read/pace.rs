//! How the readers of one request go along with whoever takes their blocks.

use std::{
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use super::stored::Stored;

/// Readers that are gone are forgotten when there are so many.
const MIN_PRUNED: usize = 16;

/// The pace of one request, which all of its readers follow. Cheap to clone; the default asks nothing of them.
#[derive(Clone, Default)]
pub struct Pace(Arc<Inner>);

struct Inner {
    block_bytes: AtomicUsize,
    held_bytes: AtomicU64,
    readers: Mutex<Vec<Weak<Mutex<Stored>>>>,
}

impl Default for Inner {
    fn default() -> Self {
        Self { block_bytes: AtomicUsize::new(usize::MAX), held_bytes: AtomicU64::new(0), readers: Mutex::default() }
    }
}

impl Pace {
    /// The most bytes of a block at this time.
    pub fn block_bytes(&self) -> usize {
        self.0.block_bytes.load(Ordering::Relaxed)
    }

    /// Makes further blocks that long at most: short ones for whoever takes them slowly.
    pub fn set_block_bytes(&self, n_bytes: usize) {
        self.0.block_bytes.store(n_bytes, Ordering::Relaxed);
    }

    /// The bytes that stay in memory between two blocks, beside what [`park`](Self::park) gives back.
    pub fn held_bytes(&self) -> u64 {
        self.0.held_bytes.load(Ordering::Relaxed)
    }

    /// Says how many those are.
    pub fn set_held_bytes(&self, n_bytes: u64) {
        self.0.held_bytes.store(n_bytes, Ordering::Relaxed);
    }

    /// Gives back what was read and decoded ahead, since nobody takes it at this time. When somebody does, it is read again.
    pub fn park(&self) {
        let readers: Vec<_> = self.readers().iter().filter_map(Weak::upgrade).collect();
        for reader in readers {
            reader.lock().unwrap_or_else(PoisonError::into_inner).park();
        }
    }

    pub(super) fn join(&self, reader: Weak<Mutex<Stored>>) {
        let mut readers = self.readers();
        if readers.len() >= MIN_PRUNED && readers.len() == readers.capacity() {
            readers.retain(|reader| reader.strong_count() > 0);
        }
        readers.push(reader);
    }

    fn readers(&self) -> MutexGuard<'_, Vec<Weak<Mutex<Stored>>>> {
        self.0.readers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Pace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pace({} bytes)", self.block_bytes())
    }
}
