//! Mounts, and what is needed to see what lies within.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsStr,
    path::{Component, Path, PathBuf},
};

use super::VPath;
use crate::config::{ConfigError, Mount, MountSource, Notes};

/// A mount whose folder was found.
#[derive(Debug)]
pub(super) struct Mounted {
    pub(super) name: String,
    pub(super) root: Root,
    roles: BTreeSet<String>,
    /// Paths under the mount with what is needed there besides.
    folders: Vec<(VPath, BTreeSet<String>)>,
    /// What listings say of folders, by their paths under the mount.
    pub(super) notes: BTreeMap<String, Notes>,
}

#[derive(Debug)]
pub(super) enum Root {
    /// A folder, its links resolved.
    Folder(PathBuf),
    /// Contents by path under the mount.
    Memory(BTreeMap<VPath, &'static [u8]>),
}

impl Mounted {
    pub(super) fn new(mount: &Mount) -> Result<Self, ConfigError> {
        let fault = |reason: String| ConfigError::Mount { name: mount.name.clone(), reason };
        let root = match &mount.source {
            MountSource::Folder(path) => {
                let real = path.canonicalize().map_err(|error| fault(format!("{}: {error}", path.display())))?;
                if !real.is_dir() {
                    return Err(fault(format!("{} is not a folder; give the folder that holds it", path.display())));
                }
                Root::Folder(real)
            }
            MountSource::Memory(files) => Root::Memory(
                files
                    .iter()
                    .map(|(name, bytes)| Ok((VPath::parse(name).map_err(|error| fault(error.to_string()))?, *bytes)))
                    .collect::<Result<_, ConfigError>>()?,
            ),
        };
        let folders = mount
            .folders
            .iter()
            .map(|(path, roles)| {
                let path = VPath::parse(path).map_err(|error| fault(format!("folder {path:?}: {error}")))?;
                Ok((path, roles.clone()))
            })
            .collect::<Result<_, ConfigError>>()?;
        Ok(Self { name: mount.name.clone(), root, roles: mount.roles.clone(), folders, notes: mount.notes.clone() })
    }

    /// Every role that the mount asks for anywhere.
    pub(super) fn all_roles(&self) -> impl Iterator<Item = &String> {
        self.roles.iter().chain(self.folders.iter().flat_map(|(_, roles)| roles))
    }

    /// Whether somebody with `roles` may know of the path `inner` under the mount.
    pub(super) fn is_visible(&self, roles: &BTreeSet<String>, inner: &str) -> bool {
        self.roles.is_subset(roles)
            && self.folders.iter().all(|(folder, needed)| !is_within(inner, folder.as_str()) || needed.is_subset(roles))
    }

    /// The folder, where there is one.
    pub(super) fn folder(&self) -> Option<&Path> {
        match &self.root {
            Root::Folder(path) => Some(path),
            Root::Memory(_) => None,
        }
    }
}

/// Whether `inner` is `folder` or below it.
fn is_within(inner: &str, folder: &str) -> bool {
    folder.is_empty() || inner.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The path of `real` under `root` as a client would write it; `None` where it is outside, hidden, or no text.
pub(super) fn inner_path(root: &Path, real: &Path) -> Option<String> {
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

/// The name as text; `None` for hidden ones and those that are no text.
pub(super) fn visible_name(name: &OsStr) -> Option<&str> {
    name.to_str().filter(|name| !name.starts_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_rule_covers_the_folder_and_what_is_below() {
        assert!(is_within("a/b", "a"));
        assert!(is_within("a", "a"));
        assert!(is_within("a", ""));
        assert!(!is_within("ab", "a"));
        assert!(!is_within("", "a"));
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
