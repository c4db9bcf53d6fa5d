//! Errors as the client reads them: a `MessagePack` map with one member, `error`.

use apus_data::encode::msgpack::{write_map, write_str};
use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

use crate::{
    http::error::{ApiError, Logged},
    work::WorkError,
};

/// An error of this protocol.
#[derive(Debug)]
pub(super) struct Error {
    cause: ApiError,
    stage: Stage,
    /// Whether some of the request's body was left unread, so that no further request can follow on its connection.
    leaves_body: bool,
}

/// What was under way: the text that clients know starts with it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Stage {
    /// Nothing that has a text of its own.
    Request,
    /// Opening a file for one of its objects.
    OpenObject,
    /// Opening a dataset for a part of it.
    OpenSlice,
    /// Reading.
    Read,
}

impl Error {
    /// An error while doing what `stage` says.
    pub(super) fn at(stage: Stage, error: impl Into<ApiError>) -> Self {
        Self { cause: error.into(), stage, leaves_body: false }
    }

    /// The request's text is at fault.
    pub(super) fn bad_request(text: String) -> Self {
        Self::from(ApiError::bad_request(text))
    }

    /// The path leads nowhere, or the caller may not know where.
    pub(super) fn invalid_path(path: &str) -> Self {
        Self::from(ApiError::not_found(format!("Invalid path specified: {path}")))
    }

    /// The same, told before all of the request's body was read.
    pub(super) fn leaving_body(self) -> Self {
        Self { leaves_body: true, ..self }
    }

    /// Clients take every failure to find or read something as a missing object.
    fn status(&self) -> StatusCode {
        match (&self.cause, self.stage) {
            (ApiError::BadRequest(_) | ApiError::NotFound(_) | ApiError::Unreadable { .. }, stage)
                if stage != Stage::Request =>
            {
                StatusCode::NOT_FOUND
            }
            (error, _) => error.status(),
        }
    }

    fn text(&self) -> String {
        let detail = self.cause.public_detail();
        match self.stage {
            Stage::Request => detail,
            Stage::OpenObject => format!("Failed to open object: {detail}"),
            Stage::OpenSlice => format!("Failed to open dataset slice: {detail}"),
            Stage::Read => format!("Unable to read data stream: {detail}"),
        }
    }
}

impl From<ApiError> for Error {
    fn from(error: ApiError) -> Self {
        Self { cause: error, stage: Stage::Request, leaves_body: false }
    }
}

impl From<WorkError> for Error {
    fn from(error: WorkError) -> Self {
        ApiError::from(error).into()
    }
}

/// What fails while the first block is made fails while reading.
impl From<apus_data::Error> for Error {
    fn from(error: apus_data::Error) -> Self {
        Self::at(Stage::Read, error)
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let mut body = Vec::new();
        write_map(&mut body, 1);
        write_str(&mut body, "error");
        write_str(&mut body, &self.text());
        let mut response = (self.status(), body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(super::MSGPACK));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        for (name, value) in self.cause.headers() {
            headers.append(name, value);
        }
        if self.leaves_body {
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response.extensions_mut().insert(Logged(self.cause.to_string().into()));
        response
    }
}
