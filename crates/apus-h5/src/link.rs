//! Links.

/// A link of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Its name in the group.
    pub name: String,
    /// What it points to.
    pub target: LinkTarget,
}

/// What a link points to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkTarget {
    /// The header of an object in the same file.
    Hard {
        /// The address, relative to the end of the user block.
        address: u64,
    },
    /// A path in the same file, absolute or relative to the group; it need not exist.
    Soft {
        /// The path, as it stands in the file.
        path: String,
    },
    /// An object of another file.
    External {
        /// The other file's name, as it stands in the file.
        file: String,
        /// The path in it.
        path: String,
    },
    /// A user-defined link.
    UserDefined {
        /// Its class.
        class: u8,
    },
}
