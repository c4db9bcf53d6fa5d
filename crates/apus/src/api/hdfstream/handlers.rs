//! The requests for folders, files, objects and slices.

use axum::{
    body::Body,
    extract::{Path, Query, State},
    http::{HeaderMap, Method, StatusCode, header},
    response::Response,
};
use bytes::Bytes;
use http_body_util::BodyExt;
use tokio::sync::SemaphorePermit;

use super::{
    DescriptionKey, MSGPACK,
    error::{Error, Stage},
    listing,
    object::{self, Extent},
    read,
    request::{BodyParser, Request},
};
use crate::{
    app::App,
    auth::Caller,
    catalog::{OpenFile, TagBuilder, VPath},
    error::ApiError,
    read_task::{self, Answer, AnswerBody},
};

/// Bodies beyond this length are read one at a time: sixteen million slices take hundreds of megabytes.
const LARGE_BODY_BYTES: u64 = 1 << 20;

/// GET: the request is in the query.
pub(super) async fn get_object(
    State(app): State<App>,
    method: Method,
    caller: Caller,
    path: Option<Path<String>>,
    Query(parameters): Query<Vec<(String, String)>>,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let parameters = parameters.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let request = Request::from_query(parameters).map_err(Error::bad_request)?;
    let if_none_match = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok()).map(str::to_owned);
    answer(app, caller, path, request, method == Method::HEAD, if_none_match).await
}

/// POST: the request is the body.
pub(super) async fn post_object(
    State(app): State<App>,
    caller: Caller,
    path: Option<Path<String>>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Error> {
    if headers.get(header::CONTENT_TYPE).is_none_or(|value| value != MSGPACK) {
        return Err(Error::from(ApiError::UnsupportedMediaType(
            "POST requests must have content type application/x-msgpack".into(),
        )));
    }
    let request = read_body(&app, body).await?;
    answer(app, caller, path, request, false, None).await
}

async fn read_body(app: &App, mut body: Body) -> Result<Request, Error> {
    let mut parser = BodyParser::default();
    let mut n_bytes = 0;
    let mut turn: Option<SemaphorePermit<'_>> = None;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Error::bad_request(format!("Unable to read request: {error}")))?;
        let piece: Bytes = frame.into_data().unwrap_or_default();
        n_bytes += piece.len() as u64;
        if n_bytes > app.config.limits.slices_body_bytes {
            return Err(Error::from(ApiError::too_large(format!(
                "the request's body has more than {} bytes; ask for the slices in several requests",
                app.config.limits.slices_body_bytes
            ))));
        }
        if turn.is_none() && n_bytes > LARGE_BODY_BYTES {
            turn = app.hdfstream.large_body.acquire().await.ok();
        }
        parser.feed(&piece).map_err(Error::bad_request)?;
    }
    parser.finish().map_err(Error::bad_request)
}

async fn answer(
    app: App,
    caller: Caller,
    path: Option<Path<String>>,
    request: Request,
    head: bool,
    if_none_match: Option<String>,
) -> Result<Response, Error> {
    let text = path.map(|Path(path)| path).unwrap_or_default();
    let path = VPath::parse(&text).map_err(|error| match error.status() {
        StatusCode::BAD_REQUEST if text.len() > 4096 => {
            Error::bad_request(format!("Path is too long: {} bytes", text.len()))
        }
        _ => Error::invalid_path(&text),
    })?;
    let work = {
        let app = app.clone();
        move || work(&app, &caller, &path, request, if_none_match.as_deref())
    };
    read_task::answer(&app, head, work).await
}

fn work(
    app: &App,
    caller: &Caller,
    path: &VPath,
    request: Request,
    if_none_match: Option<&str>,
) -> Result<Answer, Error> {
    let invalid_path = |error: ApiError| match error {
        ApiError::NotFound(_) => Error::invalid_path(path.as_str()),
        error => Error::from(error),
    };
    if app.catalog.is_folder(caller, path).map_err(invalid_path)? {
        let body = listing::describe_folder(app, caller, path, request.max_depth).map_err(invalid_path)?;
        return Ok(Answer::new(MSGPACK, AnswerBody::Whole(body.into())));
    }
    let Some(name) = &request.object else {
        let body = listing::describe_file(app, caller, path).map_err(invalid_path)?;
        return Ok(Answer::new(MSGPACK, AnswerBody::Whole(body.into())));
    };
    let stage = if request.slices.is_some() { Stage::OpenSlice } else { Stage::OpenObject };
    let file = app.catalog.open(caller, path).map_err(|error| Error::at(stage, error))?;
    let tag = entity_tag(&file, name, &request);
    if if_none_match.is_some_and(|tags| tags == "*" || tags.split(',').any(|known| known.trim() == tag)) {
        return Ok(Answer::empty(StatusCode::NOT_MODIFIED).with_header(header::ETAG, tag));
    }
    let extent = Extent { max_depth: request.max_depth, data_size_limit: request.data_size_limit };
    let answer = match request.slices {
        Some(slices) => read::read_slices(app, &file, name, slices)?,
        None => Answer::new(MSGPACK, AnswerBody::Whole(object_map(app, &file, name, extent)?)),
    };
    Ok(answer.with_header(header::ETAG, tag))
}

/// The description of an object, made once for each state of the file.
fn object_map(app: &App, file: &OpenFile, name: &str, extent: Extent) -> Result<Bytes, Error> {
    let key = DescriptionKey { file: file.key.clone(), object: name.to_owned(), extent };
    if let Some(body) = app.hdfstream.descriptions.get(&key) {
        return Ok(body);
    }
    let description =
        object::describe(&file.h5, name, extent).map_err(|error| Error::at(Stage::OpenObject, error))?.ok_or_else(
            || Error::at(Stage::OpenObject, ApiError::not_found(format!("{name} is of a kind that has no form here"))),
        )?;
    let body = Bytes::from(description.body);
    if description.self_contained {
        app.hdfstream.descriptions.insert(key, body.clone());
    }
    Ok(body)
}

/// Weak, since the answer may leave compressed.
fn entity_tag(file: &OpenFile, name: &str, request: &Request) -> String {
    let mut tag = TagBuilder::new();
    file.bytes.identity.write_to(&mut tag);
    tag.add(name);
    tag.add(format!("{request:?}"));
    format!("W/{}", tag.finish())
}
