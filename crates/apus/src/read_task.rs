//! The one door from async to blocking: everything that reads files goes through here.
//!
//! [`run`] does a piece of work and gives its outcome back. [`answer`] does the work up to the first block of the body, so
//! that early failures still have a status of their own, and then streams: while the client takes blocks, a thread makes
//! them; when it does not, the thread goes back to the pool and the rest waits as plain data. So a slow client costs a
//! socket and the blocks that it has not read, never a thread. A failure after the first block breaks the body off. An answer
//! that is little more than its first block is made by the same piece of work: waking another thread takes longer.

use std::{
    collections::VecDeque,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, mpsc},
    task, time,
};
use tracing::Span;

use crate::{
    app::App,
    config::Limits,
    error::{ApiError, ApiResult},
};

/// Blocks that a client may be behind with.
const BLOCKS_AHEAD: usize = 1;
/// Where no more than this comes after the first block, it is made together with it: a block that the client may be behind with.
const MAX_REST_BYTES: u64 = 1 << 20;
/// When a client that found no place may come again.
const RETRY_AFTER: Duration = Duration::from_secs(2);

/// Makes the blocks of a body, one after the other; ends after an error.
pub type Blocks = Box<dyn Iterator<Item = ApiResult<Bytes>> + Send>;

/// The places for blocking work.
pub struct Reads {
    answers: Arc<Semaphore>,
    threads: Arc<Semaphore>,
}

/// An answer whose body is still to be made.
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: AnswerBody,
}

/// The body of an [`Answer`].
pub enum AnswerBody {
    /// Nothing.
    Empty,
    /// All of it.
    Whole(Bytes),
    /// A stream.
    Blocks {
        /// Makes it.
        blocks: Blocks,
        /// Its length where that is known.
        size_bytes: Option<u64>,
    },
}

impl Reads {
    /// All places free.
    pub fn new(limits: &Limits) -> Self {
        let semaphore = |n: usize| Arc::new(Semaphore::new(n.clamp(1, Semaphore::MAX_PERMITS)));
        Self { answers: semaphore(limits.concurrent_answers), threads: semaphore(limits.concurrent_reads) }
    }
}

impl Answer {
    /// A 200 of that media type.
    pub fn new(content_type: &'static str, body: AnswerBody) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        Self { status: StatusCode::OK, headers, body }
    }

    /// A status without a body.
    pub fn empty(status: StatusCode) -> Self {
        Self { status, headers: HeaderMap::new(), body: AnswerBody::Empty }
    }

    /// With that header; one whose value is no header text is left out.
    #[must_use]
    pub fn with_header(mut self, name: header::HeaderName, value: impl TryInto<HeaderValue>) -> Self {
        if let Ok(value) = value.try_into() {
            self.headers.insert(name, value);
        }
        self
    }
}

/// Does blocking work and gives its outcome back. A protocol may have an error type of its own.
///
/// Errors: those of `work`; 503 where no thread comes free in time; 500 where the work panics.
pub async fn run<T, E>(app: &App, work: impl FnOnce() -> Result<T, E> + Send + 'static) -> Result<T, E>
where
    T: Send + 'static,
    E: From<ApiError> + Send + 'static,
{
    let thread = in_time(app, Arc::clone(&app.reads.threads).acquire_owned()).await?;
    on_thread(app, thread, work).await?
}

/// Does the work that starts an answer, makes the first block of its body, and streams the rest. With `head` the body is
/// not made at all, but its length is told.
///
/// Errors: as [`run`]; those of the first block.
pub async fn answer<E: From<ApiError> + Send + 'static>(
    app: &App,
    head: bool,
    work: impl FnOnce() -> Result<Answer, E> + Send + 'static,
) -> Result<Response, E> {
    let place = in_time(app, Arc::clone(&app.reads.answers).acquire_owned()).await?;
    let (mut answer, made) = run(app, move || {
        let mut answer = work()?;
        let made = match &mut answer.body {
            AnswerBody::Blocks { blocks, size_bytes } if !head => Made::first(blocks, *size_bytes)?,
            _ => Made::default(),
        };
        Ok::<_, E>((answer, made))
    })
    .await?;
    let size_bytes = match &answer.body {
        AnswerBody::Empty => None,
        AnswerBody::Whole(bytes) => Some(bytes.len() as u64),
        AnswerBody::Blocks { size_bytes, .. } => *size_bytes,
    };
    if let Some(size_bytes) = size_bytes {
        answer.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(size_bytes));
    }
    let body = match answer.body {
        _ if head => Body::empty(),
        AnswerBody::Empty => Body::empty(),
        AnswerBody::Whole(bytes) => Body::from(bytes),
        AnswerBody::Blocks { .. } if made.is_all => {
            Body::new(BlockBody { made: made.blocks, rest: None, remaining: size_bytes })
        }
        AnswerBody::Blocks { blocks, size_bytes } => stream(app, place, made.blocks, blocks, size_bytes),
    };
    Ok((answer.status, answer.headers, body).into_response())
}

/// The blocks that are made before an answer begins.
#[derive(Default)]
struct Made {
    blocks: VecDeque<Bytes>,
    is_all: bool,
}

