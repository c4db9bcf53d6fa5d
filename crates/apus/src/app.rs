//! What all requests share.

use std::{io, ops::Deref, sync::Arc};

use apus_h5::{DecodePool, ReadOptions};

use crate::{
    api::hdfstream,
    auth::Authenticator,
    catalog::Catalog,
    config::{Config, ConfigError},
    metrics::Metrics,
    read_task::Reads,
    statistics::StatisticsCache,
};

/// The state of the service. Cheap to clone: every handler has one.
#[derive(Clone)]
pub struct App(Arc<Shared>);

/// What an [`App`] holds.
pub struct Shared {
    /// The configuration, complete.
    pub config: Config,
    /// The files.
    pub catalog: Catalog,
    /// Decides who asks.
    pub auth: Authenticator,
    /// The threads that decode.
    pub pool: DecodePool,
    /// The places for blocking work.
    pub reads: Reads,
    /// What conditions have seen of columns.
    pub statistics: StatisticsCache,
    /// What is counted.
    pub metrics: Metrics,
    /// What the hdfstream protocol keeps between requests.
    pub hdfstream: hdfstream::Kept,
}

impl App {
    /// Puts the service together; nothing listens yet.
    ///
    /// Errors: the operating system's, where it grants no threads; a mount that is not there.
    pub fn new(config: Config, auth: Authenticator) -> Result<Self, StartError> {
        let catalog = Catalog::new(&config)?;
        let pool = DecodePool::new(config.limits.decode_threads)?;
        let reads = Reads::new(&config.limits);
        let statistics = StatisticsCache::new(config.caches.statistics_bytes);
        let metrics = Metrics::new(&catalog, &statistics);
        let hdfstream = hdfstream::Kept::new(config.caches.description_bytes, config.limits.slices_held_bytes);
        Ok(Self(Arc::new(Shared { config, catalog, auth, pool, reads, statistics, metrics, hdfstream })))
    }

    /// How datasets are read for answers.
    pub fn read_options(&self) -> ReadOptions {
        ReadOptions {
            pool: self.pool.lane(),
            block_bytes: self.config.limits.block_bytes,
            work_ahead_bytes: self.config.limits.work_ahead_bytes,
        }
    }
}

/// Why a service cannot start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The configuration cannot be followed.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The operating system grants no threads.
    #[error("cannot start the decoding threads: {0}")]
    Threads(#[from] io::Error),
}

impl Deref for App {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}
