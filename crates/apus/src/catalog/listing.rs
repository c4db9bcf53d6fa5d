//! What is in a folder.

use std::{collections::BTreeSet, ffi::OsStr, os::unix::ffi::OsStrExt, sync::Arc};

use rustix::fs::{AtFlags, Dir, FileType, statat};
use serde::Serialize;

use super::{Catalog, Identity, Inner, OpenBytes, Place, VPath, confine, io_error, mount, mount::Mounted, table::Node};
use crate::{
    auth::Caller,
    error::{ApiError, ApiResult},
};

/// The most entries of one folder.
const MAX_ENTRIES: usize = 1_000_000;

/// What is in a folder, sorted by name.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Listing {
    /// The folder's path, without a slash in front; empty for the root.
    pub path: String,
    /// What is in it.
    pub entries: Vec<Entry>,
}

/// A file or a folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: EntryKind,
    /// The length of a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size_bytes: Option<u64>,
    /// When a file was last written, in seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub modified_s: Option<i64>,
    /// The media type of a file, where a table tells it.
    #[serde(skip)]
    pub listed_type: Option<Arc<str>>,
}

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum EntryKind {
    /// A folder.
    Folder,
    /// A file.
    File,
}

/// A file below a folder that is downloaded as one.
#[derive(Clone, Debug)]
pub struct TreeFile {
    /// Its path under the folder.
    pub inner: String,
    /// Its path.
    pub path: VPath,
    /// Its length.
    pub size_bytes: u64,
    /// When it was last written, in seconds since 1970.
    pub modified_s: i64,
}

impl Catalog {
    /// What the caller may see in a folder.
    ///
    /// Errors: 404; 400 where the path is a file.
    pub fn list(&self, caller: &Caller, path: &VPath) -> ApiResult<Listing> {
        let roles = self.0.roles_of(caller);
        let entries = self.0.entries(&roles, path)?;
        Ok(Listing { path: path.as_str().to_owned(), entries })
    }

    /// Whether the path is a folder.
    ///
    /// Errors: 404.
    pub fn is_folder(&self, caller: &Caller, path: &VPath) -> ApiResult<bool> {
        let place = self.0.locate(&self.0.roles_of(caller), path)?;
        Ok(!matches!(place, Place::File { .. } | Place::ListedFile { .. } | Place::MemoryFile { .. }))
    }

    /// All files below a folder, in the order of their paths.
    ///
    /// Errors: 413 where there are more than `max_files`.
    pub fn tree(&self, caller: &Caller, path: &VPath, max_files: usize) -> ApiResult<Vec<TreeFile>> {
        let mut files = Vec::new();
        let complete = self.walk(caller, path, |file| {
            files.push(file);
            files.len() <= max_files
        })?;
        if !complete {
            return Err(ApiError::too_large(format!(
                "{path}: more than {max_files} files below it; download its folders one by one"
            )));
        }
        files.sort_by(|a, b| a.inner.cmp(&b.inner));
        Ok(files)
    }

    /// The bytes of the files below a folder; those beyond the first `max_files` are not counted, since a listing must not
    /// take as long as a walk through a whole archive.
    ///
    /// Errors: 404.
    pub fn size_below(&self, caller: &Caller, path: &VPath, max_files: usize) -> ApiResult<u64> {
        let (mut size_bytes, mut n_files) = (0u64, 0);
        self.walk(caller, path, |file| {
            size_bytes = size_bytes.saturating_add(file.size_bytes);
            n_files += 1;
            n_files < max_files
        })?;
        Ok(size_bytes)
    }

    /// Calls `visit` with each file below a folder until it says no; tells whether it never did.
    fn walk(&self, caller: &Caller, path: &VPath, mut visit: impl FnMut(TreeFile) -> bool) -> ApiResult<bool> {
        let roles = self.0.roles_of(caller);
        // Folders that wait, with how deep they are: links may make circles.
        let mut waiting = vec![(path.clone(), String::new(), 0)];
        while let Some((folder, inner, depth)) = waiting.pop() {
            for entry in self.0.entries(&roles, &folder)? {
                let inner = if inner.is_empty() { entry.name.clone() } else { format!("{inner}/{}", entry.name) };
                let below = folder.join(&entry.name);
                match entry.kind {
                    EntryKind::Folder if depth < MAX_DEPTH => waiting.push((below, inner, depth + 1)),
                    EntryKind::Folder => {
                        return Err(ApiError::too_large(format!("{below}: more than {MAX_DEPTH} folders deep")));
                    }
                    EntryKind::File => {
                        let size_bytes = entry.size_bytes.unwrap_or(0);
                        let modified_s = entry.modified_s.unwrap_or(0);
                        if !visit(TreeFile { inner, path: below, size_bytes, modified_s }) {
                            return Ok(false);
                        }
                    }
                }
            }
        }
        Ok(true)
    }

    /// Opens a file that [`tree`](Self::tree) named.
    ///
    /// Errors: as [`open_bytes`](Self::open_bytes); 422 where its length is another by now.
    pub fn open_tree_file(&self, caller: &Caller, file: &TreeFile) -> ApiResult<OpenBytes> {
        let bytes = self.open_bytes(caller, &file.path)?;
        if bytes.identity.size_bytes != file.size_bytes {
            return Err(ApiError::Unreadable {
                code: "changed",
                detail: format!("{}: the file was changed while the folder was read; ask again", file.path).into(),
            });
        }
        Ok(bytes)
    }
}

/// The most folders below each other in a folder that is downloaded as one.
const MAX_DEPTH: usize = 64;

