//! The bounds of zones.

use std::{
    ops::Range,
    sync::{PoisonError, RwLock},
};

use apus_h5::{RowRanges, check_cancelled};

use crate::{Region, Result, selection::push_joined};

/// So many zones are compared with a region between two looks at whether anybody waits: a region may have a thousand shapes.
const ZONES_AT_ONCE: usize = 2048;

/// The least and greatest coordinate on each axis.
pub type Bounds = [[f64; 3]; 2];

/// What the positions of a group's rows lie between, in zones of rows: one for each cell, where there are cells. Scans fill it in, from any
/// thread. It is true of one state of the dataset of positions, whatever cells say.
#[derive(Debug)]
pub struct ZoneBounds {
    /// The first row of each zone, ascending from 0.
    starts: Vec<u64>,
    n_rows: u64,
    /// Those of the zones, in order; nothing where nothing shall be remembered any more.
    bounds: RwLock<Option<Vec<Bounds>>>,
}

/// What was found among zones.
#[derive(Clone, Debug, PartialEq)]
pub struct FoundZones {
    /// The rows of zones in which particles may lie in the region, ascending; those of which nothing is known are among them.
    pub rows: RowRanges,
    /// The number of zones.
    pub n_zones: usize,
    /// How many of them were found.
    pub n_found: usize,
    /// Of how many the bounds are known.
    pub n_known: usize,
}

/// The most zones of a group, 14 MiB of them: enough for the cells of the largest runs.
pub const MAX_ZONES: usize = 1 << 18;
/// Rows that are in no cell are taken so many together, as SWIFT's chunks have.
const USUAL_ZONE_ROWS: u64 = 8192;
/// Nothing is known.
pub(super) const UNKNOWN: Bounds = [[f64::NEG_INFINITY; 3], [f64::INFINITY; 3]];
/// No positions.
pub(super) const EMPTY: Bounds = [[f64::INFINITY; 3], [f64::NEG_INFINITY; 3]];

impl ZoneBounds {
    /// Nothing is known yet of the positions of so many rows. Each cell is a zone; rows in no cell are in others. Where cells share rows,
    /// they do not count.
    pub fn of_cells(mut cells: Vec<Range<u64>>, n_rows: u64) -> Self {
        cells.retain(|cell| cell.start < cell.end);
        cells.sort_unstable_by_key(|cell| cell.start);
        let is_apart = cells.windows(2).all(|pair| pair[0].end <= pair[1].start);
        if !is_apart || cells.last().is_some_and(|last| last.end > n_rows) {
            cells.clear();
        }
        let n_outside = n_rows - cells.iter().map(|cell| cell.end - cell.start).sum::<u64>();
        // Whatever a file says, there is room for its cells and some zones more.
        let usual = USUAL_ZONE_ROWS.max(n_outside.div_ceil(MAX_ZONES as u64));
        let mut starts = Vec::with_capacity(cells.len());
        let mut row = 0;
        for cell in cells.into_iter().chain([n_rows..n_rows]) {
            while row < cell.start {
                starts.push(row);
                row = row.saturating_add(usual).min(cell.start);
            }
            if cell.start < cell.end {
                starts.push(cell.start);
                row = cell.end;
            }
        }
        let together = starts.len().div_ceil(MAX_ZONES).max(1);
        let starts: Vec<u64> = starts.into_iter().step_by(together).collect();
        let bounds = RwLock::new(Some(vec![UNKNOWN; starts.len()]));
        Self { starts, n_rows, bounds }
    }

    /// Bounds that were learned before, as [`parts`](Self::parts) gave them; `None` for what is no such thing.
    pub fn from_parts(n_rows: u64, starts: Vec<u64>, bounds: Vec<Bounds>) -> Option<Self> {
        let is_sorted = starts.windows(2).all(|pair| pair[0] < pair[1]);
        let is_whole =
            starts.first().copied().unwrap_or(n_rows) == 0 && starts.last().is_none_or(|last| *last < n_rows);
        let is_right = starts.len() == bounds.len() && starts.len() <= MAX_ZONES && is_sorted && is_whole;
        let is_right = is_right && bounds.iter().all(are_bounds);
        is_right.then(|| Self { starts, n_rows, bounds: RwLock::new(Some(bounds)) })
    }

    /// The first row of each zone and its bounds; `None` where nothing is remembered.
    pub fn parts(&self) -> Option<(&[u64], Vec<Bounds>)> {
        let bounds = self.bounds.read().unwrap_or_else(PoisonError::into_inner);
        bounds.as_ref().map(|bounds| (self.starts.as_slice(), bounds.clone()))
    }

