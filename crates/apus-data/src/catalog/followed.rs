//! Links that were followed, and what they led to.

use super::Target;

/// What a link leads to: a file, nothing, or a place that may not be reached, and why.
pub(crate) type Led = Result<Option<Target>, String>;

/// A link out of a file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub(crate) struct FileLink {
    /// The name of the file that holds the link.
    pub(crate) from: String,
    /// The file name that stands there.
    pub(crate) to: String,
}

/// What was made of an open file, with the links that it rests on: it holds as long as they lead where they led.
#[derive(Clone, Debug)]
pub struct Known<T> {
    /// What was made.
    pub value: T,
    /// The links, in the order in which they were followed.
    pub(crate) followed: Vec<(FileLink, Led)>,
}

impl<T> Known<T> {
    /// Something else that was made of the same.
    pub fn with<U>(&self, value: U) -> Known<U> {
        Known { value, followed: self.followed.clone() }
    }
}
