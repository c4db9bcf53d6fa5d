//! Where the links out of a file lead.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::{Arc, Weak},
};

use apus_h5::{File, Resolver};

use super::{Catalog, Identity, Inner, OpenBytes, VPath, mount::Root, table::without_dots};

/// Reaches other files from one file: relative names count from the folder that the file really lies in, then from the
/// folder of the path that it was asked for by; only what lies under a mount, and what these roles cover, is there.
pub(super) struct MountResolver {
    /// Weak, because the catalogue's cache owns the files that own their resolvers.
    catalog: Weak<Inner>,
    path: VPath,
    folder: Option<PathBuf>,
    roles: BTreeSet<String>,
}

impl MountResolver {
    pub(super) fn new(catalog: &Catalog, bytes: &OpenBytes, roles: &BTreeSet<String>) -> Self {
        Self {
            catalog: Arc::downgrade(&catalog.0),
            path: bytes.path.clone(),
            folder: bytes.folder().cloned(),
            roles: roles.clone(),
        }
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

    /// The virtual path of `target` as seen from the folder that really holds the file.
    fn real_target(&self, inner: &Inner, target: &Path) -> Result<Option<VPath>, String> {
        let Some(folder) = &self.folder else { return Ok(None) };
        let candidate = folder.join(target);
        let as_written = inner.served_path(&without_dots(&candidate)).ok_or(OUTSIDE)?;
        let Ok(real) = candidate.canonicalize() else { return Ok(None) };
        // A table lists places by the names that it gives them, whatever they are links to.
        inner
            .served_path(&real)
            .or_else(|| inner.is_listed(&as_written).then_some(as_written))
            .map(Some)
            .ok_or(OUTSIDE.into())
    }
}

const OUTSIDE: &str = "it lies outside what is served here";

impl MountResolver {
    /// Where `target` is; `None` where no such file exists, or none that these roles cover.
    ///
    /// Errors: why it may not be reached.
    fn find(&self, target: &str) -> Result<Option<(Catalog, VPath, Identity)>, String> {
        let inner = self.catalog.upgrade().ok_or("the service is stopping")?;
        let in_memory = inner.split(&self.path).is_some_and(|(mount, _)| matches!(mount.root, Root::Memory(_)));
        let mut candidates = Vec::new();
        if in_memory {
            candidates.push(self.virtual_target(target).ok_or(OUTSIDE)?);
        } else {
            let beside = self.real_target(&inner, Path::new(target));
            let virtual_target = if target.starts_with('/') { None } else { self.virtual_target(target) };
            // What tables list together need not lie together.
            let elsewhere = || virtual_target.as_ref().is_some_and(|path| inner.is_listed(path));
            candidates.extend(if beside.is_err() && elsewhere() { None } else { beside? });
            candidates.extend(virtual_target);
        }
        let catalog = Catalog(inner);
        for path in candidates {
            if let Ok(identity) = catalog.0.identity(&self.roles, &path) {
                return Ok(Some((catalog, path, identity)));
            }
        }
        Ok(None)
    }

    /// Which bytes `target` stands for now; `None` where it cannot be reached.
    pub(super) fn identity(&self, target: &str) -> Option<Identity> {
        self.find(target).ok().flatten().map(|(_, _, identity)| identity)
    }
}

impl Resolver for MountResolver {
    fn resolve(&self, _from: &File, target: &str) -> Result<Option<File>, String> {
        let Some((catalog, path, _)) = self.find(target)? else { return Ok(None) };
        let file = catalog.open_with(&self.roles, &path).map_err(|error| error.public_detail())?;
        Ok(Some(file.h5.clone()))
    }
}
