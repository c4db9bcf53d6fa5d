//! Errors in the older service's form: `{"detail": ...}`.

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::Value;

use super::json_body::Fault;
use crate::{
    auth::AuthError,
    http::error::{ApiError, Logged},
    work::WorkError,
};

/// What went wrong with a request to the older API.
#[derive(Debug)]
pub(crate) enum SwiftdataError {
    /// Somebody who is nobody, or whose credentials are not accepted.
    Auth(AuthRefusal),
    /// The body is not what the route takes. 422.
    Body(Vec<Fault>),
    /// The request cannot be done; the text says why. 400.
    BadRequest(String),
    /// What everything else may answer with.
    Other(ApiError),
}

/// Why somebody is refused, in the older service's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AuthRefusal {
    /// No credentials.
    Missing,
    /// Credentials of a kind that is not accepted, or a name and password that are not.
    Scheme,
    /// A token that is not good.
    Token,
    /// A token that was good.
    Expired,
    /// A token that names nobody.
    NoSubject,
    /// A name and password that are not right together.
    Login,
}

impl SwiftdataError {
    /// A 400 with that text.
    pub(super) fn bad_request(text: impl Into<String>) -> Self {
        Self::BadRequest(text.into())
    }
}

impl From<AuthError> for SwiftdataError {
    fn from(error: AuthError) -> Self {
        Self::Auth(match error {
            AuthError::Incomplete => AuthRefusal::Missing,
            AuthError::Unreadable | AuthError::WrongPassword => AuthRefusal::Scheme,
            AuthError::InvalidToken => AuthRefusal::Token,
            AuthError::ExpiredToken => AuthRefusal::Expired,
            AuthError::NoSubject => AuthRefusal::NoSubject,
            other => return Self::Other(other.into()),
        })
    }
}

impl From<ApiError> for SwiftdataError {
    fn from(error: ApiError) -> Self {
        match error {
            // 422 is for bodies that are not understood; a file that cannot be read is a bad request here, as a missing one is.
            ApiError::Unreadable { detail, .. } | ApiError::NotFound(detail) => Self::BadRequest(detail.into_owned()),
            other => Self::Other(other),
        }
    }
}

impl From<apus_h5::Error> for SwiftdataError {
    fn from(error: apus_h5::Error) -> Self {
        ApiError::from(error).into()
    }
}

impl From<apus_data::Error> for SwiftdataError {
    fn from(error: apus_data::Error) -> Self {
        ApiError::from(error).into()
    }
}

impl From<WorkError> for SwiftdataError {
    fn from(error: WorkError) -> Self {
        ApiError::from(error).into()
    }
}

impl IntoResponse for SwiftdataError {
    fn into_response(self) -> Response {
        match self {
            Self::Auth(refusal) => refusal.into_response(),
            Self::Body(faults) => {
                let detail: Vec<Value> = faults.iter().map(Fault::to_json).collect();
                detailed(StatusCode::UNPROCESSABLE_ENTITY, Value::Array(detail))
            }
            Self::BadRequest(text) => {
                let logged = Logged(text.as_str().into());
                let mut response = detailed(StatusCode::BAD_REQUEST, Value::String(text));
                response.extensions_mut().insert(logged);
                response
            }
            Self::Other(error) => {
                let mut response = detailed(error.status(), Value::String(error.public_detail()));
                response.headers_mut().extend(error.headers());
                response.extensions_mut().insert(Logged(error.to_string().into()));
                response
            }
        }
    }
}

impl AuthRefusal {
    fn into_response(self) -> Response {
        let (status, detail) = match self {
            Self::Missing => (StatusCode::FORBIDDEN, "Not authenticated"),
            Self::Scheme => (StatusCode::FORBIDDEN, "Invalid authentication credentials"),
            Self::Token => (StatusCode::UNAUTHORIZED, "Invalid JWT token"),
            Self::Expired => (StatusCode::UNAUTHORIZED, "JWT token has expired"),
            Self::NoSubject => (StatusCode::UNAUTHORIZED, "Invalid username/password"),
            Self::Login => (StatusCode::UNAUTHORIZED, "Authentication status was not HTTP 200!"),
        };
        let mut response = detailed(status, detail.into());
        if status == StatusCode::UNAUTHORIZED && self != Self::Login {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// `{"detail": ...}`.
fn detailed(status: StatusCode, detail: Value) -> Response {
    let body = Value::Object(serde_json::Map::from_iter([("detail".to_owned(), detail)]));
    let mut response = (status, Json(body)).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// What an address that there is not, or that does not take the method, answers in the older service's form.
pub(super) fn no_handler(error: ApiError) -> Response {
    match error {
        ApiError::NotFound(_) => detailed(StatusCode::NOT_FOUND, "Not Found".into()),
        ApiError::MethodNotAllowed(_) => detailed(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed".into()),
        other => SwiftdataError::from(other).into_response(),
    }
}
