//! A zone map in memory.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use apus_swift::{ColumnStatistics, ZoneBounds};

use super::MapKey;

/// What some values lie between, zone by zone, and how much of that is kept on disk.
#[derive(Debug)]
pub(in crate::values) struct ZoneMap {
    pub(super) key: MapKey,
    pub(in crate::values) values: ZoneValues,
    /// How many zones were known when it was saved last.
    n_saved: AtomicU64,
}

/// What is known of the zones.
#[derive(Clone, Debug)]
pub(in crate::values) enum ZoneValues {
    Column(Arc<ColumnStatistics>),
    Positions(Arc<ZoneBounds>),
}

/// A map is saved again when so much of its zones is new.
const WORTH_SAVING: u64 = 16;

impl ZoneMap {
    /// A map that is not saved.
    pub(in crate::values) fn new(key: MapKey, values: ZoneValues) -> Self {
        Self { key, values, n_saved: AtomicU64::new(0) }
    }

    /// A map as it was loaded.
    pub(in crate::values) fn loaded(key: MapKey, values: ZoneValues) -> Self {
        let n_saved = AtomicU64::new(values.n_known());
        Self { key, values, n_saved }
    }

    /// Those of a column.
    pub(in crate::values) fn column(&self) -> Option<&Arc<ColumnStatistics>> {
        match &self.values {
            ZoneValues::Column(column) => Some(column),
            ZoneValues::Positions(_) => None,
        }
    }

    /// Those of positions.
    pub(in crate::values) fn positions(&self) -> Option<&Arc<ZoneBounds>> {
        match &self.values {
            ZoneValues::Positions(zones) => Some(zones),
            ZoneValues::Column(_) => None,
        }
    }

    /// Whether anything is known.
    pub(in crate::values) fn knows_any(&self) -> bool {
        match &self.values {
            ZoneValues::Column(column) => column.knows_any(),
            ZoneValues::Positions(zones) => zones.knows_any(),
        }
    }

    /// What it takes in memory when all is known.
    pub(in crate::values) fn size_bytes(&self) -> u64 {
        match &self.values {
            ZoneValues::Column(column) => column.size_bytes(),
            ZoneValues::Positions(zones) => zones.size_bytes(),
        }
    }

    /// Gives the memory back, and remembers nothing from now on, whoever still holds it.
    pub(in crate::values) fn forget(&self) {
        match &self.values {
            ZoneValues::Column(column) => column.forget(),
            ZoneValues::Positions(zones) => zones.forget(),
        }
    }

    /// Whether anything is known that is not saved.
    pub(in crate::values) fn has_news(&self) -> bool {
        self.values.n_known() > self.n_saved.load(Ordering::Relaxed)
    }

    /// Whether it is known what is not saved, and that is all, or much: a map is not written again for each request.
    pub(in crate::values) fn is_worth_saving(&self) -> bool {
        let (n_known, n_saved) = (self.values.n_known(), self.n_saved.load(Ordering::Relaxed));
        let n_zones = self.values.n_zones();
        n_known > n_saved && (n_known >= n_zones || n_known - n_saved > n_zones / WORTH_SAVING)
    }

    /// Remembers that it is kept, with so many zones known.
    pub(super) fn note_saved(&self, n_known: u64) {
        self.n_saved.fetch_max(n_known, Ordering::Relaxed);
    }
}

impl ZoneValues {
    pub(super) fn n_zones(&self) -> u64 {
        match self {
            Self::Column(column) => column.n_blocks(),
            Self::Positions(zones) => zones.n_zones() as u64,
        }
    }

    pub(super) fn n_known(&self) -> u64 {
        match self {
            Self::Column(column) => column.n_known(),
            Self::Positions(zones) => zones.n_known() as u64,
        }
    }
}
