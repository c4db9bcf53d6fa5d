//! Protocols: routes with their form of errors.

use axum::{Router, response::Response};
use utoipa::openapi::OpenApi;

use super::error::ApiError;

/// A set of routes with the errors that its clients understand.
pub struct Protocol {
    /// The prefixes of its addresses, in whole path components. The empty one covers every address that no other covers.
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

    /// The error in the form of the protocol with the longest prefix of that path; as problem details if there is none.
    pub(super) fn response(&self, path: &str, error: ApiError) -> Response {
        let is_below =
            |prefix: &str| path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        let forms = self.0.iter().filter(|(prefix, _)| is_below(prefix));
        let form = forms.max_by_key(|(prefix, _)| prefix.len()).map_or(problem as ErrorForm, |(_, form)| *form);
        form(error)
    }
}

/// As problem details (RFC 9457).
pub fn problem(error: ApiError) -> Response {
    axum::response::IntoResponse::into_response(error)
}
