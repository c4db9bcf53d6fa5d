//! The requests for folders, files, objects and slices.

use axum::{
    body::Body,
    extract::{Path, Query, State, rejection::PathRejection},
    http::{HeaderMap, HeaderName, Method, StatusCode, header},
    response::Response,
};
use bytes::Bytes;
use http_body_util::BodyExt;
use tokio::time::{self, Instant};

use super::{
    DescriptionKey, MSGPACK,
    error::{Error, Stage},
    held::Held,
    listing,
    object::{self, Extent},
    read::Part,
    request::{BodyParser, Request},
};
use crate::{
    app::App,
    auth::Caller,
    catalog::{OpenFile, VPath},
    content_coding::ContentCoding,
    error::{ApiError, Problem},
    read_task::{self, Answer, AnswerBody},
};

/// A body may take as long as so many stalls: who sends a byte now and then must not hold memory for ever.
const BODY_STALLS: u32 = 5;

/// What stands behind the route's prefix; nothing for the root.
type AskedPath = Result<Option<Path<String>>, PathRejection>;

/// A folder, a file, an HDF5 object or slices of a dataset, as `MessagePack`.
///
/// With `slice`, the elements as the map that the client reads as an array; with `object` alone, its description; without, the
/// folder's or the file's. `slice` is `start:stop` or a single index for each dimension, dimensions joined by `,`, slices by `;`.
/// Errors are `{"error": text}`.
#[utoipa::path(
    get,
    path = "/hdfstream/msgpack/{path}",
    tag = "hdfstream",
    params(
        ("path" = String, Path, description = "A file or a folder; empty for the root"),
        ("object" = Option<String>, Query, description = "The absolute path of an object in the file"),
        ("max_depth" = Option<u32>, Query, description = "How deep groups (or folders) are expanded; 0 where it is not given"),
        ("data_size_limit" = Option<u32>, Query,
            description = "Contents of datasets of at most so many bytes come along; 2147483647 where it is not given"),
        ("slice" = Option<String>, Query, description = "Which elements of the dataset are wanted"),
    ),
    responses(
        (status = 200, description = "A map", content_type = "application/x-msgpack", body = [u8]),
        (status = 304, description = "The client has it already"),
        (status = 400, description = "The request is not understood", content_type = "application/x-msgpack"),
        (status = 401, description = "The credentials are wrong", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such path or object, or slices that do not fit", content_type = "application/x-msgpack"),
    )
)]
pub(super) async fn get_object(
    State(app): State<App>,
    method: Method,
    caller: Caller,
    path: AskedPath,
    Query(parameters): Query<Vec<(String, String)>>,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let parameters = parameters.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let request = Request::from_query(parameters).map_err(Error::bad_request)?;
    let known_tags = text(&headers, &header::IF_NONE_MATCH);
    let form = Form { head: method == Method::HEAD, tagged: true, known_tags, coding: coding(&headers) };
    let held = app.hdfstream.slices.nothing();
    answer(app, caller, path, Asked { request, held }, form).await
}

