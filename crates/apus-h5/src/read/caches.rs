//! What is kept of files between requests: chunk indexes, and decoded chunks of small reads.

use std::{
    fmt,
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use quick_cache::{
    DefaultHashBuilder, OptionsBuilder, Weighter,
    sync::{Cache, DefaultLifecycle, GuardResult},
};

use crate::{
    Result,
    cancel::without_pauses,
    filter::{FilterError, Pipeline, Scratch},
    format::chunk_index::{ChunkIndex, ChunkLocation},
};

/// An index of ten million chunks is 160 MB.
const DEFAULT_INDEX_BYTES: u64 = 256 << 20;
/// What an entry takes beside its bytes, roughly.
const ENTRY_BYTES: u64 = 256;
/// For what a cache remembers of things that it dropped: the right order of magnitude will do.
const TYPICAL_CHUNK_BYTES: u64 = 64 << 10;
const TYPICAL_INDEX_BYTES: u64 = 16 << 10;

/// The caches that files share which are opened with them, each limited in bytes. Cheap to clone.
///
/// Entries belong to one opening of a file: opening it again, because it changed, begins anew, and closing it drops them.
#[derive(Clone)]
pub struct Caches(Arc<Inner>);

struct Inner {
    indexes: Counted<Arc<ChunkIndex>>,
    chunks: Counted<Arc<KeptChunk>>,
    /// No decoded chunk is kept.
    without_chunks: bool,
}

/// A cache, and what was found in it.
struct Counted<V> {
    cache: Cache<Key, V, Sizes>,
    hits: AtomicU64,
    misses: AtomicU64,
}

/// The opening of the file, the address of the dataset's object header, the number of the chunk (zero for the index).
type Key = (u64, u64, u64);

/// How much and how well a cache keeps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CacheStats {
    /// Questions that it could answer.
    pub hits: u64,
    /// Questions that it could not.
    pub misses: u64,
    /// What it holds.
    pub size_bytes: u64,
}

/// A chunk that may be needed again: whoever needs it first decodes it, and all others wait for that.
#[derive(Debug)]
pub(crate) struct KeptChunk {
    /// Gone when it is decoded.
    raw: Mutex<Box<[u8]>>,
    pub(crate) location: ChunkLocation,
    size_bytes: u64,
    decoded: OnceLock<std::result::Result<Box<[u8]>, FilterError>>,
}

impl Caches {
    /// Chunk indexes and decoded chunks up to so many bytes each; 0 keeps none.
    pub fn new(index_bytes: u64, chunk_bytes: u64) -> Self {
        Self(Arc::new(Inner {
            indexes: Counted::new(index_bytes, TYPICAL_INDEX_BYTES),
            chunks: Counted::new(chunk_bytes, TYPICAL_CHUNK_BYTES),
            without_chunks: chunk_bytes == 0,
        }))
    }

    /// What became of chunk indexes.
    pub fn index_stats(&self) -> CacheStats {
        self.0.indexes.stats()
    }

    /// What became of decoded chunks.
    pub fn chunk_stats(&self) -> CacheStats {
        self.0.chunks.stats()
    }

    /// Drops what belongs to a file that is closed.
    pub(crate) fn forget(&self, file: u64) {
        self.0.indexes.cache.retain(|(of, ..), _| *of != file);
        self.0.chunks.cache.retain(|(of, ..), _| *of != file);
    }

    /// The index of the dataset whose object header is at `address`; only one thread reads it, and others wait.
    pub(crate) fn index(
        &self,
        file: u64,
        address: u64,
        read: impl FnOnce() -> Result<ChunkIndex>,
    ) -> Result<Arc<ChunkIndex>> {
        self.0.indexes.get_or_insert((file, address, 0), || read().map(Arc::new))
    }

    /// Whether decoded chunks are kept.
    pub(crate) fn keeps_chunks(&self) -> bool {
        !self.0.without_chunks
    }

    /// The chunk of that number; only one thread fetches it, and others wait.
    pub(crate) fn chunk(
        &self,
        (file, address, number): (u64, u64, u64),
        fetch: impl FnOnce() -> Result<KeptChunk>,
    ) -> Result<Arc<KeptChunk>> {
        self.0.chunks.get_or_insert((file, address, number), || fetch().map(Arc::new))
    }
}

impl Default for Caches {
    /// For a program that reads a few files: indexes are kept, chunks are not.
    fn default() -> Self {
        Self::new(DEFAULT_INDEX_BYTES, 0)
    }
}

impl<V: Clone> Counted<V>
where
    Sizes: Weighter<Key, V>,
{
    fn new(limit_bytes: u64, typical_bytes: u64) -> Self {
        let n_items = usize::try_from(limit_bytes / typical_bytes).unwrap_or(usize::MAX);
        // One shard: an entry may take the whole limit, and what is done under its lock is short.
        let options = OptionsBuilder::new()
            .shards(1)
            .weight_capacity(limit_bytes)
            .estimated_items_capacity(n_items.clamp(16, 1 << 16))
            .build();
        let cache = match options {
            Ok(options) => {
                Cache::with_options(options, Sizes, DefaultHashBuilder::default(), DefaultLifecycle::default())
            }
            // Both numbers are given, so this is never met.
            Err(_) => Cache::with_weighter(16, limit_bytes, Sizes),
        };
        Self { cache, hits: AtomicU64::new(0), misses: AtomicU64::new(0) }
    }

    fn get_or_insert(&self, key: Key, make: impl FnOnce() -> Result<V>) -> Result<V> {
        match self.cache.get_value_or_guard(&key, None) {
            GuardResult::Value(value) => {
                self.hits.fetch_add(1, Ordering::Relaxed);
                Ok(value)
            }
            GuardResult::Guard(guard) => {
                self.misses.fetch_add(1, Ordering::Relaxed);
                let value = without_pauses(make)?;
                // Refused only where it was removed meanwhile, because the file was closed.
                let _ = guard.insert(value.clone());
                Ok(value)
            }
            GuardResult::Timeout => make(),
        }
    }

    fn stats(&self) -> CacheStats {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        CacheStats { hits: count(&self.hits), misses: count(&self.misses), size_bytes: self.cache.weight() }
    }
}

