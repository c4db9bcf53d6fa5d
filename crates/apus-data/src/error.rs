//! Errors between a request and its values, named by what the caller can do about them.

use std::{borrow::Cow, io};

use crate::encode::{EncodeError, columns::TableError, npz::NpzError};

/// The result of everything in this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error. The text of an [`Internal`](Self::Internal) error is for the operator only; every other text is for the caller, and
/// says what, where, and the numbers.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The request is malformed, or does not fit the file.
    #[error("{0}")]
    Invalid(Cow<'static, str>),
    /// There is no such path or object, or the caller's roles do not allow it.
    #[error("{0}")]
    NotFound(Cow<'static, str>),
    /// The request or its answer is larger than the limits allow.
    #[error("{0}")]
    TooLarge(Cow<'static, str>),
    /// The file or object cannot be read.
    #[error("{detail}")]
    Unreadable {
        /// Why.
        fault: Fault,
        /// The text.
        detail: Cow<'static, str>,
    },
    /// What the request needs is taken by others; it may come again.
    #[error("{0}")]
    Busy(Cow<'static, str>),
    /// Nobody waits for the outcome any more: the client has gone, or the service stops.
    #[error("the service is stopping")]
    Gone,
    /// Not the caller's fault.
    #[error("{0}")]
    Internal(String),
}

/// Why a file or object cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// It is not an HDF5 file.
    NotHdf5,
    /// It violates the format.
    Damaged,
    /// It is of an unsupported kind.
    Unsupported,
    /// A link or virtual dataset leads to a file that is not served.
    LinkTarget,
    /// It changed while it was read.
    Changed,
}

impl Error {
    /// A request that is malformed, or does not fit the file.
    pub fn invalid(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::Invalid(detail.into())
    }

    /// Something that does not exist.
    pub fn not_found(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::NotFound(detail.into())
    }

    /// Something over a limit.
    pub fn too_large(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::TooLarge(detail.into())
    }

    /// Something that is not supported.
    pub fn unsupported(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::Unreadable { fault: Fault::Unsupported, detail: detail.into() }
    }

    /// Files that changed while they were read.
    pub fn changed(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::Unreadable { fault: Fault::Changed, detail: detail.into() }
    }

    /// What is wrong with a formula, with the name of the parameter that it stands in.
    pub fn of_formula(parameter: &str, error: apus_swift::Error) -> Self {
        use apus_swift::Error as E;
        match error {
            E::BadCondition { column, reason } => Self::invalid(format!("{parameter}, column {column}: {reason}")),
            E::BadUnit { .. } => Self::invalid(format!("{parameter}: {error}")),
            other => other.into(),
        }
    }

    /// A fault of the service.
    pub fn internal(detail: impl std::fmt::Display) -> Self {
        Self::Internal(detail.to_string())
    }
}

impl From<apus_h5::Error> for Error {
    fn from(error: apus_h5::Error) -> Self {
        use apus_h5::Error as E;
        let detail = error.to_string();
        let unreadable = |fault| Self::Unreadable { fault, detail: detail.clone().into() };
        match error {
            E::NotFound { .. } => Self::NotFound(detail.into()),
            E::WrongKind { .. } | E::BadSelection { .. } => Self::Invalid(detail.into()),
            E::OverLimit { .. } => Self::TooLarge(detail.into()),
            E::NotHdf5 { .. } => unreadable(Fault::NotHdf5),
            E::Damaged { .. } => unreadable(Fault::Damaged),
            E::Unsupported { .. } | E::Unwritable { .. } => unreadable(Fault::Unsupported),
            E::Refused { .. } => unreadable(Fault::LinkTarget),
            E::Cancelled => Self::Gone,
            E::Io { ref source, .. } if source.kind() == io::ErrorKind::UnexpectedEof => unreadable(Fault::Damaged),
            _ => Self::Internal(detail),
        }
    }
}

impl From<EncodeError> for Error {
    fn from(error: EncodeError) -> Self {
        match error {
            EncodeError::NoFormAtAll { .. } => Self::unsupported(error.to_string()),
            EncodeError::TooManyEmptyRows { .. } => Self::too_large(error.to_string()),
            EncodeError::NoForm { .. } | EncodeError::OutOfRange { .. } => Self::invalid(error.to_string()),
        }
    }
}

impl From<TableError> for Error {
    fn from(error: TableError) -> Self {
        match error {
            TableError::NoForm { .. } => Self::invalid(format!("{error}; try format=npz")),
            TableError::WrongLength { .. } => Self::internal(error),
            _ => Self::unsupported(format!("{error}; try format=npz")),
        }
    }
}

impl From<NpzError> for Error {
    fn from(error: NpzError) -> Self {
        match error {
            NpzError::BadName { .. } => Self::invalid(error.to_string()),
            NpzError::TooLarge { .. } => Self::too_large(error.to_string()),
            NpzError::WrongLength { .. } => Self::internal(error),
        }
    }
}

impl From<apus_swift::Error> for Error {
    fn from(error: apus_swift::Error) -> Self {
        use apus_swift::Error as E;
        match error {
            E::Hdf5(error) => error.into(),
            E::UnknownField { .. } | E::UnknownHalo { .. } => Self::not_found(error.to_string()),
            E::BadUnit { .. }
            | E::WrongDimensions { .. }
            | E::BadRegion { .. }
            | E::BadCondition { .. }
            | E::BadSelection { .. } => Self::invalid(error.to_string()),
            other => Self::Unreadable { fault: Fault::Damaged, detail: other.to_string().into() },
        }
    }
}