impl Made {
    /// Makes the first block, and the others where they are few.
    fn first(blocks: &mut Blocks, size_bytes: Option<u64>) -> ApiResult<Self> {
        let Some(first) = blocks.next().transpose()? else { return Ok(Self { is_all: true, ..Self::default() }) };
        let rest_bytes = size_bytes.map(|size| size.saturating_sub(first.len() as u64));
        let is_all = rest_bytes.is_some_and(|rest| rest <= MAX_REST_BYTES);
        let mut made = VecDeque::from([first]);
        if is_all {
            for block in blocks {
                made.push_back(block?);
            }
        }
        Ok(Self { blocks: made, is_all })
    }
}

/// Waits for a place, as long as the configuration allows.
async fn in_time<T, E>(app: &App, place: impl Future<Output = Result<T, E>>) -> ApiResult<T> {
    if let Ok(Ok(place)) = time::timeout(app.config.limits.wait(), place).await {
        Ok(place)
    } else {
        app.metrics.refused.inc();
        Err(ApiError::Unavailable {
            detail: "all places are taken; come again shortly".into(),
            retry_after: RETRY_AFTER,
        })
    }
}

/// The only caller of `spawn_blocking`. The place goes with the work: it is free when the work is done, whoever still waits.
async fn on_thread<T: Send + 'static>(
    app: &App,
    thread: OwnedSemaphorePermit,
    work: impl FnOnce() -> T + Send + 'static,
) -> ApiResult<T> {
    let app = app.clone();
    let span = Span::current();
    task::spawn_blocking(move || {
        app.metrics.reads.inc();
        let outcome = span.in_scope(work);
        app.metrics.reads.dec();
        drop(thread);
        outcome
    })
    .await
    .map_err(|error| ApiError::internal(format!("reading stopped: {error}")))
}

enum Piece {
    Block(Bytes),
    End,
}

fn stream(
    app: &App,
    place: OwnedSemaphorePermit,
    made: VecDeque<Bytes>,
    blocks: Blocks,
    size_bytes: Option<u64>,
) -> Body {
    let (sender, receiver) = mpsc::channel(BLOCKS_AHEAD);
    let app = app.clone();
    let span = Span::current();
    task::spawn(tracing::Instrument::instrument(
        async move {
            app.metrics.answers.inc();
            pump(&app, blocks, sender).await;
            app.metrics.answers.dec();
            drop(place);
        },
        span,
    ));
    Body::new(BlockBody { made, rest: Some(receiver), remaining: size_bytes })
}

/// Makes blocks while there is room for them; waits without a thread while there is none.
async fn pump(app: &App, mut blocks: Blocks, sender: mpsc::Sender<Piece>) {
    loop {
        match time::timeout(app.config.limits.stall(), sender.reserve()).await {
            Ok(Ok(_room)) => {}
            Ok(Err(_gone)) => return,
            Err(_late) => {
                tracing::info!(stall_ms = app.config.limits.stall_ms, "the client reads nothing: broken off");
                return;
            }
        }
        let Ok(thread) = Arc::clone(&app.reads.threads).acquire_owned().await else { return };
        let burst_sender = sender.clone();
        let burst = move || {
            let state = make_blocks(&mut blocks, &burst_sender);
            (blocks, state)
        };
        match on_thread(app, thread, burst).await {
            Ok((rest, Burst::Full)) => blocks = rest,
            Ok((_, Burst::Over)) => return,
            Ok((_, Burst::Failed(error))) | Err(error) => {
                tracing::warn!(%error, "the answer was broken off");
                return;
            }
        }
    }
}

enum Burst {
    /// There is no room now.
    Full,
    /// All is made, or nobody wants it any more.
    Over,
    /// The body must break off.
    Failed(ApiError),
}

fn make_blocks(blocks: &mut Blocks, sender: &mpsc::Sender<Piece>) -> Burst {
    loop {
        let room = match sender.try_reserve() {
            Ok(room) => room,
            Err(mpsc::error::TrySendError::Full(())) => return Burst::Full,
            Err(mpsc::error::TrySendError::Closed(())) => return Burst::Over,
        };
        match blocks.next() {
            Some(Ok(block)) => room.send(Piece::Block(block)),
            Some(Err(error)) => return Burst::Failed(error),
            None => {
                room.send(Piece::End);
                return Burst::Over;
            }
        }
    }
}

/// The body as the socket takes it. It ends only where the maker said so: a maker that vanished breaks it off.
struct BlockBody {
    made: VecDeque<Bytes>,
    /// What comes after that; `None` where nothing does.
    rest: Option<mpsc::Receiver<Piece>>,
    /// What is still to come, where the length was told.
    remaining: Option<u64>,
}

/// Why a body breaks off; the log tells more.
#[derive(Debug, thiserror::Error)]
#[error("the answer could not be completed")]
struct BrokenOff;

impl http_body::Body for BlockBody {
    type Data = Bytes;
    type Error = BrokenOff;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        let piece = match (self.made.pop_front(), &mut self.rest) {
            (Some(made), _) => Some(Piece::Block(made)),
            (None, None) => return Poll::Ready(None),
            (None, Some(rest)) => match rest.poll_recv(context) {
                Poll::Ready(piece) => piece,
                Poll::Pending => return Poll::Pending,
            },
        };
        match piece {
            Some(Piece::Block(block)) => {
                if let Some(remaining) = &mut self.remaining {
                    *remaining = remaining.saturating_sub(block.len() as u64);
                }
                Poll::Ready(Some(Ok(Frame::data(block))))
            }
            Some(Piece::End) => {
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
