//! The requests.

use apus_data::{
    encode::json,
    values::{Content, Pinned, PinnedFile},
};
use axum::{
    extract::{RawQuery, State},
    http::{HeaderMap, Method, header},
    response::Response,
};
use serde::Serialize;

use super::{
    attributes,
    data::Values,
    description,
    error::{Error, Message, Result},
    paths,
    request::{DtypeConversion, Format, LinkResolution, Request},
    statistics::Statistics,
};
use crate::{
    app::App,
    auth::Caller,
    http::{
        answer::{self, Answer},
        error::{ApiError, Problem},
        preconditions::Preconditions,
    },
};

/// Answers, so that a client knows that somebody is there.
#[utoipa::path(get, path = "/h5grove/", tag = "h5grove", responses((status = 200, description = "`ok`", body = String)))]
pub(super) async fn get_root() -> &'static str {
    "ok"
}

/// What an object is: its type, shape, chunks and filters, the types of its attributes; of a group also its members.
///
/// Types have the numbers of the HDF5 library and numpy's names. Links that lead somewhere are described as what they lead to, others as
/// `soft_link` or `external_link`.
#[utoipa::path(
    get,
    path = "/h5grove/meta/",
    tag = "h5grove",
    params(
        ("file" = String, Query, description = "A file", example = "cosmic_web_0002.hdf5"),
        ("path" = Option<String>, Query, description = "The path of an object in the file; the root group where it is missing", example = "/PartType0"),
        ("resolve_links" = inline(Option<LinkResolution>), Query, description = "Which soft and external links are followed; `only_valid` where it is missing"),
    ),
    responses(
        (status = 200, description = "The object", body = Object),
        (status = 304, description = "The client has it already"),
        (status = 400, description = "The request is not understood", body = Message),
        (status = 401, description = "The credentials are wrong", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such file or object", body = Message),
        (status = 413, description = "More than this service answers with", body = Message),
        (status = 422, description = "The file is no HDF5, or damaged", body = Message),
    )
)]
pub(super) async fn get_meta(
    State(app): State<App>,
    caller: Caller,
    RawQuery(query): RawQuery,
    method: Method,
    headers: HeaderMap,
) -> Result<Response> {
    let request = Request::parse(query.as_deref())?;
    let links = request.resolve_links()?;
    answer(app, caller, method, &headers, request, move |file, request, preconditions| {
        let body = description::describe(file, request)?;
        text_answer(file.pinned(), &("h5grove meta", &request.path, links), body, preconditions)
    })
    .await
}

/// The values of attributes, by their names.
///
/// NaN and the infinities are null. An attribute that cannot be read is null too.
#[utoipa::path(
    get,
    path = "/h5grove/attr/",
    tag = "h5grove",
    params(
        ("file" = String, Query, description = "A file", example = "cosmic_web_0002.hdf5"),
        ("path" = Option<String>, Query, description = "The path of an object in the file; the root group where it is missing", example = "/Header"),
        ("attr_keys" = Option<String>, Query, description = "The name of an attribute that is wanted; may be given more than once. All, where it is missing", example = "BoxSize"),
    ),
    responses(
        (status = 200, description = "The values", body = Object),
        (status = 304, description = "The client has them already"),
        (status = 400, description = "The request is not understood", body = Message),
        (status = 401, description = "The credentials are wrong", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such file, object or attribute", body = Message),
        (status = 413, description = "More than this service answers with", body = Message),
        (status = 422, description = "The file is no HDF5, or damaged", body = Message),
    )
)]
pub(super) async fn get_attr(
    State(app): State<App>,
    caller: Caller,
    RawQuery(query): RawQuery,
    method: Method,
    headers: HeaderMap,
) -> Result<Response> {
    let request = Request::parse(query.as_deref())?;
    answer(app, caller, method, &headers, request, |file, request, preconditions| {
        let body = attributes::values(file, request)?;
        text_answer(file.pinned(), &("h5grove attr", &request.path, &request.attr_keys), body, preconditions)
    })
    .await
}

