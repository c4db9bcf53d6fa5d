//! The requests for folders, files, objects and slices.

use apus_data::{
    encode::msgpack::{ElementType, shape_of},
    store::VPath,
    values::{Content, EntityTag, Pinned, PinnedFile, array::ArrayRequest},
};
use apus_h5::{Dataset, Indices, Object, RowRanges, Selection};
use axum::{
    body::Body,
    extract::{Path, Query, State, rejection::PathRejection},
    http::{HeaderMap, HeaderName, Method, header},
    response::Response,
};
use bytes::Bytes;
use http_body_util::BodyExt;

use super::{
    DescriptionKey, Hdfstream, MSGPACK,
    error::{Error, Stage},
    listing,
    object::{self, Extent},
    request::{BodyParser, Request},
    slices::Slices,
};
use crate::{
    auth::Caller,
    http::{
        answer::{self, Answer},
        body::BodyMemory,
        content_coding::ContentCoding,
        error::{ApiError, Problem},
        preconditions::Preconditions,
    },
};

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
        ("path" = String, Path, description = "A file or a folder; empty for the root", example = "cosmic_web_0002.hdf5"),
        ("object" = Option<String>, Query, description = "The absolute path of an object in the file", example = "/PartType0/Coordinates"),
        ("max_depth" = Option<u32>, Query, description = "How deep groups (or folders) are expanded; 0 where it is not given"),
        ("data_size_limit" = Option<u32>, Query,
            description = "Contents of datasets of at most so many bytes come along; 2147483647 where it is not given"),
        ("slice" = Option<String>, Query, description = "Which elements of the dataset are wanted", example = "0:50000,0:3"),
    ),
    responses(
        (status = 200, description = "A map", content_type = "application/x-msgpack", body = [u8]),
        (status = 304, description = "The client has it already"),
        (status = 400, description = "The request is not understood", content_type = "application/x-msgpack"),
        (status = 401, description = "The credentials are wrong", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such path or object, or slices that do not fit", content_type = "application/x-msgpack"),
        (status = 413, description = "More than this service answers with", content_type = "application/x-msgpack"),
    )
)]
pub(super) async fn get_object(
    State(state): State<Hdfstream>,
    method: Method,
    caller: Caller,
    memory: BodyMemory,
    path: AskedPath,
    Query(parameters): Query<Vec<(String, String)>>,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let parameters = parameters.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let request = Request::from_query(parameters).map_err(Error::bad_request)?;
    let preconditions = Some(Preconditions::of(&headers));
    let negotiated = Negotiated { head: method == Method::HEAD, preconditions, coding: coding(&headers) };
    answer(state, caller, path, Asked { request, memory }, negotiated).await
}

