//! The hdfstream protocol: what the Python module `hdfstream`, and through it swiftsimio, swiftgalaxy and `lightcone_io`
//! speak.
//!
//! | address | answer |
//! |---|---|
//! | `/hdfstream/msgpack/{path}` | a folder, a file, an HDF5 object or slices of a dataset, as `MessagePack` |
//! | `/hdfstream/download/{path}` | a file, or a folder as a tar archive |
//! | `/hdfstream/`, `/hdfstream/viewer/*` | a page that says what is served here |
//!
//! `request` and `slices` read what is asked (as it arrives, so that no more is kept than the slices), `listing`, `object` and `download` answer, `error` tells
//! what went wrong in the words that clients look for.

mod download;
mod error;
mod handlers;
mod listing;
mod object;
mod page;
mod request;
mod slices;
mod tokens;

use std::sync::Arc;

use apus_data::catalog::{FileKey, Known};
use axum::{Router, extract::FromRef, routing::get};
use bytes::Bytes;
use quick_cache::{Weighter, sync::Cache};
use utoipa::OpenApi;

use self::object::Extent;
use crate::{
    app::App,
    http::{
        content_coding::ContentCoding,
        protocol::{Protocol, problem},
    },
};

/// The only media type of requests and answers; clients compare it to the letter.
const MSGPACK: &str = "application/x-msgpack";

/// The state of this protocol. Cheap to clone.
#[derive(Clone)]
struct Hdfstream {
    app: App,
    descriptions: Arc<Cache<DescriptionKey, Known<Bytes>, ByLength>>,
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

impl Weighter<DescriptionKey, Known<Bytes>> for ByLength {
    fn weight(&self, key: &DescriptionKey, body: &Known<Bytes>) -> u64 {
        (key.object.len() + body.value.len()) as u64
    }
}

impl Hdfstream {
    fn new(app: &App) -> Self {
        let caches = &app.config.caches;
        Self { app: app.clone(), descriptions: Arc::new(Cache::with_weighter(256, caches.description_bytes, ByLength)) }
    }
}

impl FromRef<Hdfstream> for App {
    fn from_ref(state: &Hdfstream) -> Self {
        state.app.clone()
    }
}

/// What the documentation says of this protocol.
#[derive(OpenApi)]
#[openapi(
    paths(handlers::get_object, handlers::post_object, download::get_from_root),
    tags((name = "hdfstream", description = "For the Python module `hdfstream`, and what opens files through it"))
)]
struct Document;

/// The hdfstream protocol.
pub(super) fn protocol(app: &App) -> Protocol {
    let msgpack = get(handlers::get_object).post(handlers::post_object);
    let router = Router::new()
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
        .with_state(Hdfstream::new(app));
    Protocol { prefixes: &["/hdfstream"], router, openapi: Document::openapi(), errors: problem }
}
