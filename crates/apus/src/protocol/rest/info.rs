//! `/v1/info/{path}`: what a file is, and what it holds, in SWIFT's terms.

use apus_data::{encode::json, values::Content};
use axum::{
    extract::{RawQuery, State},
    http::{HeaderMap, Method},
    response::Response,
};
use serde::Serialize;

use crate::{
    app::App,
    auth::Caller,
    http::{
        answer::{self, Answer},
        error::{ApiError, ApiResult, Problem},
        params::{FilePath, Params},
        preconditions::Preconditions,
    },
};

#[derive(Serialize)]
struct Info<'a> {
    path: &'a str,
    size_bytes: u64,
    modified_s: Option<u64>,
    #[serde(flatten)]
    output: apus_swift::Description<'a>,
}

/// What a file is: kind of output, header, units, cosmology, particle types, fields with type, shape, unit, scale-factor
/// exponent and frame.
///
/// Answers for every HDF5 file; one that SWIFT did not write has the kind `not_swift`. The members are described in
/// docs/rest.md.
#[utoipa::path(
    get,
    path = "/v1/info/{path}",
    tag = "native",
    params(("path" = String, Path, description = "A file", example = "cosmic_web_0002.hdf5")),
    responses(
        (status = 200, description = "What the file is", body = Object),
        (status = 304, description = "The client has it already"),
        (status = 404, description = "No such file", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "The file is no HDF5, or damaged", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn get_info(
    State(app): State<App>,
    caller: Caller,
    FilePath(path): FilePath,
    RawQuery(query): RawQuery,
    method: Method,
    headers: HeaderMap,
) -> ApiResult<Response> {
    Params::parse(query.as_deref(), &[])?;
    let preconditions = Preconditions::of(&headers);
    let archive = app.archive.clone();
    answer::answer(&app.work, method == Method::HEAD, move |cancelled| {
        let pinned = archive.pin(&caller.roles, cancelled);
        let file = pinned.open(&path)?;
        let output = file.output()?;
        let output = output.describe()?;
        // Weak, since it leaves compressed or not.
        let tag = pinned.tag(&"info")?.weak();
        if let Some(answer) = preconditions.decide(&tag)? {
            return Ok(answer);
        }
        let info = Info {
            path: path.as_str(),
            size_bytes: file.bytes().identity.size_bytes,
            modified_s: file.bytes().modified_s(),
            output,
        };
        let body = serde_json::to_vec(&info).map_err(ApiError::internal)?;
        Ok(Answer::of(Content::whole(pinned, body), json::CONTENT_TYPE)?.with_tag(&tag))
    })
    .await
}
