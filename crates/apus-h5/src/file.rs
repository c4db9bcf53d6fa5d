//! Files, and the way from a path to an object.

use std::{path::Path, sync::Arc};

use crate::{Dataset, Group, Result, source::ByteSource};

/// An open file. Cheap to clone; clones share the metadata cache and the chunk indexes.
#[derive(Clone, Debug)]
pub struct File {}

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
    /// Errors: why the file may not or cannot be opened (the text becomes [`Error::Refused`](crate::Error::Refused)).
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
}

impl File {
    /// Opens a local file; links out of it are refused.
    pub fn open(_path: impl AsRef<Path>) -> Result<Self> {
        unimplemented!()
    }

    /// Opens a file over any source. `name` is what errors call it.
    pub fn from_source(_name: impl Into<String>, _source: Arc<dyn ByteSource>, _options: OpenOptions) -> Result<Self> {
        unimplemented!()
    }

    /// The name it was opened by.
    pub fn name(&self) -> &str {
        unimplemented!()
    }

    /// The root group.
    pub fn root(&self) -> Result<Group> {
        unimplemented!()
    }

    /// The object at an absolute path, soft, hard and external links followed (at most 16 deep).
    ///
    /// Errors: [`Error::NotFound`](crate::Error::NotFound), [`Error::Refused`](crate::Error::Refused).
    pub fn get(&self, _path: &str) -> Result<Object> {
        unimplemented!()
    }

    /// The dataset at that path, or [`Error::WrongKind`](crate::Error::WrongKind).
    pub fn dataset(&self, _path: &str) -> Result<Dataset> {
        unimplemented!()
    }

    /// The group at that path, or [`Error::WrongKind`](crate::Error::WrongKind).
    pub fn group(&self, _path: &str) -> Result<Group> {
        unimplemented!()
    }
}

impl Default for OpenOptions {
    fn default() -> Self {
        Self { resolver: None, metadata_cache_bytes: 4 << 20, max_chunk_bytes: 1 << 30 }
    }
}
