//! Arrays as JSON: whole, or the rows of a mask.

use apus_data::{
    encode::{dtype::type_string, json, number::Notation},
    values::{Pinned, array::ArrayRequest},
};
use apus_h5::{Dataset, Datatype, Error, Indices, RowRanges, Selection};
use axum::{extract::State, response::Response};

use super::{
    authorized::Authorized,
    error::SwiftdataError,
    file::Named,
    mask::parse_mask,
    spec::{MaskedSpec, Spec, UnmaskedSpec},
};
use crate::{
    app::App,
    auth::Caller,
    http::answer::{self, Answer},
};

/// The older service's answer to a mask that is empty text.
const NO_MASK: &str = "No mask information found.             Use the unmasked endpoint if requesting unmasked data.";

/// The whole of a dataset, or one column of it.
#[utoipa::path(post, path = "/swiftdata/unmasked_dataset", tag = "older API", request_body(content = UnmaskedBody,
        example = json!({"data_spec": {"filename": "cosmic_web_0002.hdf5", "field": "PartType0/Coordinates"}})),
    security(("bearer" = []), ("basic" = [])),
    responses((status = 200, description = "`{\"array\": nested lists, \"dtype\": numpy's name of the type}`"),
        (status = 400, description = "No such file or field"), (status = 403, description = "No credentials"),
        (status = 413, description = "More than this service answers with")))]
pub(crate) async fn post_unmasked_dataset(
    State(app): State<App>,
    Authorized { caller, .. }: Authorized,
    Spec(spec): Spec<UnmaskedSpec>,
) -> Result<Response, SwiftdataError> {
    answer(app, caller, spec, |_| Ok(None)).await
}

/// The rows of a dataset that a mask selects.
#[utoipa::path(post, path = "/swiftdata/masked_dataset", tag = "older API", request_body(content = MaskedBody, examples(
        ("a few rows" = (value = json!({"data_spec": {"filename": "cosmic_web_0002.hdf5", "field": "PartType0/Coordinates",
            "mask_array_json": "[[0,5],[100,105]]", "mask_size": 10}}))),
        ("many rows" = (value = json!({"data_spec": {"filename": "cosmic_web_0002.hdf5", "field": "PartType0/Coordinates",
            "mask_array_json": "[[0,40000],[40000,50000]]", "mask_data_type": "int64", "mask_size": 50000}}))),
    )),
    security(("bearer" = []), ("basic" = [])),
    responses((status = 200, description = "`{\"array\": nested lists, \"dtype\": numpy's name of the type}`"),
        (status = 400, description = "No such file or field, or ranges outside it"), (status = 403, description = "No credentials"),
        (status = 413, description = "More than this service answers with")))]
pub(crate) async fn post_masked_dataset(
    State(app): State<App>,
    Authorized { caller, .. }: Authorized,
    Spec(spec): Spec<MaskedSpec>,
) -> Result<Response, SwiftdataError> {
    let MaskedSpec { dataset, mask_array_json, mask_data_type } = spec;
    let max_ranges = app.config.limits.row_ranges;
    answer(app, caller, dataset, move |n_rows| {
        if mask_array_json.is_empty() {
            return Err(SwiftdataError::bad_request(NO_MASK));
        }
        let rows = parse_mask(&mask_array_json, mask_data_type.as_deref(), n_rows, max_ranges);
        rows.map(Some).map_err(SwiftdataError::bad_request)
    })
    .await
}

/// Reads and streams; `rows` makes the selection of so many rows.
async fn answer(
    app: App,
    caller: Caller,
    spec: UnmaskedSpec,
    rows: impl FnOnce(u64) -> Result<Option<RowRanges>, SwiftdataError> + Send + 'static,
) -> Result<Response, SwiftdataError> {
    let archive = app.archive.clone();
    answer::answer(&app.work, false, move |cancelled| array_answer(&archive.pin(&caller.roles, cancelled), &spec, rows))
        .await
}

