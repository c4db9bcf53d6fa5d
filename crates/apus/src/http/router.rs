//! Joins the routes of all protocols, and wraps them in the middleware.

use std::sync::Arc;

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request},
    http::{HeaderValue, Method, header},
    middleware::{from_fn, from_fn_with_state},
    response::{IntoResponse, Response},
};
use tower_http::{
    catch_panic::CatchPanicLayer,
    compression::{CompressionLayer, Predicate},
    cors::{AllowOrigin, Any, CorsLayer},
};

use super::{
    body::{self, Guard},
    error::ApiError,
    headers, heads, middleware,
    protocol::{ErrorForms, Protocol},
};
use crate::app::App;

/// The routes of all protocols, with the middleware around them.
pub(crate) fn router(app: App, protocols: Vec<Protocol>) -> Router {
    let errors = Arc::new(ErrorForms::of(&protocols));
    let routes = protocols.into_iter().fold(Router::new(), |router, protocol| router.merge(protocol.router));
    let guard =
        Guard { budget: app.bodies.clone(), limits: Arc::new(app.config.limits.clone()), forms: Arc::clone(&errors) };
    let (for_route, for_method) = (Arc::clone(&errors), errors);
    routes
        .fallback(move |request: Request| async move { no_route(&for_route, &request) })
        .method_not_allowed_fallback(move |request: Request| async move { wrong_method(&for_method, &request) })
        .layer(DefaultBodyLimit::max(app.config.limits.query_bytes))
        .layer(from_fn_with_state(guard, body::guard))
        .layer(CompressionLayer::new().compress_when(PaysToCompress))
        .layer(cors(&app.config.cors_origins))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn(heads::refuse_faulty))
        .layer(from_fn_with_state(app, middleware::observe))
}

fn no_route(forms: &ErrorForms, request: &Request) -> Response {
    let path = request.uri().path();
    forms.response(path, ApiError::not_found(format!("{path}: no such address; see /docs for a list")))
}

fn wrong_method(forms: &ErrorForms, request: &Request) -> Response {
    forms.response(request.uri().path(), ApiError::MethodNotAllowed(request.method().clone()))
}

#[expect(clippy::needless_pass_by_value, reason = "the signature is tower-http's")]
fn panicked(panic: Box<dyn std::any::Any + Send>) -> Response {
    let text = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
    ApiError::internal(format!("panic: {}", text.unwrap_or("of an unknown kind"))).into_response()
}

/// Whether to compress a body: complete text that is not tiny. Streams of values are never compressed: it would cost more than it
/// saves, and their entity tags are strong.
#[derive(Clone, Copy)]
struct PaysToCompress;

impl Predicate for PaysToCompress {
    fn should_compress<B: http_body::Body>(&self, response: &Response<B>) -> bool {
        let headers = response.headers();
        let is_text = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).is_some_and(|value| {
            value.starts_with("text/")
                || value.starts_with("application/json")
                || value.starts_with("application/javascript")
        });
        let is_strong = headers.get(header::ETAG).is_some_and(|tag| tag.as_bytes().starts_with(b"\""));
        let announced = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
        let size_bytes: Option<u64> = announced.or_else(|| response.body().size_hint().exact());
        is_text && !is_strong && size_bytes.is_some_and(|size_bytes| size_bytes >= 1024)
    }
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
        .expose_headers(headers::exposed().collect::<Vec<_>>());
    if origins.iter().any(|origin| origin == "*") {
        return layer.allow_origin(Any);
    }
    let origins = origins.iter().filter_map(|origin| HeaderValue::try_from(origin).ok());
    layer.allow_origin(AllowOrigin::list(origins))
}
