//! The only door from async to blocking code: everything that reads files goes through here.
//!
//! [`Work::run`] does a piece of work and returns its outcome. [`Work::begin`] does the work up to the first block of a body, so that
//! early failures still get an error status, and then streams the rest: while the client keeps reading, a thread produces blocks; when it
//! stalls, the thread returns to the pool and the rest waits as plain data. So a slow client costs a socket and the blocks that it has
//! not read, never a thread.

use std::{
    collections::VecDeque,
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use apus_data::values::{Body, Cancelled, CheckedBlocks, Waiting};
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use prometheus_client::metrics::{counter::Counter, gauge::Gauge};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, mpsc},
    task, time,
};
use tracing::Span;

use crate::config::Limits;

/// Finished blocks that may wait for a client.
const BLOCKS_AHEAD: usize = 1;
/// If at most this much follows the first block, produce it in the same task: waking another thread takes longer.
const MAX_REST_BYTES: u64 = 1 << 20;

/// Runs blocking work within the limits on answers and threads. Cheap to clone.
#[derive(Clone)]
pub struct Work(Arc<Inner>);

struct Inner {
    answers: Arc<Semaphore>,
    threads: Arc<Semaphore>,
    /// How long a request waits for a permit.
    wait: Duration,
    /// How long a client may take to read a block.
    stall: Duration,
    gauges: WorkGauges,
}

/// Metrics of work.
#[derive(Clone, Debug, Default)]
pub struct WorkGauges {
    /// Answers that hold a permit now.
    pub answers: Gauge,
    /// Threads that read and encode now.
    pub reads: Gauge,
    /// Requests that got no permit in time.
    pub refused: Counter,
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
        let semaphore = |n: usize| Arc::new(Semaphore::new(n.clamp(1, Semaphore::MAX_PERMITS)));
        Self(Arc::new(Inner {
            answers: semaphore(limits.concurrent_answers),
            threads: semaphore(limits.concurrent_reads),
            wait: limits.wait(),
            stall: limits.stall(),
            gauges: WorkGauges::default(),
        }))
    }

    /// Its metrics.
    pub fn gauges(&self) -> &WorkGauges {
        &self.0.gauges
    }

    /// Does blocking work and returns its outcome. `work` can check whether its caller is still waiting.
    ///
    /// Errors: those of `work`; [`WorkError::Busy`]; [`WorkError::Stopped`].
    pub async fn run<T, E>(&self, work: impl FnOnce(Cancelled) -> Result<T, E> + Send + 'static) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<WorkError> + Send + 'static,
    {
        let waiting = Waiting::new();
        let cancelled = waiting.cancelled();
        let thread = self.in_time(Arc::clone(&self.0.threads).acquire_owned()).await?;
        self.on_thread(thread, move || work(cancelled)).await?
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
        let permit = self.in_time(Arc::clone(&self.0.answers).acquire_owned()).await?;
        let (outcome, made) = self
            .run(move |cancelled| {
                let (outcome, body) = work(cancelled)?;
                let made = body.map(Made::first).transpose()?;
                Ok::<_, E>((outcome, made))
            })
            .await?;
        Ok((outcome, made.map(|made| self.stream(permit, made))))
    }

    /// Waits for a permit, as long as the configuration allows.
    async fn in_time<T, E>(&self, permit: impl Future<Output = Result<T, E>>) -> Result<T, WorkError> {
        if let Ok(Ok(permit)) = time::timeout(self.0.wait, permit).await {
            Ok(permit)
        } else {
            self.0.gauges.refused.inc();
            Err(WorkError::Busy)
        }
    }

    /// The only caller of `spawn_blocking`. The work holds the permit until it is done, even if its caller is gone.
    async fn on_thread<T: Send + 'static>(
        &self,
        thread: OwnedSemaphorePermit,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, WorkError> {
        let reads = self.0.gauges.reads.clone();
        let span = Span::current();
        let task = task::spawn_blocking(move || {
            reads.inc();
            let outcome = span.in_scope(work);
            reads.dec();
            drop(thread);
            outcome
        });
        Ok(task.await?)
    }

    fn stream(&self, permit: OwnedSemaphorePermit, made: Made) -> BodyStream {
        let Made { blocks, rest, size_bytes } = made;
        let rest = rest.map(|rest| {
            let (sender, receiver) = mpsc::channel(BLOCKS_AHEAD);
            let work = self.clone();
            let pump = async move {
                work.0.gauges.answers.inc();
                work.pump(rest, sender).await;
                work.0.gauges.answers.dec();
                drop(permit);
            };
            task::spawn(tracing::Instrument::instrument(pump, Span::current()));
            receiver
        });
        BodyStream { made: blocks, rest, remaining: size_bytes }
    }

    /// Produces blocks while there is room in the channel; waits without a thread while there is none.
    async fn pump(&self, mut blocks: CheckedBlocks, sender: mpsc::Sender<Message>) {
        loop {
            match time::timeout(self.0.stall, sender.reserve()).await {
                Ok(Ok(_room)) => {}
                Ok(Err(_gone)) => return,
                Err(_late) => {
                    let stall_ms = self.0.stall.as_millis();
                    tracing::info!(stall_ms, "the client stopped reading: answer broken off");
                    return;
                }
            }
            let Ok(thread) = Arc::clone(&self.0.threads).acquire_owned().await else { return };
            let burst_sender = sender.clone();
            let burst = move || {
                let state = make_blocks(&mut blocks, &burst_sender);
                (blocks, state)
            };
            match self.on_thread(thread, burst).await {
                Ok((rest, Burst::Full)) => blocks = rest,
                Ok((_, Burst::Over)) => return,
                Ok((_, Burst::Failed(error))) => {
                    tracing::warn!(%error, "the answer was broken off");
                    return;
                }
                Err(error) => {
                    tracing::warn!(%error, "the answer was broken off");
                    return;
                }
            }
        }
    }
}

