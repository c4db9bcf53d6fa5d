//! Files that were opened.

use std::{
    borrow::Cow,
    fmt, fs, io,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock, Weak},
};

use apus_h5::{
    Dataset, File, Layout, OpenOptions, Resolver,
    source::{ByteSource, Memory},
};
use apus_swift::Output;
use prometheus_client::metrics::counter::Counter;

use super::{
    Catalog, FileKey, Identity, Inner, ListedFile, VPath, confine, io_error, media_type, mount::Mounted,
    resolver::MountResolver,
};
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
    /// The type that a table tells.
    listed_type: Option<Arc<str>>,
}

/// An HDF5 file that is open, shared by all who ask for it with the same roles.
pub struct OpenFile {
    /// The file.
    pub h5: File,
    /// Its bytes.
    pub bytes: OpenBytes,
    /// What tells it from every other file and from its other states: for caches.
    pub key: FileKey,
    catalog: Weak<Inner>,
    resolver: Arc<MountResolver>,
    output: OnceLock<Arc<Output>>,
}

impl OpenBytes {
    pub(super) fn of_file(path: VPath, mount: &Mounted, inner: &str, read_bytes: &Counter) -> ApiResult<Self> {
        let root = mount.folder().ok_or_else(|| ApiError::internal("a file in memory has no folder"))?;
        Self::open(path, root, inner, Inner::real_folder(mount, inner), None, read_bytes)
    }

    /// Opens the file of a table where it really lies. What its links name is looked for beside the place that the table says.
    pub(super) fn of_listed(path: VPath, file: &ListedFile, real: &Path, read_bytes: &Counter) -> ApiResult<Self> {
        let root = Path::new("/");
        let inner = real.strip_prefix(root).ok().and_then(Path::to_str);
        let inner = inner.ok_or_else(|| ApiError::internal(format!("{path}: {} is no text", real.display())))?;
        let folder = file.real.parent().map(Path::to_owned);
        Self::open(path, root, inner, folder, Some(Arc::clone(&file.media_type)), read_bytes)
    }

    fn open(
        path: VPath,
        root: &Path,
        inner: &str,
        folder: Option<PathBuf>,
        listed_type: Option<Arc<str>>,
        read_bytes: &Counter,
    ) -> ApiResult<Self> {
        let file = confine::open_file(root, inner).map_err(|error| io_error(&path, &error))?;
        let identity = Identity::of(&file.metadata().map_err(|error| io_error(&path, &error))?);
        let file = Arc::new(MountedFile { file, len: identity.size_bytes, read_bytes: read_bytes.clone() });
        let source = Arc::clone(&file) as Arc<dyn ByteSource>;
        Ok(Self { path, source, identity, file: Some(file), folder, listed_type })
    }

    pub(super) fn of_memory(path: VPath, bytes: &'static [u8], identity: Identity) -> Self {
        Self { path, source: Arc::new(Memory::new(bytes)), identity, file: None, folder: None, listed_type: None }
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
    pub(super) fn new(catalog: &Catalog, bytes: OpenBytes, key: FileKey) -> ApiResult<Self> {
        let resolver = Arc::new(MountResolver::new(catalog, &bytes, &key.roles));
        let options = OpenOptions {
            resolver: Some(Arc::clone(&resolver) as Arc<dyn Resolver>),
            metadata_cache_bytes: catalog.0.metadata_bytes_per_file,
            max_chunk_bytes: catalog.0.chunk_bytes,
            caches: catalog.0.caches.clone(),
        };
        let h5 = File::from_source(bytes.path.to_string(), Arc::clone(&bytes.source), options)?;
        let catalog = Arc::downgrade(&catalog.0);
        Ok(Self { h5, bytes, key, catalog, resolver, output: OnceLock::new() })
    }

    /// What the file means to SWIFT; read once.
    pub fn output(&self) -> ApiResult<Arc<Output>> {
        if let Some(output) = self.output.get() {
            return Ok(Arc::clone(output));
        }
        let output = Arc::new(Output::open(&self.h5)?);
        // Where two threads read it at once, both read the same.
        Ok(Arc::clone(self.output.get_or_init(|| output)))
    }

    /// Which files the values of `dataset`, which this file led to, lie in at this moment: the file itself, the file that a
    /// link led to, the sources of a virtual dataset (`None` for those that are missing).
    pub fn identities_of(&self, dataset: &Dataset) -> ApiResult<Vec<Option<Identity>>> {
        let mut identities = vec![Some(self.bytes.identity)];
        let is_elsewhere = dataset.file().name() != self.h5.name();
        let other = if is_elsewhere { Some(self.opened(dataset.file().name())?) } else { None };
        identities.extend(other.as_ref().map(|file| Some(file.bytes.identity)));
        if dataset.layout() == Layout::Virtual {
            let resolver = other.as_ref().map_or(&self.resolver, |file| &file.resolver);
            let files = dataset.virtual_files()?;
            identities.extend(files.iter().filter(|name| *name != ".").map(|name| resolver.identity(name)));
        }
        Ok(identities)
    }

    /// Which bytes `other`, which this file led to, has; `None` where it is this file itself.
    pub fn identity_of_linked(&self, other: &File) -> ApiResult<Option<Identity>> {
        if other.name() == self.h5.name() {
            return Ok(None);
        }
        Ok(Some(self.opened(other.name())?.bytes.identity))
    }

    /// The file that the catalogue opened under that name.
    fn opened(&self, name: &str) -> ApiResult<Arc<Self>> {
        let inner = self.catalog.upgrade().ok_or_else(|| ApiError::internal("the service is stopping"))?;
        Catalog(inner).open_with(&self.key.roles, &VPath::parse(name)?)
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
    read_bytes: Counter,
}

impl ByteSource for MountedFile {
    fn len(&self) -> u64 {
        self.len
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<()> {
        self.file.read_exact_at(buf, offset)?;
        self.read_bytes.inc_by(buf.len() as u64);
        Ok(())
    }
}

impl fmt::Debug for MountedFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MountedFile({} bytes)", self.len)
    }
}
