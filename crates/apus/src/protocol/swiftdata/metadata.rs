//! What a file says of itself: units, metadata, cells, the size of the box.

use std::fmt::Write as _;

use apus_data::{encode::number::python_float, values::Pinned};
use apus_h5::File;
use axum::{
    Json,
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use serde_json::{Map, Value, json};

use super::{
    authorized::Authorized,
    error::SwiftdataError,
    file::Named,
    pickle::{self, BaseUnits},
    spec::{FileSpec, Spec},
};
use crate::{app::App, auth::Caller};

/// The file's path.
#[utoipa::path(post, path = "/swiftdata/filepath", tag = "older API", request_body(content = FileBody, example = json!({"data_spec": {"filename": "cosmic_web_0002.hdf5"}})),
    security(("bearer" = []), ("basic" = [])),
    responses((status = 200, body = String), (status = 400, description = "No such file"), (status = 403, description = "No credentials")))]
pub(crate) async fn post_filepath(
    State(app): State<App>,
    Authorized { caller, .. }: Authorized,
    Spec(spec): Spec<FileSpec>,
) -> Result<Json<String>, SwiftdataError> {
    let named = run(app, caller, move |pinned| Named::of(pinned, &spec)).await?;
    Ok(Json(named.name))
}

/// The size of the box, with its unit.
#[utoipa::path(post, path = "/swiftdata/mask_boxsize", tag = "older API", request_body(content = FileBody, example = json!({"data_spec": {"filename": "cosmic_web_0002.hdf5"}})),
    security(("bearer" = []), ("basic" = [])),
    responses((status = 200, body = BoxSize), (status = 400, description = "No such file"), (status = 403, description = "No credentials")))]
pub(crate) async fn post_mask_boxsize(
    State(app): State<App>,
    Authorized { caller, .. }: Authorized,
    Spec(spec): Spec<FileSpec>,
) -> Result<Response, SwiftdataError> {
    let text = with_file(app, caller, spec, |file, _| box_size(file)).await?;
    Ok(([(header::CONTENT_TYPE, "application/json")], text).into_response())
}

/// The file's units, as text.
#[utoipa::path(post, path = "/swiftdata/units_dict", tag = "older API", request_body(content = FileBody, example = json!({"data_spec": {"filename": "cosmic_web_0002.hdf5"}})),
    security(("bearer" = []), ("basic" = [])),
    responses((status = 200, description = "Each unit as `value unit`"), (status = 400, description = "No such file"),
        (status = 403, description = "No credentials")))]
pub(crate) async fn post_units_dict(
    State(app): State<App>,
    Authorized { caller, .. }: Authorized,
    Spec(spec): Spec<FileSpec>,
) -> Result<Json<Value>, SwiftdataError> {
    with_file(app, caller, spec, |file, name| Ok(units_dict(name, &BaseUnits::read(file)?))).await.map(Json)
}

/// The file's units: a pickle of `swiftsimio.reader.SWIFTUnits`.
#[utoipa::path(post, path = "/swiftdata/units", tag = "older API", request_body(content = FileBody, example = json!({"data_spec": {"filename": "cosmic_web_0002.hdf5"}})),
    security(("bearer" = []), ("basic" = [])),
    responses((status = 200, content_type = "application/octet-stream", body = [u8]), (status = 400, description = "No such file"),
        (status = 403, description = "No credentials")))]
pub(crate) async fn post_units(
    State(app): State<App>,
    Authorized { caller, .. }: Authorized,
    Spec(spec): Spec<FileSpec>,
) -> Result<Response, SwiftdataError> {
    pickled(app, caller, spec, pickle::units).await
}

/// The file's metadata: a pickle of swiftsimio 7's `SWIFTMetadata`.
#[utoipa::path(post, path = "/swiftdata/metadata", tag = "older API", request_body(content = FileBody, example = json!({"data_spec": {"filename": "cosmic_web_0002.hdf5"}})),
    security(("bearer" = []), ("basic" = [])),
    responses((status = 200, content_type = "application/octet-stream", body = [u8]), (status = 400, description = "No such file"),
        (status = 403, description = "No credentials")))]
pub(crate) async fn post_metadata(
    State(app): State<App>,
    Authorized { caller, .. }: Authorized,
    Spec(spec): Spec<FileSpec>,
) -> Result<Response, SwiftdataError> {
    pickled(app, caller, spec, pickle::metadata).await
}

/// The same as `/swiftdata/metadata`, under its other name.
#[utoipa::path(post, path = "/swiftdata/metadata_remoteunits", tag = "older API", request_body(content = FileBody, example = json!({"data_spec": {"filename": "cosmic_web_0002.hdf5"}})),
    security(("bearer" = []), ("basic" = [])),
    responses((status = 200, content_type = "application/octet-stream", body = [u8]), (status = 400, description = "No such file"),
        (status = 403, description = "No credentials")))]
