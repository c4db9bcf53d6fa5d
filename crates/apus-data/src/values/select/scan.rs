//! Finding the wanted rows, and keeping what is learned on the way.

use std::sync::Arc;

use apus_swift::{RowScan, ScannedWindow};

use crate::{
    Result,
    values::{Pinned, zone_maps::ZoneMap},
};

/// The scan of a group's candidates. When it is over, what it has learned is kept.
pub(super) struct Scan {
    windows: RowScan,
    pinned: Pinned,
    maps: Vec<Arc<ZoneMap>>,
}

impl Scan {
    pub(super) fn new(windows: RowScan, pinned: Pinned, maps: Vec<Arc<ZoneMap>>) -> Self {
        Self { windows, pinned, maps }
    }
}

impl Iterator for Scan {
    type Item = Result<ScannedWindow>;

    fn next(&mut self) -> Option<Self::Item> {
        let window = self.windows.next();
        if window.is_none() {
            let statistics = &self.pinned.archive().statistics;
            self.maps.drain(..).for_each(|map| statistics.keep(&self.pinned, &map));
        }
        window.map(|window| Ok(window?))
    }
}
