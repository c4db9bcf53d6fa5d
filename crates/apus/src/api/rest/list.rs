//! `/v1/list/{dir}`: what is in a folder.

use axum::{
    Json,
    extract::{Path, State},
};

use crate::{
    app::App,
    auth::Caller,
    catalog::{Listing, VPath},
    error::ApiResult,
    read_task,
};

pub(super) async fn list_root(app: State<App>, caller: Caller) -> ApiResult<Json<Listing>> {
    list_folder(app, caller, Path(String::new())).await
}

pub(super) async fn list_folder(
    State(app): State<App>,
    caller: Caller,
    Path(path): Path<String>,
) -> ApiResult<Json<Listing>> {
    let path = VPath::parse(&path)?;
    let catalog = app.catalog.clone();
    read_task::run(&app, move || catalog.list(&caller, &path)).await.map(Json)
}
