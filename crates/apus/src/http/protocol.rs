//! Protocols: routes with their form of errors.

use axum::{
    Json, Router,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use utoipa::openapi::OpenApi;

use super::error::ApiError;

/// A set of routes with the errors that its clients understand.
pub struct Protocol {
    /// The prefixes of its addresses, in whole path components.
    pub prefixes: &'static [&'static str],
    /// The routes, with all state that they need.
    pub router: Router,
    /// Their documentation.
    pub openapi: OpenApi,
    /// The form of errors at its addresses that do not come from its handlers.
    pub errors: ErrorForm,
}

/// Puts an error into the form that the clients of a protocol understand.
pub type ErrorForm = fn(ApiError) -> Response;

/// The forms of errors, by prefix.
pub(super) struct ErrorForms(Vec<(&'static str, ErrorForm)>);

impl ErrorForms {
    /// Those of these protocols.
    pub(super) fn of(protocols: &[Protocol]) -> Self {
        let forms =
            protocols.iter().flat_map(|protocol| protocol.prefixes.iter().map(|prefix| (*prefix, protocol.errors)));
        Self(forms.collect())
    }

    /// The error in the form of the protocol with the longest prefix of that path; if there is none, as problem details that clients of the
    /// older API understand too.
    pub(super) fn response(&self, path: &str, error: ApiError) -> Response {
        let is_below =
            |prefix: &str| path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        let forms = self.0.iter().filter(|(prefix, _)| is_below(prefix));
        let form = forms.max_by_key(|(prefix, _)| prefix.len()).map_or(unserved as ErrorForm, |(_, form)| *form);
        form(error)
    }
}

/// As problem details of which only the text is there: the older service, which had no other form of "Not Found", said no more.
fn unserved(error: ApiError) -> Response {
    if !matches!(error, ApiError::NotFound(_)) {
        return problem(error);
    }
    let body = Json(serde_json::json!({"detail": "Not Found"}));
    let headers = [
        (header::CONTENT_TYPE, "application/problem+json"),
        (header::CACHE_CONTROL, "no-store"),
        (header::LINK, "</docs>; rel=\"help\""),
    ];
    (StatusCode::NOT_FOUND, headers, body).into_response()
}

/// As problem details (RFC 9457).
pub fn problem(error: ApiError) -> Response {
    axum::response::IntoResponse::into_response(error)
}
