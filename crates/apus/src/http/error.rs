//! The only map from errors to HTTP.

use std::{borrow::Cow, time::Duration};

use apus_data::Fault;
use axum::{
    Json,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;

use crate::{auth::AuthError, work::WorkError};

/// When a client that got no permit may retry.
const RETRY_AFTER: Duration = Duration::from_secs(2);

/// The result of everything that answers a request.
pub type ApiResult<T> = Result<T, ApiError>;

/// An error, named by what the client can do about it. The text of an [`Internal`](Self::Internal) error stays in the log;
/// every other text is for the client and says what, where, and the numbers.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ApiError {
    /// The request is malformed: a parameter is missing, unknown or wrong. 400.
    #[error("{0}")]
    BadRequest(Cow<'static, str>),
    /// Credentials are missing or wrong. 401.
    #[error("{0}")]
    Unauthorized(Cow<'static, str>),
    /// There is no such path or object, or the caller may not see it. 404.
    #[error("{0}")]
    NotFound(Cow<'static, str>),
    /// The route does not support the method. 405.
    #[error("this address does not support {0}")]
    MethodNotAllowed(axum::http::Method),
    /// The request's body came too slowly. 408.
    #[error("{0}")]
    Timeout(Cow<'static, str>),
    /// A precondition of the request does not hold. 412.
    #[error("{0}")]
    PreconditionFailed(Cow<'static, str>),
    /// The request or its answer is larger than the configuration allows. 413.
    #[error("{0}")]
    TooLarge(Cow<'static, str>),
    /// The request's target is too long. 414.
    #[error("the request's address is longer than {limit_bytes} bytes: send long parameters in the body of a POST")]
    UriTooLong {
        /// The most bytes.
        limit_bytes: usize,
    },
    /// The request's head is too long. 431.
    #[error("the request's head is longer than {limit_bytes} bytes or {limit_lines} header lines")]
    HeadTooLarge {
        /// The most bytes.
        limit_bytes: usize,
        /// The most lines.
        limit_lines: usize,
    },
    /// The request's body is of an unsupported type. 415.
    #[error("{0}")]
    UnsupportedMediaType(Cow<'static, str>),
    /// The byte range lies outside the body. 416.
    #[error("the requested range lies outside the {size_bytes} bytes of the body")]
    RangeNotSatisfiable {
        /// The length of the whole body.
        size_bytes: u64,
    },
    /// The file or object cannot be read: it is not HDF5, damaged, unsupported, behind a forbidden link, or was changed. 422.
    #[error("{detail}")]
    Unreadable {
        /// The kind of fault: `not_hdf5`, `damaged`, `unsupported`, `link_target`, `changed`.
        code: &'static str,
        /// The text.
        detail: Cow<'static, str>,
    },
    /// Too many logins failed. 429.
    #[error("too many failed logins; retry in {} s", .retry_after.as_secs())]
    TooManyRequests {
        /// When to retry.
        retry_after: Duration,
    },
    /// The service is busy, or something it depends on is unavailable. 503.
    #[error("{detail}")]
    Unavailable {
        /// What is unavailable.
        detail: Cow<'static, str>,
        /// When to retry.
        retry_after: Duration,
    },
    /// Not the client's fault; the text goes to the log. 500.
    #[error("{0}")]
    Internal(String),
}

impl ApiError {
    /// A 400 with that text.
    pub fn bad_request(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::BadRequest(detail.into())
    }

    /// A 404 with that text.
    pub fn not_found(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::NotFound(detail.into())
    }

    /// A 413 with that text.
    pub fn too_large(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::TooLarge(detail.into())
    }

    /// A 500 whose text goes to the log.
    pub fn internal(detail: impl std::fmt::Display) -> Self {
        Self::Internal(detail.to_string())
    }

    /// The status of the answer.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::BadRequest(_) => StatusCode::BAD_REQUEST,
            Self::Unauthorized(_) => StatusCode::UNAUTHORIZED,
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::Timeout(_) => StatusCode::REQUEST_TIMEOUT,
            Self::PreconditionFailed(_) => StatusCode::PRECONDITION_FAILED,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UriTooLong { .. } => StatusCode::URI_TOO_LONG,
            Self::HeadTooLarge { .. } => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::UnsupportedMediaType(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::RangeNotSatisfiable { .. } => StatusCode::RANGE_NOT_SATISFIABLE,
            Self::Unreadable { .. } => StatusCode::UNPROCESSABLE_ENTITY,
            Self::TooManyRequests { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::Unavailable { .. } => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// A short word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::BadRequest(_) => "bad_request",
            Self::Unauthorized(_) => "unauthorized",
            Self::NotFound(_) => "not_found",
            Self::MethodNotAllowed(_) => "method_not_allowed",
            Self::Timeout(_) => "timeout",
            Self::PreconditionFailed(_) => "precondition_failed",
            Self::TooLarge(_) => "too_large",
            Self::UriTooLong { .. } => "uri_too_long",
            Self::HeadTooLarge { .. } => "head_too_large",
            Self::UnsupportedMediaType(_) => "unsupported_media_type",
            Self::RangeNotSatisfiable { .. } => "range_not_satisfiable",
            Self::Unreadable { code, .. } => code,
            Self::TooManyRequests { .. } => "too_many_requests",
            Self::Unavailable { .. } => "busy",
            Self::Internal(_) => "internal",
        }
    }

    /// The text for the client.
    pub fn public_detail(&self) -> String {
        match self {
            Self::Internal(_) => "internal error; the server's log has the details under this request's id".to_owned(),
            other => other.to_string(),
        }
    }

    /// The headers that belong to the status in every protocol: `WWW-Authenticate`, `Retry-After`, `Content-Range`.
    pub fn headers(&self) -> Vec<(HeaderName, HeaderValue)> {
        match self {
            Self::Unauthorized(_) => vec![
                (header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")),
                (header::WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"apus\", charset=\"UTF-8\"")),
            ],
            Self::TooManyRequests { retry_after } | Self::Unavailable { retry_after, .. } => {
                vec![(header::RETRY_AFTER, HeaderValue::from(retry_after.as_secs().max(1)))]
            }
            Self::RangeNotSatisfiable { size_bytes } => HeaderValue::try_from(format!("bytes */{size_bytes}"))
                .map(|value| vec![(header::CONTENT_RANGE, value)])
                .unwrap_or_default(),
            _ => Vec::new(),
        }
    }
}

/// The body of an error, by RFC 9457 (`application/problem+json`).
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Problem {
    /// Always `about:blank`: the status and the code say what it is.
    #[serde(rename = "type")]
    pub type_uri: &'static str,
    /// The status in words.
    pub title: &'static str,
    /// The status as a number.
    pub status: u16,
    /// A short word for programs, such as `not_found` or `damaged`.
    pub code: &'static str,
    /// What went wrong, where, and the numbers.
    pub detail: String,
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let status = self.status();
        let problem = Problem {
            type_uri: "about:blank",
            title: status.canonical_reason().unwrap_or("Error"),
            status: status.as_u16(),
            code: self.code(),
            detail: self.public_detail(),
        };
        let mut response = (status, Json(problem)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        for (name, value) in self.headers() {
            headers.append(name, value);
        }
        response.extensions_mut().insert(Logged(self.to_string().into()));
        response
    }
}

/// The full text of an error, for the access log only.
#[derive(Clone, Debug)]
pub struct Logged(pub std::sync::Arc<str>);

impl From<AuthError> for ApiError {
    fn from(error: AuthError) -> Self {
        match error {
            AuthError::Slowed { retry_after_s } => {
                Self::TooManyRequests { retry_after: Duration::from_secs(retry_after_s) }
            }
            AuthError::LoginServiceDown | AuthError::Busy | AuthError::StateFailed => {
                Self::Unavailable { detail: error.to_string().into(), retry_after: Duration::from_secs(5) }
            }
            _ => Self::Unauthorized(error.to_string().into()),
        }
    }
}

impl From<apus_data::Error> for ApiError {
    fn from(error: apus_data::Error) -> Self {
        use apus_data::Error as E;
        match error {
            E::Invalid(detail) => Self::BadRequest(detail),
            E::NotFound(detail) => Self::NotFound(detail),
            E::TooLarge(detail) => Self::TooLarge(detail),
            E::Unreadable { fault, detail } => Self::Unreadable { code: fault_code(fault), detail },
            E::Busy(detail) => Self::Unavailable { detail, retry_after: RETRY_AFTER },
            // A client that has gone reads no answer, so this is for those whom the service leaves.
            E::Gone => Self::Unavailable { detail: error.to_string().into(), retry_after: RETRY_AFTER },
            other => Self::Internal(other.to_string()),
        }
    }
}

/// A short word for programs.
pub(crate) fn fault_code(fault: Fault) -> &'static str {
    match fault {
        Fault::NotHdf5 => "not_hdf5",
        Fault::Damaged => "damaged",
        Fault::LinkTarget => "link_target",
        Fault::Changed => "changed",
        _ => "unsupported",
    }
}

impl From<apus_h5::Error> for ApiError {
    fn from(error: apus_h5::Error) -> Self {
        apus_data::Error::from(error).into()
    }
}

impl From<apus_swift::Error> for ApiError {
    fn from(error: apus_swift::Error) -> Self {
        apus_data::Error::from(error).into()
    }
}

impl From<WorkError> for ApiError {
    fn from(error: WorkError) -> Self {
        match error {
            WorkError::Busy => Self::Unavailable { detail: error.to_string().into(), retry_after: RETRY_AFTER },
            WorkError::Stopped(_) => Self::internal(error),
        }
    }
}