/// The same, asked for by a body of `MessagePack`, as the Python module does.
///
/// The body is a map of at most `object`, `max_depth`, `data_size_limit` and `slice`; `slice` is the text that GET takes, or
/// `[start, count]` for each dimension, where the first may have `[[start, ...], [count, ...]]`.
#[utoipa::path(
    post,
    path = "/hdfstream/msgpack/{path}",
    tag = "hdfstream",
    params(("path" = String, Path, description = "A file or a folder; empty for the root", example = "cosmic_web_0002.hdf5")),
    request_body(content = ObjectBody, content_type = "application/x-msgpack", examples(
        ("slices" = (value = json!({"object": "/PartType0/Coordinates", "slice": "0:5,0:3;100:105,0:3"}))),
        ("slices as numbers" = (value = json!({"object": "/PartType0/Coordinates", "slice": [[[0, 10000], [100, 40000]], [0, 3]]}))),
        ("a description" = (value = json!({"object": "/PartType0", "max_depth": 1}))),
    )),
    responses(
        (status = 200, description = "A map", content_type = "application/x-msgpack", body = [u8]),
        (status = 400, description = "The request is not understood", content_type = "application/x-msgpack"),
        (status = 401, description = "The credentials are wrong", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such path or object, or slices that do not fit", content_type = "application/x-msgpack"),
        (status = 413, description = "More slices than the service takes at once, or more than it answers with", content_type = "application/x-msgpack"),
        (status = 415, description = "The body is of another type", content_type = "application/x-msgpack"),
    )
)]
pub(super) async fn post_object(
    State(state): State<Hdfstream>,
    caller: Caller,
    memory: BodyMemory,
    path: AskedPath,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Error> {
    if headers.get(header::CONTENT_TYPE).is_none_or(|value| value != MSGPACK) {
        return Err(Error::from(ApiError::UnsupportedMediaType(
            "POST requests must have content type application/x-msgpack".into(),
        ))
        .leaving_body());
    }
    let request = read_body(&state, &memory, body).await.map_err(Error::leaving_body)?;
    let negotiated = Negotiated { head: false, preconditions: None, coding: coding(&headers) };
    answer(state, caller, path, Asked { request, memory }, negotiated).await
}

/// What is asked for, as `MessagePack`.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "it describes the body, which is read as it arrives")]
pub(super) struct ObjectBody {
    /// The absolute path of an object in the file.
    object: Option<String>,
    /// How deep groups (or folders) are expanded; 0 where it is not given.
    #[schema(example = 2)]
    max_depth: Option<u32>,
    /// Contents of datasets of at most so many bytes come along; 2147483647 where it is not given.
    #[schema(example = 1000)]
    data_size_limit: Option<u32>,
    /// Which elements of the dataset are wanted: the text that GET takes, or `[start, count]` for each dimension.
    #[schema(value_type = Option<Object>)]
    slice: Option<String>,
}

/// What is asked, with the memory that its slices take.
struct Asked {
    request: Request,
    memory: BodyMemory,
}

/// What the client's headers say of the answer.
struct Negotiated {
    /// Whether no body is wanted.
    head: bool,
    /// What the client has already; `None` where the answer needs no entity tag: one to POST has no use for it.
    preconditions: Option<Preconditions>,
    /// The coding for what is not a stream of values.
    coding: Option<ContentCoding>,
}

impl Negotiated {
    /// The answer with that tag, or 304 where the client has it. Tags are weak, since descriptions leave compressed or not.
    fn tagged<T>(
        &self,
        asked: T,
        tag: impl FnOnce(&T) -> apus_data::Result<EntityTag>,
        answer: impl FnOnce(T) -> Result<Answer, Error>,
    ) -> Result<Answer, Error> {
        let Some(preconditions) = &self.preconditions else { return answer(asked) };
        let tag = tag(&asked).map_err(ApiError::from)?.weak();
        let answer = match preconditions.decide(&tag)? {
            Some(known) => known,
            None => answer(asked)?.with_tag(&tag),
        };
        Ok(answer.with_header(header::VARY, "accept-encoding"))
    }

    /// Something that is whole, in the client's coding where that is worth it.
    fn whole(&self, pinned: &Pinned, body: Vec<u8>) -> Result<Answer, Error> {
        let encoded = self.encode(&body)?;
        self.labelled(pinned, encoded.is_some(), encoded.unwrap_or(body.into()))
    }

    /// `None` where the client takes no coding, or it is not worth it.
    fn encode(&self, body: &[u8]) -> Result<Option<Bytes>, Error> {
        let encoded = self.coding.map(|coding| coding.encode(body)).transpose().map_err(ApiError::internal)?;
        Ok(encoded.flatten().map(Bytes::from))
    }

    fn labelled(&self, pinned: &Pinned, is_encoded: bool, body: Bytes) -> Result<Answer, Error> {
        let answer = Answer::of(Content::whole(pinned.clone(), body), MSGPACK)?;
        let answer = answer.with_header(header::VARY, "accept-encoding");
        Ok(match self.coding {
            Some(coding) if is_encoded => answer.with_header(header::CONTENT_ENCODING, coding.name()),
            _ => answer,
        })
    }
}

fn text(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let values: Vec<&str> = headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).collect();
    (!values.is_empty()).then(|| values.join(","))
}

