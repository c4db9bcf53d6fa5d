//! `/v1/list/{dir}`: what is in a folder.

use apus_data::catalog::{Entry, EntryKind, Listing};
use axum::{
    Json,
    extract::{RawQuery, State},
};

use serde::Serialize;

use crate::{
    app::App,
    auth::Caller,
    http::{
        error::{ApiError, ApiResult, Problem},
        params::{FilePath, Params},
    },
};

/// What is in a folder, sorted by name.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Listing)]
pub(crate) struct ListingBody {
    /// The folder's path, without a slash in front; empty for the root.
    path: String,
    /// What is in it.
    entries: Vec<EntryBody>,
}

/// A file or a folder.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Entry)]
struct EntryBody {
    /// Its name.
    name: String,
    /// What it is.
    kind: KindBody,
    /// The length of a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    size_bytes: Option<u64>,
    /// When a file was last written, in seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    modified_s: Option<i64>,
}

/// What an entry is.
#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = EntryKind)]
enum KindBody {
    /// A folder.
    Folder,
    /// A file.
    File,
}

/// What is in a folder: files and folders that the caller may see, sorted by name. Hidden files, and what is neither file nor
/// folder, are left out.
#[utoipa::path(
    get,
    path = "/v1/list/{dir}",
    tag = "native",
    params(("dir" = String, Path, description = "A folder; empty for the root", example = "")),
    responses(
        (status = 200, description = "What is in the folder", body = ListingBody),
        (status = 404, description = "No such folder", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list_folder(
    State(app): State<App>,
    caller: Caller,
    FilePath(path): FilePath,
    RawQuery(query): RawQuery,
) -> ApiResult<Json<ListingBody>> {
    Params::parse(query.as_deref(), &[])?;
    let archive = app.archive.clone();
    let list = move |_| Ok::<_, ApiError>(archive.catalog.list(&caller.roles, &path)?);
    Ok(Json(app.work.run(list).await?.into()))
}

impl From<Listing> for ListingBody {
    fn from(listing: Listing) -> Self {
        Self { path: listing.path, entries: listing.entries.into_iter().map(EntryBody::from).collect() }
    }
}

impl From<Entry> for EntryBody {
    fn from(entry: Entry) -> Self {
        let kind = match entry.kind {
            EntryKind::Folder => KindBody::Folder,
            EntryKind::File => KindBody::File,
        };
        Self { name: entry.name, kind, size_bytes: entry.size_bytes, modified_s: entry.modified_s }
    }
}
