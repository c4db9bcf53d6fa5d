//! `/v1/info/{path}`: what a file is, and what it holds, in SWIFT's terms.

use axum::{
    extract::{RawQuery, State},
    http::{HeaderMap, Method, header},
    response::Response,
};
use serde::Serialize;

use super::{
    conditions::Conditions,
    params::{FilePath, Params},
};
use crate::{
    app::App,
    auth::Caller,
    catalog::TagBuilder,
    encode::json,
    error::{ApiError, ApiResult, Problem},
    read_task::{self, Answer, AnswerBody},
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
    params(("path" = String, Path, description = "A file")),
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
    let conditions = Conditions::of(&headers);
    let state = app.clone();
    read_task::answer(&app, method == Method::HEAD, move || {
        let file = state.catalog.open(&caller, &path)?;
        let mut tag = TagBuilder::new();
        file.bytes.identity.write_to(&mut tag);
        tag.add("info");
        tag.add(path.as_str());
        let tag = format!("W/{}", tag.finish());
        if let Some(answer) = conditions.decide(&tag)? {
            return Ok(answer);
        }
        let output = file.output()?;
        let info = Info {
            path: path.as_str(),
            size_bytes: file.bytes.identity.size_bytes,
            modified_s: file.bytes.modified_s(),
            output: output.describe()?,
        };
        let body = serde_json::to_vec(&info).map_err(ApiError::internal)?;
        file.bytes.check_unchanged()?;
        let answer = Answer::new(json::CONTENT_TYPE, AnswerBody::Whole(body.into()));
        Ok(answer.with_header(header::ETAG, tag).with_header(header::CACHE_CONTROL, "no-cache"))
    })
    .await
}

impl From<apus_swift::Error> for ApiError {
    fn from(error: apus_swift::Error) -> Self {
        use apus_swift::Error as E;
        match error {
            E::Hdf5(error) => error.into(),
            E::UnknownField { .. } | E::UnknownHalo { .. } => Self::not_found(error.to_string()),
            E::BadUnit { .. }
            | E::WrongDimensions { .. }
            | E::BadRegion { .. }
            | E::BadCondition { .. }
            | E::BadSelection { .. } => Self::bad_request(error.to_string()),
            other => Self::Unreadable { code: "damaged", detail: other.to_string().into() },
        }
    }
}
