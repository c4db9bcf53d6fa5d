//! The files: what lies under a mount after links are resolved, for those who may see it, and nothing else.
//!
//! Whoever asks is here the set of their roles. An open file is shared until its bytes change; [`Catalog::list`] names what is in a
//! folder. A path that leads outside, to a hidden or special file, or to something that the roles do not cover, looks like one
//! that leads to nothing. Values are had through [`values`](crate::values) alone.

mod followed;
mod listing;
pub mod media_type;
mod open_file;
mod pattern;
mod site;

use std::{
    borrow::Cow,
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use apus_h5::{Caches, without_pauses};
use quick_cache::sync::Cache;

pub use self::{
    followed::Known,
    listing::{Entry, EntryKind, Listing, TreeFile},
    open_file::OpenBytes,
    pattern::Pattern,
};
pub(crate) use self::{
    followed::{FileLink, Led},
    open_file::OpenFile,
    site::{Site, Target},
};
use crate::{
    Error, Result,
    store::{
        Identity, Mount, MountError, Notes, Roles, VPath,
        mount::{self, Mounted, Root},
        table::{self, FileEntry, Found},
        vpath,
    },
};

/// What is served, and how much of it is kept open.
#[derive(Clone, Debug)]
pub struct CatalogOptions {
    /// The mounts.
    pub mounts: Vec<Mount>,
    /// Short names for paths under them.
    pub aliases: BTreeMap<String, String>,
    /// Files that are kept open.
    pub open_files: usize,
    /// The bytes of metadata that are kept, over all open files.
    pub metadata_bytes: usize,
    /// The most bytes that one decoded chunk may have.
    pub max_chunk_bytes: u64,
    /// What is kept between reads.
    pub caches: Caches,
}

/// The files. Cheap to clone.
#[derive(Clone)]
pub struct Catalog(Arc<Inner>);

struct Inner {
    mounts: Vec<Mounted>,
    /// Every role that a mount asks for: no other makes a difference here.
    known_roles: Roles,
    files: Cache<FileKey, Arc<OpenFile>>,
    metadata_bytes_per_file: usize,
    max_chunk_bytes: u64,
    caches: Caches,
    read_bytes: Arc<AtomicU64>,
    aliases: BTreeMap<String, VPath>,
}

/// One state of a file, as callers of certain roles see it: roles belong to the key because the file's links may reach further
/// for one caller than for another.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FileKey {
    path: VPath,
    identity: Identity,
    roles: Roles,
}