    /// The rows of all zones.
    pub fn n_rows(&self) -> u64 {
        self.n_rows
    }

    /// The number of zones.
    pub fn n_zones(&self) -> usize {
        self.starts.len()
    }

    /// Of how many zones the bounds are known.
    pub fn n_known(&self) -> usize {
        let bounds = self.bounds.read().unwrap_or_else(PoisonError::into_inner);
        bounds.as_ref().map_or(0, |bounds| bounds.iter().filter(|zone| **zone != UNKNOWN).count())
    }

    /// Whether anything is known.
    pub fn knows_any(&self) -> bool {
        let bounds = self.bounds.read().unwrap_or_else(PoisonError::into_inner);
        bounds.as_ref().is_some_and(|bounds| bounds.iter().any(|zone| *zone != UNKNOWN))
    }

    /// What it takes in memory.
    pub fn size_bytes(&self) -> u64 {
        (self.starts.len() as u64).saturating_mul((size_of::<Bounds>() + size_of::<u64>()) as u64)
    }

    /// Gives the memory back, and remembers nothing from now on, whoever still holds it.
    pub fn forget(&self) {
        *self.bounds.write().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Rows among which all those are that lie in a region. Errs only on the side of yes.
    ///
    /// Errors: that nobody waits any more.
    pub fn find(&self, region: &Region) -> Result<FoundZones> {
        let (mut rows, mut n_found, mut n_known) = (Vec::new(), 0, 0);
        for first in (0..self.starts.len()).step_by(ZONES_AT_ONCE) {
            check_cancelled()?;
            let bounds = self.bounds.read().unwrap_or_else(PoisonError::into_inner);
            let bounds = bounds.as_deref().unwrap_or_default();
            for index in first..self.starts.len().min(first + ZONES_AT_ONCE) {
                let zone = bounds.get(index).copied().unwrap_or(UNKNOWN);
                n_known += usize::from(zone != UNKNOWN);
                if may_contain(region, &zone) {
                    n_found += 1;
                    push_joined(&mut rows, self.rows(index));
                }
            }
        }
        Ok(FoundZones { rows: RowRanges::new(rows).unwrap_or_default(), n_zones: self.starts.len(), n_found, n_known })
    }

    /// The rows of zones whose bounds are not known, ascending.
    pub fn unknown_rows(&self) -> Vec<Range<u64>> {
        let bounds = self.bounds.read().unwrap_or_else(PoisonError::into_inner);
        let Some(bounds) = bounds.as_deref() else { return Vec::new() };
        let mut rows = Vec::new();
        for (index, _) in bounds.iter().enumerate().filter(|(_, zone)| **zone == UNKNOWN) {
            push_joined(&mut rows, self.rows(index));
        }
        rows
    }

    /// The zone that the row is in.
    pub(super) fn zone(&self, row: u64) -> usize {
        self.starts.partition_point(|start| *start <= row).saturating_sub(1)
    }

    /// The rows of a zone; of none, the last row that there can be.
    pub(super) fn rows(&self, zone: usize) -> Range<u64> {
        let start = self.starts.get(zone).copied().unwrap_or(u64::MAX);
        start..self.starts.get(zone.saturating_add(1)).copied().unwrap_or(self.n_rows.max(start))
    }

    pub(super) fn is_known(&self, zone: usize) -> bool {
        let bounds = self.bounds.read().unwrap_or_else(PoisonError::into_inner);
        bounds.as_ref().and_then(|bounds| bounds.get(zone)).is_none_or(|zone| *zone != UNKNOWN)
    }

    pub(super) fn note(&self, zone: usize, bounds: Bounds) {
        let mut all = self.bounds.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = all.as_mut().and_then(|all| all.get_mut(zone)) {
            *known = bounds;
        }
    }
}

/// Whether a particle within these bounds can lie in the region. A coordinate that is more than a box outside of it still is one of a
/// particle inside, which comparing with a few periodic copies would miss.
fn may_contain(region: &Region, [lower, upper]: &Bounds) -> bool {
    !region.is_near_box(*lower, *upper) || region.may_contain(*lower, *upper, 0.0)
}

/// Whether something lies between two numbers on each axis, or nothing, where all are NaN.
fn are_bounds(zone: &Bounds) -> bool {
    (0..3).all(|axis| {
        let (lower, upper) = (zone[0][axis], zone[1][axis]);
        lower <= upper || (lower, upper) == (f64::INFINITY, f64::NEG_INFINITY)
    })
}

#[cfg(test)]
#[path = "bounds_tests.rs"]
mod tests;
