//! `/v1/download/{path}`: a file as it is, or a folder as a tar.

use std::{
    fmt::Write,
    io,
    ops::Range,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    extract::{RawQuery, State},
    http::{HeaderMap, Method, header},
    response::Response,
};
use bytes::Bytes;

use super::{
    conditions::{Conditions, Part, mark_part},
    params::{FilePath, Params},
};
use crate::{
    app::App,
    auth::Caller,
    catalog::{Catalog, OpenBytes, TagBuilder, TreeFile, VPath, media_type},
    error::{ApiError, ApiResult, Problem},
    read_task::{self, Answer, AnswerBody},
};

/// The unit of a tar.
const TAR_BLOCK: u64 = 512;

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
    let conditions = Conditions::of(&headers);
    let state = app.clone();
    read_task::answer(&app, method == Method::HEAD, move || {
        if state.catalog.is_folder(&caller, &path)? {
            folder_answer(&state, caller, &path, &conditions)
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
    let content_type = media_type::of(path.file_name().unwrap_or_default(), file.source.as_ref());
    let blocks = Box::new(FileBlocks::new(file, range, app.config.limits.block_bytes));
    let answer = Answer::new(content_type, AnswerBody::Blocks { blocks, size_bytes: Some(part_bytes) })
        .with_header(header::ETAG, tag)
        .with_header(header::CACHE_CONTROL, "no-cache")
        .with_header(header::ACCEPT_RANGES, "bytes")
        .with_header(header::CONTENT_DISPOSITION, disposition(path.file_name().unwrap_or("file"), ""));
    Ok(mark_part(answer, &part, size_bytes))
}

fn folder_answer(app: &App, caller: Caller, path: &VPath, conditions: &Conditions) -> ApiResult<Answer> {
    let files = app.catalog.tree(&caller, path, app.config.limits.folder_files)?;
    let folder = path.file_name().unwrap_or("files").to_owned();
    let mut tag = TagBuilder::new();
    tag.add("folder");
    let mut size_bytes = 2 * TAR_BLOCK;
    for file in &files {
        tag.add(&file.inner);
        tag.add(file.size_bytes.to_le_bytes());
        tag.add(file.modified_s.to_le_bytes());
        let head_bytes = tar_head(&folder, file)?.len() as u64;
        size_bytes = size_bytes.saturating_add(head_bytes).saturating_add(padded(file.size_bytes));
    }
    // Weak: what lies in the files was not looked at.
    let tag = format!("W/{}", tag.finish());
    if let Some(answer) = conditions.decide(&tag)? {
        return Ok(answer);
    }
    let blocks = TarBlocks {
        catalog: app.catalog.clone(),
        caller,
        block_bytes: app.config.limits.block_bytes,
        files: files.into_iter(),
        current: None,
        is_over: false,
        folder: folder.clone(),
    };
    let body = AnswerBody::Blocks { blocks: Box::new(blocks), size_bytes: Some(size_bytes) };
    Ok(Answer::new("application/x-tar", body)
        .with_header(header::ETAG, tag)
        .with_header(header::CACHE_CONTROL, "no-cache")
        .with_header(header::ACCEPT_RANGES, "none")
        .with_header(header::CONTENT_DISPOSITION, disposition(&folder, ".tar")))
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

/// The bytes of a file, in blocks whose buffers are used again.
struct FileBlocks {
    file: OpenBytes,
    range: Range<u64>,
    block_bytes: usize,
    buffers: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl FileBlocks {
    fn new(file: OpenBytes, range: Range<u64>, block_bytes: usize) -> Self {
        Self { file, range, block_bytes, buffers: Arc::default() }
    }

    fn read(&mut self) -> ApiResult<Bytes> {
        let left = self.range.end - self.range.start;
        let n_bytes = usize::try_from(left).unwrap_or(usize::MAX).min(self.block_bytes);
        let free = self.buffers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut buffer = free.unwrap_or_default();
        buffer.resize(n_bytes, 0);
        self.file.source.read_at(self.range.start, &mut buffer).map_err(|error| self.fault(&error))?;
        self.range.start += n_bytes as u64;
        if self.range.is_empty() {
            self.file.check_unchanged()?;
        }
        Ok(Bytes::from_owner(Recycled { buffer, buffers: Arc::clone(&self.buffers) }))
    }

    fn fault(&self, error: &io::Error) -> ApiError {
        let path = &self.file.path;
        match error.kind() {
            io::ErrorKind::UnexpectedEof => ApiError::Unreadable {
                code: "changed",
                detail: format!("{path}: the file was cut short while it was read; ask again").into(),
            },
            _ => ApiError::internal(format!("{path}: {error}")),
        }
    }
}

impl Iterator for FileBlocks {
    type Item = ApiResult<Bytes>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.range.is_empty() {
            return None;
        }
        let block = self.read();
        if block.is_err() {
            self.range = 0..0;
        }
        Some(block)
    }
}

/// A buffer that goes back when the socket is done with it.
struct Recycled {
    buffer: Vec<u8>,
    buffers: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl AsRef<[u8]> for Recycled {
    fn as_ref(&self) -> &[u8] {
        &self.buffer
    }
}

impl Drop for Recycled {
    fn drop(&mut self) {
        let buffer = std::mem::take(&mut self.buffer);
        self.buffers.lock().unwrap_or_else(PoisonError::into_inner).push(buffer);
    }
}

/// A folder as a tar: for each file a head, its bytes, and zeros up to the next unit.
struct TarBlocks {
    catalog: Catalog,
    caller: Caller,
    block_bytes: usize,
    folder: String,
    files: std::vec::IntoIter<TreeFile>,
    current: Option<(FileBlocks, u64)>,
    is_over: bool,
}

impl TarBlocks {
    fn step(&mut self) -> ApiResult<Option<Bytes>> {
        if let Some((blocks, n_zeros)) = &mut self.current {
            if let Some(block) = blocks.next() {
                return block.map(Some);
            }
            let n_zeros = usize::try_from(*n_zeros).unwrap_or(0);
            self.current = None;
            if n_zeros > 0 {
                return Ok(Some(Bytes::from(vec![0; n_zeros])));
            }
        }
        let Some(file) = self.files.next() else {
            self.is_over = true;
            // Two units of zeros end a tar.
            return Ok(Some(Bytes::from_static(&[0; 1024])));
        };
        let head = tar_head(&self.folder, &file)?;
        let bytes = self.catalog.open_tree_file(&self.caller, &file)?;
        let n_zeros = padded(file.size_bytes) - file.size_bytes;
        self.current = Some((FileBlocks::new(bytes, 0..file.size_bytes, self.block_bytes), n_zeros));
        Ok(Some(Bytes::from(head)))
    }
}

impl Iterator for TarBlocks {
    type Item = ApiResult<Bytes>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        let block = self.step();
        self.is_over |= block.is_err();
        block.transpose()
    }
}

/// What stands before a file's bytes; more than one unit where its path is long.
fn tar_head(folder: &str, file: &TreeFile) -> ApiResult<Vec<u8>> {
    let mut head = tar::Header::new_gnu();
    head.set_size(file.size_bytes);
    head.set_mode(0o644);
    head.set_mtime(u64::try_from(file.modified_s).unwrap_or(0));
    let mut builder = tar::Builder::new(Vec::new());
    // No data: it follows block by block.
    builder.append_data(&mut head, format!("{folder}/{}", file.inner), io::empty()).map_err(ApiError::internal)?;
    Ok(builder.get_ref().clone())
}

fn padded(size_bytes: u64) -> u64 {
    size_bytes.div_ceil(TAR_BLOCK).saturating_mul(TAR_BLOCK)
}