/// The same, asked for by a body of `MessagePack`, as the Python module does.
///
/// The body is a map of at most `object`, `max_depth`, `data_size_limit` and `slice`; `slice` is the text that GET takes, or
/// `[start, count]` for each dimension, where the first may have `[[start, ...], [count, ...]]`.
#[utoipa::path(
    post,
    path = "/hdfstream/msgpack/{path}",
    tag = "hdfstream",
    params(("path" = String, Path, description = "A file or a folder; empty for the root")),
    request_body(content = [u8], content_type = "application/x-msgpack"),
    responses(
        (status = 200, description = "A map", content_type = "application/x-msgpack", body = [u8]),
        (status = 400, description = "The request is not understood", content_type = "application/x-msgpack"),
        (status = 401, description = "The credentials are wrong", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such path or object, or slices that do not fit", content_type = "application/x-msgpack"),
        (status = 413, description = "More slices than the service takes at once", content_type = "application/x-msgpack"),
        (status = 415, description = "The body is of another type", content_type = "application/x-msgpack"),
    )
)]
pub(super) async fn post_object(
    State(app): State<App>,
    caller: Caller,
    path: AskedPath,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Error> {
    if headers.get(header::CONTENT_TYPE).is_none_or(|value| value != MSGPACK) {
        return Err(Error::from(ApiError::UnsupportedMediaType(
            "POST requests must have content type application/x-msgpack".into(),
        )));
    }
    let (request, held) = read_body(&app, body).await?;
    let form = Form { head: false, tagged: false, known_tags: None, coding: coding(&headers) };
    answer(app, caller, path, Asked { request, held }, form).await
}

/// What is asked, with the memory that its slices take.
struct Asked {
    request: Request,
    held: Held,
}

/// What the client's headers say of the answer.
struct Form {
    /// Whether no body is wanted.
    head: bool,
    /// Whether the answer has an entity tag: one to POST has no use for it.
    tagged: bool,
    /// The entity tags of the answers that the client has.
    known_tags: Option<String>,
    /// The coding for what is not a stream of values.
    coding: Option<ContentCoding>,
}

impl Form {
    fn is_known(&self, tag: &str) -> bool {
        let weak = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
        self.known_tags
            .as_deref()
            .is_some_and(|known| known.trim() == "*" || known.split(',').any(|known| weak(known) == weak(tag)))
    }

    /// A description, in the client's coding where that is worth it.
    fn whole(&self, body: Vec<u8>) -> Result<Answer, Error> {
        let encoded = match self.coding {
            Some(coding) => coding.encode(&body).map_err(ApiError::internal)?,
            None => None,
        };
        Ok(self.labelled(encoded.is_some(), encoded.unwrap_or(body).into()))
    }

    fn labelled(&self, is_encoded: bool, body: Bytes) -> Answer {
        let answer = Answer::new(MSGPACK, AnswerBody::Whole(body)).with_header(header::VARY, "accept-encoding");
        match self.coding {
            Some(coding) if is_encoded => answer.with_header(header::CONTENT_ENCODING, coding.name()),
            _ => answer,
        }
    }
}

fn text(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let values: Vec<&str> = headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).collect();
    (!values.is_empty()).then(|| values.join(","))
}

fn coding(headers: &HeaderMap) -> Option<ContentCoding> {
    text(headers, &header::ACCEPT_ENCODING).as_deref().and_then(ContentCoding::accepted)
}

async fn read_body(app: &App, mut body: Body) -> Result<(Request, Held), Error> {
    let mut parser = BodyParser::default();
    let mut held = app.hdfstream.slices.nothing();
    let mut n_bytes = 0;
    let limits = &app.config.limits;
    let end = Instant::now() + BODY_STALLS * limits.stall();
    while let Some(frame) = time::timeout_at(end.min(Instant::now() + limits.stall()), body.frame())
        .await
        .map_err(|_| Error::bad_request("Unable to read request: it came too slowly".to_owned()))?
    {
        let frame = frame.map_err(|error| Error::bad_request(format!("Unable to read request: {error}")))?;
        let piece: Bytes = frame.into_data().unwrap_or_default();
        n_bytes += piece.len() as u64;
        if n_bytes > limits.slices_body_bytes {
            return Err(Error::from(ApiError::too_large(format!(
                "the request's body has more than {} bytes; ask for the slices in several requests",
                limits.slices_body_bytes
            ))));
        }
        parser.feed(&piece).map_err(Error::bad_request)?;
        held.grow(parser.held_bytes(), limits.wait()).await?;
        parser.reserve();
    }
    Ok((parser.finish().map_err(Error::bad_request)?, held))
}

async fn answer(app: App, caller: Caller, path: AskedPath, asked: Asked, form: Form) -> Result<Response, Error> {
    // A path that is no text leads nowhere, as any other that names nothing.
    let text = path.map_err(|_| Error::invalid_path("(not UTF-8)"))?.map(|Path(path)| path).unwrap_or_default();
    let path = VPath::parse(&text).map_err(|error| match error.status() {
        StatusCode::BAD_REQUEST if text.len() > 4096 => {
            Error::bad_request(format!("Path is too long: {} bytes", text.len()))
        }
        _ => Error::invalid_path(&text),
    })?;
    let head = form.head;
    let work = {
        let app = app.clone();
        move || work(&app, &caller, &path, asked, &form)
    };
    read_task::answer(&app, head, work).await
}

