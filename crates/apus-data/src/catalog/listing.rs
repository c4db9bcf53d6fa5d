//! What is in a folder.

use std::{ffi::OsStr, os::unix::ffi::OsStrExt, path::Path, ptr, sync::Arc};

use apus_h5::{check_cancelled, check_cancelled_at};
use rustix::fs::{AtFlags, Dir, FileType, statat};
use serde::Serialize;

use super::{Catalog, Inner, Location, OpenBytes, io_error};
use crate::{
    Error, Result,
    store::{
        Identity, Roles, VPath, confine,
        mount::{self, Mounted},
        table::Node,
    },
};

/// The most entries of one folder.
const MAX_ENTRIES: usize = 1_000_000;

/// What is in a folder, sorted by name.
#[derive(Clone, Debug, Serialize)]
pub struct Listing {
    /// The folder's path, without a slash in front; empty for the root.
    pub path: String,
    /// What is in it.
    pub entries: Vec<Entry>,
}

/// A file or a folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
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
    /// Whether it is a link to what it stands for.
    #[serde(skip)]
    pub is_link: bool,
}

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum EntryKind {
    /// A folder.
    Folder,
    /// A file.
    File,
}

/// A file below a folder that is downloaded as one.
#[derive(Clone, Debug, Serialize)]
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

/// How far a walk through folders came.
struct Walked {
    n_entries: usize,
    is_complete: bool,
}

impl Catalog {
    /// What those of these roles may see in a folder.
    ///
    /// Errors: [`Error::NotFound`]; [`Error::Invalid`] where the path is a file.
    pub fn list(&self, roles: &Roles, path: &VPath) -> Result<Listing> {
        let roles = self.0.roles_of(roles);
        let entries = self.0.entries(&roles, &self.0.resolve_alias(&roles, path))?;
        Ok(Listing { path: path.as_str().to_owned(), entries })
    }

    /// Whether the path is a folder.
    ///
    /// Errors: [`Error::NotFound`].
    pub fn is_folder(&self, roles: &Roles, path: &VPath) -> Result<bool> {
        let roles = self.0.roles_of(roles);
        let place = self.0.locate(&roles, &self.0.resolve_alias(&roles, path))?;
        Ok(!matches!(place, Location::File { .. } | Location::FileEntry { .. } | Location::MemoryFile { .. }))
    }

    /// All files below a folder, in the order of their paths.
    ///
    /// Errors: [`Error::TooLarge`] where there are more than `max_entries` files and folders, or folders too deep.
    pub fn tree(&self, roles: &Roles, path: &VPath, max_entries: usize) -> Result<Vec<TreeFile>> {
        let mut files = Vec::new();
        if !self.walk(roles, path, max_entries, |file| files.push(file))?.is_complete {
            return Err(Error::too_large(format!(
                "{path}: more than {max_entries} files and folders below it, more than {MAX_DEPTH} folders deep, or behind \
                 more than {MAX_LINKS} links; download its folders one by one"
            )));
        }
        files.sort_by(|a, b| a.inner.cmp(&b.inner));
        Ok(files)
    }

    /// The bytes of the files below a folder; those beyond the first `max_entries` files and folders are not counted, since a
    /// listing must not take as long as a walk through a whole archive. With them, how many there were.
    ///
    /// Errors: [`Error::NotFound`].
    pub fn size_below(&self, roles: &Roles, path: &VPath, max_entries: usize) -> Result<(u64, usize)> {
        let mut size_bytes = 0u64;
        let count = |file: TreeFile| size_bytes = size_bytes.saturating_add(file.size_bytes);
        let walked = self.walk(roles, path, max_entries, count)?;
        Ok((size_bytes, walked.n_entries))
    }

    /// Calls `visit` with each file below a folder, as far as limits allow: links may make circles. Folders that cannot be read
    /// are as good as none.
    fn walk(&self, roles: &Roles, path: &VPath, max_entries: usize, mut visit: impl FnMut(TreeFile)) -> Result<Walked> {
        let roles = self.0.roles_of(roles);
        let mut walked = Walked { n_entries: 0, is_complete: true };
        // Folders that wait, with how deep they are and behind how many links.
        let mut waiting = vec![(self.0.resolve_alias(&roles, path).into_owned(), String::new(), 0, 0)];
        while let Some((folder, inner, depth, n_links)) = waiting.pop() {
            check_cancelled()?;
            let entries = match self.0.entries(&roles, &folder) {
                Err(Error::NotFound(_)) if depth > 0 => continue,
                entries => entries?,
            };
            for entry in entries {
                if walked.n_entries == max_entries {
                    return Ok(Walked { is_complete: false, ..walked });
                }
                walked.n_entries += 1;
                let inner = if inner.is_empty() { entry.name.clone() } else { format!("{inner}/{}", entry.name) };
                let below = folder.join(&entry.name);
                let n_links = n_links + usize::from(entry.is_link);
                match entry.kind {
                    EntryKind::Folder if depth < MAX_DEPTH && n_links <= MAX_LINKS => {
                        waiting.push((below, inner, depth + 1, n_links));
                    }
                    EntryKind::Folder => walked.is_complete = false,
                    EntryKind::File => visit(TreeFile {
                        inner,
                        path: below,
                        size_bytes: entry.size_bytes.unwrap_or(0),
                        modified_s: entry.modified_s.unwrap_or(0),
                    }),
                }
            }
        }
        Ok(walked)
    }

