//! Mounts, and the roles required to see what is in them.

use std::{
    collections::BTreeMap,
    ffi::OsStr,
    path::{Component, Path, PathBuf},
};

use super::{Mount, MountError, MountSource, Notes, Roles, VPath, table::ListedTree};

/// A mount, found and checked.
#[derive(Debug)]
pub(crate) struct Mounted {
    pub(crate) name: String,
    pub(crate) root: Root,
    roles: Roles,
    /// Paths under the mount, with the further roles required there and below.
    folders: BTreeMap<String, Roles>,
    /// Notes for listings, by the folders' paths under the mount.
    pub(crate) notes: BTreeMap<String, Notes>,
}

#[derive(Debug)]
pub(crate) enum Root {
    /// A folder, its links resolved.
    Folder(PathBuf),
    /// The files of tables.
    Table(ListedTree),
    /// Contents by path under the mount.
    Memory(BTreeMap<VPath, &'static [u8]>),
}

impl Mounted {
    pub(crate) fn new(mount: &Mount) -> Result<Self, MountError> {
        let fault = |reason: String| MountError::Mount { name: mount.name.clone(), reason };
        let root = match &mount.source {
            MountSource::Folder(path) => {
                let real = path.canonicalize().map_err(|error| fault(format!("{}: {error}", path.display())))?;
                if !real.is_dir() {
                    return Err(fault(format!("{} is not a folder; name the folder that contains it", path.display())));
                }
                Root::Folder(real)
            }
            MountSource::Table(table) => Root::Table(ListedTree::new(table).map_err(fault)?),
            MountSource::Memory(files) => Root::Memory(
                files
                    .iter()
                    .map(|(name, bytes)| Ok((VPath::parse(name).map_err(|error| fault(error.to_string()))?, *bytes)))
                    .collect::<Result<_, MountError>>()?,
            ),
        };
        let inner = |path: &str| match VPath::parse(path) {
            Ok(path) => Ok(path.as_str().to_owned()),
            Err(error) => Err(fault(format!("folder {path:?}: {error}"))),
        };
        let mut folders: BTreeMap<String, Roles> = BTreeMap::new();
        for (path, roles) in &mount.folders {
            folders.entry(inner(path)?).or_default().extend(roles.iter().cloned());
        }
        let notes =
            mount.notes.iter().map(|(path, notes)| Ok((inner(path)?, notes.clone()))).collect::<Result<_, _>>()?;
        Ok(Self { name: mount.name.clone(), root, roles: mount.roles.clone(), folders, notes })
    }

    /// Every role that is required anywhere in the mount.
    pub(crate) fn all_roles(&self) -> impl Iterator<Item = &String> {
        self.roles.iter().chain(self.folders.values().flatten())
    }

    /// Whether a caller with `roles` may see the path `inner` under the mount.
    pub(crate) fn is_visible(&self, roles: &Roles, inner: &str) -> bool {
        let needed = |folder: &str| self.folders.get(folder).is_none_or(|needed| needed.is_subset(roles));
        self.roles.is_subset(roles) && needed("") && prefixes(inner).all(needed)
    }

    /// The folder, if the mount is one.
    pub(crate) fn folder(&self) -> Option<&Path> {
        match &self.root {
            Root::Folder(path) => Some(path),
            Root::Table(_) | Root::Memory(_) => None,
        }
    }
}

/// The path and all folders above it, except the mount itself.
fn prefixes(inner: &str) -> impl Iterator<Item = &str> {
    inner.match_indices('/').map(|(end, _)| inner.get(..end).unwrap_or(inner)).chain([inner])
}

/// The path of `real` under `root` as a client would write it; `None` if it is outside, hidden, or not UTF-8.
pub(crate) fn inner_path(root: &Path, real: &Path) -> Option<String> {
    let mut inner = String::new();
    for component in real.strip_prefix(root).ok()?.components() {
        let Component::Normal(name) = component else { return None };
        let name = visible_name(name)?;
        if !inner.is_empty() {
            inner.push('/');
        }
        inner.push_str(name);
    }
    Some(inner)
}

/// The name as text; `None` if it is hidden or not UTF-8.
pub(crate) fn visible_name(name: &OsStr) -> Option<&str> {
    name.to_str().filter(|name| !name.starts_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_covers_the_folder_and_what_is_below() {
        assert_eq!(prefixes("a/bc/d").collect::<Vec<_>>(), ["a", "a/bc", "a/bc/d"]);
        assert_eq!(prefixes("ab").collect::<Vec<_>>(), ["ab"]);
    }

    #[test]
    fn inner_paths_are_visible_and_inside() {
        let root = Path::new("/data");
        assert_eq!(inner_path(root, Path::new("/data/a/b")).as_deref(), Some("a/b"));
        assert_eq!(inner_path(root, Path::new("/data")).as_deref(), Some(""));
        assert_eq!(inner_path(root, Path::new("/database")), None);
        assert_eq!(inner_path(root, Path::new("/data/.a/b")), None);
    }
}
