//! Groups.

use std::{fmt, sync::Arc};

use crate::{
    Attribute, AttributeForm, Error, File, Link, Object, Result, attribute,
    format::{Fault, links, object_header::ObjectHeader},
    path,
};

/// A group. Cheap to clone.
#[derive(Clone)]
pub struct Group(Arc<Opened>);

struct Opened {
    file: File,
    path: String,
    header: ObjectHeader,
}

impl Group {
    pub(crate) fn new(file: File, path: String, header: ObjectHeader) -> Self {
        Self(Arc::new(Opened { file, path, header }))
    }

    /// The file that holds the group (after an external link: the other file).
    pub fn file(&self) -> &File {
        &self.0.file
    }

    /// The path by which the group was reached, absolute (after an external link: in the other file).
    pub fn path(&self) -> &str {
        &self.0.path
    }

    /// The address of the object header: the same for two paths only if they lead to the same object of the file.
    pub fn address(&self) -> u64 {
        self.0.header.address()
    }

    /// All links, sorted by name (by bytes).
    pub fn links(&self) -> Result<Vec<Link>> {
        let mut links = links::list(self.file().meta(), &self.0.header).map_err(|fault| self.error(fault))?;
        links.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        match links.array_windows().find(|[a, b]| a.name == b.name) {
            Some([one, _]) => Err(self.error(Fault::Damaged(format!("two links of the name {:?}", one.name)))),
            None => Ok(links),
        }
    }

    /// The link of that name, without following it.
    pub fn link(&self, name: &str) -> Result<Option<Link>> {
        links::find(self.file().meta(), &self.0.header, name).map_err(|fault| self.error(fault))
    }

    /// The object at a path relative to this group (absolute paths start at the root), links followed.
    pub fn get(&self, path: &str) -> Result<Object> {
        path::resolve(self.file(), self.address(), self.path(), path, 0)
    }

    /// All attributes, sorted by name (by bytes).
    ///
    /// Errors: those of the first that cannot be read; where one should not hide the others, ask for
    /// [`attribute_names`](Self::attribute_names) and take them one by one.
    pub fn attributes(&self) -> Result<Vec<Attribute>> {
        attribute::list(self.file(), self.path(), &self.0.header)
    }

    /// All attributes without their values, which may be ones that cannot be read; sorted by name (by bytes).
    pub fn attribute_forms(&self) -> Result<Vec<AttributeForm>> {
        attribute::forms(self.file(), self.path(), &self.0.header)
    }

    /// The names of all attributes, sorted (by bytes).
    pub fn attribute_names(&self) -> Result<Vec<String>> {
        attribute::names(self.file(), self.path(), &self.0.header)
    }

    /// The attribute of that name.
    pub fn attribute(&self, name: &str) -> Result<Option<Attribute>> {
        attribute::find(self.file(), self.path(), &self.0.header, name)
    }

    fn error(&self, fault: Fault) -> Error {
        fault.at(self.file().name(), self.path())
    }
}

impl fmt::Debug for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Group({:?} in {:?})", self.path(), self.file())
    }
}
