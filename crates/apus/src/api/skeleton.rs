//! `/v1/skeleton/{path}`: a file without the bulk of its data.

use apus_h5::{
    File,
    write::{Plan, Skeleton, SkeletonOptions},
};
use axum::{
    Router,
    extract::{Path, State},
    http::header,
    response::{IntoResponse, Response},
    routing::get,
};
use bytes::Bytes;

use crate::{
    app::App,
    auth::Caller,
    catalog::VPath,
    error::{ApiError, ApiResult},
    read_task,
};

/// Datasets of at most so many bytes bring their values.
const SMALL_BYTES: u64 = 64 << 10;
/// The tables of cells do up to this size: masks need them.
const CELLS_BYTES: u64 = 64 << 20;
/// The most bytes of metadata that are put together in memory.
const LIMIT_BYTES: u64 = 128 << 20;

/// The routes.
pub(crate) fn router() -> Router<App> {
    Router::new().route("/v1/skeleton/{*path}", get(get_skeleton))
}

/// The file's metadata as an HDF5 file: every group, link and attribute, every dataset with its type and shape, the values of the
/// cells and of small tables. Values of particles are left out, and read as zeros: ask `/v1/data` for them.
///
/// `swiftsimio.load(h5py.File(io.BytesIO(body)))` opens it in any version that takes open files.
#[utoipa::path(get, path = "/v1/skeleton/{path}", tag = "native",
    params(("path" = String, Path, description = "The file's path under the mounts")),
    responses((status = 200, content_type = "application/x-hdf5", body = [u8]), (status = 404, description = "No such file"),
        (status = 422, description = "The file is no HDF5, or is damaged")))]
pub(crate) async fn get_skeleton(
    State(app): State<App>,
    caller: Caller,
    Path(path): Path<String>,
) -> ApiResult<Response> {
    let catalog = app.catalog.clone();
    let body = read_task::run(&app, move || {
        let file = catalog.open(&caller, &VPath::parse(&path)?)?;
        let bytes = skeleton(&file.h5)?;
        file.bytes.check_unchanged()?;
        Ok::<_, ApiError>(bytes)
    })
    .await?;
    Ok(([(header::CONTENT_TYPE, "application/x-hdf5")], Bytes::from(body)).into_response())
}

fn skeleton(file: &File) -> apus_h5::Result<Vec<u8>> {
    let keep_data = |dataset: &apus_h5::Dataset, size_bytes: u64| {
        let path = dataset.path();
        if path.starts_with("/PartType") {
            return false;
        }
        size_bytes <= if path.starts_with("/Cells/") { CELLS_BYTES } else { SMALL_BYTES }
    };
    let options = SkeletonOptions {
        keep_data: &keep_data,
        limit_bytes: LIMIT_BYTES,
        limit_objects: 200_000,
        ..SkeletonOptions::default()
    };
    let skeleton = Skeleton::new(&file.root()?, &options)?;
    for omission in &skeleton.omissions {
        tracing::debug!(object = omission.object, reason = omission.reason, "left out of the skeleton");
    }
    Plan::new(skeleton.tree)?.into_bytes()
}
