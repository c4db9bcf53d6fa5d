//! What a filter or a conversion can object to, before the caller adds the file and the object.

use crate::Error;

/// What is wrong with a pipeline, with a chunk, or with a type that has to be converted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FilterError {
    /// Sound, but not something that this crate decodes: names the filter or the type.
    #[error("{0}")]
    Unsupported(String),
    /// The parameters or the bytes break the filter's format: what was expected and what was found.
    #[error("{0}")]
    Damaged(String),
}

impl FilterError {
    /// The crate's error, with the place.
    pub(crate) fn at(self, file: &str, object: &str) -> Error {
        let (file, object) = (file.to_owned(), object.to_owned());
        match self {
            Self::Unsupported(feature) => Error::Unsupported { file, object, feature },
            Self::Damaged(reason) => Error::Damaged { file, object, reason },
        }
    }
}
