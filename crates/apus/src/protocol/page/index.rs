//! What `/` says to programs: where everything is.

use axum::Json;
use serde::Serialize;

/// What `/` says to programs.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct Index {
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

impl Index {
    pub(super) fn new() -> Json<Self> {
        Json(Self {
            name: "apus",
            version: env!("CARGO_PKG_VERSION"),
            docs: "/docs/",
            openapi: "/openapi.json",
            list: "/v1/list/",
            health: "/healthz",
        })
    }
}
