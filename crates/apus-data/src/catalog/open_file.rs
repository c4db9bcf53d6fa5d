//! Files that were opened.

use std::{
    borrow::Cow,
    fmt, fs, io,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use apus_h5::{
    File, OpenOptions,
    source::{ByteSource, Memory},
};
use apus_swift::Output;

use super::{Catalog, FileKey, Inner, Known, Site, io_error, media_type};
use crate::{
    Error, Result,
    store::{Identity, VPath, confine, mount::Mounted, table::FileEntry},
};

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
    /// The type that a table tells.
    listed_type: Option<Arc<str>>,
}

/// An HDF5 file that is open, shared by all who ask for it with the same roles. Its links lead nowhere by themselves: whoever reads it
/// does so through [`values`](crate::values), which follow and remember them.
pub(crate) struct OpenFile {
    /// The file.
    pub(crate) h5: File,
    /// Its bytes.
    pub(crate) bytes: OpenBytes,
    /// What tells it from every other file and from its other states: for caches.
    pub(crate) key: FileKey,
    /// Where its links are followed from.
    pub(crate) site: Arc<Site>,
    /// What the file means to SWIFT, once somebody has asked.
    pub(crate) output: Mutex<Option<Known<Output>>>,
}

impl OpenBytes {
    pub(super) fn of_file(path: VPath, mount: &Mounted, inner: &str, read_bytes: &Arc<AtomicU64>) -> Result<Self> {
        let root = mount.folder().ok_or_else(|| Error::internal("a file in memory has no folder"))?;
        Self::open(path, root, inner, Inner::real_folder(mount, inner), None, read_bytes)
    }

    /// Opens the file of a table where it really lies. What its links name is looked for beside the place that the table says.
    pub(super) fn of_listed(path: VPath, file: &FileEntry, real: &Path, read_bytes: &Arc<AtomicU64>) -> Result<Self> {
        let root = Path::new("/");
        let inner = real.strip_prefix(root).ok().and_then(Path::to_str);
        let inner = inner.ok_or_else(|| Error::internal(format!("{path}: {} is no text", real.display())))?;
        let folder = file.real.parent().map(Path::to_owned);
        Self::open(path, root, inner, folder, Some(Arc::clone(&file.media_type)), read_bytes)
    }

    fn open(
        path: VPath,
        root: &Path,
        inner: &str,
        folder: Option<PathBuf>,
        listed_type: Option<Arc<str>>,
        read_bytes: &Arc<AtomicU64>,
    ) -> Result<Self> {
        let file = confine::open_file(root, inner).map_err(|error| io_error(&path, &error))?;
        let look = || Ok(Identity::of(&file.metadata().map_err(|error| io_error(&path, &error))?));
        let identity = Identity::settled(&path, look)?;
        let file = Arc::new(MountedFile { file, len: identity.size_bytes, read_bytes: Arc::clone(read_bytes) });
        let source = Arc::clone(&file) as Arc<dyn ByteSource>;
        Ok(Self { path, source, identity, file: Some(file), folder, listed_type })
    }

    pub(super) fn of_memory(path: VPath, bytes: &'static [u8], identity: Identity) -> Self {
        Self { path, source: Arc::new(Memory::new(bytes)), identity, file: None, folder: None, listed_type: None }
    }

    /// Fails where the file was written to since it was opened: what was read may be a mixture.
    pub fn check_unchanged(&self) -> Result<()> {
        let unchanged = self.file.as_ref().is_none_or(|file| self.identity.check(&file.file).unwrap_or(false));
        if unchanged {
            return Ok(());
        }
        Err(Error::changed(format!("{}: the file was changed while it was read; ask again", self.path)))
    }

    /// The media type: as a table tells it, else by the name or the first bytes.
    pub fn media_type(&self) -> Cow<'_, str> {
        match &self.listed_type {
            Some(listed) => Cow::Borrowed(listed),
            None => media_type::of(self.path.file_name().unwrap_or_default(), self.source.as_ref()).into(),
        }
    }

    /// When the file was last written, in seconds since 1970; `None` for bytes in memory.
    pub fn modified_s(&self) -> Option<u64> {
        self.file.as_ref().and_then(|_| u64::try_from(self.identity.modified_ns / 1_000_000_000).ok())
    }
}

impl OpenFile {
    pub(super) fn new(catalog: &Catalog, bytes: OpenBytes, key: FileKey) -> Result<Self> {
        let site = Arc::new(Site::new(catalog, &bytes, &key.roles));
        let options = OpenOptions {
            resolver: None,
            metadata_cache_bytes: catalog.0.metadata_bytes_per_file,
            max_chunk_bytes: catalog.0.max_chunk_bytes,
            caches: catalog.0.caches.clone(),
        };
        let h5 = File::from_source(bytes.path.to_string(), Arc::clone(&bytes.source), options)?;
        Ok(Self { h5, bytes, key, site, output: Mutex::new(None) })
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
    /// Counts what is read of all files.
    read_bytes: Arc<AtomicU64>,
}

impl ByteSource for MountedFile {
    fn len(&self) -> u64 {
        self.len
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<()> {
        self.file.read_exact_at(buf, offset)?;
        self.read_bytes.fetch_add(buf.len() as u64, Ordering::Relaxed);
        Ok(())
    }
}

impl fmt::Debug for MountedFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MountedFile({} bytes)", self.len)
    }
}
