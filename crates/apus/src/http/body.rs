//! Bodies of requests: how fast they must come, and how much memory all of them may take.
//!
//! [`guard`] stands around every route and replaces each request's body by one that is [`Guarded`]: a handler cannot read another. It counts
//! what has come, with what is going to be made of it, in one [`Budget`] for all requests, until the answer is complete; a handler that keeps
//! exact books says so through [`BodyMemory`]. A body that is too slow, or that finds no room, ends with an error, and whatever the handler
//! makes of that, the client is told what was wrong.

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    body::Body,
    extract::{FromRequestParts, Request, State},
    http::{HeaderValue, Version, header, request::Parts},
    middleware::Next,
    response::Response,
};
use bytes::Bytes;
use http_body::{Body as _, Frame, SizeHint};
use tokio::time::{self, Instant, Sleep};

use super::{
    error::{ApiError, ApiResult},
    protocol::ErrorForms,
};
use crate::{
    config::Limits,
    memory::{Budget, Held, NoMemory},
};

/// What lists of numbers take, for each byte of the text that they are read from, with what they are read from.
const PARSED_PER_BYTE: u64 = 8;
/// Bodies this short are always taken: requests for a few rows are answered whatever the large ones do.
const SHORT_BYTES: u64 = 16 << 10;
/// When a client whose body found no room may come again.
const RETRY_AFTER: Duration = Duration::from_secs(2);

tokio::task_local! {
    static CURRENT: BodyMemory;
}

/// What [`guard`] needs. Cheap to clone.
#[derive(Clone)]
pub(super) struct Guard {
    pub(super) budget: Budget,
    pub(super) limits: Arc<Limits>,
    pub(super) forms: Arc<ErrorForms>,
}

/// The memory that a request's body takes, with what is made of it. Cheap to clone; it is free again when the answer is complete.
#[derive(Clone)]
pub(crate) struct BodyMemory(Arc<Inner>);

struct Inner {
    held: Held,
    wait: Duration,
    /// Whether the handler says how much there is.
    is_exact: AtomicBool,
    /// Why the body ended before its end.
    fault: Mutex<Option<Fault>>,
}

/// Why a body ended before its end.
#[derive(Clone, Copy, Debug, thiserror::Error)]
enum Fault {
    /// It came too slowly.
    #[error("the request's body came too slowly: fewer than {} bytes in {} ms", .n_bytes, .window.as_millis())]
    Slow { n_bytes: u64, window: Duration },
    /// Others have the memory.
    #[error("other requests' bodies take all the memory that there is for them; come again shortly")]
    Busy,
    /// There never is so much memory.
    #[error("the request's body takes more than the {limit_bytes} bytes that all of them may; ask in several requests")]
    TooLarge { limit_bytes: u64 },
}

impl Fault {
    fn of(no_memory: NoMemory) -> Self {
        match no_memory {
            NoMemory::Busy => Self::Busy,
            NoMemory::TooMuch { limit_bytes } => Self::TooLarge { limit_bytes },
        }
    }

    fn into_error(self) -> ApiError {
        let detail = self.to_string().into();
        match self {
            Self::Slow { .. } => ApiError::Timeout(detail),
            Self::Busy => ApiError::Unavailable { detail, retry_after: RETRY_AFTER },
            Self::TooLarge { .. } => ApiError::TooLarge(detail),
        }
    }
}

impl BodyMemory {
    /// Says that the handler counts what it keeps, since it keeps nothing of what it has read.
    pub(crate) fn count_exactly(&self) {
        self.0.is_exact.store(true, Ordering::Relaxed);
    }

    /// Takes what is missing to `n_bytes`, and waits for it no longer than the configuration allows.
    ///
    /// Errors: 413 where there never is that much, 503 where others have it.
    pub(crate) async fn grow(&self, n_bytes: u64) -> ApiResult<()> {
        if n_bytes <= SHORT_BYTES {
            return Ok(());
        }
        // Meanwhile it is not the client who is waited for.
        self.0.held.works();
        let grown = self.0.held.resize(n_bytes, self.0.wait).await;
        self.0.held.waits_for_client();
        grown.map_err(|no_memory| Fault::of(no_memory).into_error())
    }

    /// Gives back what is beyond `n_bytes`.
    pub(crate) fn shrink(&self, n_bytes: u64) {
        self.0.held.shrink(n_bytes);
    }

    /// What is wrong with the body, if it ended before its end for its pace or its size.
    pub(crate) fn error(&self) -> Option<ApiError> {
        self.fault().map(Fault::into_error)
    }

    /// That of the request which this task answers.
    pub(crate) fn current() -> Option<Self> {
        CURRENT.try_with(Self::clone).ok()
    }

    /// Says whether it is the client that is waited for: then others may have the memory when they need it.
    pub(crate) fn set_waiting(&self, waits: bool) {
        if waits {
            self.0.held.waits_for_client();
        } else {
            self.0.held.works();
        }
    }

    /// Waits until others need the memory.
    pub(crate) async fn evicted(&self) {
        self.0.held.evicted().await;
    }

    fn fail(&self, fault: Fault) -> axum::Error {
        *self.0.fault.lock().unwrap_or_else(PoisonError::into_inner) = Some(fault);
        axum::Error::new(fault)
    }

