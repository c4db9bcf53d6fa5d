//! Downloads of files as they are and of folders as tars, shared by all protocols.

use std::fmt::Write;

use apus_data::{
    store::VPath,
    values::{FileDownload, FolderDownload, Pinned},
};
use axum::{
    http::{HeaderMap, Method, header},
    response::Response,
};

use super::{
    answer::{self, Answer},
    error::ApiResult,
    preconditions::Preconditions,
};
use crate::{app::App, auth::Caller};

/// The names in and of a folder's tar.
pub(crate) struct TarNames {
    /// The prefix of the names of its files.
    pub(crate) folder: String,
    /// Its own name, without the suffix.
    pub(crate) name: String,
}

/// The file or folder at that path.
///
/// Errors: 404; 412, 416; 413 for a folder with too many files.
pub(crate) async fn answer(
    app: &App,
    caller: Caller,
    path: VPath,
    names: fn(&VPath) -> TarNames,
    method: &Method,
    headers: &HeaderMap,
) -> ApiResult<Response> {
    let preconditions = Preconditions::of(headers);
    let (archive, max_entries) = (app.archive.clone(), app.config.limits.folder_files);
    answer::answer(&app.work, method == Method::HEAD, move |cancelled| {
        let pinned = archive.pin(&caller.roles, cancelled);
        if archive.catalog.is_folder(&caller.roles, &path)? {
            folder_answer(&pinned, &path, names(&path), max_entries, &preconditions)
        } else {
            file_answer(&pinned, &path, &preconditions)
        }
    })
    .await
}

fn file_answer(pinned: &Pinned, path: &VPath, preconditions: &Preconditions) -> ApiResult<Answer> {
    let file = FileDownload::new(pinned, path)?;
    let tag = file.tag()?;
    if let Some(answer) = preconditions.decide(&tag)? {
        return Ok(answer);
    }
    let media_type = with_charset(&file.bytes().media_type());
    let answer = Answer::of_part(file.content(), &media_type, &tag, preconditions)?;
    Ok(answer.with_header(header::CONTENT_DISPOSITION, disposition(path.file_name().unwrap_or("file"), "")))
}

fn folder_answer(
    pinned: &Pinned,
    path: &VPath,
    names: TarNames,
    max_entries: usize,
    preconditions: &Preconditions,
) -> ApiResult<Answer> {
    let folder = FolderDownload::new(pinned, path, names.folder, max_entries)?;
    let tag = folder.tag().clone();
    if let Some(answer) = preconditions.decide(&tag)? {
        return Ok(answer);
    }
    // No ranges: files may change between two requests for parts of the tar.
    let answer = Answer::of(folder.content(), "application/x-tar")?.with_tag(&tag);
    Ok(answer
        .with_header(header::ACCEPT_RANGES, "none")
        .with_header(header::CONTENT_DISPOSITION, disposition(&names.name, ".tar")))
}

/// Declares text as UTF-8, so that clients need not guess.
fn with_charset(media_type: &str) -> String {
    let is_text = media_type.starts_with("text/") || media_type.starts_with("application/yaml");
    let ending = if is_text && !media_type.contains("charset") { ";charset=UTF-8" } else { "" };
    format!("{media_type}{ending}")
}

/// `attachment`, with the name in both forms of RFC 6266.
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