pub(crate) async fn post_metadata_remoteunits(
    State(app): State<App>,
    Authorized { caller, .. }: Authorized,
    Spec(spec): Spec<FileSpec>,
) -> Result<Response, SwiftdataError> {
    pickled(app, caller, spec, pickle::metadata).await
}

/// A mask on which nothing is constrained yet: a pickle of swiftsimio 7's `SWIFTMask`.
#[utoipa::path(post, path = "/swiftdata/mask", tag = "older API", request_body(content = FileBody, example = json!({"data_spec": {"filename": "cosmic_web_0002.hdf5"}})),
    security(("bearer" = []), ("basic" = [])),
    responses((status = 200, content_type = "application/octet-stream", body = [u8]), (status = 400, description = "No such file, or no cells"),
        (status = 403, description = "No credentials")))]
pub(crate) async fn post_mask(
    State(app): State<App>,
    Authorized { caller, .. }: Authorized,
    Spec(spec): Spec<FileSpec>,
) -> Result<Response, SwiftdataError> {
    pickled(app, caller, spec, pickle::mask).await
}

async fn pickled(
    app: App,
    caller: Caller,
    spec: FileSpec,
    write: fn(&File, &str) -> apus_h5::Result<Vec<u8>>,
) -> Result<Response, SwiftdataError> {
    let bytes = with_file(app, caller, spec, move |file, name| Ok(write(file, name)?)).await?;
    Ok(([(header::CONTENT_TYPE, "application/octet-stream")], bytes).into_response())
}

/// Opens the file and does `work` with it and the name that the client knows it by.
async fn with_file<T: Send + 'static>(
    app: App,
    caller: Caller,
    spec: FileSpec,
    work: impl FnOnce(&File, &str) -> Result<T, SwiftdataError> + Send + 'static,
) -> Result<T, SwiftdataError> {
    run(app, caller, move |pinned| {
        let named = Named::of(pinned, &spec)?;
        let file = named.open(pinned)?;
        work(file.h5(), &named.name)
    })
    .await
}

/// Does `work`, whose outcome counts only where the files that it read were the same all the while.
async fn run<T: Send + 'static>(
    app: App,
    caller: Caller,
    work: impl FnOnce(&Pinned) -> Result<T, SwiftdataError> + Send + 'static,
) -> Result<T, SwiftdataError> {
    let archive = app.archive.clone();
    app.work
        .run(move |cancelled| {
            let pinned = archive.pin(&caller.roles, cancelled);
            let outcome = work(&pinned)?;
            pinned.check_unchanged()?;
            Ok(outcome)
        })
        .await
}

fn units_dict(name: &str, units: &BaseUnits) -> Value {
    let quantity = |value: f64, unit: &str| Value::String(format!("{} {unit}", python_float(value)));
    let stored: Map<String, Value> =
        units.stored().map(|(name, value, unit)| (name.to_owned(), quantity(value, unit))).collect();
    let mut dict = Map::from_iter([("filename".to_owned(), name.into()), ("units".to_owned(), stored.into())]);
    dict.extend(units.nearest().map(|(name, value, unit)| (name.to_owned(), quantity(value, unit))));
    json!(dict)
}

/// As `{"array": ..., "dtype": "<f8", "units": ...}`, the numbers in Python's form.
fn box_size(file: &File) -> Result<String, SwiftdataError> {
    let (value, unit) = BaseUnits::read(file)?.length();
    let attribute = file.group("/Header")?.attribute("BoxSize")?;
    let sizes = attribute
        .and_then(|a| a.value.to_f64())
        .ok_or_else(|| SwiftdataError::bad_request(format!("{}: the header has no BoxSize", file.name())))?;
    let sizes: Vec<String> = sizes.into_iter().map(python_float).collect();
    let mut text = format!("{{\"array\":[{}],\"dtype\":\"<f8\",\"units\":\"", sizes.join(","));
    // Names of units need no escape.
    #[expect(clippy::float_cmp, reason = "a value that is written as 1.0")]
    let is_one = value == 1.0;
    let _ = if is_one { write!(text, "{unit}\"}}") } else { write!(text, "{}*{unit}\"}}", python_float(value)) };
    Ok(text)
}

/// What the routes take that want a file and nothing else, for the documentation.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "it describes the body; members are taken one by one")]
pub(crate) struct FileBody {
    data_spec: FileMembers,
}

/// A file.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "it describes the body; members are taken one by one")]
struct FileMembers {
    /// An alias of the configuration, where `filename` is not given.
    alias: Option<String>,
    /// The server's own path, or a path under the mounts.
    filename: Option<String>,
}

/// The size of the box.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "it describes the answer, whose numbers have Python's form")]
pub(crate) struct BoxSize {
    /// The size on each axis.
    array: Vec<f64>,
    /// Always `<f8`.
    dtype: String,
    /// The unit.
    units: String,
}