#[derive(Clone)]
struct Sizes;

impl Weighter<Key, Arc<ChunkIndex>> for Sizes {
    fn weight(&self, _: &Key, index: &Arc<ChunkIndex>) -> u64 {
        index.memory_bytes() + ENTRY_BYTES
    }
}

impl Weighter<Key, Arc<KeptChunk>> for Sizes {
    fn weight(&self, _: &Key, chunk: &Arc<KeptChunk>) -> u64 {
        chunk.size_bytes + ENTRY_BYTES
    }
}

impl KeptChunk {
    /// A chunk as it is in the file, which decodes to `chunk_len` bytes.
    pub(crate) fn new(raw: Box<[u8]>, location: ChunkLocation, chunk_len: usize) -> Self {
        let size_bytes = raw.len().max(chunk_len) as u64;
        Self { raw: Mutex::new(raw), location, size_bytes, decoded: OnceLock::new() }
    }

    /// The most bytes that it takes, encoded or decoded.
    pub(crate) fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// Whether nothing is left to be decoded.
    pub(crate) fn is_decoded(&self) -> bool {
        self.decoded.get().is_some()
    }

    /// The decoded bytes.
    pub(crate) fn decoded(
        &self,
        pipeline: &Pipeline,
        scratch: &mut Scratch,
    ) -> &std::result::Result<Box<[u8]>, FilterError> {
        self.decoded.get_or_init(|| {
            let raw = std::mem::take(&mut *self.raw.lock().unwrap_or_else(PoisonError::into_inner));
            pipeline.decode(&raw, self.location.filter_mask, scratch).map(Box::from)
        })
    }
}

impl fmt::Debug for Caches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Caches(indexes {:?}, chunks {:?})", self.index_stats(), self.chunk_stats())
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::{Barrier, atomic::AtomicUsize},
        thread,
    };

    use super::*;
    use crate::Error;

    const PLACE: ChunkLocation = ChunkLocation { address: 0, size: 1, filter_mask: 0 };

    fn chunk(n_bytes: usize) -> KeptChunk {
        KeptChunk::new(vec![7; n_bytes].into(), PLACE, n_bytes)
    }

    #[test]
    fn only_one_of_many_threads_fetches_and_one_decodes() {
        let (caches, n_fetched, start) = (Caches::new(0, 1 << 20), AtomicUsize::new(0), Barrier::new(8));
        let pipeline = Pipeline::new(&[], 1000).unwrap();
        let chunks: Vec<Arc<KeptChunk>> = thread::scope(|scope| {
            let ask = || {
                start.wait();
                let chunk = caches.chunk((1, 2, 3), || {
                    n_fetched.fetch_add(1, Ordering::Relaxed);
                    Ok(chunk(1000))
                });
                let chunk = chunk.unwrap();
                assert_eq!(chunk.decoded(&pipeline, &mut Scratch::default()).as_ref().unwrap()[..], [7; 1000]);
                chunk
            };
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(ask)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(n_fetched.into_inner(), 1);
        assert!(chunks.iter().all(|chunk| Arc::ptr_eq(chunk, &chunks[0])));
        assert!(chunks[0].raw.lock().unwrap().is_empty(), "encoded bytes go when they are decoded");
        let stats = caches.chunk_stats();
        assert_eq!((stats.hits, stats.misses, stats.size_bytes), (7, 1, 1000 + ENTRY_BYTES));
    }

    #[test]
    fn never_holds_more_than_its_limit() {
        let caches = Caches::new(0, 100_000);
        for number in 0..1000 {
            caches.chunk((1, 2, number), || Ok(chunk(usize::try_from(number % 7).unwrap() * 3000))).unwrap();
            assert!(caches.chunk_stats().size_bytes <= 100_000);
        }
        assert!(caches.chunk_stats().size_bytes > 50_000);
        // What is larger than all of it is given, but not kept.
        assert_eq!(caches.chunk((1, 2, 5000), || Ok(chunk(200_000))).unwrap().size_bytes(), 200_000);
        assert!(caches.chunk_stats().size_bytes <= 100_000);
    }

    #[test]
    fn one_entry_may_take_most_of_it() {
        let caches = Caches::new(0, 100_000);
        caches.chunk((1, 2, 3), || Ok(chunk(70_000))).unwrap();
        caches.chunk((1, 2, 3), || panic!("it is kept")).unwrap();
    }

    #[test]
    fn a_failure_is_not_kept() {
        let caches = Caches::new(0, 1 << 20);
        let failed = caches.chunk((1, 2, 3), || {
            Err(Error::Damaged { file: String::new(), object: String::new(), reason: "on purpose".to_owned() })
        });
        assert!(failed.is_err());
        assert!(caches.chunk((1, 2, 3), || Ok(chunk(10))).is_ok());
    }

    #[test]
    fn closing_a_file_drops_what_is_its_own() {
        let caches = Caches::new(0, 1 << 20);
        let (first, second) = (1, 2);
        caches.chunk((first, 0, 0), || Ok(chunk(10))).unwrap();
        caches.chunk((second, 0, 0), || Ok(chunk(10))).unwrap();
        caches.forget(first);
        assert_eq!(caches.chunk_stats().size_bytes, 10 + ENTRY_BYTES);
        caches.chunk((second, 0, 0), || panic!("it is kept")).unwrap();
    }
}
