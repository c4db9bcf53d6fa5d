//! `/v1/download/{path}`: a file as it is, or a folder as a tar.

use std::fmt::Write;

use axum::{
    extract::{RawQuery, State},
    http::{HeaderMap, Method, header},
    response::Response,
};

use super::{
    conditions::{Conditions, Part, mark_part},
    file_blocks::FileBlocks,
    params::{FilePath, Params},
    tar::Tar,
};
use crate::{
    app::App,
    auth::Caller,
    catalog::{TagBuilder, VPath},
    error::{ApiError, ApiResult, Problem},
    read_task::{self, Answer, AnswerBody},
};

/// A file as it is; or a folder, with all below it that the caller may see, as a tar.
///
/// A file takes `Range`, and `If-Range` with its entity tag, so that a download that broke off can go on.
#[utoipa::path(
    get,
    path = "/v1/download/{path}",
    tag = "native",
    params(("path" = String, Path, description = "A file or a folder")),
    responses(
        (status = 200, description = "The bytes", content_type = "application/octet-stream"),
        (status = 206, description = "The bytes that `Range` asked for"),
        (status = 304, description = "The client has them already"),
        (status = 404, description = "No such file or folder", body = Problem, content_type = "application/problem+json"),
        (status = 416, description = "`Range` lies outside", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn get_download(
    State(app): State<App>,
    caller: Caller,
    FilePath(path): FilePath,
    RawQuery(query): RawQuery,
    method: Method,
    headers: HeaderMap,
) -> ApiResult<Response> {
    Params::parse(query.as_deref(), &[])?;
    answer(app, caller, path, TarNames::from_folder, &method, &headers).await
}

/// A file as it is, or a folder as a tar whose names begin at the root, so that all tars unpack into one tree.
///
/// Otherwise the same as `/v1/download`.
#[utoipa::path(
    get,
    path = "/hdfstream/download/{path}",
    tag = "hdfstream",
    params(("path" = String, Path, description = "A file or a folder")),
    responses(
        (status = 200, description = "The bytes", content_type = "application/octet-stream"),
        (status = 206, description = "The bytes that `Range` asked for"),
        (status = 304, description = "The client has them already"),
        (status = 404, description = "No such file or folder", body = Problem, content_type = "application/problem+json"),
        (status = 416, description = "`Range` lies outside", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn get_from_root(
    State(app): State<App>,
    caller: Caller,
    FilePath(path): FilePath,
    method: Method,
    headers: HeaderMap,
) -> ApiResult<Response> {
    if path.as_str().is_empty() {
        return Err(get_root(caller).await);
    }
    answer(app, caller, path, TarNames::from_root, &method, &headers).await
}

/// The root itself is no download of that kind; wrong credentials are told first, as everywhere.
pub(crate) async fn get_root(_: Caller) -> ApiError {
    ApiError::bad_request("name a file or a folder: the root is not downloaded as one")
}

async fn answer(
    app: App,
    caller: Caller,
    path: VPath,
    names: fn(&VPath) -> TarNames,
    method: &Method,
    headers: &HeaderMap,
) -> ApiResult<Response> {
    let conditions = Conditions::of(headers);
    let state = app.clone();
    read_task::answer(&app, method == Method::HEAD, move || {
        if state.catalog.is_folder(&caller, &path)? {
            folder_answer(&state, caller, &path, names(&path), &conditions)
        } else {
            file_answer(&state, &caller, &path, &conditions)
        }
    })
    .await
}

fn file_answer(app: &App, caller: &Caller, path: &VPath, conditions: &Conditions) -> ApiResult<Answer> {
    let file = app.catalog.open_bytes(caller, path)?;
    let mut tag = TagBuilder::new();
    file.identity.write_to(&mut tag);
    tag.add("download");
    let tag = tag.finish();
    if let Some(answer) = conditions.decide(&tag)? {
        return Ok(answer);
    }
    let size_bytes = file.identity.size_bytes;
    let part = conditions.part(&tag, size_bytes)?;
    let range = match &part {
        Part::Whole => 0..size_bytes,
        Part::Bytes(range) => range.clone(),
    };
    let part_bytes = range.end - range.start;
    let content_type = with_charset(&file.media_type());
    let blocks = Box::new(FileBlocks::new(file, range, app.config.limits.block_bytes));
    let body = AnswerBody::Blocks { blocks, size_bytes: Some(part_bytes) };
    let answer = Answer::new("application/octet-stream", body)
        .with_header(header::CONTENT_TYPE, content_type)
        .with_header(header::ETAG, tag)
        .with_header(header::CACHE_CONTROL, "no-cache")
        .with_header(header::ACCEPT_RANGES, "bytes")
        .with_header(header::CONTENT_DISPOSITION, disposition(path.file_name().unwrap_or("file"), ""));
    Ok(mark_part(answer, &part, size_bytes))
}

/// Text is UTF-8 here, and is said to be: without that, clients take other guesses.
fn with_charset(media_type: &str) -> String {
    let is_text = media_type.starts_with("text/") || media_type.starts_with("application/yaml");
    let ending = if is_text && !media_type.contains("charset") { ";charset=UTF-8" } else { "" };
    format!("{media_type}{ending}")
}

/// How the tar of a folder names things.
struct TarNames {
    /// What the names of its files begin with.
    folder: String,
    /// Its own name, without the ending.
    name: String,
}

impl TarNames {
    /// From the folder on, as one who packs it from its parent does.
    fn from_folder(path: &VPath) -> Self {
        let name = path.file_name().unwrap_or("files").to_owned();
        Self { folder: name.clone(), name }
    }

    /// From the root on, so that the tars of several folders unpack into one tree.
    fn from_root(path: &VPath) -> Self {
        Self { folder: path.as_str().to_owned(), name: path.as_str().replace('/', "_") }
    }
}

fn folder_answer(
    app: &App,
    caller: Caller,
    path: &VPath,
    names: TarNames,
    conditions: &Conditions,
) -> ApiResult<Answer> {
    let files = app.catalog.tree(&caller, path, app.config.limits.folder_files)?;
    let mut tag = TagBuilder::new();
    tag.add("folder");
    tag.add(&names.folder);
    for file in &files {
        tag.add(&file.inner);
        tag.add(file.size_bytes.to_le_bytes());
        tag.add(file.modified_s.to_le_bytes());
    }
    // Weak: what lies in the files was not looked at.
    let tag = format!("W/{}", tag.finish());
    if let Some(answer) = conditions.decide(&tag)? {
        return Ok(answer);
    }
    let tar = Tar::new(app.catalog.clone(), caller, names.folder, files, app.config.limits.block_bytes)?;
    let size_bytes = Some(tar.size_bytes());
    let body = AnswerBody::Blocks { blocks: Box::new(tar), size_bytes };
    Ok(Answer::new("application/x-tar", body)
        .with_header(header::ETAG, tag)
        .with_header(header::CACHE_CONTROL, "no-cache")
        .with_header(header::ACCEPT_RANGES, "none")
        .with_header(header::CONTENT_DISPOSITION, disposition(&names.name, ".tar")))
}

/// `attachment` with the name in both forms of RFC 6266.
fn disposition(name: &str, ending: &str) -> String {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
    let ascii: String = name.chars().map(|c| if u8::try_from(c).is_ok_and(is_plain) { c } else { '_' }).collect();
    let mut utf8 = String::new();
    for byte in name.bytes() {
        if is_plain(byte) {
            utf8.push(char::from(byte));
        } else {
            let _ = write!(utf8, "%{byte:02X}");
        }
    }
    format!("attachment; filename=\"{ascii}{ending}\"; filename*=UTF-8''{utf8}{ending}")
}
