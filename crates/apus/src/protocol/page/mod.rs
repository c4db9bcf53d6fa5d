//! The page: `/`, its views under stable addresses, and their assets, all inside the binary.
//!
//! | address | answer |
//! |---|---|
//! | `/` | the page for browsers, for programs a list of addresses |
//! | `/login` | the page |
//! | `/browse/*`, `/file/*`, `/explore/*`, `/ask/*`, `/points/*` | the page, which shows that file or folder by asking `/v1` |
//! | `/raw/*` | the viewer of raw files, a page of its own with a policy of its own |
//! | `/assets/*`, `/icon.svg` | scripts, styles, pictures |
//!
//! The page is the same for every caller and names no file: what a caller may see is decided where the page asks for it. It is built from
//! `web/` (`scripts/web`), and works below any prefix that a reverse proxy adds: each answer tells the browser, relative to its own
//! address, where the service begins.

mod assets;
mod index;

use axum::{
    Router,
    extract::{Path, Request},
    http::{HeaderMap, HeaderName, StatusCode, Uri, header},
    response::{IntoResponse, Response},
    routing::get,
};
use utoipa::OpenApi as _;

use crate::http::{
    error::{ApiError, ApiResult},
    preconditions::Preconditions,
    protocol::{Protocol, problem},
};
use assets::{Asset, asset};
use index::Index;

/// Nothing from elsewhere, and no script or style within the page. Pictures are made of answers (`blob:`).
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; \
     font-src 'self'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'";

/// For the viewer of raw files alone: a library of its own compiles its loops over arrays (`ndarray`), makes workers that lay out text, and
/// writes styles.
const RAW_POLICY: &str = "default-src 'none'; script-src 'self' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; \
     img-src 'self' blob: data:; connect-src 'self' blob: data:; font-src 'self' data:; worker-src 'self' blob:; base-uri 'self'; \
     form-action 'self'; frame-ancestors 'none'";

/// Names of assets contain a hash of their content.
const FOREVER: &str = "public, max-age=31536000, immutable";

/// The page.
pub(super) fn protocol() -> Protocol {
    let mut router = Router::new().route("/", get(get_index)).route("/login", get(get_page));
    for view in ["browse", "file", "explore", "ask", "points"] {
        router = router.route(&format!("/{view}"), get(get_page)).route(&format!("/{view}/{{*path}}"), get(get_page));
    }
    let router = router.route("/raw/{*path}", get(get_raw));
    let router = router.route("/icon.svg", get(get_icon)).route("/assets/{*name}", get(get_asset));
    Protocol { prefixes: &["/assets"], router, openapi: Document::openapi(), errors: problem }
}

#[derive(utoipa::OpenApi)]
#[openapi(paths(get_index), components(schemas(Index)))]
struct Document;

/// Shows the page to browsers, and tells programs where everything is.
#[utoipa::path(get, path = "/", tag = "service", responses((status = 200, body = Index)))]
async fn get_index(request: Request) -> ApiResult<Response> {
    let accepts = request.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let answer = if accepts.contains("text/html") {
        page("index.html", POLICY, request.uri(), request.headers())?
    } else {
        Index::new().into_response()
    };
    Ok(([(header::VARY, "accept")], answer).into_response())
}

async fn get_page(request: Request) -> ApiResult<Response> {
    page("index.html", POLICY, request.uri(), request.headers())
}

async fn get_raw(request: Request) -> ApiResult<Response> {
    page("raw.html", RAW_POLICY, request.uri(), request.headers())
}

async fn get_icon(headers: HeaderMap) -> ApiResult<Response> {
    send(&required("icon.svg")?, &headers, &[(header::CACHE_CONTROL, "no-cache")])
}

async fn get_asset(Path(name): Path<String>, headers: HeaderMap) -> ApiResult<Response> {
    let found = asset(&format!("assets/{name}"));
    let found = found.ok_or_else(|| ApiError::not_found(format!("/assets/{name}: no such part of the page")))?;
    send(&found, &headers, &[(header::CACHE_CONTROL, FOREVER)])
}

/// A document of the page, told where the service begins.
fn page(name: &str, policy: &str, uri: &Uri, headers: &HeaderMap) -> ApiResult<Response> {
    let page = required(name)?;
    let text = std::str::from_utf8(&page.body).map_err(ApiError::internal)?;
    let base = base_of(uri.path());
    let page = Asset::new(name, text.replacen("<base href=\"./\" />", &format!("<base href=\"{base}\" />"), 1));
    let policy = (header::CONTENT_SECURITY_POLICY, policy);
    send(&page, headers, &[(header::CACHE_CONTROL, "no-cache"), policy, (header::REFERRER_POLICY, "same-origin")])
}

fn required(name: &str) -> ApiResult<Asset> {
    asset(name).ok_or_else(|| ApiError::internal(format!("the page was built without {name}")))
}

/// The root of the service, relative to a path below it.
fn base_of(path: &str) -> String {
    match path.matches('/').count() {
        0 | 1 => "./".to_owned(),
        depth => "../".repeat(depth - 1),
    }
}

fn send(asset: &Asset, headers: &HeaderMap, more: &[(HeaderName, &str)]) -> ApiResult<Response> {
    let is_known = Preconditions::of(headers).is_known(&asset.tag)?;
    let mut response = if is_known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        ([(header::CONTENT_TYPE, asset.media_type)], asset.body.clone()).into_response()
    };
    let tag = (header::ETAG, asset.tag.as_str());
    for (name, value) in more.iter().chain([&tag]) {
        response.headers_mut().insert(name, value.parse().map_err(ApiError::internal)?);
    }
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::base_of;

    #[test]
    fn the_base_is_the_root_of_the_service() {
        for (path, base) in [
            ("/", "./"),
            ("/login", "./"),
            ("/browse/", "../"),
            ("/file/a.hdf5", "../"),
            ("/file/a/b%2Fc.hdf5", "../../"),
            ("/explore/a/b/c.hdf5", "../../../"),
        ] {
            assert_eq!(base_of(path), base, "{path}");
        }
    }
}
