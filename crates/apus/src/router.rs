//! Every route. A protocol brings its own router, merged here in one line.
//!
//! | routes | what | where |
//! |---|---|---|
//! | `/ping`, `/healthz`, `/metrics` | whether the service is well | [`api::service`] |
//! | `/v1/*`, `/docs`, `/openapi.json` | the native API | [`api::rest`] |
//! | `/hdfstream/*` | the hdfstream protocol | [`api::hdfstream`] |
//! | `/token`, `/protected/`, `/unprotected/`, `/swiftdata/*` | the older API | `api::swiftdata` |

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request},
    http::{Extensions, HeaderMap, HeaderValue, Method, StatusCode, Version, header},
    middleware::from_fn_with_state,
    response::{IntoResponse, Response},
};
use tower_http::{
    catch_panic::CatchPanicLayer,
    compression::CompressionLayer,
    cors::{AllowOrigin, Any, CorsLayer},
};

use crate::{api, app::App, error::ApiError, middleware};

/// All routes, with all that happens to every request.
pub fn router(app: App) -> Router {
    Router::new()
        .merge(api::service::router())
        .merge(api::rest::router())
        .merge(api::hdfstream::router())
        .merge(api::skeleton::router())
        .merge(api::swiftdata::router())
        .fallback(no_route)
        .method_not_allowed_fallback(wrong_method)
        .layer(DefaultBodyLimit::max(app.config.limits.query_bytes))
        .layer(CompressionLayer::new().compress_when(pays_to_compress))
        .layer(cors(&app.config.cors_origins))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(app.clone(), middleware::observe))
        .with_state(app)
}

async fn no_route(request: Request) -> Response {
    if api::swiftdata::has_older_errors(request.uri().path()) {
        return api::swiftdata::not_found();
    }
    ApiError::not_found(format!("{}: no such address; /docs lists those that there are", request.uri().path()))
        .into_response()
}

async fn wrong_method(request: Request) -> Response {
    if api::swiftdata::has_older_errors(request.uri().path()) {
        return api::swiftdata::method_not_allowed();
    }
    ApiError::MethodNotAllowed(request.method().clone()).into_response()
}

#[expect(clippy::needless_pass_by_value, reason = "the signature is tower-http's")]
fn panicked(panic: Box<dyn std::any::Any + Send>) -> Response {
    let text = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
    ApiError::internal(format!("panic: {}", text.unwrap_or("of an unknown kind"))).into_response()
}

/// Text that is whole already and not tiny. Streams of values are left alone: compressing them would cost more than it
/// saves, and their entity tags are strong.
fn pays_to_compress(_: StatusCode, _: Version, headers: &HeaderMap, _: &Extensions) -> bool {
    let is_text = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).is_some_and(|value| {
        value.starts_with("text/")
            || value.starts_with("application/json")
            || value.starts_with("application/javascript")
    });
    let is_strong = headers.get(header::ETAG).is_some_and(|tag| tag.as_bytes().starts_with(b"\""));
    let size_bytes: Option<u64> =
        headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()).and_then(|value| value.parse().ok());
    is_text && !is_strong && size_bytes.is_some_and(|size_bytes| size_bytes >= 1024)
}

fn cors(origins: &[String]) -> CorsLayer {
    let layer = CorsLayer::new()
        .allow_methods([Method::GET, Method::HEAD, Method::POST])
        .allow_headers([
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            header::IF_MATCH,
            header::IF_NONE_MATCH,
            header::IF_RANGE,
            header::RANGE,
        ])
        .expose_headers([
            header::ACCEPT_RANGES,
            header::CONTENT_DISPOSITION,
            header::CONTENT_LENGTH,
            header::CONTENT_RANGE,
            header::ETAG,
            header::RETRY_AFTER,
            middleware::REQUEST_ID,
        ]);
    if origins.iter().any(|origin| origin == "*") {
        return layer.allow_origin(Any);
    }
    let origins = origins.iter().filter_map(|origin| HeaderValue::try_from(origin).ok());
    layer.allow_origin(AllowOrigin::list(origins))
}
