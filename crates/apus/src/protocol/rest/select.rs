//! `/v1/select/{path}`: the rows that lie somewhere and satisfy something, of several fields, in one answer.

use apus_data::{
    encode::json,
    store::VPath,
    values::{
        Content, Pinned,
        select::{Format, SelectRequest, Selected},
    },
};
use axum::{
    extract::{RawQuery, State},
    http::{HeaderMap, Method, header},
    response::Response,
};

use super::select_query::{FormatName, FrameName, RowsName, SelectBody, of_body, of_query};
use crate::{
    app::App,
    auth::Caller,
    config::Limits,
    http::{
        answer::{self, Answer},
        error::{ApiResult, Problem},
        headers,
        params::{FilePath, JsonText, Params},
        preconditions::Preconditions,
    },
};

/// The values of several fields for the rows that lie in a region and satisfy conditions.
///
/// Positions decide exactly with `rows=particles`; `rows=cells` gives all rows of the cells that the region touches, as swiftsimio's
/// `constrain_spatial` does. Rows keep the order of the file. The grammar of `where` and the members of each form are in docs/select.md.
#[utoipa::path(
    get,
    path = "/v1/select/{path}",
    tag = "native",
    params(
        ("path" = String, Path, description = "A file", example = "cosmic_web_0002.hdf5"),
        ("fields" = String, Query, description = "Fields with commas between them: swiftsimio's names, `gas.*`, a named column, or paths in the file", example = "gas.coordinates,gas.masses"),
        ("box" = Option<String>, Query, description = "`xmin,xmax,ymin,ymax,zmin,zmax`, half-open, empty for an open side, may cross the boundary; each a number or a length such as `1500 kpc`; several with `;`"),
        ("sphere" = Option<String>, Query, description = "`x,y,z,radius`, closed, periodic; each a number or a length such as `1500 kpc`; several with `;`"),
        ("region_unit" = Option<String>, Query, description = "The unit of the region's numbers that have none of their own; the file's length where it is missing"),
        ("region_frame" = inline(Option<FrameName>), Query, description = "The frame of those numbers; `comoving` where it is missing"),
        ("group" = Option<u64>, Query, description = "The id of a halo in the catalogue"),
        ("groups" = Option<String>, Query, description = "Ids of halos with commas between them: rows of any of them, each once"),
        ("catalogue" = Option<String>, Query, description = "The path of the FOF or SOAP catalogue that halos are looked up in"),
        ("aperture" = Option<String>, Query, description = "How far about the centres of the halos: a radius of the catalogue, `r200c`, or a length, `2 Mpc`; without it, the members of the halos"),
        ("members" = Option<bool>, Query, description = "With an aperture: whether rows must be members of their halo as well"),
        ("rows" = inline(Option<RowsName>), Query, description = "`particles` (default): those inside; `cells`: all of the cells that the region touches"),
        ("padding" = Option<f64>, Query, description = "Of files without bounds of their cells: widen cells by this fraction of their side, as swiftsimio's `safe_padding`, instead of looking at the positions of all rows"),
        ("where" = Option<String>, Query, description = "A condition; several with `;`, all of which must hold", example = "temperatures > 1e5 K"),
        ("ids" = Option<String>, Query, description = "Particle ids; long lists in a POST"),
        ("sample" = Option<f64>, Query, description = "A fraction of the rows, chosen by id: the same in every request"),
        ("stride" = Option<u64>, Query, description = "Every how-manieth of the rows that are left"),
        ("limit" = Option<u64>, Query, description = "The most rows of each type", example = 10),
        ("unit" = Option<String>, Query, description = "Units of the answer, each for the fields of its dimensions, of which there must be one: `kpc,Msun`"),
        ("frame" = inline(Option<FrameName>), Query, description = "The frame of the answer, and of quantities in `where` that do not say theirs"),
        ("format" = inline(Option<FormatName>), Query, description = "The form of the answer; `npz` where it is missing", example = "json"),
        ("explain" = Option<bool>, Query, description = "Tell what the selection would take, without reading values"),
    ),
    responses(
        (status = 200, description = "The values", content_type = "application/zip"),
        (status = 206, description = "The bytes that `Range` asked for, of `npz` and `hdf5`"),
        (status = 304, description = "The client has them already"),
        (status = 400, description = "The selection is not understood, or does not fit the file", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such file, field or halo", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "More than this service answers with: the numbers, and how to narrow it", body = Problem, content_type = "application/problem+json"),
        (status = 416, description = "`Range` lies outside", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "The file is no HDF5, damaged, or a field of a kind that is not supported", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "All places are taken", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn get_select(
    State(app): State<App>,
    caller: Caller,
    FilePath(path): FilePath,
    RawQuery(query): RawQuery,
    method: Method,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let query = of_query(query.as_deref(), &app.config.limits)?;
    answer(app, caller, path, |_| Ok(query), method, &headers).await
}

/// As the GET, for selections that are too long for a URL: many regions, lists of ids.
#[utoipa::path(
    post,
    path = "/v1/select/{path}",
    tag = "native",
    params(("path" = String, Path, description = "A file", example = "cosmic_web_0002.hdf5")),
    request_body(content = SelectBody, examples(
        ("a sphere" = (value = json!({"fields": ["gas.coordinates", "gas.masses"], "sphere": [25, 25, 25, 2], "format": "json"}))),
        ("boxes" = (value = json!({"fields": "gas.coordinates", "box": [[0, 2, 0, 50, null, null], [3, 4, 3, 4, 0, 50]], "unit": ["kpc"]}))),
        ("conditions" = (value = json!({"fields": ["gas.temperatures"], "where": ["temperatures > 1e5 K", "masses < 2e10 Msun"], "stride": 7}))),
        ("members of halos" = (value = json!({"fields": ["gas.masses"], "groups": [1, 2], "catalogue": "fof_cosmic_web_0002.hdf5"}))),
        ("about a halo" = (value = json!({"fields": ["gas.masses"], "group": 1, "catalogue": "fof_cosmic_web_0002.hdf5", "aperture": "2 Mpc"}))),
        ("particles by id" = (value = json!({"fields": ["gas.particle_ids", "gas.masses"], "ids": [1, 2, 3]}))),
        ("all rows" = (value = json!({"fields": ["gas.coordinates", "gas.masses"], "format": "npz"}))),
    )),
    responses(
        (status = 200, description = "The values", content_type = "application/zip"),
        (status = 400, description = "The selection is not understood, or does not fit the file", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such file or field", body = Problem, content_type = "application/problem+json"),
        (status = 408, description = "The body comes too slowly", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "The body, its conditions, or the answer, is larger than this service takes", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "The body is no JSON", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn post_select(
    State(app): State<App>,
    caller: Caller,
    FilePath(path): FilePath,
    RawQuery(query): RawQuery,
    method: Method,
    headers: HeaderMap,
    body: JsonText,
) -> ApiResult<Response> {
    Params::parse(query.as_deref(), &[])?;
    answer(app, caller, path, |limits| of_body(body.parse()?, limits), method, &headers).await
}

async fn answer(
    app: App,
    caller: Caller,
    path: VPath,
    request: impl FnOnce(&Limits) -> ApiResult<SelectRequest> + Send + 'static,
    method: Method,
    headers: &HeaderMap,
) -> ApiResult<Response> {
    let preconditions = Preconditions::of(headers);
    let work = app.work.clone();
    answer::answer(&work, method == Method::HEAD, move |cancelled| {
        let request = request(&app.config.limits)?;
        select_answer(&app.archive.pin(&caller.roles, cancelled), &path, request, &preconditions)
    })
    .await
}

fn select_answer(
    pinned: &Pinned,
    path: &VPath,
    request: SelectRequest,
    preconditions: &Preconditions,
) -> ApiResult<Answer> {
    let (format, explain) = (request.format, request.explain);
    let selected = Selected::new(pinned, path, request)?;
    if explain {
        // What is remembered of the file is part of it, so that it is not the same for long, and has no tag.
        let content = Content::whole(pinned.clone(), selected.explain()?);
        return Ok(Answer::of(content, json::CONTENT_TYPE)?.with_header(header::CACHE_CONTROL, "no-store"));
    }
    let tag = selected.tag()?;
    if let Some(answer) = preconditions.decide(&tag)? {
        return Ok(answer);
    }
    let found = selected.content()?;
    let mut answer = Answer::of_part(found.content, found.media_type, &tag, preconditions)?;
    let padding_note = found.padding.map(|fraction| fraction.to_string());
    for (name, note) in
        [(headers::FIELDS, found.fields_note), (headers::ROWS, found.rows_note), (headers::PADDING, padding_note)]
    {
        if let Some(note) = note {
            answer = answer.with_header(name, note);
        }
    }
    if format == Format::Json {
        return Ok(answer);
    }
    Ok(answer.with_header(header::CONTENT_DISPOSITION, disposition(path.file_name().unwrap_or("selection"), format)))
}

/// The name of the file that a browser makes of the answer.
fn disposition(name: &str, format: Format) -> String {
    let stem = name.strip_suffix(".hdf5").unwrap_or(name);
    let stem: String =
        stem.chars().map(|c| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '_' }).collect();
    format!("attachment; filename=\"{stem}_selection.{}\"", format.ending())
}
