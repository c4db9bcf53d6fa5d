//! The files of one request.

use std::{
    fmt,
    sync::{Arc, PoisonError},
};

use apus_h5::{Dataset, Error as H5Error, File, Object, ReadOptions};
use apus_swift::Output;
use bytes::Bytes;
use serde::Serialize;

use super::{
    Archive, Body, Cancelled, EntityTag,
    body::{Blocks, CheckedBlocks},
    pins::Pins,
    zone_maps::{StateHasher, StateKey},
};
use crate::{
    Error, Result,
    catalog::{FileKey, Known, OpenBytes, OpenFile},
    store::{Roles, VPath},
};

/// More members than a group is searched for.
const MAX_MEMBERS: usize = 16_384;

/// The files of one request, with the identities of all that its answer rests on, however deep virtual datasets and links are nested.
/// Cheap to clone: clones are the same request.
///
/// Whatever is read of its files is noted here, [`tag`](Self::tag) says all of it, and every body that it makes ends with an error where
/// a file is not any more what it was.
#[derive(Clone)]
pub struct Pinned(Arc<Inner>);

struct Inner {
    archive: Archive,
    roles: Roles,
    pins: Arc<Pins>,
    options: ReadOptions,
    cancelled: Cancelled,
}

/// An HDF5 file that a request has opened. Cheap to clone.
#[derive(Clone)]
pub struct PinnedFile {
    pinned: Pinned,
    file: Arc<OpenFile>,
    h5: File,
}

impl Pinned {
    pub(super) fn new(archive: Archive, roles: Roles, cancelled: Cancelled) -> Self {
        let options = archive.read_options();
        Self(Arc::new(Inner { archive, roles, pins: Arc::default(), options, cancelled }))
    }

    /// Opens an HDF5 file.
    ///
    /// Errors: [`Error::NotFound`], also for folders and for what the roles do not cover; [`Error::Unreadable`] for what is no HDF5.
    pub fn open(&self, path: &VPath) -> Result<PinnedFile> {
        let file = self.0.archive.catalog.open(&self.0.roles, path)?;
        let h5 = self.0.pins.add_root(&file);
        Ok(PinnedFile { pinned: self.clone(), file, h5 })
    }

    /// Opens the bytes of any file.
    ///
    /// Errors: [`Error::NotFound`], also for folders and for what the roles do not cover.
    pub fn open_bytes(&self, path: &VPath) -> Result<OpenBytes> {
        let bytes = self.0.archive.catalog.open_bytes(&self.0.roles, path)?;
        self.0.pins.add_bytes(&bytes);
        Ok(bytes)
    }

    /// The tag of the answer to `request`, by whose serialised form all else is said that the answer depends on. Files that the request
    /// has not met by now cannot join it any more: whoever asks for one gets an error.
    ///
    /// Errors: a request that cannot be serialised.
    pub fn tag(&self, request: &impl Serialize) -> Result<EntityTag> {
        EntityTag::new(&self.0.pins.seal(), request)
    }

    /// A body of these blocks; of `size_bytes`, where that is known.
    pub fn body(&self, blocks: impl Iterator<Item = Result<Bytes>> + Send + 'static, size_bytes: Option<u64>) -> Body {
        let blocks: Blocks = Box::new(blocks);
        Body::Blocks(CheckedBlocks::new(self.clone(), blocks, size_bytes))
    }

    /// A body that is made already.
    ///
    /// Errors: [`Error::Unreadable`] where a file has changed.
    pub fn whole(&self, bytes: impl Into<Bytes>) -> Result<Body> {
        self.check_unchanged()?;
        Ok(Body::Whole(bytes.into()))
    }

    /// The archive that the files are of.
    pub fn archive(&self) -> &Archive {
        &self.0.archive
    }

    /// The roles of whoever asks.
    pub fn roles(&self) -> &Roles {
        &self.0.roles
    }

    /// How datasets are read: one turn at the decode threads for all that the request reads.
    pub fn read_options(&self) -> ReadOptions {
        self.0.options.clone()
    }

    /// Looks whether anybody waits for the outcome.
    ///
    /// Errors: [`Error::Gone`].
    pub fn check_waiting(&self) -> Result<()> {
        if self.0.cancelled.is_cancelled() { Err(Error::Gone) } else { Ok(()) }
    }

    /// Makes something of the files, and notes the links that it rests on, for a cache that outlives the request.
    ///
    /// Errors: those of `make`; [`Error::Gone`].
    pub fn known<T>(&self, make: impl FnOnce() -> Result<T>) -> Result<Known<T>> {
        // What was made for nobody may lack what was not read any more.
        self.0.pins.known(|| make().and_then(|made| self.check_waiting().map(|()| made)))
    }

    /// Whether what another request made of the same file still holds; if so, this one rests on the same links.
    pub fn holds<T>(&self, known: &Known<T>) -> bool {
        self.0.pins.holds(known)
    }

