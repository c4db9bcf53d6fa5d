//! The only door from async to blocking code: everything that reads files goes through here.
//!
//! [`Work::run`] does a piece of work and returns its outcome. [`Work::begin`] does the work up to the first block of a body, so that
//! early failures still get an error status, and then streams the rest (`stream`).
//!
//! Permits are for work, not for waiting. A `place` is held while an answer is begun, and is given back with its first block; a `thread`
//! while something is read or encoded, and long work lets others have it at every [`check_cancelled`](apus_h5::check_cancelled). Both go to
//! whoever has least (`turns`). An answer that waits for its client has neither: it is plain data, counted in a budget of bytes.

mod stream;
mod turns;

use std::{
    cell::RefCell,
    fmt,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use apus_data::values::{Body, Cancelled, Stop, Waiting};
use prometheus_client::metrics::{counter::Counter, gauge::Gauge};
use tokio::{task, time};
use tracing::Span;

pub use self::stream::{BodyStream, BrokenOff};
use self::{
    stream::Made,
    turns::{Turn, Turns},
};
use crate::{config::Limits, http::origin::Origin, memory::Budget};

/// Long work lets others go first after so much time.
const SLICE: Duration = Duration::from_millis(20);

/// More work than this does not pause: each holds a thread of its own, and what it has read so far.
const MAX_PAUSED: usize = 64;

/// Runs blocking work within the limits on answers and threads. Cheap to clone.
#[derive(Clone)]
pub struct Work(Arc<Inner>);

struct Inner {
    places: Turns,
    threads: Turns,
    /// What answers hold that wait for their clients.
    waiting: Budget,
    /// How much work has let others go first, and waits for its thread.
    n_paused: Arc<AtomicUsize>,
    /// Ends all work.
    stop: Stop,
    /// How long a request waits for a permit.
    wait: Duration,
    /// How long a client may take to read a block.
    stall: Duration,
    gauges: WorkGauges,
}

/// Metrics of work.
#[derive(Clone, Debug, Default)]
pub struct WorkGauges {
    /// Answers that are being sent block by block.
    pub answers: Gauge,
    /// Threads that read and encode now.
    pub reads: Gauge,
    /// Requests that got no permit in time.
    pub refused: Counter,
    /// Answers that were broken off because their clients did not read them.
    pub stalled: Counter,
}

/// Why work did not run to its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WorkError {
    /// No permit came free in time.
    #[error("the server is busy; try again shortly")]
    Busy,
    /// The work panicked.
    #[error("blocking work failed: {0}")]
    Stopped(#[from] task::JoinError),
}

impl Work {
    /// All permits free.
    pub fn new(limits: &Limits) -> Self {
        Self(Arc::new(Inner {
            places: Turns::reserved(limits.concurrent_answers),
            threads: Turns::new(limits.concurrent_reads),
            waiting: Budget::new(limits.waiting_bytes),
            n_paused: Arc::default(),
            stop: Stop::default(),
            wait: limits.wait(),
            stall: limits.stall(),
            gauges: WorkGauges::default(),
        }))
    }

    /// Its metrics.
    pub fn gauges(&self) -> &WorkGauges {
        &self.0.gauges
    }

    /// The bytes that answers hold now which wait for their clients.
    pub fn waiting_bytes(&self) -> u64 {
        self.0.waiting.used_bytes()
    }

    /// Ends all work that runs and all that comes: it returns an error as soon as it asks.
    pub fn stop(&self) {
        self.0.stop.stop();
    }

    /// Does blocking work and returns its outcome. When the caller no longer waits, the work stops at its next
    /// [`check_cancelled`](apus_h5::check_cancelled).
    ///
    /// Errors: those of `work`; [`WorkError::Busy`]; [`WorkError::Stopped`].
    pub async fn run<T, E>(&self, work: impl FnOnce(Cancelled) -> Result<T, E> + Send + 'static) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<WorkError> + Send + 'static,
    {
        self.run_for(&self.0.stop.waiting(), work).await
    }

    /// Does the work that begins an answer, produces the first block of its body, and streams the rest.
    ///
    /// Errors: as [`run`](Self::run); those of the first block.
    pub async fn begin<T, E>(
        &self,
        work: impl FnOnce(Cancelled) -> Result<(T, Option<Body>), E> + Send + 'static,
    ) -> Result<(T, Option<BodyStream>), E>
    where
        T: Send + 'static,
        E: From<WorkError> + From<apus_data::Error> + Send + 'static,
    {
        let waiting = self.0.stop.waiting();
        let made = self.run_for(&waiting, move |cancelled| {
            let (outcome, body) = work(cancelled)?;
            let made = body.map(Made::first).transpose()?;
            Ok::<_, E>((outcome, made))
        });
        let (outcome, made) = made.await?;
        Ok((outcome, made.map(|made| self.stream(waiting, made))))
    }

    async fn run_for<T, E>(
        &self,
        waiting: &Waiting,
        work: impl FnOnce(Cancelled) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<WorkError> + Send + 'static,
    {
        let origin = Origin::current();
        let permits = async {
            let place = self.0.places.take(origin).await;
            (place, self.0.threads.take(origin).await)
        };
        let Ok((place, thread)) = time::timeout(self.0.wait, permits).await else {
            self.0.gauges.refused.inc();
            return Err(WorkError::Busy.into());
        };
        let cancelled = waiting.cancelled();
        let work = {
            let cancelled = cancelled.clone();
            move || {
                // Held until the work is done, even if its caller is gone.
                let _place = place;
                work(cancelled)
            }
        };
        self.on_thread(origin, thread, cancelled, work).await?
    }

    /// The only caller of `spawn_blocking`. The work holds the permit until it is done, even if its caller is gone, but lets others go
    /// first when it takes long.
    async fn on_thread<T: Send + 'static>(
        &self,
        origin: Origin,
        thread: Turn,
        cancelled: Cancelled,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, WorkError> {
        let (threads, reads) = (self.0.threads.clone(), self.0.gauges.reads.clone());
        let n_paused = Arc::clone(&self.0.n_paused);
        let span = Span::current();
        let task = task::spawn_blocking(move || {
            reads.inc();
            let current = RefCell::new((Some(thread), Instant::now()));
            let slices = Slices { threads, n_paused, origin, current };
            let outcome = apus_h5::with_pauses(move || slices.pause(), || cancelled.scope(|| span.in_scope(work)));
            reads.dec();
            outcome
        });
        Ok(task.await?)
    }
}

/// The permit of a thread, given to others from time to time.
struct Slices {
    threads: Turns,
    n_paused: Arc<AtomicUsize>,
    origin: Origin,
    /// The permit, and since when it is held.
    current: RefCell<(Option<Turn>, Instant)>,
}

impl Slices {
    fn pause(&self) {
        if !self.threads.is_contended() {
            return;
        }
        let mut current = self.current.borrow_mut();
        if current.1.elapsed() < SLICE {
            return;
        }
        if self.n_paused.fetch_add(1, Ordering::Relaxed) < MAX_PAUSED {
            // Given back first, so that whoever waits comes next.
            current.0 = None;
            current.0 = Some(self.threads.take_blocking(self.origin));
        }
        self.n_paused.fetch_sub(1, Ordering::Relaxed);
        current.1 = Instant::now();
    }
}

impl fmt::Debug for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Work({:?})", self.0.gauges)
    }
}