fn work(app: &App, caller: &Caller, path: &VPath, asked: Asked, form: &Form) -> Result<Answer, Error> {
    let Asked { request, held } = asked;
    let invalid_path = |error: ApiError| match error {
        ApiError::NotFound(_) => Error::invalid_path(path.as_str()),
        error => Error::from(error),
    };
    if app.catalog.is_folder(caller, path).map_err(invalid_path)? {
        return form.whole(listing::describe_folder(app, caller, path, request.max_depth).map_err(invalid_path)?);
    }
    let Some(name) = &request.object else {
        return form.whole(listing::describe_file(app, caller, path).map_err(invalid_path)?);
    };
    let stage = if request.slices.is_some() { Stage::OpenSlice } else { Stage::OpenObject };
    let file = app.catalog.open(caller, path).map_err(|error| Error::at(stage, error))?;
    let extent = Extent { max_depth: request.max_depth, data_size_limit: request.data_size_limit };
    let part = request.slices.map(|slices| Part::open(&file, name, slices, held)).transpose()?;
    let mut tag = match &part {
        _ if !form.tagged => None,
        Some(part) => Some(part.entity_tag(&file)?),
        None => Some(extent.entity_tag(&file, name)),
    };
    let answer = if tag.as_deref().is_some_and(|tag| form.is_known(tag)) {
        Answer::empty(StatusCode::NOT_MODIFIED).with_header(header::VARY, "accept-encoding")
    } else if let Some(part) = part {
        part.read(app)?
    } else {
        let description = object_map(app, &file, name, extent, form)?;
        // What comes from other files may change while this one does not.
        tag = tag.filter(|_| description.self_contained);
        description.answer
    };
    Ok(match tag {
        Some(tag) => answer.with_header(header::ETAG, tag),
        None => answer,
    })
}

struct Described {
    answer: Answer,
    self_contained: bool,
}

/// The description of an object, made and encoded once for each state of the file.
fn object_map(app: &App, file: &OpenFile, name: &str, extent: Extent, form: &Form) -> Result<Described, Error> {
    let plain_key = DescriptionKey { file: file.key.clone(), object: name.to_owned(), extent, coding: None };
    let coded_key = form.coding.map(|coding| DescriptionKey { coding: Some(coding), ..plain_key.clone() });
    if let Some(body) = coded_key.as_ref().and_then(|key| app.hdfstream.descriptions.get(key)) {
        return Ok(Described { answer: form.labelled(true, body), self_contained: true });
    }
    let (plain, self_contained) = match app.hdfstream.descriptions.get(&plain_key) {
        Some(body) => (body, true),
        None => describe(app, file, plain_key)?,
    };
    let encoded = match form.coding {
        Some(coding) => coding.encode(&plain).map_err(ApiError::internal)?.map(Bytes::from),
        None => None,
    };
    if let (Some(key), Some(body), true) = (coded_key, &encoded, self_contained) {
        app.hdfstream.descriptions.insert(key, body.clone());
    }
    Ok(Described { answer: form.labelled(encoded.is_some(), encoded.unwrap_or(plain)), self_contained })
}

fn describe(app: &App, file: &OpenFile, key: DescriptionKey) -> Result<(Bytes, bool), Error> {
    let failed = |error: ApiError| Error::at(Stage::Read, error);
    let description = object::describe(&file.h5, &key.object, key.extent)
        .map_err(|error| failed(error.into()))?
        .ok_or_else(|| failed(ApiError::not_found(format!("{} is of a kind that has no form here", key.object))))?;
    let body = Bytes::from(description.body);
    if description.self_contained {
        app.hdfstream.descriptions.insert(key, body.clone());
    }
    Ok((body, description.self_contained))
}
