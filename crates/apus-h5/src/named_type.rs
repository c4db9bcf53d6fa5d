//! Committed datatypes.

use std::{fmt, sync::Arc};

use crate::{
    Attribute, AttributeForm, Datatype, File, Result, attribute,
    format::{
        Fault, Parse,
        object_header::{ObjectHeader, kind},
    },
};

/// A committed datatype: a type with a name in the file. Cheap to clone.
#[derive(Clone)]
pub struct NamedType(Arc<Opened>);

struct Opened {
    file: File,
    path: String,
    header: ObjectHeader,
}

impl NamedType {
    pub(crate) fn new(file: File, path: String, header: ObjectHeader) -> Self {
        Self(Arc::new(Opened { file, path, header }))
    }

    /// The file that holds the type (after an external link: the other file).
    pub fn file(&self) -> &File {
        &self.0.file
    }

    /// The path by which the type was reached, absolute (after an external link: in the other file).
    pub fn path(&self) -> &str {
        &self.0.path
    }

    /// The type as stored.
    ///
    /// Errors: a type that is damaged or not understood.
    pub fn stored_type(&self) -> Result<Datatype> {
        self.parse().map_err(|fault| fault.at(self.file().name(), self.path()))
    }

    fn parse(&self) -> Parse<Datatype> {
        let meta = self.file().meta();
        let message = self.0.header.message(kind::DATATYPE).ok_or_else(|| Fault::damaged("a type without a type"))?;
        Datatype::parse(meta.cursor("datatype message", &message.resolved(meta)?))
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
}

impl fmt::Debug for NamedType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NamedType({:?} in {:?})", self.path(), self.file())
    }
}
