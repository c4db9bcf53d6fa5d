//! Groups and links.

use crate::{Attribute, File, Object, Result};

/// A group. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Group {}

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

impl Group {
    /// The file that holds the group (after an external link: the other file).
    pub fn file(&self) -> &File {
        unimplemented!()
    }

    /// The path by which the group was reached, absolute.
    pub fn path(&self) -> &str {
        unimplemented!()
    }

    /// The address of the object header: the same for two paths only if they lead to the same object of the file.
    pub fn address(&self) -> u64 {
        unimplemented!()
    }

    /// All links, sorted by name (by bytes).
    pub fn links(&self) -> Result<Vec<Link>> {
        unimplemented!()
    }

    /// The link of that name, without following it.
    pub fn link(&self, _name: &str) -> Result<Option<Link>> {
        unimplemented!()
    }

    /// The object at a path relative to this group (absolute paths start at the root), links followed.
    pub fn get(&self, _path: &str) -> Result<Object> {
        unimplemented!()
    }

    /// All attributes, sorted by name (by bytes). An attribute that cannot be read is an error of its own.
    pub fn attributes(&self) -> Result<Vec<Attribute>> {
        unimplemented!()
    }

    /// The attribute of that name.
    pub fn attribute(&self, _name: &str) -> Result<Option<Attribute>> {
        unimplemented!()
    }
}