    /// The names, as they stand there, of files that the values of a dataset should lie in and that are not there.
    ///
    /// Errors: those of finding out which files those are.
    pub fn missing_sources(&self, dataset: &Dataset) -> Result<Vec<String>> {
        let Known { followed, .. } = self.known(|| Ok(dataset.resolve_sources(None)?))?;
        Ok(followed.into_iter().filter(|(_, led)| matches!(led, Ok(None))).map(|(link, _)| link.to).collect())
    }

    /// What tells the values of a dataset in this state of its file, and of all files that it draws on, however deep virtual datasets are
    /// nested, from every other.
    ///
    /// Errors: those of finding out which files those are.
    pub(super) fn state_of(&self, dataset: &Dataset) -> Result<StateKey> {
        let Known { followed, .. } = self.known(|| Ok(dataset.resolve_sources(None)?))?;
        let identity_of = |name: &str| self.0.pins.identity_of(name);
        let mut state = StateHasher::new();
        state.file(identity_of(dataset.file().name())).text(dataset.path());
        for (link, led) in followed {
            state.file(identity_of(&link.from)).text(&link.to);
            match led {
                Ok(target) => state.text("leads to").file(target.map(|target| target.identity)),
                Err(_) => state.text("leads nowhere"),
            };
        }
        Ok(state.finish())
    }

    /// Fails where a file is not what it was when this request met it: for outcomes that are no [`Body`], which look by themselves.
    ///
    /// Errors: [`Error::Unreadable`].
    pub fn check_unchanged(&self) -> Result<()> {
        self.0.pins.check_unchanged()
    }
}

impl PinnedFile {
    /// The request.
    pub fn pinned(&self) -> &Pinned {
        &self.pinned
    }

    /// The file.
    pub fn h5(&self) -> &File {
        &self.h5
    }

    /// Its bytes.
    pub fn bytes(&self) -> &OpenBytes {
        &self.file.bytes
    }

    /// What tells it from every other file and from its other states: for caches.
    pub fn key(&self) -> &FileKey {
        &self.file.key
    }

    /// Its path.
    pub fn path(&self) -> &VPath {
        &self.file.bytes.path
    }

    /// What it means to SWIFT; described once for each state of the file and of all that it draws on.
    ///
    /// Errors: those of reading it.
    pub fn output(&self) -> Result<Output> {
        let known = self.remembered();
        if let Some(known) = known.filter(|known| self.pinned.holds(known)) {
            return Ok(known.value.on(&self.h5));
        }
        let known = self.pinned.known(|| {
            let output = Output::open(&self.h5)?;
            // Whoever wants to know of groups that cannot be read is told by asking for them.
            let _ = output.groups();
            Ok(output)
        })?;
        let output = known.value.clone();
        // What is kept must not keep this request.
        let kept = Known { value: output.on(&self.file.h5), ..known };
        *self.file.output.lock().unwrap_or_else(PoisonError::into_inner) = Some(kept);
        Ok(output)
    }

    /// The dataset at an absolute path.
    ///
    /// Errors: [`Error::NotFound`], with the nearest names that there are; [`Error::Invalid`] for another kind of object.
    pub fn dataset(&self, object: &str) -> Result<Dataset> {
        self.h5.dataset(object).map_err(|error| self.with_nearest(error))
    }

    /// The object at an absolute path.
    ///
    /// Errors: [`Error::NotFound`], with the nearest names that there are.
    pub fn object(&self, object: &str) -> Result<Object> {
        self.h5.get(object).map_err(|error| self.with_nearest(error))
    }
}

impl PinnedFile {
    fn remembered(&self) -> Option<Known<Output>> {
        self.file.output.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The error of a look-up; where the object is not there, with the nearest names of the group that should hold it.
    fn with_nearest(&self, error: H5Error) -> Error {
        let hint = match &error {
            H5Error::NotFound { object, .. } => nearest_members(&self.h5, object).unwrap_or_default(),
            _ => String::new(),
        };
        match error.into() {
            Error::NotFound(detail) => Error::not_found(format!("{detail}{hint}")),
            other => other,
        }
    }
}

/// `None` where the group cannot be read, or has the name: then what is missing is where its link leads.
fn nearest_members(file: &File, object: &str) -> Option<String> {
    let (parent, name) = object.rsplit_once('/')?;
    let links = file.group(if parent.is_empty() { "/" } else { parent }).ok()?.links().ok()?;
    let names = || links.iter().take(MAX_MEMBERS).map(|link| link.name.as_str());
    if names().any(|member| member == name) {
        return None;
    }
    Some(apus_swift::nearest_names(name, names()))
}

impl fmt::Debug for Pinned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pinned").field("pins", &self.0.pins).finish_non_exhaustive()
    }
}

impl fmt::Debug for PinnedFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PinnedFile({})", self.path())
    }
}
