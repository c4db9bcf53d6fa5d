//! The files under the mounts, with what reading them takes.

use std::{fmt, ops::Deref, sync::Arc};

use apus_h5::{DecodePool, Pace, ReadOptions};

use super::{Cancelled, PictureMemory, Pinned, StatisticsCache, TileCache};
use crate::{catalog::Catalog, store::Roles};

/// The catalogue with what reading takes. Cheap to clone.
#[derive(Clone)]
pub struct Archive(Arc<ArchiveParts>);

/// What an [`Archive`] holds.
pub struct ArchiveParts {
    /// The files.
    pub catalog: Catalog,
    /// The threads that decode.
    pub pool: DecodePool,
    /// The limits.
    pub limits: Limits,
    /// What conditions have seen of columns.
    pub statistics: StatisticsCache,
    /// The memory that pictures take, all together.
    pub pictures: PictureMemory,
    /// Tiles of maps.
    pub tiles: TileCache,
}

/// How much of everything an answer may take.
#[derive(Clone, Debug)]
pub struct Limits {
    /// The bytes of a block of a body.
    pub block_bytes: usize,
    /// The most bytes that may be fetched and decoded ahead of one body.
    pub work_ahead_bytes: usize,
    /// The most ranges of rows in one request.
    pub row_ranges: usize,
    /// The most conditions of one selection.
    pub conditions: usize,
    /// The most bytes of the conditions of one selection together.
    pub condition_bytes: usize,
    /// The most bytes of an answer's values.
    pub answer_bytes: u64,
    /// The most bytes of values of a kind that must be held in memory whole.
    pub held_bytes: u64,
    /// The most additions of a particle to a pixel in one picture.
    pub picture_operations: u64,
}

impl Archive {
    /// Puts the parts together.
    pub fn new(parts: ArchiveParts) -> Self {
        Self(Arc::new(parts))
    }

    /// Begins a request of somebody with these roles, whose work stops when it is cancelled.
    pub fn pin(&self, roles: &Roles, cancelled: Cancelled) -> Pinned {
        Pinned::new(self.clone(), roles.clone(), cancelled)
    }

    /// How datasets are read for one answer: it has its own turn at the decode threads.
    pub(super) fn read_options(&self) -> ReadOptions {
        ReadOptions {
            pool: self.pool.lane(),
            block_bytes: self.limits.block_bytes,
            work_ahead_bytes: self.limits.work_ahead_bytes,
            pace: Pace::default(),
        }
    }
}

impl Deref for Archive {
    type Target = ArchiveParts;

    fn deref(&self) -> &ArchiveParts {
        &self.0
    }
}

impl fmt::Debug for Archive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Archive").field("limits", &self.limits).finish_non_exhaustive()
    }
}
