//! What all requests share.

use std::{io, ops::Deref, sync::Arc};

use apus_data::{
    catalog::{Catalog, CatalogOptions},
    store::MountError,
    values::{Archive, ArchiveParts, Limits, PictureMemory, StatisticsCache, TileCache, ZoneMapFolder},
};
use apus_h5::{Caches, DecodePool};

use crate::{
    auth::Authenticator,
    config::{Config, ConfigError},
    memory::Budget,
    metrics::Metrics,
    work::Work,
};

/// The state of the service. Cheap to clone; every handler has one.
#[derive(Clone)]
pub struct App(Arc<AppParts>);

/// What an [`App`] holds.
pub struct AppParts {
    /// The configuration, complete.
    pub config: Config,
    /// The files, and the pool, limits and caches for reading them.
    pub archive: Archive,
    /// Identifies callers.
    pub auth: Authenticator,
    /// Runs blocking work.
    pub work: Work,
    /// The memory for request bodies.
    pub(crate) bodies: Budget,
    /// The counters.
    pub metrics: Metrics,
}

impl App {
    /// Puts the service together; nothing listens yet.
    ///
    /// Errors: the operating system grants no threads; a mount does not exist.
    pub fn new(config: Config, auth: Authenticator) -> Result<Self, StartError> {
        let archive = open_archive(&config)?;
        let work = Work::new(&config.limits);
        let bodies = Budget::new(config.limits.bodies_held_bytes);
        let metrics = Metrics::new(&archive, &work, &bodies);
        Ok(Self(Arc::new(AppParts { config, archive, auth, work, bodies, metrics })))
    }
}

/// The archive that a configuration describes.
///
/// Errors: as [`App::new`].
pub fn open_archive(config: &Config) -> Result<Archive, StartError> {
    let (limits, caches) = (&config.limits, &config.caches);
    let catalog = Catalog::new(CatalogOptions {
        mounts: config.mounts.clone(),
        aliases: config.aliases.clone(),
        open_files: caches.open_files,
        metadata_bytes: caches.metadata_bytes,
        max_chunk_bytes: limits.chunk_bytes,
        caches: Caches::new(caches.index_bytes, caches.chunk_bytes),
    })?;
    let zone_maps = config.zone_maps.as_ref();
    let zone_maps = zone_maps.and_then(|folder| ZoneMapFolder::new(folder, caches.zone_map_bytes, &catalog));
    Ok(Archive::new(ArchiveParts {
        catalog,
        pool: DecodePool::new(limits.decode_threads)?,
        limits: Limits {
            block_bytes: limits.block_bytes,
            work_ahead_bytes: limits.work_ahead_bytes,
            row_ranges: limits.row_ranges,
            conditions: limits.conditions,
            condition_bytes: limits.condition_bytes,
            answer_bytes: limits.answer_bytes,
            held_bytes: limits.held_bytes,
            picture_operations: limits.picture_operations,
        },
        statistics: StatisticsCache::with_folder(caches.statistics_bytes, zone_maps),
        pictures: PictureMemory::new(limits.pictures_bytes),
        tiles: TileCache::new(caches.tiles_bytes),
    }))
}

/// Why a service cannot start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The configuration is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A mount cannot be served.
    #[error(transparent)]
    Mount(#[from] MountError),
    /// The operating system grants no threads.
    #[error("cannot start the decoding threads: {0}")]
    Threads(#[from] io::Error),
}

impl Deref for App {
    type Target = AppParts;

    fn deref(&self) -> &AppParts {
        &self.0
    }
}
