//! Errors as the client reads them: a JSON object with one member, `message`.

use axum::{
    Json,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;

use crate::{
    http::error::{ApiError, Logged},
    work::WorkError,
};

/// The result of everything here.
pub(super) type Result<T, E = Error> = std::result::Result<T, E>;

/// An error of this protocol.
#[derive(Debug)]
pub(super) struct Error(ApiError);

/// The body of an error.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Message {
    /// What went wrong.
    message: String,
}

impl Error {
    /// The request's text is at fault.
    pub(super) fn bad_request(text: impl Into<String>) -> Self {
        Self(ApiError::bad_request(text.into()))
    }

    /// An argument that h5grove refuses too, with its status (422).
    pub(super) fn bad_argument(text: impl Into<String>) -> Self {
        Self(ApiError::Unreadable { code: "unsupported", detail: text.into().into() })
    }

    /// The file is not there, or the caller may not know that it is. h5web looks for the words.
    pub(super) fn no_file() -> Self {
        Self(ApiError::not_found("File not found!"))
    }

    /// The object is not there. h5web looks for the words.
    pub(super) fn no_path(path: &str, file: &str) -> Self {
        Self(ApiError::not_found(format!("{path} is not a valid path in {file}")))
    }

    /// What the path names is not there.
    pub(super) fn not_found(text: String) -> Self {
        Self(ApiError::not_found(text))
    }
}

impl From<ApiError> for Error {
    fn from(error: ApiError) -> Self {
        Self(error)
    }
}

impl From<WorkError> for Error {
    fn from(error: WorkError) -> Self {
        Self(error.into())
    }
}

impl From<apus_data::Error> for Error {
    fn from(error: apus_data::Error) -> Self {
        Self(error.into())
    }
}

impl From<apus_h5::Error> for Error {
    fn from(error: apus_h5::Error) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let Self(cause) = self;
        let mut response = (cause.status(), Json(Message { message: cause.public_detail() })).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        for (name, value) in cause.headers() {
            headers.append(name, value);
        }
        response.extensions_mut().insert(Logged(cause.to_string().into()));
        response
    }
}
