//! What can go wrong, named by what the caller can do about it.

use std::io;

/// The result of everything in this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error that says in which file and object what was wrong.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The bytes could not be had from the source.
    #[error("{file}: {source}")]
    Io {
        /// The file's name.
        file: String,
        /// What the operating system said.
        source: io::Error,
    },
    /// The bytes are no HDF5 file.
    #[error("{file}: not an HDF5 file: {reason}")]
    NotHdf5 {
        /// The file's name.
        file: String,
        /// What was expected and what was found.
        reason: String,
    },
    /// The file breaks the format: it is damaged, truncated, or was changed while it was read.
    #[error("{file}: {object}: damaged: {reason}")]
    Damaged {
        /// The file's name.
        file: String,
        /// The object's path, or the structure's name where there is no object.
        object: String,
        /// What was expected and what was found, with the address where that helps.
        reason: String,
    },
    /// The file is sound but uses a part of HDF5 that this crate does not read.
    #[error("{file}: {object}: not supported: {feature}")]
    Unsupported {
        /// The file's name.
        file: String,
        /// The object's path.
        object: String,
        /// The layout, type, filter or message by name.
        feature: String,
    },
    /// There is no object of that path.
    #[error("{file}: {object}: no such object")]
    NotFound {
        /// The file's name.
        file: String,
        /// The path that was asked for.
        object: String,
    },
    /// There is an object of that path, of another kind.
    #[error("{file}: {object}: is a {found}, not a {expected}")]
    WrongKind {
        /// The file's name.
        file: String,
        /// The object's path.
        object: String,
        /// What was asked for: "dataset" or "group".
        expected: &'static str,
        /// What it is.
        found: &'static str,
    },
    /// The rows or columns asked for do not fit the dataset.
    #[error("{file}: {object}: {reason}")]
    BadSelection {
        /// The file's name.
        file: String,
        /// The dataset's path.
        object: String,
        /// Which index, and the extent that it passes.
        reason: String,
    },
    /// The object needs more memory than the limits allow.
    #[error("{file}: {object}: {what} is {found}, over the limit of {limit}")]
    OverLimit {
        /// The file's name.
        file: String,
        /// The object's path.
        object: String,
        /// The thing that is too large, with its unit.
        what: &'static str,
        /// Its size.
        found: u64,
        /// The most that is allowed.
        limit: u64,
    },
    /// A link or a virtual dataset points to a file that the resolver does not open.
    #[error("{file}: {object}: the file {target:?} that it points to is not available: {reason}")]
    Refused {
        /// The file that holds the link.
        file: String,
        /// The link's or the dataset's path.
        object: String,
        /// The file name that stands there.
        target: String,
        /// Why it is not opened.
        reason: String,
    },
    /// Nobody waits for the outcome.
    #[error("nobody waits for the outcome any more")]
    Cancelled,
    /// What is to be written does not fit the format, or uses a part of it that is not written.
    #[error("{object}: cannot be written: {reason}")]
    Unwritable {
        /// The path in the file to be, with the attribute where it is one.
        object: String,
        /// What does not fit.
        reason: String,
    },
}
