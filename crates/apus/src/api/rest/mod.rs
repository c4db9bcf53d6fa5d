//! The native API, `/v1`.

mod list;

use axum::{Router, routing::get};

use crate::app::App;

/// The routes.
pub fn router() -> Router<App> {
    Router::new()
        .route("/v1/list", get(list::list_root))
        .route("/v1/list/", get(list::list_root))
        .route("/v1/list/{*path}", get(list::list_folder))
}
