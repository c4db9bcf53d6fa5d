//! The files of the page, as `scripts/web` built them.

use std::hash::{DefaultHasher, Hasher as _};

use bytes::Bytes;
use include_dir::{Dir, include_dir};

static FILES: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/../../web/dist");

/// A file of the page.
pub(super) struct Asset {
    /// What it holds.
    pub(super) body: Bytes,
    /// Its media type, by its name.
    pub(super) media_type: &'static str,
    /// Its entity tag; weak, since it leaves compressed or not.
    pub(super) tag: String,
}

impl Asset {
    /// A file of that name.
    pub(super) fn new(name: &str, body: impl Into<Bytes>) -> Self {
        let body = body.into();
        let mut hasher = DefaultHasher::new();
        hasher.write(&body);
        Self { media_type: media_type(name), tag: format!("W/\"{:016x}\"", hasher.finish()), body }
    }
}

/// The file of that name, if there is one.
pub(super) fn asset(name: &str) -> Option<Asset> {
    FILES.get_file(name).map(|file| Asset::new(name, file.contents()))
}

/// The types that the build yields.
fn media_type(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("woff") => "font/woff",
        Some("woff2") => "font/woff2",
        Some("wasm") => "application/wasm",
        Some("json") => "application/json",
        _ => "application/octet-stream",
    }
}
