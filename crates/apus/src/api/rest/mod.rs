//! The native API, `/v1`, and its documentation.

mod conditions;
mod data;
mod data_blocks;
mod data_query;
mod docs;
pub(crate) mod download;
mod file_blocks;
mod info;
mod list;
mod nearest;
mod object;
mod params;
mod select;
mod stored_type;
mod tar;

use axum::{Router, routing::get};

use crate::app::App;

/// The routes.
pub fn router() -> Router<App> {
    Router::new()
        .route("/v1/list", get(list::list_folder))
        .route("/v1/list/", get(list::list_folder))
        .route("/v1/list/{*dir}", get(list::list_folder))
        .route("/v1/info/{*path}", get(info::get_info))
        .route("/v1/object/{*path}", get(object::get_object))
        .route("/v1/data/{*path}", get(data::get_data).post(data::post_data))
        .route("/v1/select/{*path}", get(select::get_select).post(select::post_select))
        .route("/v1/download/", get(download::get_download))
        .route("/v1/download/{*path}", get(download::get_download))
        .route("/openapi.json", get(docs::get_openapi))
        .route("/docs", get(docs::redirect_docs))
        .route("/docs/", get(docs::get_docs_root))
        .route("/docs/{*file}", get(docs::get_docs))
}
