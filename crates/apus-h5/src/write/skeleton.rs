//! The metadata of a file as a file: everything but the bulk of the data.

use std::collections::HashMap;

use super::{Contents, DatasetSpec, ObjectId, Tree};
use crate::{Attribute, Data, Dataset, Datatype, Error, Group, Layout, LinkTarget, Object, Result, StringPadding};

/// A [`Tree`] made from an existing file: all groups, links and attributes, every dataset with its shape and native type.
/// Small datasets bring their elements; the others are [`Unwritten`](Contents::Unwritten) and read as zeros.
#[derive(Debug)]
pub struct Skeleton {
    /// The declaration, to be added to or planned.
    pub tree: Tree,
    /// What could not be copied.
    pub omissions: Vec<Omission>,
}

/// Something that a skeleton leaves out, since it cannot be read or written or would mean nothing in another file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Omission {
    /// Its path, with the attribute's name where it is one.
    pub object: String,
    /// Why.
    pub reason: String,
}

/// How a skeleton is made.
#[derive(Clone, Copy)]
pub struct SkeletonOptions<'a> {
    /// Whether a dataset, given with its size in bytes as it would stand in the skeleton, brings its elements.
    pub keep_data: &'a dyn Fn(&Dataset, u64) -> bool,
    /// Whether a link, given by its path, is left out with all that hangs on it.
    pub leave_out: &'a dyn Fn(&str) -> bool,
    /// The most bytes of paths, attributes and elements, together.
    pub limit_bytes: u64,
    /// The most objects.
    pub limit_objects: u64,
}

impl Skeleton {
    /// Copies what hangs under `root`, which becomes the root group. Soft and external links are copied as they are and not
    /// followed; an object with several hard links stays one object.
    ///
    /// Errors: those of reading, but for parts that are not supported, which are omitted; [`Error::OverLimit`].
    pub fn new(root: &Group, options: &SkeletonOptions<'_>) -> Result<Self> {
        let tree = Tree::new();
        let mut copier = Copier {
            options,
            known: HashMap::from([(root.address(), tree.root())]),
            open: vec![(root.clone(), tree.root())],
            skeleton: Self { tree, omissions: Vec::new() },
            n_bytes: 0,
        };
        let root_id = copier.skeleton.tree.root();
        copier.copy_attributes(&Object::Group(root.clone()), root_id)?;
        while let Some((group, id)) = copier.open.pop() {
            copier.copy_links(&group, id)?;
        }
        Ok(copier.skeleton)
    }
}

impl Default for SkeletonOptions<'_> {
    /// Keeps datasets of up to 64 KiB whose elements are in the file itself; at most 256 MiB and a million objects.
    fn default() -> Self {
        let keep_data = &|dataset: &Dataset, size_bytes| size_bytes <= 64 << 10 && dataset.layout() != Layout::Virtual;
        Self { keep_data, leave_out: &|_| false, limit_bytes: 256 << 20, limit_objects: 1_000_000 }
    }
}

struct Copier<'a> {
    options: &'a SkeletonOptions<'a>,
    /// The objects that were met, by the addresses of their headers.
    known: HashMap<u64, ObjectId>,
    /// The groups whose links are still to be copied.
    open: Vec<(Group, ObjectId)>,
    skeleton: Skeleton,
    n_bytes: u64,
}