/// The values of a dataset, or of a slice of it.
///
/// `json` is nested lists, null for NaN and the infinities; `bin` the bytes alone, as the dataset stores them, or with `dtype=safe` as a
/// typed array takes them; `npy` what `numpy.save` writes, `csv` what `numpy.savetxt` writes, `tiff` a picture of two dimensions. `bin`,
/// `npy` and `tiff` have a length and take `Range`.
#[utoipa::path(
    get,
    path = "/h5grove/data/",
    tag = "h5grove",
    params(
        ("file" = String, Query, description = "A file", example = "cosmic_web_0002.hdf5"),
        ("path" = String, Query, description = "The path of a dataset in the file", example = "/PartType0/Coordinates"),
        ("selection" = Option<String>, Query, description = "An index or a slice for each dimension, as in numpy: `0:100:2,1`; all, where it is missing", example = "0:500:5,0:2"),
        ("format" = inline(Option<Format>), Query, description = "The form of the values; `json` where it is missing", example = "json"),
        ("dtype" = inline(Option<DtypeConversion>), Query, description = "`safe` for types that JavaScript has typed arrays for; `origin` where it is missing"),
        ("flatten" = Option<bool>, Query, description = "Whether the values are sent as one list; `false` where it is missing"),
    ),
    responses(
        (status = 200, description = "The values", content_type = "application/json"),
        (status = 206, description = "The bytes that `Range` asked for"),
        (status = 304, description = "The client has them already"),
        (status = 400, description = "The request is not understood, or the selection does not fit", body = Message),
        (status = 401, description = "The credentials are wrong", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such file or object", body = Message),
        (status = 413, description = "More than this service answers with", body = Message),
        (status = 416, description = "`Range` lies outside", body = Message),
        (status = 422, description = "The values have no such form; the file is no HDF5, or damaged", body = Message),
    )
)]
pub(super) async fn get_data(
    State(app): State<App>,
    caller: Caller,
    RawQuery(query): RawQuery,
    method: Method,
    headers: HeaderMap,
) -> Result<Response> {
    let request = Request::parse(query.as_deref())?;
    let (format, dtype) = (request.format()?, request.dtype()?);
    answer(app, caller, method, &headers, request, move |file, request, preconditions| {
        let values = Values::find(file, request)?.in_form(format, dtype)?;
        let tag = values.array().tag(("h5grove data", format))?;
        if let Some(answer) = preconditions.decide(&tag)? {
            return Ok(answer);
        }
        let form = values.content(format)?;
        let answer = Answer::of_part(form.content, form.media_type, &tag, preconditions)?;
        Ok(match form.file_name {
            None => answer,
            Some(name) => answer.with_header(header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
        })
    })
    .await
}

/// Statistics of the finite values of a dataset, or of a slice of it.
#[utoipa::path(
    get,
    path = "/h5grove/stats/",
    tag = "h5grove",
    params(
        ("file" = String, Query, description = "A file", example = "cosmic_web_0002.hdf5"),
        ("path" = String, Query, description = "The path of a dataset in the file", example = "/PartType0/Coordinates"),
        ("selection" = Option<String>, Query, description = "An index or a slice for each dimension, as in numpy: `0:100:2,1`; all, where it is missing", example = ":,0"),
    ),
    responses(
        (status = 200, description = "The statistics", body = Statistics),
        (status = 304, description = "The client has them already"),
        (status = 400, description = "The request is not understood, the selection does not fit, or the values are no real numbers", body = Message),
        (status = 401, description = "The credentials are wrong", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such file or object", body = Message),
        (status = 413, description = "More values than this service answers with", body = Message),
        (status = 422, description = "The file is no HDF5, damaged, or the dataset of a kind that is not supported", body = Message),
    )
)]
pub(super) async fn get_stats(
    State(app): State<App>,
    caller: Caller,
    RawQuery(query): RawQuery,
    method: Method,
    headers: HeaderMap,
) -> Result<Response> {
    let request = Request::parse(query.as_deref())?;
    answer(app, caller, method, &headers, request, |file, request, preconditions| {
        let values = Values::find(file, request)?;
        // Weak, since it leaves compressed or not.
        let tag = values.array().tag("h5grove stats")?.weak();
        if let Some(answer) = preconditions.decide(&tag)? {
            return Ok(answer);
        }
        let statistics = Statistics::of(&values.array().statistics()?);
        let body = serde_json::to_vec(&statistics).map_err(ApiError::internal)?;
        Ok(Answer::of(Content::whole(file.pinned().clone(), body), json::CONTENT_TYPE)?.with_tag(&tag))
    })
    .await
}

/// The paths of all that is below a group: for a search by name.
#[utoipa::path(
    get,
    path = "/h5grove/paths/",
    tag = "h5grove",
    params(
        ("file" = String, Query, description = "A file", example = "cosmic_web_0002.hdf5"),
        ("path" = Option<String>, Query, description = "The path of a group in the file; the root group where it is missing", example = "/PartType0"),
        ("resolve_links" = inline(Option<LinkResolution>), Query, description = "With `all`, a link that leads nowhere is an error"),
    ),
    responses(
        (status = 200, description = "The paths", body = Vec<String>),
        (status = 304, description = "The client has them already"),
        (status = 400, description = "The request is not understood, or the object is no group", body = Message),
        (status = 401, description = "The credentials are wrong", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such file or object", body = Message),
        (status = 413, description = "More than this service answers with", body = Message),
        (status = 422, description = "The file is no HDF5, or damaged", body = Message),
    )
)]
pub(super) async fn get_paths(
    State(app): State<App>,
    caller: Caller,
    RawQuery(query): RawQuery,
    method: Method,
    headers: HeaderMap,
) -> Result<Response> {
    let request = Request::parse(query.as_deref())?;
    let links = request.resolve_links()?;
    answer(app, caller, method, &headers, request, move |file, request, preconditions| {
        let body = paths::list(file, request)?;
        text_answer(file.pinned(), &("h5grove paths", &request.path, links), body, preconditions)
    })
    .await
}

/// Opens the request's file, and makes the answer of it.
async fn answer(
    app: App,
    caller: Caller,
    method: Method,
    headers: &HeaderMap,
    request: Request,
    make: impl FnOnce(&PinnedFile, &Request, &Preconditions) -> Result<Answer> + Send + 'static,
) -> Result<Response> {
    let preconditions = Preconditions::of(headers);
    let archive = app.archive.clone();
    answer::answer(&app.work, method == Method::HEAD, move |cancelled| {
        let pinned = archive.pin(&caller.roles, cancelled);
        let file = pinned.open(&request.file).map_err(|error| match error {
            apus_data::Error::NotFound(_) => Error::no_file(),
            error => error.into(),
        })?;
        make(&file, &request, &preconditions)
    })
    .await
}

/// Text that is made already. Its tag is weak, since it leaves compressed or not.
fn text_answer(
    pinned: &Pinned,
    asked: &impl Serialize,
    body: Vec<u8>,
    preconditions: &Preconditions,
) -> Result<Answer> {
    let tag = pinned.tag(asked)?.weak();
    if let Some(answer) = preconditions.decide(&tag)? {
        return Ok(answer);
    }
    Ok(Answer::of(Content::whole(pinned.clone(), body), json::CONTENT_TYPE)?.with_tag(&tag))
}
