//! Files, and the way from a path to an object.

use std::{fmt, path::Path, sync::Arc};

use crate::{
    Caches, Dataset, Error, Group, Result,
    format::{
        Meta,
        superblock::{self, OpenFault},
    },
    path,
    source::{ByteSource, LocalFile},
};

/// An open file. Cheap to clone; clones share the metadata cache.
#[derive(Clone)]
pub struct File(Arc<Opened>);

/// What a path leads to.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Object {
    /// A group.
    Group(Group),
    /// A dataset.
    Dataset(Dataset),
    /// A committed datatype.
    NamedType,
}

/// Decides which other files a file may reach, through external links and virtual datasets.
pub trait Resolver: Send + Sync {
    /// Opens the file that `from` names `target`. `None` says that no such file exists where it was looked for: what a
    /// virtual dataset maps to it is then its fill value, as in libhdf5, and an external link leads to nothing.
    ///
    /// Errors: why the file may not or cannot be opened (the text becomes [`Error::Refused`]).
    fn resolve(&self, from: &File, target: &str) -> Result<Option<File>, String>;
}

/// How a file is opened.
#[derive(Clone)]
pub struct OpenOptions {
    /// Reaches other files; without one, every link out of the file is refused.
    pub resolver: Option<Arc<dyn Resolver>>,
    /// The most bytes of metadata blocks that are kept.
    pub metadata_cache_bytes: usize,
    /// The most bytes that one decoded chunk may have.
    pub max_chunk_bytes: u64,
    /// What is kept between reads, for all files that are opened with it.
    pub caches: Caches,
}

/// What the clones of a [`File`] share.
struct Opened {
    name: String,
    meta: Meta,
    root: u64,
    options: OpenOptions,
    /// Its number in the caches.
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
        let name = name.into();
        match superblock::open(source, options.metadata_cache_bytes) {
            Ok((meta, root)) => {
                let number = options.caches.number_file();
                Ok(Self(Arc::new(Opened { name, meta, root, options, number })))
            }
            Err(OpenFault::NotHdf5(reason)) => Err(Error::NotHdf5 { file: name, reason }),
            Err(OpenFault::Fault(fault)) => Err(fault.at(&name, "superblock")),
        }
    }

    /// The name it was opened by.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The root group.
    pub fn root(&self) -> Result<Group> {
        self.group("/")
    }

    /// The object at an absolute path, soft, hard and external links followed (at most 16 of them that are not hard).
    ///
    /// Errors: [`Error::NotFound`], [`Error::Refused`].
    pub fn get(&self, path: &str) -> Result<Object> {
        path::resolve(self, self.0.root, "/", path)
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
        &self.0.meta
    }

    /// What is kept between reads, and the number of this file there.
    pub(crate) fn caches(&self) -> (&Caches, u64) {
        (&self.0.options.caches, self.0.number)
    }

    /// How it was opened.
    pub(crate) fn options(&self) -> &OpenOptions {
        &self.0.options
    }

    /// Whether both are clones of one.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// The address of the root group's object header.
    pub(crate) fn root_address(&self) -> u64 {
        self.0.root
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        self.options.caches.forget(self.number);
    }
}

impl Object {
    /// What it is, in a word.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Group(_) => "group",
            Self::Dataset(_) => "dataset",
            Self::NamedType => "named type",
        }
    }
}

impl fmt::Debug for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "File({:?})", self.0.name)
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