fn coding(headers: &HeaderMap) -> Option<ContentCoding> {
    text(headers, &header::ACCEPT_ENCODING).as_deref().and_then(ContentCoding::accepted)
}

async fn read_body(state: &Hdfstream, memory: &BodyMemory, mut body: Body) -> Result<Request, Error> {
    let mut parser = BodyParser::default();
    // Nothing is kept of what was read but the slices.
    memory.count_exactly();
    let mut n_bytes = 0;
    let limits = &state.app.config.limits;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| match memory.error() {
            Some(error) => error.into(),
            None => Error::bad_request(format!("Unable to read request: {error}")),
        })?;
        let piece: Bytes = frame.into_data().unwrap_or_default();
        n_bytes += piece.len() as u64;
        if n_bytes > limits.slices_body_bytes {
            return Err(Error::from(ApiError::too_large(format!(
                "the request's body has more than {} bytes; ask for the slices in several requests",
                limits.slices_body_bytes
            ))));
        }
        parser.feed(&piece).map_err(Error::bad_request)?;
        memory.grow(parser.held_bytes()).await?;
        parser.reserve();
    }
    parser.finish().map_err(Error::bad_request)
}

async fn answer(
    state: Hdfstream,
    caller: Caller,
    path: AskedPath,
    asked: Asked,
    negotiated: Negotiated,
) -> Result<Response, Error> {
    // A path that is no text leads nowhere, as any other that names nothing.
    let text = path.map_err(|_| Error::invalid_path("(not UTF-8)"))?.map(|Path(path)| path).unwrap_or_default();
    let path = VPath::parse(&text).map_err(|error| match error {
        apus_data::Error::Invalid(_) if text.len() > 4096 => {
            Error::bad_request(format!("Path is too long: {} bytes", text.len()))
        }
        _ => Error::invalid_path(&text),
    })?;
    let work = state.app.work.clone();
    answer::answer(&work, negotiated.head, move |cancelled| {
        let pinned = state.app.archive.pin(&caller.roles, cancelled);
        object_answer(&state, &pinned, &path, asked, &negotiated)
    })
    .await
}

fn object_answer(
    state: &Hdfstream,
    pinned: &Pinned,
    path: &VPath,
    asked: Asked,
    negotiated: &Negotiated,
) -> Result<Answer, Error> {
    let Asked { request, memory } = asked;
    let invalid_path = |error: apus_data::Error| match error {
        apus_data::Error::NotFound(_) => Error::invalid_path(path.as_str()),
        error => ApiError::from(error).into(),
    };
    if pinned.archive().catalog.is_folder(pinned.roles(), path).map_err(invalid_path)? {
        let max_entries = state.app.config.limits.folder_files;
        let description = listing::describe_folder(pinned, path, request.max_depth, max_entries);
        return negotiated.whole(pinned, description.map_err(invalid_path)?);
    }
    let Some(name) = &request.object else {
        return negotiated.whole(pinned, listing::describe_file(pinned, path).map_err(invalid_path)?);
    };
    if let Some(slices) = request.slices {
        let file = pinned.open(path).map_err(|error| Error::at(Stage::OpenSlice, error))?;
        let request = array_request(&file, name, slices, &memory)?;
        return negotiated.tagged(
            request,
            |request| request.tag("hdfstream"),
            |request| Ok(Answer::of(request.msgpack()?, MSGPACK)?),
        );
    }
    let file = pinned.open(path).map_err(|error| Error::at(Stage::OpenObject, error))?;
    let extent = Extent { max_depth: request.max_depth, data_size_limit: request.data_size_limit };
    let (description, is_encoded) = state.description(&file, name, extent, negotiated)?;
    // How much may come along is configured, and may be more after a new start.
    let held_bytes = pinned.archive().limits.held_bytes;
    negotiated.tagged(
        description,
        |_| pinned.tag(&("hdfstream object", name, extent, held_bytes)),
        |description| negotiated.labelled(pinned, is_encoded, description),
    )
}

