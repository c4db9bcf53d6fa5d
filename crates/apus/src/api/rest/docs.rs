//! `/openapi.json`, and `/docs`, which shows it: Swagger UI, inside the binary.

use std::sync::{Arc, LazyLock};

use axum::{
    Json,
    extract::{Path, State},
    http::{StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use utoipa::OpenApi;
use utoipa_swagger_ui::Config;

use crate::{
    api,
    app::App,
    error::{ApiError, ApiResult},
};

/// The native API and the service's own routes.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Apus",
        description = "Serves the output of SWIFT cosmological simulations. Errors are problem details (RFC 9457).",
        license(name = "MIT OR Apache-2.0"),
    ),
    paths(
        super::list::list_folder,
        super::info::get_info,
        super::object::get_object,
        super::data::get_data,
        super::data::post_data,
        super::select::get_select,
        super::select::post_select,
        super::download::get_download,
        api::skeleton::get_skeleton,
        api::service::get_ping,
        api::service::get_health,
        api::service::get_metrics,
    ),
    components(schemas(crate::error::Problem)),
    tags(
        (name = "native", description = "Files, their contents and their values"),
        (name = "service", description = "Whether the service is well"),
    )
)]
struct NativeApi;

pub(super) async fn get_openapi() -> Json<utoipa::openapi::OpenApi> {
    let mut document = NativeApi::openapi();
    document.merge(api::hdfstream::Protocol::openapi());
    document.merge(api::swiftdata::OlderApi::openapi());
    Json(document)
}

pub(super) async fn redirect_docs() -> Redirect {
    Redirect::permanent("/docs/")
}

pub(super) async fn get_docs_root(app: State<App>) -> ApiResult<Response> {
    get_docs(app, Path("index.html".to_owned())).await
}

pub(super) async fn get_docs(State(_app): State<App>, Path(file): Path<String>) -> ApiResult<Response> {
    static CONFIG: LazyLock<Arc<Config<'static>>> =
        LazyLock::new(|| Arc::new(Config::from("/openapi.json").try_it_out_enabled(true)));
    match utoipa_swagger_ui::serve(&file, Arc::clone(&CONFIG)).map_err(ApiError::internal)? {
        Some(file) => {
            Ok((StatusCode::OK, [(header::CONTENT_TYPE, file.content_type)], file.bytes.into_owned()).into_response())
        }
        None => Err(ApiError::not_found(format!("/docs/{file}: no such page"))),
    }
}
