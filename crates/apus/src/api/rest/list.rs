//! `/v1/list/{dir}`: what is in a folder.

use axum::{
    Json,
    extract::{RawQuery, State},
};

use super::params::{FilePath, Params};
use crate::{
    app::App,
    auth::Caller,
    catalog::Listing,
    error::{ApiResult, Problem},
    read_task,
};

/// What is in a folder: files and folders that the caller may see, sorted by name. Hidden files, and what is neither file nor
/// folder, are left out.
#[utoipa::path(
    get,
    path = "/v1/list/{dir}",
    tag = "native",
    params(("dir" = String, Path, description = "A folder; empty for the root")),
    responses(
        (status = 200, description = "What is in the folder", body = Listing),
        (status = 404, description = "No such folder", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list_folder(
    State(app): State<App>,
    caller: Caller,
    FilePath(path): FilePath,
    RawQuery(query): RawQuery,
) -> ApiResult<Json<Listing>> {
    Params::parse(query.as_deref(), &[])?;
    let catalog = app.catalog.clone();
    read_task::run(&app, move || catalog.list(&caller, &path)).await.map(Json)
}
