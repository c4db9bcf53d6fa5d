//! Files that were opened.

use std::{fmt, fs, io, os::unix::fs::FileExt, path::PathBuf, sync::Arc};

use apus_h5::{
    File, OpenOptions,
    source::{ByteSource, Memory},
};

use super::{Catalog, FileKey, Identity, Inner, VPath, confine, io_error, mount::Mounted, resolver::MountResolver};
use crate::error::{ApiError, ApiResult};

/// The bytes of a file, of whatever kind.
#[derive(Clone, Debug)]
pub struct OpenBytes {
    /// The path that it was asked for by.
    pub path: VPath,
    /// The bytes.
    pub source: Arc<dyn ByteSource>,
    /// Which bytes these are.
    pub identity: Identity,
    file: Option<Arc<MountedFile>>,
    folder: Option<PathBuf>,
}

/// An HDF5 file that is open, shared by all who ask for it with the same roles.
pub struct OpenFile {
    /// The file.
    pub h5: File,
    /// Its bytes.
    pub bytes: OpenBytes,
    /// What tells it from every other file and from its other states: for caches.
    pub key: FileKey,
}

impl OpenBytes {
    pub(super) fn of_file(path: VPath, mount: &Mounted, inner: &str) -> ApiResult<Self> {
        let root = mount.folder().ok_or_else(|| ApiError::internal("a file in memory has no folder"))?;
        let file = confine::open_file(root, inner).map_err(|error| io_error(&path, &error))?;
        let identity = Identity::of(&file.metadata().map_err(|error| io_error(&path, &error))?);
        let file = Arc::new(MountedFile { file, len: identity.size_bytes });
        let folder = Inner::real_folder(mount, inner);
        Ok(Self { path, source: Arc::clone(&file) as Arc<dyn ByteSource>, identity, file: Some(file), folder })
    }

    pub(super) fn of_memory(path: VPath, bytes: &'static [u8], identity: Identity) -> Self {
        Self { path, source: Arc::new(Memory::new(bytes)), identity, file: None, folder: None }
    }

    /// Fails where the file was written to since it was opened: what was read may be a mixture.
    pub fn check_unchanged(&self) -> ApiResult<()> {
        let unchanged = self.file.as_ref().is_none_or(|file| self.identity.check(&file.file).unwrap_or(false));
        if unchanged {
            return Ok(());
        }
        Err(ApiError::Unreadable {
            code: "changed",
            detail: format!("{}: the file was changed while it was read; ask again", self.path).into(),
        })
    }

    /// When the file was last written, in seconds since 1970; `None` for bytes in memory.
    pub fn modified_s(&self) -> Option<u64> {
        self.file.as_ref().and_then(|_| u64::try_from(self.identity.modified_ns / 1_000_000_000).ok())
    }
}

impl OpenFile {
    pub(super) fn new(catalog: &Catalog, bytes: OpenBytes, key: FileKey) -> ApiResult<Self> {
        let resolver = MountResolver::new(catalog, &bytes, &key.roles);
        let options = OpenOptions {
            resolver: Some(Arc::new(resolver)),
            metadata_cache_bytes: catalog.0.metadata_bytes_per_file,
            max_chunk_bytes: catalog.0.chunk_bytes,
        };
        let h5 = File::from_source(bytes.path.to_string(), Arc::clone(&bytes.source), options)?;
        Ok(Self { h5, bytes, key })
    }
}

impl OpenBytes {
    /// The folder that really holds the file; `None` for bytes in memory.
    pub(super) fn folder(&self) -> Option<&PathBuf> {
        self.folder.as_ref()
    }
}

/// A file that was opened below a mount.
struct MountedFile {
    file: fs::File,
    len: u64,
}

impl ByteSource for MountedFile {
    fn len(&self) -> u64 {
        self.len
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<()> {
        self.file.read_exact_at(buf, offset)
    }
}

impl fmt::Debug for MountedFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MountedFile({} bytes)", self.len)
    }
}
