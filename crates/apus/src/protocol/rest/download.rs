//! `/v1/download/{path}`: a file as it is, or a folder as a tar.

use apus_data::store::VPath;
use axum::{
    extract::{RawQuery, State},
    http::{HeaderMap, Method},
    response::Response,
};

use crate::{
    app::App,
    auth::Caller,
    http::{
        download::{self, TarNames},
        error::{ApiResult, Problem},
        params::{FilePath, Params},
    },
};

/// A file as it is; or a folder, with all below it that the caller may see, as a tar.
///
/// A file takes `Range`, and `If-Range` with its entity tag, so that a download that broke off can go on.
#[utoipa::path(
    get,
    path = "/v1/download/{path}",
    tag = "native",
    params(("path" = String, Path, description = "A file or a folder", example = "cosmic_web_0002.hdf5")),
    responses(
        (status = 200, description = "The bytes", content_type = "application/octet-stream"),
        (status = 206, description = "The bytes that `Range` asked for"),
        (status = 304, description = "The client has them already"),
        (status = 404, description = "No such file or folder", body = Problem, content_type = "application/problem+json"),
        (status = 416, description = "`Range` lies outside", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn get_download(
    State(app): State<App>,
    caller: Caller,
    FilePath(path): FilePath,
    RawQuery(query): RawQuery,
    method: Method,
    headers: HeaderMap,
) -> ApiResult<Response> {
    Params::parse(query.as_deref(), &[])?;
    download::answer(&app, caller, path, from_folder, &method, &headers).await
}

/// The names of a tar from the folder on, as one who packs it from its parent has them.
fn from_folder(path: &VPath) -> TarNames {
    let name = path.file_name().unwrap_or("files").to_owned();
    TarNames { folder: name.clone(), name }
}