fn array_answer(
    pinned: &Pinned,
    spec: &UnmaskedSpec,
    rows: impl FnOnce(u64) -> Result<Option<RowRanges>, SwiftdataError>,
) -> Result<Answer, SwiftdataError> {
    let named = Named::of(pinned, &spec.file)?;
    let file = named.open(pinned)?;
    let dataset = file.h5().dataset(&hdf5_path(&spec.field)).map_err(|error| match error {
        Error::NotFound { .. } | Error::WrongKind { .. } => {
            SwiftdataError::bad_request(format!("Field {} not found in the requested file {}.", spec.field, named.name))
        }
        other => other.into(),
    })?;
    let Some(&n_rows) = dataset.shape().first() else {
        let text = format!("Field {} in the file {} has no rows: it is a single value.", spec.field, named.name);
        return Err(SwiftdataError::bad_request(text));
    };
    let is_sequence = matches!(dataset.dtype(), Datatype::VariableSequence(_));
    let type_string = type_string(dataset.dtype()).filter(|_| !is_sequence).ok_or_else(|| {
        let object = dataset.path();
        SwiftdataError::bad_request(format!(
            "{object}: elements of this type have no JSON form; the type is known to the native API"
        ))
    })?;
    let mut selection = Selection { rows: rows(n_rows)?, inner: Vec::new() };
    let column = column(spec.column, &dataset)?;
    selection.inner.extend(column.map(|column| Indices::Range(column, column + 1)));
    let request = ArrayRequest::new(pinned, dataset, selection, column.map(|_| 1).into_iter().collect())?;
    let (head, tail) = (b"{\"array\":".to_vec(), format!(",\"dtype\":\"{type_string}\"}}").into_bytes());
    Ok(Answer::of(request.json(Notation::Python, head, tail)?, json::CONTENT_TYPE)?)
}

/// The index on axis 1, where one is asked for and there is such an axis.
fn column(asked: Option<i64>, dataset: &Dataset) -> Result<Option<u64>, SwiftdataError> {
    let (Some(asked), Some(&n_columns)) = (asked, dataset.shape().get(1)) else { return Ok(None) };
    let found = match u64::try_from(asked) {
        Ok(column) => Some(column),
        Err(_) => n_columns.checked_sub(asked.unsigned_abs()),
    };
    found.filter(|&column| column < n_columns).map(Some).ok_or_else(|| {
        SwiftdataError::bad_request(format!(
            "columns: there is no column {asked} of the {n_columns} of {}",
            dataset.path()
        ))
    })
}

/// Absolute, without empty parts and `.`, which h5py ignores.
fn hdf5_path(field: &str) -> String {
    let parts = field.split('/').filter(|part| !part.is_empty() && *part != ".");
    parts.fold(String::new(), |path, part| path + "/" + part)
}

/// What `/swiftdata/unmasked_dataset` takes, for the documentation.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "it describes the body; members are taken one by one")]
pub(crate) struct UnmaskedBody {
    data_spec: UnmaskedMembers,
}

/// A dataset of a file.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "it describes the body; members are taken one by one")]
struct UnmaskedMembers {
    /// An alias of the configuration, where `filename` is not given.
    alias: Option<String>,
    /// The server's own path, or a path under the mounts.
    filename: Option<String>,
    /// The dataset: `PartType0/Coordinates`.
    field: String,
    /// An index on axis 1.
    #[schema(examples(1, -1))]
    columns: Option<i64>,
}

/// What `/swiftdata/masked_dataset` takes, for the documentation.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "it describes the body; members are taken one by one")]
pub(crate) struct MaskedBody {
    data_spec: MaskedMembers,
}

/// Rows of a dataset of a file.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "it describes the body; members are taken one by one")]
struct MaskedMembers {
    /// An alias of the configuration, where `filename` is not given.
    alias: Option<String>,
    /// The server's own path, or a path under the mounts.
    filename: Option<String>,
    /// The dataset: `PartType0/Coordinates`.
    field: String,
    /// Half-open ranges of rows as JSON text, in any order: `[[0,5],[7,9]]`.
    #[schema(examples("[[0,5],[7,9]]", "[]"))]
    mask_array_json: String,
    /// numpy's name of the integer type of the ranges.
    mask_data_type: Option<String>,
    /// How many rows the ranges have together.
    mask_size: i64,
    /// An index on axis 1.
    #[schema(examples(1, -1))]
    columns: Option<i64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_named_as_h5py_names_them() {
        for (field, path) in [("PartType0/Masses", "/PartType0/Masses"), ("/a//b/./c/", "/a/b/c"), ("", ""), (".", "")]
        {
            assert_eq!(hdf5_path(field), path);
        }
    }
}
