//! `/v1/skeleton/{path}`: a file without the bulk of its data.

use apus_data::values::Content;
use apus_h5::{
    File,
    write::{Plan, Skeleton, SkeletonOptions},
};
use axum::{
    extract::{RawQuery, State},
    http::Method,
    response::Response,
};

use crate::{
    app::App,
    auth::Caller,
    http::{
        answer::{self, Answer},
        error::ApiResult,
        params::{FilePath, Params},
    },
};

/// Datasets of at most so many bytes bring their values.
const SMALL_BYTES: u64 = 64 << 10;
/// The tables of cells do up to this size: masks need them.
const CELLS_BYTES: u64 = 64 << 20;
/// The most bytes of metadata that are put together in memory.
const LIMIT_BYTES: u64 = 128 << 20;

/// The file's metadata as an HDF5 file: every group, link and attribute, every dataset with its type and shape, the values of the
/// cells and of small tables. Values of particles are left out, and read as zeros: ask `/v1/data` for them.
///
/// `swiftsimio.load(h5py.File(io.BytesIO(body)))` opens it in any version that takes open files.
#[utoipa::path(get, path = "/v1/skeleton/{path}", tag = "native",
    params(("path" = String, Path, description = "A file", example = "cosmic_web_0002.hdf5")),
    responses((status = 200, content_type = "application/x-hdf5", body = [u8]), (status = 404, description = "No such file"),
        (status = 422, description = "The file is no HDF5, or is damaged")))]
pub(crate) async fn get_skeleton(
    State(app): State<App>,
    caller: Caller,
    FilePath(path): FilePath,
    RawQuery(query): RawQuery,
    method: Method,
) -> ApiResult<Response> {
    Params::parse(query.as_deref(), &[])?;
    let archive = app.archive.clone();
    answer::answer(&app.work, method == Method::HEAD, move |cancelled| {
        let pinned = archive.pin(&caller.roles, cancelled);
        let body = skeleton(pinned.open(&path)?.h5())?;
        Answer::of(Content::whole(pinned, body), "application/x-hdf5")
    })
    .await
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
