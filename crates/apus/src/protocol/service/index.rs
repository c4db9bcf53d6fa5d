//! `/`: where everything is.

use axum::{
    Json,
    http::{HeaderMap, header},
    response::{Html, IntoResponse, Response},
};
use serde::Serialize;

const PAGE: &str = include_str!("index.html");

/// What `/` says to programs.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(in crate::protocol) struct Index {
    /// Always `apus`.
    name: &'static str,
    /// The version.
    version: &'static str,
    /// The documentation, for people.
    docs: &'static str,
    /// The documentation, for programs.
    openapi: &'static str,
    /// The files.
    list: &'static str,
    /// Whether the service is well.
    health: &'static str,
}

/// Says where everything is: to browsers as a page, to programs as JSON.
#[utoipa::path(get, path = "/", tag = "service", responses((status = 200, body = Index)))]
pub(in crate::protocol) async fn get_index(headers: HeaderMap) -> Response {
    let accepts = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let vary = [(header::VARY, "accept")];
    if accepts.contains("text/html") {
        let policy = [(header::CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'")];
        return (vary, policy, Html(PAGE)).into_response();
    }
    let index = Index {
        name: "apus",
        version: env!("CARGO_PKG_VERSION"),
        docs: "/docs/",
        openapi: "/openapi.json",
        list: "/v1/list/",
        health: "/healthz",
    };
    (vary, Json(index)).into_response()
}
