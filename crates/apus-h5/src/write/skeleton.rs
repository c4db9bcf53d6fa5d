//! The metadata of a file as a file: everything but the bulk of the data.

use std::collections::HashMap;

use super::{Contents, DatasetSpec, ObjectId, Tree};
use crate::{Attribute, Dataset, Datatype, Error, Group, LinkTarget, Object, Result};

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
    /// The most bytes of attributes and elements, together.
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
        let root_attributes = root.attributes();
        copier.copy_attributes(root.path(), copier.skeleton.tree.root(), root_attributes, root)?;
        while let Some((group, id)) = copier.open.pop() {
            copier.copy_links(&group, id)?;
        }
        Ok(copier.skeleton)
    }
}

impl Default for SkeletonOptions<'_> {
    /// Keeps datasets of up to 64 KiB; at most 256 MiB and a million objects.
    fn default() -> Self {
        Self { keep_data: &|_, size_bytes| size_bytes <= 64 << 10, limit_bytes: 256 << 20, limit_objects: 1_000_000 }
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
                group,
                path,
                "the number of objects",
                self.options.limit_objects + 1,
                self.options.limit_objects,
            ));
        }
        let (id, attributes) = match group.get(name)? {
            Object::Group(child) => {
                let id = self.skeleton.tree.add_group(parent, name)?;
                let attributes = child.attributes();
                self.open.push((child, id));
                (id, attributes)
            }
            Object::Dataset(dataset) => {
                let spec = self.copy_dataset(group, &dataset)?;
                (self.skeleton.tree.add_dataset(parent, name, spec)?, dataset.attributes())
            }
            Object::NamedType => {
                self.omit(path.to_owned(), "a committed type".to_owned());
                return Ok(());
            }
        };
        self.known.insert(address, id);
        self.copy_attributes(path, id, attributes, group)
    }

    fn copy_dataset(&mut self, group: &Group, dataset: &Dataset) -> Result<DatasetSpec> {
        let spec = DatasetSpec {
            dtype: dataset.dtype().clone(),
            space: dataset.space().clone(),
            contents: Contents::Unwritten,
        };
        if let Some(feature) = not_writable(dataset.stored_type()) {
            return Err(unsupported(group, dataset.path(), feature));
        }
        let size_bytes = spec.space.n_elements().and_then(|n| n.checked_mul(spec.dtype.size_bytes()));
        if !size_bytes.is_some_and(|size| size > 0 && (self.options.keep_data)(dataset, size)) {
            return Ok(spec);
        }
        match dataset.read_all(self.options.limit_bytes) {
            Ok(array) => {
                self.count(group, dataset.path(), &array.data)?;
                Ok(DatasetSpec { dtype: array.dtype, space: array.space, contents: Contents::Held(array.data) })
            }
            // Its elements are behind a link or a filter that is out of reach; its type and shape are not.
            Err(error @ (Error::Unsupported { .. } | Error::Refused { .. })) => {
                self.omit(format!("{}: data", dataset.path()), error.to_string());
                Ok(spec)
            }
            Err(error) => Err(error),
        }
    }

    fn copy_attributes(
        &mut self,
        path: &str,
        id: ObjectId,
        attributes: Result<Vec<Attribute>>,
        group: &Group,
    ) -> Result<()> {
        let attributes = match attributes {
            Ok(attributes) => attributes,
            Err(error) => return self.omit_if_unfit(&format!("{path}: attributes"), Err(error)),
        };
        for attribute in attributes {
            let what = format!("{path}: attribute {:?}", attribute.name);
            if let Some(feature) = not_writable(&attribute.stored_type) {
                self.omit(what, feature.to_owned());
                continue;
            }
            self.count(group, path, &attribute.value.data)?;
            let added = self.skeleton.tree.add_attribute(id, attribute);
            self.omit_if_unfit(&what, added)?;
        }
        Ok(())
    }

    /// Counts bytes that are held from now on.
    fn count(&mut self, group: &Group, path: &str, data: &crate::Data) -> Result<()> {
        let size = match data {
            crate::Data::Fixed(bytes) => bytes.len() as u64,
            crate::Data::Variable(values) => values.iter().map(|value| value.len() as u64 + 16).sum(),
        };
        self.n_bytes = self.n_bytes.saturating_add(size);
        if self.n_bytes > self.options.limit_bytes {
            return Err(over_limit(
                group,
                path,
                "the skeleton's size in bytes",
                self.n_bytes,
                self.options.limit_bytes,
            ));
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

fn unsupported(group: &Group, path: &str, feature: &str) -> Error {
    Error::Unsupported { file: group.file().name().to_owned(), object: path.to_owned(), feature: feature.to_owned() }
}

fn over_limit(group: &Group, path: &str, what: &'static str, found: u64, limit: u64) -> Error {
    Error::OverLimit { file: group.file().name().to_owned(), object: path.to_owned(), what, found, limit }
}
