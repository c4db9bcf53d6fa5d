//! Where the links out of a file lead.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Weak},
};

use serde::Serialize;

use super::{Catalog, Inner, Led, OpenBytes, OpenFile};
use crate::{
    Error, Result,
    store::{Identity, Roles, VPath, table::without_dots},
};

/// The place of one file, from which its links are followed as libhdf5 follows them (`H5F_prefix_open_file`): an absolute name as it is;
/// then the name, or the last part of an absolute one, in the folder of the path that the file was asked for by, and in the folder that
/// it really lies in. Only what lies under a mount, and what these roles cover, is there.
#[derive(Debug)]
pub(crate) struct Site {
    /// Weak, because the catalogue's cache owns the files that own their sites.
    catalog: Weak<Inner>,
    path: VPath,
    folder: Option<PathBuf>,
    roles: Roles,
}

/// What a link leads to at this moment.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct Target {
    /// Its path under the mounts.
    pub(crate) path: VPath,
    /// Which bytes it has.
    pub(crate) identity: Identity,
}

const OUTSIDE: &str = "it lies outside what is served here";

impl Site {
    pub(super) fn new(catalog: &Catalog, bytes: &OpenBytes, roles: &Roles) -> Self {
        Self {
            catalog: Arc::downgrade(&catalog.0),
            path: bytes.path.clone(),
            folder: bytes.folder().cloned(),
            roles: roles.clone(),
        }
    }

    /// Where `target` is; `None` where no such file exists, or none that these roles cover.
    ///
    /// Errors: why it may not be reached, where nothing else was found.
    pub(crate) fn find(&self, target: &str) -> Led {
        let inner = self.catalog.upgrade().ok_or("the service is stopping")?;
        let absolute = target.starts_with('/').then(|| inner.real_target(Path::new(target)));
        let name = if absolute.is_some() { target.rsplit('/').next().unwrap_or_default() } else { target };
        let beside_path = self.virtual_target(name);
        let beside_file = match &self.folder {
            Some(folder) => inner.real_target(&folder.join(name)),
            // In memory, paths are all there is.
            None => beside_path.is_some().then_some(None).ok_or(OUTSIDE.into()),
        };
        // What a table lists together need not lie together.
        let is_listed = beside_path.as_ref().is_some_and(|path| inner.is_listed(path));
        let candidates = absolute.into_iter().chain([Ok(beside_path), beside_file]);
        let mut refused = None;
        for candidate in candidates {
            match candidate {
                Ok(None) => {}
                Ok(Some(path)) => match inner.identity(&self.roles, &path) {
                    Ok(identity) => return Ok(Some(Target { path, identity })),
                    Err(Error::NotFound(_)) => {}
                    // It is there: to take another, or none, for it would be wrong.
                    Err(error) => return Err(error.to_string()),
                },
                Err(why) => refused = Some(why).filter(|_| !is_listed),
            }
        }
        refused.map_or(Ok(None), Err)
    }

    /// Opens what [`find`](Self::find) found.
    ///
    /// Errors: those of opening; [`Error::Unreadable`] where it has changed since.
    pub(crate) fn open(&self, target: &Target) -> Result<Arc<OpenFile>> {
        let inner = self.catalog.upgrade().ok_or_else(|| Error::internal("the service is stopping"))?;
        let file = Catalog(inner).open(&self.roles, &target.path)?;
        if file.bytes.identity != target.identity {
            return Err(Error::changed(format!("{}: the file was changed while it was read; ask again", target.path)));
        }
        Ok(file)
    }

    /// The virtual path of `target` as seen from the file's virtual folder; `None` where it climbs out of it all.
    fn virtual_target(&self, target: &str) -> Option<VPath> {
        let mut names: Vec<&str> = self.path.names().collect();
        names.pop();
        for name in target.split('/') {
            match name {
                "" | "." => {}
                ".." => {
                    names.pop()?;
                }
                name => names.push(name),
            }
        }
        VPath::parse(&names.join("/")).ok()
    }
}

impl Inner {
    /// The path under the mounts of what a path of the file system leads to; `None` where nothing is there.
    ///
    /// Errors: it lies outside.
    fn real_target(&self, target: &Path) -> Result<Option<VPath>, String> {
        let as_written = self.served_path(&without_dots(target)).ok_or(OUTSIDE)?;
        let Ok(real) = target.canonicalize() else { return Ok(None) };
        // A table lists places by the names that it gives them, whatever they are links to.
        self.served_path(&real)
            .or_else(|| self.is_listed(&as_written).then_some(as_written))
            .map(Some)
            .ok_or(OUTSIDE.into())
    }
}
