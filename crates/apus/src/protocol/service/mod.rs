//! Whether the service is well: `/ping`, `/healthz`, `/metrics`; and what it has: `/docs`, `/openapi.json`.

mod docs;

use axum::{
    Json, Router,
    extract::State,
    http::header,
    response::{IntoResponse, Response},
    routing::get,
};
use serde::Serialize;
use utoipa::openapi::OpenApi;

use crate::{
    app::App,
    http::{
        error::{ApiError, ApiResult},
        protocol::{Protocol, problem},
    },
};

pub(super) use docs::openapi;

/// Whether the service is well, and its documentation, which `document` is.
pub(super) fn protocol(app: &App, document: OpenApi) -> Protocol {
    let router = Router::new()
        .route("/ping", get(get_ping))
        .route("/healthz", get(get_health))
        .route("/metrics", get(get_metrics))
        .merge(docs::router(document.clone()))
        .with_state(app.clone());
    Protocol {
        // Errors of /ping have the form of the older service, whose address it was.
        prefixes: &["/healthz", "/metrics", "/docs", "/openapi.json"],
        router,
        openapi: document,
        errors: problem,
    }
}

/// What `/healthz` says.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct Health {
    /// Always `ok`: a service that is not does not answer.
    pub status: &'static str,
    /// The version.
    pub version: &'static str,
}

/// What `/ping` says, as the older service did.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct Pong {
    /// Always `pong`.
    pub ping: &'static str,
}

/// Answers, so that a client knows that somebody is there.
#[utoipa::path(get, path = "/ping", tag = "service", responses((status = 200, description = "Somebody is there", body = Pong)))]
pub(super) async fn get_ping() -> Json<Pong> {
    Json(Pong { ping: "pong" })
}

/// Tells that the service runs, and its version.
#[utoipa::path(get, path = "/healthz", tag = "service", responses((status = 200, body = Health)))]
pub(super) async fn get_health() -> Json<Health> {
    Json(Health { status: "ok", version: env!("CARGO_PKG_VERSION") })
}

/// Counters and gauges in the text form that Prometheus reads.
#[utoipa::path(get, path = "/metrics", tag = "service", responses((status = 200, body = String)))]
pub(super) async fn get_metrics(State(app): State<App>) -> ApiResult<Response> {
    let text = app.metrics.to_text().map_err(ApiError::internal)?;
    Ok(([(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], text).into_response())
}
