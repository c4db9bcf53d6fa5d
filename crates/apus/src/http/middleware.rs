//! Observes every request: a span with an id, an access line when the answer has ended, metrics.
//!
//! Only the path is logged, never the query or a header: both may contain credentials.

use std::{
    fmt::Write,
    pin::Pin,
    sync::atomic::{AtomicU64, Ordering},
    task::{Context, Poll},
    time::Instant,
};

use axum::{
    body::Body,
    extract::{MatchedPath, Request, State},
    http::{HeaderValue, Method, header},
    middleware::Next,
    response::Response,
};
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use tracing::{Instrument, Span, field};

use super::{
    caller::peer,
    error::Logged,
    headers,
    origin::{Hangup, Origin},
};
use crate::app::App;

/// The middleware around every request.
pub async fn observe(State(app): State<App>, request: Request, next: Next) -> Response {
    let start = Instant::now();
    let id = next_id();
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
    let span = tracing::info_span!(
        "request",
        id,
        method = method.as_str(),
        route,
        path = request.uri().path(),
        user = field::Empty,
        n_rows = field::Empty,
    );
    let hangup = request.extensions().get::<Hangup>().cloned();
    let origin = Origin {
        address: app.auth.client_address(request.headers(), peer(request.extensions())),
        connection: hangup.as_ref().map_or(0, Hangup::connection),
    };
    let answer = next.run(request).instrument(span.clone());
    let mut response = origin.scope(hangup, answer).await;
    if let Ok(value) = HeaderValue::try_from(&id) {
        response.headers_mut().insert(headers::REQUEST_ID, value);
    }
    response.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    let error = response.extensions_mut().remove::<Logged>();
    let end = AtEnd {
        app,
        span,
        route,
        status: response.status().as_u16(),
        bodyless: method == Method::HEAD || response.status().as_u16() == 304,
        method,
        start,
        error,
        sent_bytes: 0,
        complete: false,
    };
    response.map(|body| Body::new(ObservedBody { body, end }))
}

/// An id that is unique in this process, and unlikely to occur in another.
fn next_id() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    static START: std::sync::LazyLock<u64> = std::sync::LazyLock::new(|| {
        use std::hash::{BuildHasher, Hasher};
        std::collections::hash_map::RandomState::new().build_hasher().finish()
    });
    let mut id = String::with_capacity(24);
    let _ = write!(id, "{:08x}-{:x}", *START >> 32, COUNT.fetch_add(1, Ordering::Relaxed));
    id
}

/// Writes the access line when it is dropped, at the end of the answer.
struct AtEnd {
    app: App,
    span: Span,
    route: String,
    method: Method,
    status: u16,
    bodyless: bool,
    start: Instant,
    error: Option<Logged>,
    sent_bytes: u64,
    complete: bool,
}

impl Drop for AtEnd {
    fn drop(&mut self) {
        let duration = self.start.elapsed();
        let complete = self.complete || self.bodyless;
        self.app.metrics.count_request(&self.route, &self.method, self.status, duration, self.sent_bytes, complete);
        let (status, size_bytes) = (self.status, self.sent_bytes);
        let duration_ms = duration.as_secs_f64() * 1e3;
        self.span.in_scope(|| match &self.error {
            Some(Logged(error)) if status >= 500 && status != 503 => {
                tracing::error!(status, size_bytes, duration_ms, %error, "answered");
            }
            Some(Logged(error)) => tracing::info!(status, size_bytes, duration_ms, %error, "answered"),
            None => tracing::info!(status, size_bytes, duration_ms, complete, "answered"),
        });
    }
}

struct ObservedBody {
    body: Body,
    end: AtEnd,
}

impl http_body::Body for ObservedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        match &polled {
            Poll::Ready(Some(Ok(frame))) => {
                self.end.sent_bytes += frame.data_ref().map_or(0, Bytes::len) as u64;
                self.end.complete = self.body.is_end_stream();
            }
            Poll::Ready(None) => self.end.complete = true,
            Poll::Ready(Some(Err(_))) | Poll::Pending => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
