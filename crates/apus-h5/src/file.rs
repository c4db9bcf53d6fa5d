//! Files, and the way from a path to an object.

use std::{
    fmt,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::{
    Caches, Dataset, Error, Group, NamedType, Result,
    format::{
        Meta,
        superblock::{self, OpenFault},
    },
    path,
    source::{ByteSource, LocalFile},
};

/// A handle on an open file. Cheap to clone; clones share the metadata cache.
#[derive(Clone)]
pub struct File {
    opened: Arc<Opened>,
    /// Reaches other files from here; everything that is reached through this handle keeps it.
    resolver: Option<Arc<dyn Resolver>>,
}

/// What a path leads to.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Object {
    /// A group.
    Group(Group),
    /// A dataset.
    Dataset(Dataset),
    /// A committed datatype.
    NamedType(NamedType),
}

/// Decides which other files a file may reach, through external links and virtual datasets.
pub trait Resolver: Send + Sync {
    /// Opens the file that `from` names `target`. `None` says that no such file exists where it was looked for: what a
    /// virtual dataset maps to it is then its fill value, as in libhdf5, and an external link leads to nothing.
    ///
    /// The handle that is returned brings the resolver for what *that* file names in turn: to be asked for those files too,
    /// a resolver returns a handle with itself ([`File::with_resolver`]).
    ///
    /// Errors: why the file may not or cannot be opened (the text becomes [`Error::Refused`]).
    fn resolve(&self, from: &File, target: &str) -> Result<Option<File>, String>;
}

/// How a file is opened.
#[derive(Clone)]
pub struct OpenOptions {
    /// Reaches other files from the first handle; without one, every link out of the file is refused.
    pub resolver: Option<Arc<dyn Resolver>>,
    /// The most bytes of metadata blocks that are kept.
    pub metadata_cache_bytes: usize,
    /// The most bytes that one decoded chunk may have.
    pub max_chunk_bytes: u64,
    /// What is kept between reads, for all files that are opened with it.
    pub caches: Caches,
}

/// What all handles on an open file share.
struct Opened {
    name: String,
    meta: Meta,
    root: u64,
    max_chunk_bytes: u64,
    caches: Caches,
    /// No other opening of a file has it: its number in the caches.
    number: u64,
}

impl File {
    /// Opens a local file; links out of it are refused.
    ///
    /// Errors: [`Error::Io`], [`Error::NotHdf5`], [`Error::Damaged`], [`Error::Unsupported`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let name = path.display().to_string();
        match LocalFile::open(path) {
            Ok(source) => Self::from_source(name, Arc::new(source), OpenOptions::default()),
            Err(source) => Err(Error::Io { file: name, source }),
        }
    }

    /// Opens a file over any source. `name` is what errors call it.
    ///
    /// Errors: as [`File::open`].
    pub fn from_source(name: impl Into<String>, source: Arc<dyn ByteSource>, options: OpenOptions) -> Result<Self> {
        static NUMBERS: AtomicU64 = AtomicU64::new(0);
        let name = name.into();
        let OpenOptions { resolver, metadata_cache_bytes, max_chunk_bytes, caches } = options;
        match superblock::open(source, metadata_cache_bytes) {
            Ok((meta, root)) => {
                let number = NUMBERS.fetch_add(1, Ordering::Relaxed);
                let opened = Arc::new(Opened { name, meta, root, max_chunk_bytes, caches, number });
                Ok(Self { opened, resolver })
            }
            Err(OpenFault::NotHdf5(reason)) => Err(Error::NotHdf5 { file: name, reason }),
            Err(OpenFault::Fault(fault)) => Err(fault.at(&name, "superblock")),
        }
    }

    /// Another handle on the same open file, from which `resolver` reaches other files: for the links and virtual datasets of
    /// everything that is reached through it.
    ///
    /// The handle owns the resolver. A resolver that keeps handles should keep such as do not own it in turn, else neither is
    /// ever dropped.
    #[must_use]
    pub fn with_resolver(&self, resolver: Arc<dyn Resolver>) -> Self {
        Self { opened: Arc::clone(&self.opened), resolver: Some(resolver) }
    }

    /// The name it was opened by.
    pub fn name(&self) -> &str {
        &self.opened.name
    }

    /// The root group.
    pub fn root(&self) -> Result<Group> {
        self.group("/")
    }

    /// The object at an absolute path, soft, hard and external links followed (at most 16 of them that are not hard).
    ///
    /// Errors: [`Error::NotFound`], [`Error::Refused`].
    pub fn get(&self, path: &str) -> Result<Object> {
        self.get_nested(path, 0)
    }

    /// As [`get`](Self::get), for the source of a virtual dataset that so many others, each a source of the one before, led to.
    pub(crate) fn get_nested(&self, path: &str, depth: usize) -> Result<Object> {
        path::resolve(self, self.opened.root, "/", path, depth)
    }

    /// The dataset at that path, or [`Error::WrongKind`].
    pub fn dataset(&self, path: &str) -> Result<Dataset> {
        match self.get(path)? {
            Object::Dataset(dataset) => Ok(dataset),
            other => Err(self.wrong_kind(path, "dataset", &other)),
        }
    }

    /// The group at that path, or [`Error::WrongKind`].
    pub fn group(&self, path: &str) -> Result<Group> {
        match self.get(path)? {
            Object::Group(group) => Ok(group),
            other => Err(self.wrong_kind(path, "group", &other)),
        }
    }

    fn wrong_kind(&self, path: &str, expected: &'static str, found: &Object) -> Error {
        Error::WrongKind { file: self.name().to_owned(), object: path.to_owned(), expected, found: found.kind() }
    }

    /// The metadata.
    pub(crate) fn meta(&self) -> &Meta {
        &self.opened.meta
    }

    /// What is kept between reads, and the number of this file there.
    pub(crate) fn caches(&self) -> (&Caches, u64) {
        (&self.opened.caches, self.opened.number)
    }

    /// The most bytes that one decoded chunk may have.
    pub(crate) fn max_chunk_bytes(&self) -> u64 {
        self.opened.max_chunk_bytes
    }

    /// Reaches other files from this handle.
    pub(crate) fn resolver(&self) -> Option<&dyn Resolver> {
        self.resolver.as_deref()
    }

    /// Whether both are handles on one open file.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.opened, &other.opened)
    }

    /// The address of the root group's object header.
    pub(crate) fn root_address(&self) -> u64 {
        self.opened.root
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        self.caches.forget(self.number);
    }
}

impl Object {
    /// What it is, in a word.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Group(_) => "group",
            Self::Dataset(_) => "dataset",
            Self::NamedType(_) => "named type",
        }
    }
}

impl fmt::Debug for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "File({:?})", self.opened.name)
    }
}

impl fmt::Debug for OpenOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenOptions")
            .field("resolver", &self.resolver.is_some())
            .field("metadata_cache_bytes", &self.metadata_cache_bytes)
            .field("max_chunk_bytes", &self.max_chunk_bytes)
            .field("caches", &self.caches)
            .finish()
    }
}

impl Default for OpenOptions {
    fn default() -> Self {
        Self { resolver: None, metadata_cache_bytes: 4 << 20, max_chunk_bytes: 1 << 30, caches: Caches::default() }
    }
}
