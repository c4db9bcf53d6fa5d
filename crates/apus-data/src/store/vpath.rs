//! Paths as clients write them.

use std::fmt;

use serde::Serialize;

use crate::{Error, Result};

/// The most bytes of a path.
const MAX_PATH_BYTES: usize = 4096;

/// A path under the mounts: names joined by `/`, none of them empty, `.`, `..` or hidden; the root is the empty path.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct VPath(String);

impl VPath {
    /// Parses a client's path, already percent-decoded. A leading and a trailing slash are ignored.
    ///
    /// Errors: [`Error::Invalid`] if it cannot be a path; [`Error::NotFound`] if a name is hidden, as for any file that does not
    /// exist.
    pub fn parse(text: &str) -> Result<Self> {
        if text.len() > MAX_PATH_BYTES {
            return Err(Error::invalid(format!("the path has {} bytes, more than {MAX_PATH_BYTES}", text.len())));
        }
        let text = text.strip_prefix('/').unwrap_or(text);
        let text = text.strip_suffix('/').unwrap_or(text);
        if text.is_empty() {
            return Ok(Self::default());
        }
        for name in text.split('/') {
            match name {
                "" | "." | ".." => {
                    return Err(Error::invalid(format!("{text:?}: a path may not contain an empty part, '.' or '..'")));
                }
                _ if name.contains('\0') => return Err(Error::invalid("a path may not contain NUL")),
                _ if name.starts_with('.') => return Err(no_such_path(text)),
                _ => {}
            }
        }
        Ok(Self(text.to_owned()))
    }

    /// As clients write it, without a leading slash.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.split('/').filter(|name| !name.is_empty())
    }

    /// The last name; `None` for the root.
    pub fn file_name(&self) -> Option<&str> {
        self.names().last()
    }

    /// The first name and what is below it; `None` for the root.
    pub fn split_first(&self) -> Option<(&str, &str)> {
        (!self.0.is_empty()).then(|| self.0.split_once('/').unwrap_or((&self.0, "")))
    }

    /// The path of `name` below this one. `name` must be one that [`parse`](Self::parse) accepts.
    #[must_use]
    pub fn join(&self, name: &str) -> Self {
        match (self.0.is_empty(), name.is_empty()) {
            (true, _) => Self(name.to_owned()),
            (_, true) => self.clone(),
            _ => Self(format!("{}/{name}", self.0)),
        }
    }
}

impl fmt::Display for VPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "/{}", self.0)
    }
}

/// The error for every path that does not exist, or that the caller may not see.
pub(crate) fn no_such_path(path: impl fmt::Display) -> Error {
    Error::not_found(format!("/{}: no such file or folder", path.to_string().trim_start_matches('/')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_paths_and_nothing_else() {
        assert_eq!(VPath::parse("").unwrap().as_str(), "");
        assert_eq!(VPath::parse("/").unwrap().as_str(), "");
        assert_eq!(VPath::parse("/a/b.hdf5/").unwrap().as_str(), "a/b.hdf5");
        for bad in ["..", "a/..", "../a", "a/../../b", "a//b", "./a", "///", "a\0b"] {
            assert!(matches!(VPath::parse(bad), Err(Error::Invalid(_))), "{bad:?}");
        }
        for hidden in [".ssh", "a/.git/config", "..."] {
            assert!(matches!(VPath::parse(hidden), Err(Error::NotFound(_))), "{hidden:?}");
        }
        assert!(matches!(VPath::parse(&"a".repeat(5000)), Err(Error::Invalid(_))));
    }
}
