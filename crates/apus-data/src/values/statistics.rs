//! What conditions have seen of columns, kept between requests: what the values of each chunk lie between.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use apus_h5::{CacheStats, Dataset};
use apus_swift::ColumnStatistics;
use quick_cache::{DefaultHashBuilder, Lifecycle, OptionsBuilder, Weighter, sync::Cache};

use super::{EntityTag, Pinned};
use crate::Result;

/// What an entry takes beside its bytes, roughly.
const ENTRY_BYTES: u64 = 256;
/// Those of a column of a thousand chunks.
const TYPICAL_BYTES: u64 = 24 << 10;

/// The statistics of columns, limited in bytes. Cheap to clone.
///
/// They belong to one state of all files that a dataset draws on: of a file that changed nothing is known.
#[derive(Clone)]
pub struct StatisticsCache(Option<Arc<Inner>>);

struct Inner {
    columns: Cache<Key, Arc<ColumnStatistics>, Sizes, DefaultHashBuilder, Forgetting>,
    hits: AtomicU64,
    misses: AtomicU64,
}

/// A state of a dataset and of all files that it draws on, and the column.
type Key = (EntityTag, Option<u64>);

#[derive(Clone)]
struct Sizes;

impl Weighter<Key, Arc<ColumnStatistics>> for Sizes {
    fn weight(&self, key: &Key, column: &Arc<ColumnStatistics>) -> u64 {
        // All that it may come to, since weights are told once.
        column.size_bytes() + key.0.as_str().len() as u64 + ENTRY_BYTES
    }
}

/// What is not kept any more remembers nothing, whichever requests still hold it: so all together stay within the limit.
#[derive(Clone)]
struct Forgetting;

impl Lifecycle<Key, Arc<ColumnStatistics>> for Forgetting {
    type RequestState = ();

    fn on_evict(&self, (): &mut (), _: Key, column: Arc<ColumnStatistics>) {
        column.forget();
    }
}

impl StatisticsCache {
    /// Nothing yet, and never more than so many bytes; 0 keeps nothing.
    pub fn new(limit_bytes: u64) -> Self {
        let n_columns = usize::try_from(limit_bytes / TYPICAL_BYTES).unwrap_or(usize::MAX).clamp(16, 1 << 16);
        // One shard: an entry may take the whole limit, and what is done under its lock is short.
        let options =
            OptionsBuilder::new().shards(1).weight_capacity(limit_bytes).estimated_items_capacity(n_columns).build();
        let columns = match options {
            Ok(options) => Cache::with_options(options, Sizes, DefaultHashBuilder::default(), Forgetting),
            // Both numbers are given, so this is never met.
            Err(_) => Cache::with(n_columns, limit_bytes, Sizes, DefaultHashBuilder::default(), Forgetting),
        };
        let inner = Inner { columns, hits: AtomicU64::new(0), misses: AtomicU64::new(0) };
        Self((limit_bytes > 0).then(|| Arc::new(inner)))
    }

    /// Those of a column of a dataset that a file of this request led to, all of whose sources it has met; `None` where nothing is kept.
    ///
    /// Errors: those of finding out which files the dataset draws on.
    pub(super) fn of_column(
        &self,
        pinned: &Pinned,
        dataset: &Dataset,
        column: Option<u64>,
    ) -> Result<Option<Arc<ColumnStatistics>>> {
        let Some(inner) = &self.0 else { return Ok(None) };
        let key = (pinned.state_of(dataset)?, column);
        if let Some(known) = inner.columns.get(&key) {
            inner.hits.fetch_add(1, Ordering::Relaxed);
            return Ok(Some(known));
        }
        inner.misses.fetch_add(1, Ordering::Relaxed);
        // Where two ask at once, both fill the same in.
        let make = || Ok::<_, std::convert::Infallible>(Arc::new(ColumnStatistics::of_dataset(dataset)));
        let Ok(column) = inner.columns.get_or_insert_with(&key, make);
        Ok(Some(column))
    }

    /// How much and how well it keeps.
    pub fn stats(&self) -> CacheStats {
        self.0.as_ref().map_or_else(CacheStats::default, |inner| CacheStats {
            hits: inner.hits.load(Ordering::Relaxed),
            misses: inner.misses.load(Ordering::Relaxed),
            size_bytes: inner.columns.weight(),
        })
    }
}

impl fmt::Debug for StatisticsCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StatisticsCache({:?})", self.stats())
    }
}
