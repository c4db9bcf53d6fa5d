//! What a parser found wrong, before anybody knows in which file and object.

use std::io;

use crate::{Error, filter::FilterError};

/// The result of a parser.
pub(crate) type Parse<T> = Result<T, Fault>;

/// What is wrong with the bytes at hand. Parsers know neither the file's name nor the object's path: whoever called them for
/// an object adds both with [`Fault::at`].
#[derive(Debug)]
pub(crate) enum Fault {
    /// The source failed.
    Io(io::Error),
    /// The bytes break the format: what was expected, what was found.
    Damaged(String),
    /// A part of HDF5 that is not read here, by name.
    Unsupported(String),
    /// A size that the limits do not allow.
    OverLimit {
        /// The thing that is too large, with its unit.
        what: &'static str,
        /// Its size.
        found: u64,
        /// The most that is allowed.
        limit: u64,
    },
}

impl Fault {
    /// The bytes break the format.
    pub(crate) fn damaged(reason: impl Into<String>) -> Self {
        Self::Damaged(reason.into())
    }

    /// The error that the caller of the crate sees.
    pub(crate) fn at(self, file: &str, object: &str) -> Error {
        let (file, object) = (file.to_owned(), object.to_owned());
        match self {
            Self::Io(source) => Error::Io { file, source },
            Self::Damaged(reason) => Error::Damaged { file, object, reason },
            Self::Unsupported(feature) => Error::Unsupported { file, object, feature },
            Self::OverLimit { what, found, limit } => Error::OverLimit { file, object, what, found, limit },
        }
    }
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<FilterError> for Fault {
    fn from(error: FilterError) -> Self {
        match error {
            FilterError::Unsupported(feature) => Self::Unsupported(feature),
            FilterError::Damaged(reason) => Self::Damaged(reason),
        }
    }
}
