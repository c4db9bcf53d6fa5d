//! The protocol of h5grove 4: what the viewer h5web speaks, and through it the extension of `JupyterLab` and others.
//!
//! | address | answer |
//! |---|---|
//! | `/h5grove/meta/` | what an object is: its type, shape and attributes, of a group its members |
//! | `/h5grove/attr/` | the values of attributes |
//! | `/h5grove/data/` | values of a dataset, or a slice of them |
//! | `/h5grove/stats/` | statistics of them |
//! | `/h5grove/paths/` | the paths of all that is below a group |
//! | `/h5grove/` | `ok` |
//!
//! `request` and `selection` read what is asked; `entity` finds the object, `description`, `types`, `attributes`, `data`, `statistics` and
//! `paths` make the answers, `error` tells what went wrong in the words that clients look for.

mod attributes;
mod data;
mod description;
mod entity;
mod error;
mod handlers;
mod paths;
mod request;
mod selection;
mod statistics;
mod types;

use axum::{
    Router,
    response::{IntoResponse, Response},
    routing::get,
};
use utoipa::OpenApi;

use self::error::Error;
use crate::{
    app::App,
    http::{error::ApiError, protocol::Protocol},
};

/// What the documentation says of this protocol.
#[derive(OpenApi)]
#[openapi(
    paths(
        handlers::get_root,
        handlers::get_meta,
        handlers::get_attr,
        handlers::get_data,
        handlers::get_stats,
        handlers::get_paths,
    ),
    components(schemas(error::Message)),
    tags((name = "h5grove", description = "For the viewer h5web, and what else reads from an h5grove server"))
)]
struct Document;

/// The protocol of h5grove.
pub(super) fn protocol(app: &App) -> Protocol {
    let router = Router::new()
        .route("/h5grove", get(handlers::get_root))
        .route("/h5grove/", get(handlers::get_root))
        .route("/h5grove/meta", get(handlers::get_meta))
        .route("/h5grove/meta/", get(handlers::get_meta))
        .route("/h5grove/attr", get(handlers::get_attr))
        .route("/h5grove/attr/", get(handlers::get_attr))
        .route("/h5grove/data", get(handlers::get_data))
        .route("/h5grove/data/", get(handlers::get_data))
        .route("/h5grove/stats", get(handlers::get_stats))
        .route("/h5grove/stats/", get(handlers::get_stats))
        .route("/h5grove/paths", get(handlers::get_paths))
        .route("/h5grove/paths/", get(handlers::get_paths))
        .with_state(app.clone());
    Protocol { prefixes: &["/h5grove"], router, openapi: Document::openapi(), errors }
}

fn errors(error: ApiError) -> Response {
    Error::from(error).into_response()
}