impl Copier<'_> {
    fn copy_links(&mut self, group: &Group, id: ObjectId) -> Result<()> {
        for link in group.links()? {
            let path = format!("{}/{}", group.path().trim_end_matches('/'), link.name);
            if (self.options.leave_out)(&path) {
                continue;
            }
            let tree = &mut self.skeleton.tree;
            let copied = match link.target {
                LinkTarget::Soft { path } => tree.add_soft_link(id, &link.name, &path),
                LinkTarget::External { file, path } => tree.add_external_link(id, &link.name, &file, &path),
                LinkTarget::UserDefined { class } => {
                    self.omit(path.clone(), format!("a user-defined link of class {class}"));
                    Ok(())
                }
                LinkTarget::Hard { address } => match self.known.get(&address) {
                    Some(&target) => tree.add_hard_link(id, &link.name, target),
                    None => self.copy_object(group, id, &link.name, address, &path),
                },
            };
            self.omit_if_unfit(&path, copied)?;
        }
        Ok(())
    }

    fn copy_object(&mut self, group: &Group, parent: ObjectId, name: &str, address: u64, path: &str) -> Result<()> {
        if self.known.len() as u64 >= self.options.limit_objects {
            return Err(over_limit(
                group.file().name(),
                path,
                "the number of objects",
                self.options.limit_objects + 1,
                self.options.limit_objects,
            ));
        }
        // Paths grow with the depth, which a file chooses.
        self.count(group.file().name(), path, path.len() as u64)?;
        let object = group.get(name)?;
        let id = match &object {
            Object::Group(child) => {
                let id = self.skeleton.tree.add_group(parent, name)?;
                self.open.push((child.clone(), id));
                id
            }
            Object::Dataset(dataset) => {
                let spec = self.copy_dataset(dataset)?;
                self.skeleton.tree.add_dataset(parent, name, spec)?
            }
            Object::NamedType(_) => {
                self.omit(path.to_owned(), "a committed type".to_owned());
                return Ok(());
            }
        };
        self.known.insert(address, id);
        self.copy_attributes(&object, id)
    }

    fn copy_dataset(&mut self, dataset: &Dataset) -> Result<DatasetSpec> {
        let spec = DatasetSpec {
            dtype: copied_type(dataset.stored_type(), dataset.dtype()),
            space: dataset.space().clone(),
            contents: Contents::Unwritten,
        };
        if let Some(feature) = not_writable(dataset.stored_type()) {
            return Err(Error::Unsupported {
                file: dataset.file().name().to_owned(),
                object: dataset.path().to_owned(),
                feature: feature.to_owned(),
            });
        }
        let size_bytes = spec.space.n_elements().and_then(|n| n.checked_mul(spec.dtype.size_bytes()));
        if !size_bytes.is_some_and(|size| size > 0 && (self.options.keep_data)(dataset, size)) {
            return Ok(spec);
        }
        match dataset.read_all(self.options.limit_bytes) {
            Ok(array) => {
                self.count(dataset.file().name(), dataset.path(), held_bytes(&array.data))?;
                Ok(DatasetSpec { dtype: spec.dtype, space: array.space, contents: Contents::Held(array.data) })
            }
            // Its elements are behind a link or a filter that is out of reach; its type and shape are not.
            Err(error @ (Error::Unsupported { .. } | Error::Refused { .. })) => {
                self.omit(format!("{}: data", dataset.path()), error.to_string());
                Ok(spec)
            }
            Err(error) => Err(error),
        }
    }

    fn copy_attributes(&mut self, object: &Object, id: ObjectId) -> Result<()> {
        let (all, path, file) = match object {
            Object::Group(group) => (group.attributes(), group.path(), group.file()),
            Object::Dataset(dataset) => (dataset.attributes(), dataset.path(), dataset.file()),
            Object::NamedType(_) => return Ok(()),
        };
        let attributes = match all {
            Ok(all) => all,
            // One that cannot be read does not hide the others.
            Err(Error::Unsupported { .. } | Error::OverLimit { .. }) => self.attributes_one_by_one(object)?,
            Err(error) => return Err(error),
        };
        for mut attribute in attributes {
            let what = format!("{path}: attribute {:?}", attribute.name);
            attribute.value.dtype = copied_type(&attribute.stored_type, &attribute.value.dtype);
            if let Some(feature) = not_writable(&attribute.stored_type) {
                self.omit(what, feature.to_owned());
                continue;
            }
            self.count(file.name(), path, held_bytes(&attribute.value.data))?;
            let added = self.skeleton.tree.add_attribute(id, attribute);
            self.omit_if_unfit(&what, added)?;
        }
        Ok(())
    }

    fn attributes_one_by_one(&mut self, object: &Object) -> Result<Vec<Attribute>> {
        let (names, path) = match object {
            Object::Group(group) => (group.attribute_names()?, group.path()),
            Object::Dataset(dataset) => (dataset.attribute_names()?, dataset.path()),
            Object::NamedType(_) => return Ok(Vec::new()),
        };
        let mut attributes = Vec::new();
        for name in names {
            let attribute = match object {
                Object::Group(group) => group.attribute(&name),
                Object::Dataset(dataset) => dataset.attribute(&name),
                Object::NamedType(_) => Ok(None),
            };
            match attribute {
                Ok(attribute) => attributes.extend(attribute),
                Err(error @ Error::OverLimit { .. }) => {
                    self.omit(format!("{path}: attribute {name:?}"), error.to_string());
                }
                Err(error) => self.omit_if_unfit(&format!("{path}: attribute {name:?}"), Err(error))?,
            }
        }
        Ok(attributes)
    }

    /// Counts bytes that are held from now on.
    fn count(&mut self, file: &str, path: &str, size_bytes: u64) -> Result<()> {
        self.n_bytes = self.n_bytes.saturating_add(size_bytes);
        if self.n_bytes > self.options.limit_bytes {
            let what = "the size of the skeleton in bytes";
            return Err(over_limit(file, path, what, self.n_bytes, self.options.limit_bytes));
        }
        Ok(())
    }

    fn omit(&mut self, object: String, reason: String) {
        self.skeleton.omissions.push(Omission { object, reason });
    }

    /// Notes as omitted what has no form here; other errors go on.
    fn omit_if_unfit(&mut self, what: &str, result: Result<()>) -> Result<()> {
        match result {
            Err(error @ (Error::Unsupported { .. } | Error::Unwritable { .. })) => {
                self.omit(what.to_owned(), error.to_string());
                Ok(())
            }
            other => other,
        }
    }
}

/// The type that a copy declares: the native one, but strings that end at a NUL go on doing so.
fn copied_type(stored: &Datatype, native: &Datatype) -> Datatype {
    match stored {
        Datatype::FixedString { padding: StringPadding::NullTerminated, .. } => stored.clone(),
        _ => native.clone(),
    }
}

/// What of a type keeps it out of another file.
fn not_writable(dtype: &Datatype) -> Option<&'static str> {
    match dtype {
        Datatype::Reference { .. } => Some("a reference, which means nothing in another file"),
        Datatype::Other { class, .. } => Some(class),
        Datatype::Array { base, .. } | Datatype::VariableSequence(base) => match &**base {
            Datatype::VariableString { .. } | Datatype::VariableSequence(_) => {
                Some("values of variable length inside others")
            }
            base => not_writable(base),
        },
        Datatype::Compound { members, .. } => members.iter().find_map(|member| match &member.dtype {
            Datatype::VariableString { .. } | Datatype::VariableSequence(_) => {
                Some("values of variable length inside others")
            }
            dtype => not_writable(dtype),
        }),
        _ => None,
    }
}

fn held_bytes(data: &Data) -> u64 {
    match data {
        Data::Fixed(bytes) => bytes.len() as u64,
        Data::Variable(values) => values.iter().map(|value| value.len() as u64 + 16).sum(),
    }
}

fn over_limit(file: &str, path: &str, what: &'static str, found: u64, limit: u64) -> Error {
    Error::OverLimit { file: file.to_owned(), object: path.to_owned(), what, found, limit }
}