impl Hdfstream {
    /// The description of an object, made and encoded once for each state of the file and of all that it draws on; with it, whether it is
    /// in the client's coding.
    fn description(
        &self,
        file: &PinnedFile,
        name: &str,
        extent: Extent,
        negotiated: &Negotiated,
    ) -> Result<(Bytes, bool), Error> {
        let key = |coding| DescriptionKey { file: file.key().clone(), object: name.to_owned(), extent, coding };
        let remembered = |key: &DescriptionKey| self.descriptions.get(key).filter(|known| file.pinned().holds(known));
        let coded_key = negotiated.coding.map(|coding| key(Some(coding)));
        if let Some(known) = coded_key.as_ref().and_then(&remembered) {
            return Ok((known.value, true));
        }
        let plain_key = key(None);
        let plain = if let Some(known) = remembered(&plain_key) {
            known
        } else {
            let known = file.pinned().known(|| describe(file, name, extent))?;
            self.descriptions.insert(plain_key, known.clone());
            known
        };
        match (coded_key, negotiated.encode(&plain.value)?) {
            (Some(key), Some(encoded)) => {
                self.descriptions.insert(key, plain.with(encoded.clone()));
                Ok((encoded, true))
            }
            _ => Ok((plain.value, false)),
        }
    }
}

fn describe(file: &PinnedFile, name: &str, extent: Extent) -> apus_data::Result<Bytes> {
    let no_form = || apus_data::Error::not_found(format!("{name} is of a kind that has no form here"));
    let held_bytes = file.pinned().archive().limits.held_bytes;
    object::describe(file.h5(), name, extent, held_bytes)?.map(Bytes::from).ok_or_else(no_form)
}

/// The slices of the dataset of that name; what they do not take of the memory is given back.
///
/// Errors: those that clients take as a missing object.
fn array_request(file: &PinnedFile, name: &str, slices: Slices, memory: &BodyMemory) -> Result<ArrayRequest, Error> {
    let object = file.h5().get(name).map_err(|error| Error::at(Stage::OpenSlice, error))?;
    let Object::Dataset(dataset) = object else {
        return Err(Error::at(Stage::OpenSlice, ApiError::not_found(format!("{name} is not a dataset"))));
    };
    let selection = select(&dataset, slices)
        .map_err(|why| Error::at(Stage::Read, ApiError::bad_request(format!("{name}: {why}"))))?;
    let n_ranges = selection.rows.as_ref().map_or(0, |rows: &RowRanges| rows.as_slice().len());
    memory.shrink((n_ranges * size_of::<std::ops::Range<u64>>()) as u64);
    Ok(ArrayRequest::new(file.pinned(), dataset, selection, Vec::new())?)
}

/// Elements that are arrays themselves show as further dimensions, of which slices must take all.
fn select(dataset: &Dataset, slices: Slices) -> Result<Selection, String> {
    let element = ElementType::of(dataset.dtype()).ok_or("this protocol has no form for elements of its type")?;
    let own_shape = shape_of(dataset.space());
    let n_own = own_shape.len();
    let element_shape = element.element_shape.iter().map(|&extent| u64::from(extent));
    let shape: Vec<u64> = own_shape.iter().copied().chain(element_shape).collect();
    let mut selection = slices.select(&shape)?;
    let of_element = selection.inner.split_off(selection.inner.len().min(n_own.saturating_sub(1)));
    let whole = |(indices, extent): (&Indices, &u64)| *indices == Indices::Range(0, *extent);
    let element_extents = shape.get(n_own..).unwrap_or_default();
    if n_own > 0 && !of_element.iter().zip(element_extents).all(whole) {
        return Err("elements that are arrays can only be read whole".to_owned());
    }
    Ok(selection)
}
