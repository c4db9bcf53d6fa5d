//! Errors of the state file.

use std::{io, path::PathBuf};

/// An error of the state file, or of a value to be stored in it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StateError {
    /// The file or its folder cannot be created, read or written.
    #[error("{}: {source}", path.display())]
    Open {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The file was written by a newer version of the service.
    #[error("{}: the state file has schema {found}, but this version of apus supports schemas up to {known}", path.display())]
    NewerSchema {
        /// The file.
        path: PathBuf,
        /// The newest migration in the file.
        found: i64,
        /// The newest migration that this version has.
        known: i64,
    },
    /// The file could not be migrated to the current schema; it is unchanged.
    #[error("{}: cannot migrate the state file: {source}", path.display())]
    Migrate {
        /// The file.
        path: PathBuf,
        /// What the database said.
        source: Box<sqlx::migrate::MigrateError>,
    },
    /// The database failed.
    #[error("the state file: {0}")]
    Database(#[from] sqlx::Error),
    /// The file holds a value that this version cannot read.
    #[error("the state file: {what} has the unknown value {found:?}")]
    Unknown {
        /// The column.
        what: &'static str,
        /// The value.
        found: String,
    },
    /// An account of that name exists.
    #[error("account {0:?} already exists")]
    AccountExists(String),
    /// There is no account of that name.
    #[error("there is no account {0:?}")]
    NoSuchAccount(String),
    /// There is no API token of that id.
    #[error("there is no API token {0:?}")]
    NoSuchToken(String),
    /// The name of an account, a role or a scope is not acceptable.
    #[error("{what} {found:?}: {reason}")]
    BadName {
        /// What it names: "account", "role", "scope".
        what: &'static str,
        /// The name.
        found: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The environment names no data directory.
    #[error("neither XDG_DATA_HOME nor HOME is set: name the state folder with --state DIR")]
    NoHome,
    /// The operating system gave no random bytes.
    #[error("the operating system gave no random bytes")]
    NoRandom,
}