/// Where a path leads.
enum Location<'a> {
    /// Above all mounts.
    Top,
    /// A folder: the mount that holds it, and its path there.
    Folder { mount: &'a Mounted, inner: String },
    /// A regular file.
    File { mount: &'a Mounted, inner: String, identity: Identity },
    /// A folder of a table.
    ListedFolder { mount: &'a Mounted, inner: String },
    /// A file of a table, and where it really lies.
    FileEntry { file: &'a FileEntry, real: PathBuf, identity: Identity },
    /// A folder in memory.
    MemoryFolder { mount: &'a Mounted, inner: VPath },
    /// A file in memory.
    MemoryFile { bytes: &'static [u8], number: u64 },
}

impl Catalog {
    /// Finds the mounts' folders.
    ///
    /// Errors: a folder that is not there; a rule or an alias that is no path.
    pub fn new(options: CatalogOptions) -> Result<Self, MountError> {
        let mounts = options.mounts.iter().map(Mounted::new).collect::<Result<Vec<_>, _>>()?;
        let known_roles = mounts.iter().flat_map(Mounted::all_roles).cloned().collect();
        let aliases = options.aliases.into_iter().map(|(name, path)| match VPath::parse(&path) {
            Ok(path) => Ok((name, path)),
            Err(error) => Err(MountError::Alias { name, reason: error.to_string() }),
        });
        let aliases = aliases.collect::<Result<_, _>>()?;
        Ok(Self(Arc::new(Inner {
            mounts,
            known_roles,
            files: Cache::new(options.open_files),
            metadata_bytes_per_file: options.metadata_bytes / options.open_files.max(1),
            max_chunk_bytes: options.max_chunk_bytes,
            caches: options.caches,
            read_bytes: Arc::default(),
            aliases,
        })))
    }

    /// What is kept of open files, for whoever counts it.
    pub fn caches(&self) -> &Caches {
        &self.0.caches
    }

    /// The bytes that were read from files so far.
    pub fn read_bytes(&self) -> u64 {
        self.0.read_bytes.load(Ordering::Relaxed)
    }

    /// The path that an alias of the configuration stands for.
    pub fn alias(&self, name: &str) -> Option<&VPath> {
        self.0.aliases.get(name)
    }

    /// What the configuration has to say of a folder that the caller may see, for listings; what stands in it itself goes before
    /// what a table's own file says.
    pub fn notes(&self, roles: &Roles, path: &VPath) -> Option<Cow<'_, Notes>> {
        let roles = self.0.roles_of(roles);
        let path = self.0.resolve_alias(&roles, path);
        let (mount, inner) = self.0.split(&path)?;
        if !mount.is_visible(&roles, inner) {
            return None;
        }
        let told = mount.notes.get(inner).filter(|notes| notes.description.is_some() || !notes.labels.is_empty());
        match (told, &mount.root) {
            (Some(notes), _) => Some(Cow::Borrowed(notes)),
            (None, Root::Table(tree)) => tree.notes(inner).map(Cow::Owned),
            (None, _) => None,
        }
    }

    /// Opens an HDF5 file, or finds it open already. A file that changed since is opened anew.
    ///
    /// Errors: [`Error::NotFound`], also for folders; [`Error::Unreadable`] for what is no HDF5.
    pub(crate) fn open(&self, roles: &Roles, path: &VPath) -> Result<Arc<OpenFile>> {
        let roles = self.0.roles_of(roles);
        // What is beside a file is found by the path of the file itself.
        let path = self.0.resolve_alias(&roles, path).into_owned();
        let identity = self.0.identity(&roles, &path)?;
        let key = FileKey { path, identity, roles };
        if let Some(file) = self.0.files.get(&key) {
            return Ok(file);
        }
        let bytes = self.0.open_bytes(&key.roles, &key.path)?;
        let key = FileKey { identity: bytes.identity, ..key };
        self.0
            .files
            .get_or_insert_with(&key, || without_pauses(|| OpenFile::new(self, bytes, key.clone())).map(Arc::new))
    }

    /// Opens the bytes of any file.
    ///
    /// Errors: [`Error::NotFound`], also for folders.
    pub fn open_bytes(&self, roles: &Roles, path: &VPath) -> Result<OpenBytes> {
        let roles = self.0.roles_of(roles);
        self.0.open_bytes(&roles, &self.0.resolve_alias(&roles, path))
    }

    /// The path under the mounts of a file that is named by the server's own path (as the older service allows); `None`
    /// where it is not inside. Whether the caller may see it is for `open` to say.
    pub fn virtual_path(&self, real: &Path) -> Option<VPath> {
        let resolved = real.canonicalize().ok()?;
        self.0.served_path(&resolved).or_else(|| self.0.served_path(&table::without_dots(real)))
    }

    /// The server's own path of a file under the mounts, as far as links are not followed; `None` for one in memory.
    ///
    /// Errors: [`Error::NotFound`], also for folders.
    pub fn server_path(&self, roles: &Roles, path: &VPath) -> Result<Option<PathBuf>> {
        self.open_bytes(roles, path)?;
        let path = self.0.resolve_alias(&self.0.roles_of(roles), path);
        Ok(self.0.split(&path).and_then(|(mount, inner)| match &mount.root {
            Root::Folder(folder) => Some(folder.join(inner)),
            Root::Table(tree) => match tree.find(inner)? {
                Found::File(file) => Some(file.real.clone()),
                Found::Folder => None,
            },
            Root::Memory(_) => None,
        }))
    }
}

impl Inner {
    /// Those of the roles that matter here.
    fn roles_of(&self, roles: &Roles) -> Roles {
        roles.intersection(&self.known_roles).cloned().collect()
    }

    /// The path that an alias at the beginning of that one stands for. What is really there goes before aliases, and an alias of what these
    /// roles may not see is none.
    fn resolve_alias<'p>(&self, roles: &Roles, path: &'p VPath) -> Cow<'p, VPath> {
        if self.aliases.is_empty() {
            return Cow::Borrowed(path);
        }
        let whole = self.aliases.get(path.as_str()).cloned();
        let first = || {
            let (first, rest) = path.split_first()?;
            self.aliases.get(first).map(|target| target.join(rest))
        };
        match whole.or_else(first) {
            Some(target) if self.locate(roles, path).is_err() && self.locate(roles, &target).is_ok() => {
                Cow::Owned(target)
            }
            _ => Cow::Borrowed(path),
        }
    }

    /// The mount of that path, and the path under it. A mount with a name hides what the root mount has under that name.
    fn split<'a, 'p>(&'a self, path: &'p VPath) -> Option<(&'a Mounted, &'p str)> {
        let named = path.split_first().and_then(|(first, rest)| Some((self.named(first)?, rest)));
        named.or_else(|| Some((self.named("")?, path.as_str())))
    }

    fn named(&self, name: &str) -> Option<&Mounted> {
        self.mounts.iter().find(|mount| mount.name == name)
    }

    /// The innermost mount that holds the real path, and the path under it.
    fn mount_of(&self, real: &Path) -> Option<(&Mounted, String)> {
        let holds = self.mounts.iter().filter_map(|mount| Some((mount, mount.folder()?)));
        let (mount, root) = holds
            .filter(|(_, root)| real.starts_with(root))
            .max_by_key(|(mount, root)| (root.components().count(), mount.all_roles().count()))?;
        Some((mount, mount::inner_path(root, real)?))
    }

    /// The path under the mounts of what really lies there.
    fn served_path(&self, real: &Path) -> Option<VPath> {
        if let Some((mount, inner)) = self.mount_of(real) {
            return Some(VPath::default().join(&mount.name).join(&inner));
        }
        self.mounts.iter().find_map(|mount| match &mount.root {
            Root::Table(tree) => Some(VPath::default().join(&mount.name).join(tree.path_of(real)?)),
            Root::Folder(_) | Root::Memory(_) => None,
        })
    }

    /// Whether a table lists a file under that path.
    fn is_listed(&self, path: &VPath) -> bool {
        self.split(path).is_some_and(|(mount, inner)| match &mount.root {
            Root::Table(tree) => matches!(tree.find(inner), Some(Found::File(_))),
            Root::Folder(_) | Root::Memory(_) => false,
        })
    }

    fn locate(&self, roles: &Roles, path: &VPath) -> Result<Location<'_>> {
        let missing = || vpath::no_such_path(path);
        let Some((mount, inner)) = self.split(path) else {
            return if path.as_str().is_empty() { Ok(Location::Top) } else { Err(missing()) };
        };
        if !mount.is_visible(roles, inner) {
            // The root is there for everybody, if only to say that there is nothing.
            return if path.as_str().is_empty() { Ok(Location::Top) } else { Err(missing()) };
        }
        let root = match &mount.root {
            Root::Folder(root) => root,
            Root::Table(tree) => {
                return match tree.find(inner).ok_or_else(missing)? {
                    Found::Folder => Ok(Location::ListedFolder { mount, inner: inner.to_owned() }),
                    Found::File(file) => file.locate().ok_or_else(missing),
                };
            }
            Root::Memory(files) => return locate_in_memory(mount, files, inner).ok_or_else(missing),
        };
        let real = root.join(inner).canonicalize().map_err(|_| missing())?;
        self.locate_real(roles, &real).ok_or_else(missing)
    }

    /// Where a path of the file system leads, links resolved already: both where it was asked for and where it lies must be
    /// visible to the caller.
    fn locate_real(&self, roles: &Roles, real: &Path) -> Option<Location<'_>> {
        let (mount, inner) = self.mount_of(real)?;
        if !mount.is_visible(roles, &inner) {
            return None;
        }
        let metadata = fs::symlink_metadata(real).ok()?;
        if metadata.is_dir() {
            Some(Location::Folder { mount, inner })
        } else if metadata.is_file() {
            Some(Location::File { mount, inner, identity: Identity::of(&metadata) })
        } else {
            None
        }
    }

    /// Which bytes the path stands for now.
    fn identity(&self, roles: &Roles, path: &VPath) -> Result<Identity> {
        Identity::settled(path, || match self.locate(roles, path)? {
            Location::File { identity, .. } | Location::FileEntry { identity, .. } => Ok(identity),
            Location::MemoryFile { bytes, number } => Ok(memory_identity(bytes, number)),
            Location::Top | Location::Folder { .. } | Location::ListedFolder { .. } | Location::MemoryFolder { .. } => {
                Err(is_a_folder(path))
            }
        })
    }

    fn open_bytes(&self, roles: &Roles, path: &VPath) -> Result<OpenBytes> {
        match self.locate(roles, path)? {
            Location::File { mount, inner, .. } => OpenBytes::of_file(path.clone(), mount, &inner, &self.read_bytes),
            Location::FileEntry { file, real, .. } => OpenBytes::of_listed(path.clone(), file, &real, &self.read_bytes),
            Location::MemoryFile { bytes, number } => {
                Ok(OpenBytes::of_memory(path.clone(), bytes, memory_identity(bytes, number)))
            }
            Location::Top | Location::Folder { .. } | Location::ListedFolder { .. } | Location::MemoryFolder { .. } => {
                Err(is_a_folder(path))
            }
        }
    }

    /// The folder that really holds the file, for what the file's links name.
    fn real_folder(mount: &Mounted, inner: &str) -> Option<PathBuf> {
        mount.folder()?.join(inner).parent().map(Path::to_owned)
    }
}

