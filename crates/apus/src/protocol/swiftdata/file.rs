//! Which file a request means.

use std::path::{Component, Path, PathBuf};

use apus_data::{
    Error,
    store::VPath,
    values::{Pinned, PinnedFile},
};

use super::{error::SwiftdataError, spec::FileSpec};

/// A file that a request means.
#[derive(Clone, Debug)]
pub(super) struct Named {
    /// Where it is.
    path: VPath,
    /// As the client knows it: as it was named, or for an alias the server's own path.
    pub(super) name: String,
}

impl Named {
    /// The file that `spec` means; a name counts more than an alias. Blocking.
    pub(super) fn of(pinned: &Pinned, spec: &FileSpec) -> Result<Self, SwiftdataError> {
        let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        if let Some(filename) = given(&spec.filename) {
            return Self::by_filename(pinned, &filename);
        }
        let Some(alias) = given(&spec.alias) else {
            return Err(SwiftdataError::bad_request("SWIFT filename or file alias not found."));
        };
        let unknown = || SwiftdataError::bad_request("SWIFT dataset alias not found in dataset map.");
        let catalog = &pinned.archive().catalog;
        let path = catalog.alias(&alias).cloned().ok_or_else(unknown)?;
        // An alias for what the caller may not see looks like one that there is not.
        let real = catalog.server_path(pinned.roles(), &path).map_err(|error| match error {
            Error::Unreadable { .. } => error.into(),
            _ => unknown(),
        })?;
        let name = real.map_or_else(|| path.as_str().to_owned(), |real| real.to_string_lossy().into_owned());
        Ok(Self { path, name })
    }

    /// Opens it. Blocking.
    pub(super) fn open(&self, pinned: &Pinned) -> Result<PinnedFile, SwiftdataError> {
        Ok(pinned.open(&self.path)?)
    }

    /// The server's own path, or the path under the mounts. Whatever is not inside, not there, or not for the caller to see,
    /// answers alike.
    fn by_filename(pinned: &Pinned, filename: &str) -> Result<Self, SwiftdataError> {
        let name = python_path(filename);
        let missing = || {
            let shown: String = name.chars().take(4096).collect();
            SwiftdataError::bad_request(format!("SWIFT filename not found at the provided path: {shown}."))
        };
        if filename.len() > 4096 || filename.contains('\0') {
            return Err(missing());
        }
        let catalog = &pinned.archive().catalog;
        let by_server = Path::new(&name).is_absolute().then(|| catalog.virtual_path(Path::new(&name))).flatten();
        let by_mount = || VPath::parse(&name).ok();
        // One that cannot be read now is there all the same, and opening it tells why.
        let is_file = |path: &VPath| match catalog.open_bytes(pinned.roles(), path) {
            Ok(_) | Err(Error::Unreadable { .. }) => true,
            Err(_) => false,
        };
        let path = by_server.filter(&is_file).or_else(|| by_mount().filter(&is_file)).ok_or_else(missing)?;
        Ok(Self { path, name })
    }
}

/// `str(pathlib.Path(text))`: no repeated slashes, no `.`, no slash at the end.
fn python_path(text: &str) -> String {
    let path: PathBuf = Path::new(text).components().filter(|part| *part != Component::CurDir).collect();
    let text = path.to_string_lossy().into_owned();
    if text.is_empty() { ".".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Expected: Python's `str(pathlib.Path(text))`.
    #[test]
    fn paths_are_shown_as_python_shows_them() {
        for (text, expect) in [("/a//b/./c/", "/a/b/c"), ("a/../b", "a/../b"), ("./a", "a"), (".", "."), ("/", "/")] {
            assert_eq!(python_path(text), expect);
        }
    }
}
