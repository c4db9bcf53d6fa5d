//! Limits and sizes of caches.

use std::{num::NonZero, thread, time::Duration};

use serde::Deserialize;

use super::ConfigError;

/// The limits on requests and answers: `[limits]` in `apus.toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Connections open at once; more wait in the kernel's queue.
    pub connections: usize,
    /// Answers that are begun at once; more wait, and are refused with a 503 when that takes longer than `wait_ms`. Answers that wait for
    /// their clients do not count.
    pub concurrent_answers: usize,
    /// The memory for answers that wait for their clients, all together: beyond it, those are broken off that have waited longest.
    pub waiting_bytes: u64,
    /// Streams of an HTTP/2 connection at once.
    pub streams: u32,
    /// Threads that read and encode at once.
    pub concurrent_reads: usize,
    /// Threads that decode chunks.
    pub decode_threads: usize,
    /// How long a request waits for a permit before it is refused with a 503, in milliseconds.
    pub wait_ms: u64,
    /// The bytes of a block of an answer.
    pub block_bytes: usize,
    /// The most bytes to fetch and decode ahead of one answer whose client keeps up.
    pub work_ahead_bytes: usize,
    /// The most bytes of a request's body.
    pub query_bytes: usize,
    /// The most bytes of a request's body in the hdfstream protocol, which sends all slices of a dataset at once.
    pub slices_body_bytes: u64,
    /// The memory for the bodies of all requests together, and for what is read from them; a request with 16,777,216 slices takes 256 MiB.
    #[serde(alias = "slices_held_bytes")]
    pub bodies_held_bytes: u64,
    /// A request's body must bring `body_rate_bytes` a second, counted over so many milliseconds, or end.
    pub body_ms: u64,
    /// The bytes that a request's body must bring in a second.
    pub body_rate_bytes: u64,
    /// The most ranges of rows in one request.
    pub row_ranges: usize,
    /// The most conditions (`where`) of one selection.
    pub conditions: usize,
    /// The most bytes of the conditions of one selection together: each row is compared with all of them.
    pub condition_bytes: usize,
    /// The most bytes of an answer's values.
    pub answer_bytes: u64,
    /// The most bytes of values that must be held in memory whole (strings, attributes, small datasets).
    pub held_bytes: u64,
    /// The memory of all pictures together, in progress or being read by a client; one of 4096 by 4096 pixels takes up to 384 MiB.
    pub pictures_bytes: u64,
    /// The most additions of a particle to a pixel in one picture; a core makes some 500 million in a second.
    pub picture_operations: u64,
    /// The most bytes of one decoded chunk.
    pub chunk_bytes: u64,
    /// The most files and folders below a folder that is downloaded as a tar, or whose size is listed.
    pub folder_files: usize,
    /// How long a client may take to send the head of its request, in milliseconds.
    pub head_ms: u64,
    /// How long a client may take to read a block, in milliseconds.
    pub stall_ms: u64,
    /// How long running answers may take to finish when the service stops, in milliseconds.
    pub shutdown_ms: u64,
}

/// The caches: `[caches]` in `apus.toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Caches {
    /// The number of files that are kept open.
    pub open_files: usize,
    /// Bytes of metadata, over all open files.
    pub metadata_bytes: usize,
    /// Bytes of chunk indexes, over all open files; an index takes 16 for each chunk.
    pub index_bytes: u64,
    /// Bytes of decoded chunks, over all open files; 0 disables the cache. Only small reads use it.
    pub chunk_bytes: u64,
    /// Bytes of statistics of the columns that conditions have read, 24 for each chunk; 0 disables the cache.
    pub statistics_bytes: u64,
    /// Bytes of zone maps on disk, in the state folder; 0 keeps none there.
    pub zone_map_bytes: u64,
    /// Bytes of tiles of maps; 0 disables the cache.
    pub tiles_bytes: u64,
    /// Bytes of encoded descriptions of files' objects.
    pub description_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        let n_cores = thread::available_parallelism().map_or(2, NonZero::get);
        Self {
            connections: 4096,
            concurrent_answers: (8 * n_cores).max(16),
            waiting_bytes: 128 << 20,
            streams: 64,
            concurrent_reads: (2 * n_cores).max(4),
            decode_threads: n_cores,
            wait_ms: 5_000,
            block_bytes: 1 << 20,
            work_ahead_bytes: n_cores * (4 << 20),
            query_bytes: 16 << 20,
            slices_body_bytes: 320 << 20,
            bodies_held_bytes: 288 << 20,
            body_ms: 10_000,
            body_rate_bytes: 8 << 10,
            row_ranges: 1_000_000,
            conditions: 256,
            condition_bytes: 64 << 10,
            answer_bytes: 1 << 40,
            held_bytes: 64 << 20,
            pictures_bytes: 1 << 30,
            picture_operations: 50_000_000_000,
            chunk_bytes: 256 << 20,
            folder_files: 100_000,
            head_ms: 30_000,
            stall_ms: 120_000,
            shutdown_ms: 10_000,
        }
    }
}

impl Default for Caches {
    fn default() -> Self {
        Self {
            open_files: 128,
            metadata_bytes: 64 << 20,
            index_bytes: 256 << 20,
            chunk_bytes: 64 << 20,
            statistics_bytes: 64 << 20,
            zone_map_bytes: 1 << 30,
            tiles_bytes: 64 << 20,
            description_bytes: 64 << 20,
        }
    }
}

impl Limits {
    /// How long a request waits for a permit.
    pub fn wait(&self) -> Duration {
        Duration::from_millis(self.wait_ms)
    }

    /// How long a client may take to read a block.
    pub fn stall(&self) -> Duration {
        Duration::from_millis(self.stall_ms)
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let zero = [
            ("connections", self.connections),
            ("concurrent_answers", self.concurrent_answers),
            ("concurrent_reads", self.concurrent_reads),
            ("decode_threads", self.decode_threads),
            ("block_bytes", self.block_bytes),
            ("work_ahead_bytes", self.work_ahead_bytes),
            ("conditions", self.conditions),
            ("body_ms", usize::try_from(self.body_ms).unwrap_or(usize::MAX)),
            ("streams", self.streams as usize),
        ]
        .into_iter()
        .find(|(_, value)| *value == 0);
        if let Some((name, _)) = zero {
            return Err(ConfigError::Value(format!("limits.{name} must not be 0")));
        }
        // Invariant: bodies stream through blocks of at most 1 MiB.
        if self.block_bytes < 4096 || self.block_bytes > 1 << 20 {
            return Err(ConfigError::Value(format!(
                "limits.block_bytes is {}: it must be between 4096 and 1048576",
                self.block_bytes
            )));
        }
        Ok(())
    }
}

impl Caches {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if self.open_files == 0 {
            return Err(ConfigError::Value("caches.open_files must not be 0".to_owned()));
        }
        Ok(())
    }
}