    fn fault(&self) -> Option<Fault> {
        *self.0.fault.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for BodyMemory {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        parts.extensions.get::<Self>().cloned().ok_or_else(|| ApiError::internal("a body that nothing guards"))
    }
}

/// The middleware that guards every body.
pub(super) async fn guard(State(guard): State<Guard>, mut request: Request, next: Next) -> Response {
    let memory = BodyMemory(Arc::new(Inner {
        held: guard.budget.nothing(),
        wait: guard.limits.wait(),
        is_exact: AtomicBool::new(false),
        fault: Mutex::default(),
    }));
    request.extensions_mut().insert(memory.clone());
    if request.body().is_end_stream() {
        let response = CURRENT.scope(memory.clone(), next.run(request)).await;
        return response.map(|body| Body::new(Keeping { body, _memory: memory }));
    }
    let is_http1 = request.version() < Version::HTTP_2;
    let path = request.uri().path().to_owned();
    let request = request.map(|body| Body::new(Guarded::new(body, memory.clone(), &guard.limits)));
    let mut response = CURRENT.scope(memory.clone(), next.run(request)).await;
    if let Some(error) = memory.error() {
        // A handler that knows the error tells it in its own way.
        if response.status() != error.status() {
            response = guard.forms.response(&path, error);
        }
        if is_http1 {
            // The rest of the body will not be read.
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
    }
    response.map(|body| Body::new(Keeping { body, _memory: memory }))
}

/// A request's body that must keep its pace.
struct Guarded {
    body: Body,
    memory: BodyMemory,
    n_bytes: u64,
    /// The least bytes of a window, and how long that is.
    window_bytes: u64,
    window: Duration,
    /// When the window ends, and what had come when it began.
    window_end: Pin<Box<Sleep>>,
    n_bytes_before: u64,
    /// What has come and waits for memory.
    growing: Option<(Frame<Bytes>, Growing)>,
}

type Growing = Pin<Box<dyn Future<Output = Result<(), NoMemory>> + Send>>;

impl Guarded {
    fn new(body: Body, memory: BodyMemory, limits: &Limits) -> Self {
        memory.0.held.waits_for_client();
        let window = Duration::from_millis(limits.body_ms);
        Self {
            body,
            memory,
            n_bytes: 0,
            window_bytes: limits.body_rate_bytes.saturating_mul(limits.body_ms) / 1000,
            window,
            window_end: Box::pin(time::sleep(window)),
            n_bytes_before: 0,
            growing: None,
        }
    }

    fn begin_window(&mut self) {
        self.n_bytes_before = self.n_bytes;
        self.window_end.as_mut().reset(Instant::now() + self.window);
        self.memory.0.held.waits_for_client();
    }

    /// Waits for the memory of what has come.
    fn poll_growing(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Fault>> {
        let Some((_, growing)) = &mut self.growing else { return Poll::Ready(Ok(())) };
        growing.as_mut().poll(context).map_err(Fault::of)
    }

    fn poll_fault(&mut self, context: &mut Context<'_>) -> Option<Fault> {
        if self.memory.0.held.poll_evicted(context).is_ready() {
            return Some(Fault::Busy);
        }
        while self.window_end.as_mut().poll(context).is_ready() {
            if self.n_bytes - self.n_bytes_before < self.window_bytes {
                return Some(Fault::Slow { n_bytes: self.window_bytes, window: self.window });
            }
            self.begin_window();
        }
        None
    }
}

impl http_body::Body for Guarded {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = &mut *self;
        if this.growing.is_none() {
            match Pin::new(&mut this.body).poll_frame(context) {
                Poll::Ready(Some(Ok(frame))) => {
                    this.n_bytes += frame.data_ref().map_or(0, Bytes::len) as u64;
                    this.memory.0.held.waits_for_client();
                    let is_exact = this.memory.0.is_exact.load(Ordering::Relaxed);
                    if is_exact || this.n_bytes <= SHORT_BYTES {
                        return Poll::Ready(Some(Ok(frame)));
                    }
                    // From here on it is not the client who is waited for.
                    this.memory.0.held.works();
                    let (memory, n_bytes) = (this.memory.clone(), this.n_bytes.saturating_mul(PARSED_PER_BYTE));
                    this.growing =
                        Some((frame, Box::pin(async move { memory.0.held.resize(n_bytes, memory.0.wait).await })));
                }
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Some(Err(error))),
                Poll::Ready(None) => {
                    // From here on, nobody waits for the client.
                    this.memory.0.held.works();
                    return Poll::Ready(None);
                }
                Poll::Pending => {
                    return match this.poll_fault(context) {
                        Some(fault) => Poll::Ready(Some(Err(this.memory.fail(fault)))),
                        None => Poll::Pending,
                    };
                }
            }
        }
        match this.poll_growing(context) {
            Poll::Ready(Ok(())) => {
                let frame = this.growing.take().map(|(frame, _)| frame);
                // The client did not have to wait for itself.
                this.begin_window();
                Poll::Ready(frame.map(Ok))
            }
            Poll::Ready(Err(fault)) => Poll::Ready(Some(Err(this.memory.fail(fault)))),
            Poll::Pending => Poll::Pending,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.growing.is_none() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// An answer that keeps what its request's body takes until it is complete.
struct Keeping {
    body: Body,
    _memory: BodyMemory,
}

impl http_body::Body for Keeping {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
