//! The native API, `/v1`.

mod data;
mod data_query;
mod download;
mod histogram;
mod histogram_query;
mod image;
mod image_query;
mod info;
mod list;
mod lists;
mod object;
mod parameter_examples;
mod select;
mod select_query;
mod skeleton;
mod statistics;
mod stored_type;
mod tiles;

use axum::{Router, routing::get};
use utoipa::OpenApi;

use crate::{
    app::App,
    http::{
        error::Problem,
        protocol::{Protocol, problem},
    },
};

/// What the documentation says of the native API.
#[derive(OpenApi)]
#[openapi(
    paths(
        list::list_folder,
        info::get_info,
        object::get_object,
        data::get_data,
        data::post_data,
        select::get_select,
        select::post_select,
        image::get_image,
        histogram::get_histogram,
        statistics::get_statistics,
        tiles::get_tile,
        download::get_download,
        skeleton::get_skeleton,
    ),
    components(schemas(Problem)),
    tags((name = "native", description = "Files, their contents and their values"))
)]
struct Document;

/// The native API.
pub(super) fn protocol(app: &App) -> Protocol {
    let router = Router::new()
        .route("/v1/list", get(list::list_folder))
        .route("/v1/list/", get(list::list_folder))
        .route("/v1/list/{*dir}", get(list::list_folder))
        .route("/v1/info/{*path}", get(info::get_info))
        .route("/v1/object/{*path}", get(object::get_object))
        .route("/v1/data/{*path}", get(data::get_data).post(data::post_data))
        .route("/v1/select/{*path}", get(select::get_select).post(select::post_select))
        .route("/v1/image/{*path}", get(image::get_image))
        .route("/v1/histogram/{*path}", get(histogram::get_histogram))
        .route("/v1/statistics/{*path}", get(statistics::get_statistics))
        .route("/v1/tiles/{*path}", get(tiles::get_tile))
        .route("/v1/download/", get(download::get_download))
        .route("/v1/download/{*path}", get(download::get_download))
        .route("/v1/skeleton/{*path}", get(skeleton::get_skeleton))
        .with_state(app.clone());
    Protocol { prefixes: &["/v1"], router, openapi: Document::openapi(), errors: problem }
}