    /// Opens a file that [`tree`](Self::tree) named.
    ///
    /// Errors: as [`open_bytes`](Self::open_bytes); [`Error::Unreadable`] where its length is another by now.
    pub fn open_tree_file(&self, roles: &Roles, file: &TreeFile) -> Result<OpenBytes> {
        let bytes = self.open_bytes(roles, &file.path)?;
        if bytes.identity.size_bytes != file.size_bytes {
            return Err(Error::changed(format!(
                "{}: the file was changed while the folder was read; ask again",
                file.path
            )));
        }
        Ok(bytes)
    }
}

/// The most folders below each other that are looked into.
const MAX_DEPTH: usize = 64;
/// The most links to folders on the way to one that is looked into: folders that lead to each other have no end.
const MAX_LINKS: usize = 3;

impl Inner {
    fn entries(&self, roles: &Roles, path: &VPath) -> Result<Vec<Entry>> {
        let mut entries = match self.locate(roles, path)? {
            Location::Top => Vec::new(),
            Location::Folder { mount, inner } => self.folder_entries(roles, path, mount, &inner)?,
            Location::ListedFolder { mount, inner } => listed_entries(roles, mount, &inner),
            Location::MemoryFolder { mount, inner } => memory_entries(mount, &inner),
            Location::File { .. } | Location::FileEntry { .. } | Location::MemoryFile { .. } => {
                return Err(Error::invalid(format!("{path} is a file, not a folder")));
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

    fn folder_entries(&self, roles: &Roles, path: &VPath, mount: &Mounted, inner: &str) -> Result<Vec<Entry>> {
        let fault = |error: rustix::io::Errno| io_error(path, &error.into());
        let root = mount.folder().ok_or_else(|| Error::internal("a folder in memory has no path"))?;
        let folder = confine::open_folder(root, inner).map_err(|error| io_error(path, &error))?;
        let (mut entries, mut n_seen) = (Vec::new(), 0usize);
        for item in Dir::read_from(&folder).map_err(fault)? {
            check_cancelled_at(n_seen)?;
            n_seen += 1;
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
                    is_link: false,
                }),
                FileType::Symlink => self.link_entry(roles, &below, name, (mount, inner)),
                _ => None,
            };
            entries.extend(entry);
            if entries.len() > MAX_ENTRIES {
                return Err(Error::too_large(format!("{path}: more than {MAX_ENTRIES} entries")));
            }
        }
        Ok(entries)
    }

    /// A link in the folder `holder`; none where it leads to that folder itself or one above, which would make a circle.
    fn link_entry(
        &self,
        roles: &Roles,
        path: &VPath,
        name: &str,
        (holder_mount, holder): (&Mounted, &str),
    ) -> Option<Entry> {
        let entry = match self.locate(roles, path).ok()? {
            Location::Folder { mount, inner } => {
                let is_circle = ptr::eq(mount, holder_mount) && Path::new(holder).starts_with(&inner);
                (!is_circle).then(|| folder_entry(name))?
            }
            Location::File { identity, .. } => file_entry(name, identity),
            _ => return None,
        };
        Some(Entry { is_link: true, ..entry })
    }
}

fn folder_entry(name: &str) -> Entry {
    Entry {
        name: name.to_owned(),
        kind: EntryKind::Folder,
        size_bytes: None,
        modified_s: None,
        listed_type: None,
        is_link: false,
    }
}

fn file_entry(name: &str, identity: Identity) -> Entry {
    Entry {
        name: name.to_owned(),
        kind: EntryKind::File,
        size_bytes: Some(identity.size_bytes),
        modified_s: i64::try_from(identity.modified_ns.div_euclid(1_000_000_000)).ok(),
        listed_type: None,
        is_link: false,
    }
}

/// What tables list; a file that is not there at this moment is left out.
fn listed_entries(roles: &Roles, mount: &Mounted, inner: &str) -> Vec<Entry> {
    let mount::Root::Table(tree) = &mount.root else { return Vec::new() };
    tree.entries(inner)
        .filter(|(name, _)| {
            let below = if inner.is_empty() { (*name).to_owned() } else { format!("{inner}/{name}") };
            mount.is_visible(roles, &below)
        })
        .filter_map(|(name, node)| match node {
            Node::Folder => Some(folder_entry(name)),
            Node::File(file) => match file.locate()? {
                Location::FileEntry { identity, .. } => {
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
                    is_link: false,
                },
            })
        })
        .collect();
    entries.dedup_by(|a, b| a.name == b.name);
    entries
}
