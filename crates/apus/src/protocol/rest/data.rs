//! `/v1/data/{path}`: the values of a dataset, selected rows and columns, in one of several forms.

use apus_data::{
    encode::{csv, json, npy, number::Notation},
    store::VPath,
    values::{
        Content, Pinned,
        array::{ArrayRequest, ArrayType, last_name},
    },
};
use axum::{
    extract::{RawQuery, State},
    http::{HeaderMap, Method, header},
    response::Response,
};

use super::data_query::{DataBody, DataQuery, Format};
use crate::{
    app::App,
    auth::Caller,
    config::Limits,
    http::{
        answer::{self, Answer},
        error::{ApiError, ApiResult, Problem},
        headers,
        params::{FilePath, JsonText, Params},
        preconditions::Preconditions,
    },
};

/// The values of a dataset: all, or selected rows and columns, as stored.
///
/// The npy form is what `numpy.save` writes, raw the array's bytes alone (little-endian, C order; type and shape are in the
/// headers `Apus-Dtype` and `Apus-Shape`); both have a length, an entity tag, and take `Range`. JSON is nested arrays, with
/// the strings "NaN", "Infinity" and "-Infinity" for what JSON has no numbers for. CSV has a line of names and a line per row.
#[utoipa::path(
    get,
    path = "/v1/data/{path}",
    tag = "native",
    params(
        ("path" = String, Path, description = "A file", example = "cosmic_web_0002.hdf5"),
        ("object" = String, Query, description = "The absolute path of a dataset in the file", example = "/PartType0/Coordinates"),
        ("rows" = Option<String>, Query, description = "Half-open ranges of rows, in any order, overlaps kept: `0:1000,5000:6000`", example = "0:5"),
        ("columns" = Option<String>, Query, description = "Of a two-dimensional dataset: one column (`0`; the answer has one dimension), or several (`0,2`)"),
        ("format" = inline(Option<Format>), Query, description = "The form of the answer; `npy` where it is missing", example = "json"),
    ),
    responses(
        (status = 200, description = "The values", content_type = "application/x-npy"),
        (status = 206, description = "The bytes that `Range` asked for"),
        (status = 304, description = "The client has them already"),
        (status = 400, description = "The selection does not fit the dataset, or is not understood", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such file or object", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "More than this service answers with", body = Problem, content_type = "application/problem+json"),
        (status = 416, description = "`Range` lies outside", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "The file is no HDF5, damaged, or the dataset of a kind that is not supported", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "All places are taken", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn get_data(
    State(app): State<App>,
    caller: Caller,
    FilePath(path): FilePath,
    RawQuery(query): RawQuery,
    method: Method,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let query = DataQuery::of_query(query.as_deref(), &app.config.limits)?;
    answer(app, caller, path, |_| Ok(query), method, &headers).await
}

/// As the GET, for selections that are too long for a URL.
#[utoipa::path(
    post,
    path = "/v1/data/{path}",
    tag = "native",
    params(("path" = String, Path, description = "A file", example = "cosmic_web_0002.hdf5")),
    request_body(content = DataBody, examples(
        ("a few rows" = (value = json!({"object": "/PartType0/Coordinates", "rows": [[0, 5], [100, 105]], "format": "json"}))),
        ("a column of no rows" = (value = json!({"object": "/PartType0/Coordinates", "rows": [], "columns": 0}))),
        ("columns" = (value = json!({"object": "/PartType0/Coordinates", "rows": "5:10,0:3", "columns": [2, 0]}))),
        ("all rows" = (value = json!({"object": "/PartType0/Coordinates", "format": "npy"}))),
    )),
    responses(
        (status = 200, description = "The values", content_type = "application/x-npy"),
        (status = 400, description = "The selection does not fit the dataset, or is not understood", body = Problem, content_type = "application/problem+json"),
        (status = 408, description = "The body comes too slowly", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "The body, or the answer, is larger than this service takes", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "The body is no JSON", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn post_data(
    State(app): State<App>,
    caller: Caller,
    FilePath(path): FilePath,
    RawQuery(query): RawQuery,
    method: Method,
    headers: HeaderMap,
    body: JsonText,
) -> ApiResult<Response> {
    Params::parse(query.as_deref(), &[])?;
    let query = |limits: &Limits| DataQuery::of_body(body.parse::<DataBody>()?, limits);
    answer(app, caller, path, query, method, &headers).await
}

async fn answer(
    app: App,
    caller: Caller,
    path: VPath,
    query: impl FnOnce(&Limits) -> ApiResult<DataQuery> + Send + 'static,
    method: Method,
    headers: &HeaderMap,
) -> ApiResult<Response> {
    let preconditions = Preconditions::of(headers);
    let work = app.work.clone();
    answer::answer(&work, method == Method::HEAD, move |cancelled| {
        let query = query(&app.config.limits)?;
        let pinned = app.archive.pin(&caller.roles, cancelled);
        data_answer(&pinned, &path, &query, &preconditions)
    })
    .await
}

fn data_answer(pinned: &Pinned, path: &VPath, query: &DataQuery, preconditions: &Preconditions) -> ApiResult<Answer> {
    let dataset = pinned.open(path)?.dataset(&query.object)?;
    let selection = query.selection(&dataset)?;
    let request = ArrayRequest::new(pinned, dataset, selection, query.dropped_axes())?;
    let tag = request.tag(query.format.name())?;
    if let Some(answer) = preconditions.decide(&tag)? {
        return Ok(answer);
    }
    let (content, media_type, of_array) = content(request, query)?;
    let answer = Answer::of_part(content, media_type, &tag, preconditions)?;
    let answer = match of_array {
        None => answer,
        Some(ArrayType { dtype, shape }) => answer
            .with_header(headers::DTYPE, serde_json::to_string(&dtype).map_err(ApiError::internal)?.trim_matches('"'))
            .with_header(headers::SHAPE, shape.iter().map(u64::to_string).collect::<Vec<_>>().join(",")),
    };
    Ok(match query.format {
        Format::Json => answer,
        _ => answer.with_header(header::CONTENT_DISPOSITION, disposition(query)),
    })
}

fn content(request: ArrayRequest, query: &DataQuery) -> ApiResult<(Content, &'static str, Option<ArrayType>)> {
    Ok(match query.format {
        Format::Npy => {
            let (content, array) = request.npy()?;
            (content, npy::CONTENT_TYPE, Some(array))
        }
        Format::Raw => {
            let (content, array) = request.raw()?;
            (content, npy::RAW_CONTENT_TYPE, Some(array))
        }
        Format::Json => (request.json(Notation::Strict, Vec::new(), Vec::new())?, json::CONTENT_TYPE, None),
        Format::Csv => {
            let names = |columns: &super::data_query::Columns| columns.as_slice().iter().map(u64::to_string).collect();
            let columns: Option<Vec<String>> = query.columns.as_ref().map(names);
            (request.csv(columns.as_deref())?, csv::CONTENT_TYPE, None)
        }
    })
}

/// The name of the file that a browser makes of the answer.
fn disposition(query: &DataQuery) -> String {
    let name: String = last_name(&query.object)
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '_' })
        .collect();
    format!("attachment; filename=\"{name}.{}\"", query.format.name())
}
