//! The threads that decode.

use std::{fmt, sync::Arc};

/// One thread per core, shared by all readers. First come, first served: since each reader has only a bounded amount of work
/// under way, all get their turn. Cheap to clone.
#[derive(Clone)]
pub struct DecodePool(Arc<rayon::ThreadPool>);

impl DecodePool {
    /// Starts `n_threads` threads (at least one).
    ///
    /// Errors: the operating system's, where it grants no more threads.
    pub fn new(n_threads: usize) -> std::io::Result<Self> {
        rayon::ThreadPoolBuilder::new()
            .num_threads(n_threads.max(1))
            .thread_name(|i| format!("decode-{i}"))
            // A job that panics drops its end of a channel, and its reader reports that; the process goes on.
            .panic_handler(drop)
            .build()
            .map(|pool| Self(Arc::new(pool)))
            .map_err(std::io::Error::other)
    }

    /// The number of threads.
    pub fn n_threads(&self) -> usize {
        self.0.current_num_threads()
    }

    /// Runs a job as soon as a thread has done those that came before.
    pub(super) fn spawn(&self, job: impl FnOnce() + Send + 'static) {
        self.0.spawn_fifo(job);
    }
}

impl fmt::Debug for DecodePool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DecodePool({} threads)", self.n_threads())
    }
}