impl Inner {
    fn entries(&self, roles: &BTreeSet<String>, path: &VPath) -> ApiResult<Vec<Entry>> {
        let mut entries = match self.locate(roles, path)? {
            Place::Top => Vec::new(),
            Place::Folder { mount, inner } => self.folder_entries(roles, path, mount, &inner)?,
            Place::ListedFolder { mount, inner } => listed_entries(roles, mount, &inner),
            Place::MemoryFolder { mount, inner } => memory_entries(mount, &inner),
            Place::File { .. } | Place::ListedFile { .. } | Place::MemoryFile { .. } => {
                return Err(ApiError::bad_request(format!("{path} is a file, not a folder")));
            }
        };
        if path.as_str().is_empty() {
            entries.retain(|entry| self.named(&entry.name).is_none());
            let mounts = self.mounts.iter().filter(|mount| !mount.name.is_empty() && mount.is_visible(roles, ""));
            entries.extend(mounts.map(|mount| folder_entry(&mount.name)));
        }
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(entries)
    }

    fn folder_entries(
        &self,
        roles: &BTreeSet<String>,
        path: &VPath,
        mount: &Mounted,
        inner: &str,
    ) -> ApiResult<Vec<Entry>> {
        let fault = |error: rustix::io::Errno| io_error(path, &error.into());
        let root = mount.folder().ok_or_else(|| ApiError::internal("a folder in memory has no path"))?;
        let folder = confine::open_folder(root, inner).map_err(|error| io_error(path, &error))?;
        let mut entries = Vec::new();
        for item in Dir::read_from(&folder).map_err(fault)? {
            let item = item.map_err(fault)?;
            let Some(name) = mount::visible_name(OsStr::from_bytes(item.file_name().to_bytes())) else { continue };
            let below = path.join(name);
            // Both rules: those of the path that was asked for, and those of where the folder really lies.
            let by_path = self.split(&below).is_some_and(|(mount, inner)| mount.is_visible(roles, inner));
            let by_place = mount.is_visible(roles, VPath::parse(inner)?.join(name).as_str());
            if !by_path || !by_place {
                continue;
            }
            // An entry that vanishes meanwhile is not there.
            let Ok(stat) = statat(&folder, item.file_name(), AtFlags::SYMLINK_NOFOLLOW) else { continue };
            let entry = match FileType::from_raw_mode(stat.st_mode) {
                FileType::Directory => Some(folder_entry(name)),
                FileType::RegularFile => Some(Entry {
                    name: name.to_owned(),
                    kind: EntryKind::File,
                    size_bytes: u64::try_from(stat.st_size).ok(),
                    modified_s: Some(stat.st_mtime),
                    listed_type: None,
                }),
                FileType::Symlink => self.link_entry(roles, &below, name),
                _ => None,
            };
            entries.extend(entry);
            if entries.len() > MAX_ENTRIES {
                return Err(ApiError::too_large(format!("{path}: more than {MAX_ENTRIES} entries")));
            }
        }
        Ok(entries)
    }

    fn link_entry(&self, roles: &BTreeSet<String>, path: &VPath, name: &str) -> Option<Entry> {
        match self.locate(roles, path).ok()? {
            Place::Folder { .. } => Some(folder_entry(name)),
            Place::File { identity, .. } => Some(file_entry(name, identity)),
            _ => None,
        }
    }
}

fn folder_entry(name: &str) -> Entry {
    Entry { name: name.to_owned(), kind: EntryKind::Folder, size_bytes: None, modified_s: None, listed_type: None }
}

fn file_entry(name: &str, identity: Identity) -> Entry {
    Entry {
        name: name.to_owned(),
        kind: EntryKind::File,
        size_bytes: Some(identity.size_bytes),
        modified_s: i64::try_from(identity.modified_ns.div_euclid(1_000_000_000)).ok(),
        listed_type: None,
    }
}

/// What tables list; a file that is not there at this moment is left out.
fn listed_entries(roles: &BTreeSet<String>, mount: &Mounted, inner: &str) -> Vec<Entry> {
    let mount::Root::Table(tree) = &mount.root else { return Vec::new() };
    tree.entries(inner)
        .filter(|(name, _)| {
            let below = if inner.is_empty() { (*name).to_owned() } else { format!("{inner}/{name}") };
            mount.is_visible(roles, &below)
        })
        .filter_map(|(name, node)| match node {
            Node::Folder => Some(folder_entry(name)),
            Node::File(file) => match file.locate()? {
                Place::ListedFile { identity, .. } => {
                    Some(Entry { listed_type: Some(Arc::clone(&file.media_type)), ..file_entry(name, identity) })
                }
                _ => None,
            },
        })
        .collect()
}

fn memory_entries(mount: &Mounted, inner: &VPath) -> Vec<Entry> {
    let mount::Root::Memory(files) = &mount.root else { return Vec::new() };
    let prefix = if inner.as_str().is_empty() { String::new() } else { format!("{}/", inner.as_str()) };
    let mut entries: Vec<Entry> = files
        .iter()
        .filter_map(|(path, bytes)| {
            let rest = path.as_str().strip_prefix(&prefix)?;
            Some(match rest.split_once('/') {
                Some((folder, _)) => folder_entry(folder),
                None => Entry {
                    name: rest.to_owned(),
                    kind: EntryKind::File,
                    size_bytes: Some(bytes.len() as u64),
                    modified_s: None,
                    listed_type: None,
                },
            })
        })
        .collect();
    entries.dedup_by(|a, b| a.name == b.name);
    entries
}
