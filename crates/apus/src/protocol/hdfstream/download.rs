//! `/hdfstream/download/{path}`: a file as it is, or a folder as a tar.

use apus_data::store::VPath;
use axum::{
    extract::State,
    http::{HeaderMap, Method},
    response::Response,
};

use crate::{
    app::App,
    auth::Caller,
    http::{
        download::{self, TarNames},
        error::{ApiError, ApiResult, Problem},
        params::FilePath,
    },
};

/// A file as it is, or a folder as a tar whose names begin at the root, so that all tars unpack into one tree.
///
/// Otherwise the same as `/v1/download`.
#[utoipa::path(
    get,
    path = "/hdfstream/download/{path}",
    tag = "hdfstream",
    params(("path" = String, Path, description = "A file or a folder", example = "cosmic_web_0002.hdf5")),
    responses(
        (status = 200, description = "The bytes", content_type = "application/octet-stream"),
        (status = 206, description = "The bytes that `Range` asked for"),
        (status = 304, description = "The client has them already"),
        (status = 404, description = "No such file or folder", body = Problem, content_type = "application/problem+json"),
        (status = 416, description = "`Range` lies outside", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn get_from_root(
    State(app): State<App>,
    caller: Caller,
    FilePath(path): FilePath,
    method: Method,
    headers: HeaderMap,
) -> ApiResult<Response> {
    if path.as_str().is_empty() {
        return Err(get_root(caller).await);
    }
    download::answer(&app, caller, path, from_root, &method, &headers).await
}

/// The root itself is no download of that kind; wrong credentials are told first, as everywhere.
pub(super) async fn get_root(_: Caller) -> ApiError {
    ApiError::bad_request("name a file or a folder: the root is not downloaded as one")
}

/// The names of a tar from the root on, so that the tars of several folders unpack into one tree.
fn from_root(path: &VPath) -> TarNames {
    TarNames { folder: path.as_str().to_owned(), name: path.as_str().replace('/', "_") }
}
