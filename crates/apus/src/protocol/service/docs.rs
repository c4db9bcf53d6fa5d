//! `/openapi.json`, and `/docs`, which shows it: Swagger UI, inside the binary.

use std::sync::{Arc, LazyLock};

use axum::{
    Json, Router,
    extract::Path,
    http::{StatusCode, header},
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use utoipa::OpenApi;
use utoipa_swagger_ui::Config;

use crate::{
    app::App,
    http::error::{ApiError, ApiResult},
};

/// The document that those of all protocols are merged into.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Apus",
        description = "Serves the output of SWIFT cosmological simulations. Errors are problem details (RFC 9457).",
        license(name = "MIT OR Apache-2.0"),
    ),
    // Beside this document, below whatever prefix a reverse proxy adds.
    servers((url = ".")),
    // Every operation takes credentials, and those of public files need none.
    security((), ("bearer" = []), ("basic" = [])),
    paths(super::get_ping, super::get_health, super::get_metrics),
    tags((name = "service", description = "Whether the service is well"))
)]
struct Document;

/// The service's own part of the documentation.
pub(in crate::protocol) fn openapi() -> utoipa::openapi::OpenApi {
    Document::openapi()
}

/// The routes that show a document.
pub(super) fn router(document: utoipa::openapi::OpenApi) -> Router<App> {
    let document = Arc::new(document);
    Router::new()
        .route("/openapi.json", get(move || async move { Json(document) }))
        .route("/docs", get(|| async { Redirect::permanent("docs/") }))
        .route("/docs/", get(|| get_docs(Path("index.html".to_owned()))))
        .route("/docs/{*file}", get(get_docs))
}

/// Swagger UI writes styles into its elements; its scripts are files.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; \
     font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

async fn get_docs(Path(file): Path<String>) -> ApiResult<Response> {
    static CONFIG: LazyLock<Arc<Config<'static>>> = LazyLock::new(|| {
        Arc::new(Config::from("../openapi.json").try_it_out_enabled(true).use_base_layout().validator_url("none"))
    });
    match utoipa_swagger_ui::serve(&file, Arc::clone(&CONFIG)).map_err(ApiError::internal)? {
        Some(found) => {
            let headers =
                [(header::CONTENT_TYPE, found.content_type.as_str()), (header::CONTENT_SECURITY_POLICY, POLICY)];
            Ok((StatusCode::OK, headers, in_our_look(&file, found.bytes.into_owned())).into_response())
        }
        None => Err(ApiError::not_found(format!("/docs/{file}: no such page"))),
    }
}

/// Swagger UI's page and its style, with the page's header and colours.
fn in_our_look(file: &str, mut bytes: Vec<u8>) -> Vec<u8> {
    match file {
        "index.html" => {
            let text =
                String::from_utf8_lossy(&bytes).replacen("<title>Swagger UI</title>", "<title>API · Apus</title>", 1);
            text.replacen("<body>", "<body><header class=\"apus\"><a href=\"../\">Apus</a></header>", 1).into_bytes()
        }
        "index.css" => {
            bytes.extend_from_slice(include_bytes!("docs.css"));
            bytes
        }
        _ => bytes,
    }
}
