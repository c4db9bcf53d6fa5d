//! `/v1/list/{dir}`: what is in a folder.

use std::collections::BTreeMap;

use apus_data::{
    Error, Fault,
    catalog::{Entry, EntryKind, Pattern},
    store::VPath,
    values::{Cancelled, Pinned},
};
use apus_swift::{Header, OutputKind, PARTICLE_TYPES};
use axum::{
    Json,
    extract::{RawQuery, State},
};
use serde::Serialize;

use crate::{
    app::App,
    auth::Caller,
    http::{
        error::{ApiError, ApiResult, Problem, fault_code},
        params::{FilePath, Params, unknown},
    },
};

/// The most files that are described in one answer.
const MAX_DESCRIBED: usize = 1000;

/// What is in a folder, sorted by name.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Listing)]
pub(crate) struct ListingBody {
    /// The folder's path, without a slash in front; empty for the root.
    path: String,
    /// What is in it.
    entries: Vec<EntryBody>,
    /// What `after` must be for the entries that follow; absent where there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// A file or a folder.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Entry)]
struct EntryBody {
    /// Its name; with `recursive`, its path below the folder.
    name: String,
    /// What it is.
    kind: KindBody,
    /// The length of a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    size_bytes: Option<u64>,
    /// When a file was last written, in seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    modified_s: Option<i64>,
    /// What a file is, where `describe` asks for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<DescriptionBody>,
}

/// What a file is, by its header.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = FileDescription)]
struct DescriptionBody {
    /// The kind of output as in `/v1/info`; or why the file cannot be told: `not_hdf5`, `damaged`, `unsupported`, `changed`.
    #[schema(value_type = Object)]
    kind: KindOfFile,
    /// The redshift.
    #[serde(skip_serializing_if = "Option::is_none")]
    redshift: Option<f64>,
    /// The scale factor.
    #[serde(skip_serializing_if = "Option::is_none")]
    scale_factor: Option<f64>,
    /// The sides of the box, comoving, in the file's unit of length.
    #[serde(skip_serializing_if = "Option::is_none")]
    box_size: Option<[f64; 3]>,
    /// The file's unit of length.
    #[serde(skip_serializing_if = "Option::is_none")]
    length_unit: Option<String>,
    /// The number of particles of each type in the whole output, by swiftsimio's names; types of none are left out.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    n_particles: BTreeMap<&'static str, u64>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum KindOfFile {
    Output(OutputKind),
    Fault(&'static str),
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
    params(
        ("dir" = String, Path, description = "A folder; empty for the root", example = ""),
        ("pattern" = Option<String>, Query, description = "Only names of this pattern: `*`, `?`, `[0-9]` as in a shell; with `recursive`, of their last part", example = "*.hdf5"),
        ("recursive" = Option<bool>, Query, description = "All files below the folder, by their paths below it, instead of its own entries", example = true),
        ("describe" = Option<bool>, Query, description = "Tell of each file what it is: kind, redshift, box, numbers of particles; of at most 1000 files in one answer", example = true),
        ("limit" = Option<u64>, Query, description = "The most entries; where more follow, `next` says how to go on", example = 100),
        ("after" = Option<String>, Query, description = "Only entries after this name: the `next` of the answer before", example = "a"),
    ),
    responses(
        (status = 200, description = "What is in the folder", body = ListingBody),
        (status = 400, description = "A parameter is not understood, or the path is a file", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such folder", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "More files below the folder than are listed", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list_folder(
    State(app): State<App>,
    caller: Caller,
    FilePath(path): FilePath,
    RawQuery(query): RawQuery,
) -> ApiResult<Json<ListingBody>> {
    let query = Query::parse(query.as_deref())?;
    let (archive, max_entries) = (app.archive.clone(), app.config.limits.folder_files);
    let list = move |cancelled: Cancelled| list(&archive.pin(&caller.roles, cancelled), &path, &query, max_entries);
    Ok(Json(app.work.run(list).await?))
}

/// Which entries are wanted, and what of them.
struct Query {
    pattern: Option<Pattern>,
    is_recursive: bool,
    describes: bool,
    limit: usize,
    after: Option<String>,
}

impl Query {
    fn parse(query: Option<&str>) -> ApiResult<Self> {
        let mut params = Params::parse(query, &["pattern", "recursive", "describe", "limit", "after"])?;
        let pattern = params.take("pattern").map(|text| text.parse::<Pattern>()).transpose()?;
        let mut flag = |name: &str| match params.take(name).as_deref() {
            None | Some("false" | "0") => Ok(false),
            Some("" | "true" | "1") => Ok(true),
            Some(other) => Err(unknown(&format!("value of {name}"), other, &["true", "false"])),
        };
        let (is_recursive, describes) = (flag("recursive")?, flag("describe")?);
        let limit = match params.take("limit") {
            None => usize::MAX,
            Some(text) => match text.trim().parse() {
                Ok(0) | Err(_) => {
                    let shown: String = text.chars().take(40).collect();
                    return Err(ApiError::bad_request(format!("limit={shown}: expected a whole number from 1")));
                }
                Ok(limit) => limit,
            },
        };
        let limit = if describes { limit.min(MAX_DESCRIBED) } else { limit };
        Ok(Self { pattern, is_recursive, describes, limit, after: params.take("after") })
    }

    fn wants(&self, name: &str) -> bool {
        let last = name.rsplit('/').next().unwrap_or(name);
        self.after.as_ref().is_none_or(|after| name > after.as_str())
            && self.pattern.as_ref().is_none_or(|pattern| pattern.matches(last))
    }
}

fn list(pinned: &Pinned, path: &VPath, query: &Query, max_entries: usize) -> ApiResult<ListingBody> {
    let catalog = &pinned.archive().catalog;
    let mut entries: Vec<EntryBody> = if query.is_recursive {
        let files = catalog.tree(pinned.roles(), path, max_entries)?.into_iter();
        files
            .filter(|file| query.wants(&file.inner))
            .map(|file| EntryBody {
                name: file.inner,
                kind: KindBody::File,
                size_bytes: Some(file.size_bytes),
                modified_s: Some(file.modified_s),
                description: None,
            })
            .collect()
    } else {
        let entries = catalog.list(pinned.roles(), path)?.entries.into_iter();
        entries.filter(|entry| query.wants(&entry.name)).map(EntryBody::from).collect()
    };
    let has_more = entries.len() > query.limit;
    entries.truncate(query.limit);
    let next = entries.last().filter(|_| has_more).map(|entry| entry.name.clone());
    if query.describes {
        for entry in entries.iter_mut().filter(|entry| matches!(entry.kind, KindBody::File)) {
            pinned.check_waiting()?;
            entry.description = DescriptionBody::of(pinned, &path.join(&entry.name))?;
        }
    }
    Ok(ListingBody { path: path.as_str().to_owned(), entries, next })
}

impl DescriptionBody {
    /// `None` where the file is not there any more.
    fn of(pinned: &Pinned, path: &VPath) -> ApiResult<Option<Self>> {
        let output = match pinned.open(path).and_then(|file| file.output()) {
            Ok(output) => output,
            Err(Error::NotFound(_)) => return Ok(None),
            Err(Error::Unreadable { fault, .. }) => return Ok(Some(Self::of_unreadable(fault))),
            Err(error) => return Err(error.into()),
        };
        let length_unit = output.units().map(|units| units.unit_string(apus_swift::Dimensions::LENGTH));
        let header = output.header();
        Ok(Some(Self {
            kind: KindOfFile::Output(output.kind().clone()),
            redshift: header.and_then(|header| header.redshift),
            scale_factor: header.map(|header| header.scale_factor),
            box_size: header.map(|header| header.box_size),
            length_unit: length_unit.filter(|_| header.is_some()),
            n_particles: header.map(particles_by_type).unwrap_or_default(),
        }))
    }

    fn of_unreadable(fault: Fault) -> Self {
        let kind = KindOfFile::Fault(fault_code(fault));
        let (redshift, scale_factor, box_size, length_unit) = (None, None, None, None);
        Self { kind, redshift, scale_factor, box_size, length_unit, n_particles: BTreeMap::new() }
    }
}

fn particles_by_type(header: &Header) -> BTreeMap<&'static str, u64> {
    let counted = PARTICLE_TYPES.iter().zip(&header.n_part_total);
    counted.filter(|(_, n)| **n > 0).map(|(particle_type, n)| (particle_type.name, *n)).collect()
}

impl From<Entry> for EntryBody {
    fn from(entry: Entry) -> Self {
        let kind = match entry.kind {
            EntryKind::Folder => KindBody::Folder,
            EntryKind::File => KindBody::File,
        };
        let (size_bytes, modified_s) = (entry.size_bytes, entry.modified_s);
        Self { name: entry.name, kind, size_bytes, modified_s, description: None }
    }
}
