//! The hdfstream protocol: what the Python module `hdfstream`, and through it swiftsimio, swiftgalaxy and `lightcone_io`
//! speak.
//!
//! | address | answer |
//! |---|---|
//! | `/hdfstream/msgpack/{path}` | a folder, a file, an HDF5 object or slices of a dataset, as `MessagePack` |
//! | `/hdfstream/download/{path}` | a file, or a folder as a tar archive |
//! | `/hdfstream/`, `/hdfstream/viewer/*` | a page that says what is served here |
//!
//! `request` and `slices` read what is asked (within the memory that `held` counts), `listing`, `object` and `read` answer, `error` tells what went wrong
//! in the words that clients look for.

mod error;
mod handlers;
mod held;
mod listing;
mod object;
mod page;
mod read;
mod request;
mod slices;
mod tokens;

use std::fmt;

use axum::{Router, routing::get};
use bytes::Bytes;
use quick_cache::{Weighter, sync::Cache};
use utoipa::OpenApi;

use self::{held::SliceMemory, object::Extent};
use crate::{api::rest::download, app::App, catalog::FileKey, content_coding::ContentCoding};

/// The only media type of requests and answers; clients compare it to the letter.
const MSGPACK: &str = "application/x-msgpack";

/// What this protocol keeps between requests.
pub struct Kept {
    descriptions: Cache<DescriptionKey, Bytes, ByLength>,
    /// The memory for slices.
    slices: SliceMemory,
}

/// What a description was made of.
#[derive(Clone, PartialEq, Eq, Hash)]
struct DescriptionKey {
    file: FileKey,
    object: String,
    extent: Extent,
    /// How it is encoded.
    coding: Option<ContentCoding>,
}

#[derive(Clone)]
struct ByLength;

impl Weighter<DescriptionKey, Bytes> for ByLength {
    fn weight(&self, key: &DescriptionKey, body: &Bytes) -> u64 {
        (key.object.len() + body.len()) as u64
    }
}

impl Kept {
    /// Nothing yet; at most so many bytes of descriptions, and of slices that are being read, later.
    pub fn new(description_bytes: u64, slices_bytes: u64) -> Self {
        let descriptions = Cache::with_weighter(256, description_bytes, ByLength);
        Self { descriptions, slices: SliceMemory::new(slices_bytes) }
    }
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Kept({} descriptions)", self.descriptions.len())
    }
}

/// What the documentation says of this protocol.
#[derive(OpenApi)]
#[openapi(
    paths(handlers::get_object, handlers::post_object, download::get_from_root),
    tags((name = "hdfstream", description = "For the Python module `hdfstream`, and what opens files through it"))
)]
pub(crate) struct Protocol;

/// The routes.
pub fn router() -> Router<App> {
    let msgpack = get(handlers::get_object).post(handlers::post_object);
    Router::new()
        .route("/hdfstream", get(page::get_page))
        .route("/hdfstream/", get(page::get_page))
        .route("/hdfstream/viewer", get(page::get_page))
        .route("/hdfstream/viewer/", get(page::get_page))
        .route("/hdfstream/viewer/{*path}", get(page::get_page))
        .route("/hdfstream/msgpack", msgpack.clone())
        .route("/hdfstream/msgpack/", msgpack.clone())
        .route("/hdfstream/msgpack/{*path}", msgpack)
        .route("/hdfstream/download", get(download::get_root))
        .route("/hdfstream/download/", get(download::get_root))
        .route("/hdfstream/download/{*path}", get(download::get_from_root))
}
