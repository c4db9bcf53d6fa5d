//! Answers: a status, headers, and a body that is produced block by block.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

use apus_data::values::{Body, Cancelled, Content, EntityTag};
use axum::{
    body::Body as HttpBody,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use http_body::Frame;
use tracing::Span;

use super::{
    error::{ApiError, ApiResult},
    preconditions::{BodyPart, Preconditions},
};
use crate::work::{Work, WorkError};

/// An answer whose body is still to be produced.
#[derive(Debug)]
pub(crate) struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Option<Body>,
}

impl Answer {
    /// A status without a body.
    pub(crate) fn empty(status: StatusCode) -> Self {
        Self { status, headers: HeaderMap::new(), body: None }
    }

    /// The whole content.
    ///
    /// Errors: those of planning it.
    pub(crate) fn of(content: Content, media_type: &str) -> ApiResult<Self> {
        if let Some(n_rows) = content.n_rows {
            Span::current().record("n_rows", n_rows);
        }
        let body = Some(content.into_body()?);
        let answer = Self { status: StatusCode::OK, headers: HeaderMap::new(), body };
        Ok(answer.with_header(header::CONTENT_TYPE, media_type))
    }

    /// The requested bytes of the content, with its tag; the whole content if its length is not known beforehand.
    ///
    /// Errors: 416 if the range lies outside; those of planning the content.
    pub(crate) fn of_part(
        content: Content,
        media_type: &str,
        tag: &EntityTag,
        preconditions: &Preconditions,
    ) -> ApiResult<Self> {
        let Some(size_bytes) = content.size_bytes() else {
            return Ok(Self::of(content, media_type)?.with_tag(tag));
        };
        let answer = match preconditions.part(tag.as_str(), size_bytes)? {
            BodyPart::Whole => Self::of(content, media_type)?,
            BodyPart::Bytes(bytes) => {
                let range = format!("bytes {}-{}/{size_bytes}", bytes.start, bytes.end.saturating_sub(1));
                let body = Some(content.into_part(bytes)?);
                Self { status: StatusCode::PARTIAL_CONTENT, headers: HeaderMap::new(), body }
                    .with_header(header::CONTENT_TYPE, media_type)
                    .with_header(header::CONTENT_RANGE, range)
            }
        };
        Ok(answer.with_header(header::ACCEPT_RANGES, "bytes").with_tag(tag))
    }

    /// Adds a header, unless its value is not valid header text.
    #[must_use]
    pub(crate) fn with_header(mut self, name: HeaderName, value: impl TryInto<HeaderValue>) -> Self {
        if let Ok(value) = value.try_into() {
            self.headers.insert(name, value);
        }
        self
    }

    /// Adds the entity tag, which caches must revalidate each time.
    #[must_use]
    pub(crate) fn with_tag(self, tag: &EntityTag) -> Self {
        self.with_header(header::ETAG, tag.as_str()).with_header(header::CACHE_CONTROL, "no-cache")
    }
}

/// Does the work that makes an answer, and sends it. With `head`, only the body's length is sent, and no block is produced.
///
/// Errors: those of `work`, of the first block, and of finding a permit.
pub(crate) async fn answer<E>(
    work: &Work,
    head: bool,
    make: impl FnOnce(Cancelled) -> Result<Answer, E> + Send + 'static,
) -> Result<Response, E>
where
    E: From<ApiError> + From<WorkError> + From<apus_data::Error> + Send + 'static,
{
    let begun = work.begin(move |cancelled| {
        let Answer { status, mut headers, body } = make(cancelled)?;
        if let Some(size_bytes) = body.as_ref().and_then(Body::size_bytes) {
            headers.insert(header::CONTENT_LENGTH, HeaderValue::from(size_bytes));
        }
        Ok::<_, E>(((status, headers), body.filter(|_| !head)))
    });
    let ((status, headers), body) = begun.await?;
    let body = match body {
        Some(body) => HttpBody::new(body),
        None if head => HttpBody::new(LeftOut),
        None => HttpBody::empty(),
    };
    Ok((status, headers, body).into_response())
}

/// The body that an answer to HEAD leaves out. It does not say how long it is: an empty one would be announced as the length of the
/// answer to GET where that is not known.
struct LeftOut;

impl http_body::Body for LeftOut {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(None)
    }
}