impl FileEntry {
    /// Where it really is at this moment; `None` where no file is there.
    fn locate(&self) -> Option<Location<'_>> {
        let real = self.real.canonicalize().ok()?;
        let metadata = fs::symlink_metadata(&real).ok()?;
        metadata.is_file().then(|| Location::FileEntry { file: self, identity: Identity::of(&metadata), real })
    }
}

fn locate_in_memory<'a>(
    mount: &'a Mounted,
    files: &BTreeMap<VPath, &'static [u8]>,
    inner: &str,
) -> Option<Location<'a>> {
    let inner = VPath::parse(inner).ok()?;
    if let Some(number) = files.keys().position(|path| *path == inner) {
        let bytes = files.get(&inner)?;
        return Some(Location::MemoryFile { bytes, number: number as u64 });
    }
    let prefix = format!("{}/", inner.as_str());
    let is_folder = inner.as_str().is_empty() || files.keys().any(|path| path.as_str().starts_with(&prefix));
    is_folder.then_some(Location::MemoryFolder { mount, inner })
}

/// Bytes in memory are those of this binary: they never change under its version, which is part of every entity tag.
fn memory_identity(bytes: &'static [u8], number: u64) -> Identity {
    Identity { device: 0, inode: number, size_bytes: bytes.len() as u64, modified_ns: 0 }
}

fn is_a_folder(path: &VPath) -> Error {
    Error::not_found(format!("{path} is a folder; name a file in it"))
}

/// What an error while opening means to whoever asks.
fn io_error(path: &VPath, error: &io::Error) -> Error {
    // A link where none was a moment ago: somebody is at work there.
    if error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) {
        return vpath::no_such_path(path);
    }
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory | io::ErrorKind::PermissionDenied => {
            vpath::no_such_path(path)
        }
        _ => Error::internal(format!("{path}: {error}")),
    }
}
