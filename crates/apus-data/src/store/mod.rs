//! Where files lie: in folders, where tables say, in memory.
//!
//! A [`Mount`] is what an operator declares; `Mounted` is the same, found and checked. `confine` opens files below a folder,
//! safe against concurrent changes to the folder; `table_file` reads tables, and `table` is the tree that they describe.

pub(crate) mod confine;
mod identity;
pub(crate) mod mount;
pub(crate) mod table;
mod table_file;
pub(crate) mod vpath;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

pub use identity::Identity;
pub use table_file::{ListedFile, ListedFolder, Table};
pub use vpath::VPath;

/// The roles of a caller, or those that something requires.
pub type Roles = BTreeSet<String>;

/// Files that are served under a name.
#[derive(Clone, Debug)]
pub struct Mount {
    /// The first component of the paths below it; empty for the root.
    pub name: String,
    /// Where the bytes are.
    pub source: MountSource,
    /// The roles, all of them, that a caller needs to see it.
    pub roles: Roles,
    /// Further roles for folders or files in it: the path under the mount, and the roles required there.
    pub folders: Vec<(String, Roles)>,
    /// Notes for listings, of the mount (the empty path) and of folders in it.
    pub notes: BTreeMap<String, Notes>,
}

/// What a listing says of a folder.
#[derive(Clone, Debug, Default)]
pub struct Notes {
    /// Its description, in Markdown.
    pub description: Option<String>,
    /// Labels, by the names of its files and folders.
    pub labels: BTreeMap<String, String>,
}

impl Mount {
    /// A public mount without notes.
    pub fn new(name: impl Into<String>, source: MountSource) -> Self {
        Self { name: name.into(), source, roles: Roles::new(), folders: Vec::new(), notes: BTreeMap::new() }
    }
}

/// Where the bytes of a mount are.
#[derive(Clone, Debug)]
pub enum MountSource {
    /// In a folder.
    Folder(PathBuf),
    /// Where tables say, file by file.
    Table(Table),
    /// In memory: names and contents.
    Memory(Vec<(&'static str, &'static [u8])>),
}

/// What is wrong with a mount.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MountError {
    /// It cannot be served.
    #[error("mount {name:?}: {reason}")]
    Mount {
        /// The mount's name.
        name: String,
        /// Why.
        reason: String,
    },
    /// An alias cannot be served.
    #[error("alias {name:?}: {reason}")]
    Alias {
        /// The alias.
        name: String,
        /// Why.
        reason: String,
    },
    /// A table cannot be read.
    #[error("{}: {source}", .path.display())]
    Unreadable {
        /// The table.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A line of a table is not understood.
    #[error("{}, line {number}: {reason}", .path.display())]
    Line {
        /// The table.
        path: PathBuf,
        /// The number of the line, from 1.
        number: u64,
        /// Why.
        reason: String,
    },
}
