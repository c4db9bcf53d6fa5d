//! What scans have seen of columns and positions, kept between requests: what the values of each chunk and cell lie between.

use std::{
    fmt,
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use apus_h5::{CacheStats, Dataset, without_pauses};
use apus_swift::{ColumnStatistics, ZoneBounds};
use quick_cache::{DefaultHashBuilder, Lifecycle, OptionsBuilder, Weighter, sync::Cache};

use super::{
    Pinned,
    zone_maps::{MapKey, Subject, ZoneMap, ZoneMapFolder, ZoneMapStats, ZoneValues},
};
use crate::Result;

/// What an entry takes beside its bytes, roughly.
const ENTRY_BYTES: u64 = 256;
/// Those of a column of a thousand chunks.
const TYPICAL_BYTES: u64 = 24 << 10;

/// The zone maps of columns and positions, limited in bytes. Cheap to clone.
///
/// They belong to one state of all files that a dataset draws on: of a file that changed nothing is known.
#[derive(Clone)]
pub struct StatisticsCache {
    maps: Option<Arc<Inner>>,
    folder: Option<ZoneMapFolder>,
}

struct Inner {
    maps: Cache<MapKey, Arc<ZoneMap>, Sizes, DefaultHashBuilder, Forgetting>,
    hits: AtomicU64,
    misses: AtomicU64,
}

#[derive(Clone)]
struct Sizes;

impl Weighter<MapKey, Arc<ZoneMap>> for Sizes {
    fn weight(&self, _: &MapKey, map: &Arc<ZoneMap>) -> u64 {
        // All that it may come to, since weights are told once.
        map.size_bytes() + ENTRY_BYTES
    }
}

/// Evicted maps forget, whichever requests still hold them, so that all together stay within the limit.
#[derive(Clone)]
struct Forgetting;

impl Lifecycle<MapKey, Arc<ZoneMap>> for Forgetting {
    type RequestState = ();

    fn on_evict(&self, (): &mut (), _: MapKey, map: Arc<ZoneMap>) {
        map.forget();
    }
}

impl StatisticsCache {
    /// Nothing yet, and never more than so many bytes; 0 keeps nothing.
    pub fn new(limit_bytes: u64) -> Self {
        Self::with_folder(limit_bytes, None)
    }

    /// As [`new`](Self::new); what is learned is also kept in that folder, and taken from there.
    pub fn with_folder(limit_bytes: u64, folder: Option<ZoneMapFolder>) -> Self {
        let n_maps = usize::try_from(limit_bytes / TYPICAL_BYTES).unwrap_or(usize::MAX).clamp(16, 1 << 16);
        // One shard: an entry may take the whole limit, and what is done under its lock is short.
        let options =
            OptionsBuilder::new().shards(1).weight_capacity(limit_bytes).estimated_items_capacity(n_maps).build();
        let maps = match options {
            Ok(options) => Cache::with_options(options, Sizes, DefaultHashBuilder::default(), Forgetting),
            // Both numbers are given, so this is never met.
            Err(_) => Cache::with(n_maps, limit_bytes, Sizes, DefaultHashBuilder::default(), Forgetting),
        };
        let inner = Inner { maps, hits: AtomicU64::new(0), misses: AtomicU64::new(0) };
        Self { maps: (limit_bytes > 0).then(|| Arc::new(inner)), folder }
    }

    /// The map of a column of a dataset that a file of this request led to, all of whose sources it has met; `None` where nothing is kept.
    ///
    /// Errors: those of finding out which files the dataset draws on.
    pub(super) fn of_column(
        &self,
        pinned: &Pinned,
        dataset: &Dataset,
        column: Option<u64>,
    ) -> Result<Option<Arc<ZoneMap>>> {
        if self.maps.is_none() {
            return Ok(None);
        }
        let key = MapKey::new(pinned, dataset, Subject::Column(column))?;
        self.get(key, |values| fits_column(values, dataset), || Ok(self.column_map(key, dataset)))
    }

    /// The map of a dataset of positions; `cells` finds the rows of each cell, where nothing is known yet.
    ///
    /// Errors: those of finding out which files the dataset draws on, and those of `cells`.
    pub(super) fn of_positions(
        &self,
        pinned: &Pinned,
        dataset: &Dataset,
        cells: impl FnOnce() -> Result<Vec<Range<u64>>>,
    ) -> Result<Option<Arc<ZoneMap>>> {
        if self.maps.is_none() {
            return Ok(None);
        }
        let key = MapKey::new(pinned, dataset, Subject::Positions)?;
        self.get(key, |values| fits_positions(values, dataset), || self.positions_map(key, dataset, cells))
    }

    fn get(
        &self,
        key: MapKey,
        fits: impl Fn(&ZoneValues) -> bool,
        make: impl FnOnce() -> Result<ZoneMap>,
    ) -> Result<Option<Arc<ZoneMap>>> {
        let Some(inner) = &self.maps else { return Ok(None) };
        let Some(known) = inner.maps.get(&key) else {
            inner.misses.fetch_add(1, Ordering::Relaxed);
            // Where two ask at once, both fill the same in.
            return inner.maps.get_or_insert_with(&key, || without_pauses(make).map(Arc::new)).map(Some);
        };
        inner.hits.fetch_add(1, Ordering::Relaxed);
        if known.knows_any() {
            return Ok(Some(known));
        }
        // Another process may have learned it meanwhile.
        Ok(Some(self.load(&key, fits).map_or(known, |values| {
            let loaded = Arc::new(ZoneMap::loaded(key, values));
            inner.maps.insert(key, Arc::clone(&loaded));
            loaded
        })))
    }

    /// The map of a column as it is on disk, or an empty one.
    pub(super) fn column_map(&self, key: MapKey, dataset: &Dataset) -> ZoneMap {
        match self.load(&key, |values| fits_column(values, dataset)) {
            Some(values) => ZoneMap::loaded(key, values),
            None => ZoneMap::new(key, ZoneValues::Column(Arc::new(ColumnStatistics::of_dataset(dataset)))),
        }
    }

    /// The map of positions as it is on disk, or an empty one.
    ///
    /// Errors: those of `cells`.
    pub(super) fn positions_map(
        &self,
        key: MapKey,
        dataset: &Dataset,
        cells: impl FnOnce() -> Result<Vec<Range<u64>>>,
    ) -> Result<ZoneMap> {
        Ok(match self.load(&key, |values| fits_positions(values, dataset)) {
            Some(values) => ZoneMap::loaded(key, values),
            None => ZoneMap::new(key, ZoneValues::Positions(Arc::new(ZoneBounds::of_cells(cells()?, n_rows(dataset))))),
        })
    }

    fn load(&self, key: &MapKey, fits: impl Fn(&ZoneValues) -> bool) -> Option<ZoneValues> {
        self.folder.as_ref().and_then(|folder| folder.load(key, fits))
    }

    /// Keeps what this request has learned, where that is much.
    pub(super) fn keep(&self, pinned: &Pinned, map: &ZoneMap) {
        if map.is_worth_saving() {
            self.save(pinned, map);
        }
    }

    /// Keeps what was learned of these files, unless they were written to meanwhile: what was read may be a mixture.
    pub(super) fn save(&self, pinned: &Pinned, map: &ZoneMap) {
        if let Some(folder) = &self.folder
            && map.has_news()
            && pinned.check_unchanged().is_ok()
        {
            folder.save(map);
        }
    }

    /// How much and how well it keeps in memory.
    pub fn stats(&self) -> CacheStats {
        self.maps.as_ref().map_or_else(CacheStats::default, |inner| CacheStats {
            hits: inner.hits.load(Ordering::Relaxed),
            misses: inner.misses.load(Ordering::Relaxed),
            size_bytes: inner.maps.weight(),
        })
    }

    /// What its folder did; `None` where it has none.
    pub fn folder_stats(&self) -> Option<ZoneMapStats> {
        self.folder.as_ref().map(ZoneMapFolder::stats)
    }
}

fn n_rows(dataset: &Dataset) -> u64 {
    dataset.shape().first().copied().unwrap_or(0)
}

/// Whether that can be known of a column of the dataset.
fn fits_column(values: &ZoneValues, dataset: &Dataset) -> bool {
    let empty = ColumnStatistics::of_dataset(dataset);
    matches!(values, ZoneValues::Column(column) if (column.n_rows(), column.n_blocks()) == (empty.n_rows(), empty.n_blocks()))
}

/// Whether that can be known of the dataset as positions.
fn fits_positions(values: &ZoneValues, dataset: &Dataset) -> bool {
    matches!(values, ZoneValues::Positions(zones) if zones.n_rows() == n_rows(dataset))
}

impl MapKey {
    /// Errors: those of finding out which files the dataset draws on.
    pub(super) fn new(pinned: &Pinned, dataset: &Dataset, subject: Subject) -> Result<Self> {
        Ok(Self { state: pinned.state_of(dataset)?, subject })
    }
}

impl fmt::Debug for StatisticsCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StatisticsCache({:?}, {:?})", self.stats(), self.folder)
    }
}