impl fmt::Debug for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Work({:?})", self.0.gauges)
    }
}

/// The blocks produced before an answer begins, and the source of the others.
struct Made {
    blocks: VecDeque<Bytes>,
    rest: Option<CheckedBlocks>,
    size_bytes: Option<u64>,
}

impl Made {
    /// Produces the first block, and the others if they are small.
    fn first(body: Body) -> Result<Self, apus_data::Error> {
        let size_bytes = body.size_bytes();
        let mut rest = match body {
            Body::Whole(bytes) => return Ok(Self { blocks: VecDeque::from([bytes]), rest: None, size_bytes }),
            Body::Blocks(blocks) => blocks,
        };
        let Some(first) = rest.next().transpose()? else {
            return Ok(Self { blocks: VecDeque::new(), rest: None, size_bytes });
        };
        let rest_bytes = size_bytes.map(|size| size.saturating_sub(first.len() as u64));
        let mut blocks = VecDeque::from([first]);
        if rest_bytes.is_none_or(|bytes| bytes > MAX_REST_BYTES) {
            return Ok(Self { blocks, rest: Some(rest), size_bytes });
        }
        for block in rest {
            blocks.push_back(block?);
        }
        Ok(Self { blocks, rest: None, size_bytes })
    }
}

enum Message {
    Block(Bytes),
    End,
}

enum Burst {
    /// The channel is full.
    Full,
    /// All blocks are sent, or the receiver is gone.
    Over,
    /// The body must break off.
    Failed(apus_data::Error),
}

fn make_blocks(blocks: &mut CheckedBlocks, sender: &mpsc::Sender<Message>) -> Burst {
    loop {
        let room = match sender.try_reserve() {
            Ok(room) => room,
            Err(mpsc::error::TrySendError::Full(())) => return Burst::Full,
            Err(mpsc::error::TrySendError::Closed(())) => return Burst::Over,
        };
        match blocks.next() {
            Some(Ok(block)) => room.send(Message::Block(block)),
            Some(Err(error)) => return Burst::Failed(error),
            None => {
                room.send(Message::End);
                return Burst::Over;
            }
        }
    }
}

/// The body as the socket takes it. Only `Message::End` ends it normally: if the sender vanishes, the body breaks off.
#[derive(Debug)]
pub struct BodyStream {
    made: VecDeque<Bytes>,
    /// The blocks after these, if there are more.
    rest: Option<mpsc::Receiver<Message>>,
    /// The bytes still to come, if the length is known.
    remaining: Option<u64>,
}

/// Why a body breaks off; the log has the details.
#[derive(Debug, thiserror::Error)]
#[error("the answer could not be completed")]
pub struct BrokenOff;

impl http_body::Body for BodyStream {
    type Data = Bytes;
    type Error = BrokenOff;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        let piece = match (self.made.pop_front(), &mut self.rest) {
            (Some(made), _) => Some(Message::Block(made)),
            (None, None) => return Poll::Ready(None),
            (None, Some(rest)) => match rest.poll_recv(context) {
                Poll::Ready(piece) => piece,
                Poll::Pending => return Poll::Pending,
            },
        };
        match piece {
            Some(Message::Block(block)) => {
                if let Some(remaining) = &mut self.remaining {
                    *remaining = remaining.saturating_sub(block.len() as u64);
                }
                Poll::Ready(Some(Ok(Frame::data(block))))
            }
            Some(Message::End) => {
                self.rest = None;
                Poll::Ready(None)
            }
            None => {
                self.rest = None;
                Poll::Ready(Some(Err(BrokenOff)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.made.is_empty() && (self.rest.is_none() || self.remaining == Some(0))
    }

    fn size_hint(&self) -> SizeHint {
        self.remaining.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}
