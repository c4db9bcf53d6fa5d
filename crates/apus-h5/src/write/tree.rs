//! What is to be written: groups, datasets, links and attributes.

use std::collections::BTreeMap;

use super::{message::check_attribute, object_header::check_dataset};
use crate::{Attribute, Data, Dataspace, Datatype, Error, Result};

/// The declaration of a file. Starts with an empty root group; every object is added under a name in a group, and may be
/// reached by further hard links.
#[derive(Clone, Debug)]
pub struct Tree {
    objects: Vec<Object>,
}

/// An object of a [`Tree`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectId(usize);

impl ObjectId {
    /// Its place among the tree's objects.
    pub(super) fn index(self) -> usize {
        self.0
    }
}

/// A dataset to be written.
#[derive(Clone, Debug, PartialEq)]
pub struct DatasetSpec {
    /// The type of the elements, as they stand in the file.
    pub dtype: Datatype,
    /// The extent. Data in one piece cannot grow, so maximal dimensions are not kept.
    pub space: Dataspace,
    /// Where the elements come from.
    pub contents: Contents,
}

/// Where the elements of a dataset come from.
#[derive(Clone, Debug, PartialEq)]
pub enum Contents {
    /// The caller supplies them when the plan comes to them ([`Step::Data`](super::Step::Data)); for types of fixed size.
    Streamed,
    /// They are here.
    Held(Data),
    /// They were never written: the dataset has its type and shape, takes no space, and reads as zeros (empty strings).
    Unwritten,
}

/// An object with what hangs on it.
#[derive(Clone, Debug)]
pub(super) struct Object {
    /// The first path by which it is reached, for errors.
    pub(super) path: String,
    /// The hard links that lead here.
    pub(super) n_links: u32,
    /// The attributes by name.
    pub(super) attributes: BTreeMap<String, Attribute>,
    /// What it is.
    pub(super) body: Body,
}

/// What an object is.
#[derive(Clone, Debug)]
pub(super) enum Body {
    /// A group with its links by name.
    Group(BTreeMap<String, LinkSpec>),
    /// A dataset.
    Dataset(DatasetSpec),
}

/// What a link points to.
#[derive(Clone, Debug)]
pub(super) enum LinkSpec {
    Hard(ObjectId),
    Soft(String),
    External { file: String, path: String },
}

impl Tree {
    /// A file with an empty root group.
    pub fn new() -> Self {
        // The superblock's pointer to the root counts as its link.
        let root = Object {
            path: "/".to_owned(),
            n_links: 1,
            attributes: BTreeMap::new(),
            body: Body::Group(BTreeMap::new()),
        };
        Self { objects: vec![root] }
    }

    /// The root group.
    pub fn root(&self) -> ObjectId {
        ObjectId(0)
    }

    /// Adds an empty group.
    ///
    /// Errors: [`Error::Unwritable`] for a name that is taken or cannot be one, and where `parent` is no group.
    pub fn add_group(&mut self, parent: ObjectId, name: &str) -> Result<ObjectId> {
        self.add_object(parent, name, Body::Group(BTreeMap::new()))
    }

    /// Adds a dataset.
    ///
    /// Errors: as [`add_group`](Self::add_group), and where type, extent and contents do not agree or have no form in a file.
    pub fn add_dataset(&mut self, parent: ObjectId, name: &str, spec: DatasetSpec) -> Result<ObjectId> {
        let path = self.path_of_new(parent, name)?;
        check_dataset(&spec).map_err(|reason| unwritable(&path, reason))?;
        self.add_object(parent, name, Body::Dataset(spec))
    }

    /// Adds one more name for an object, in any group, its own descendants included.
    ///
    /// Errors: as [`add_group`](Self::add_group).
    pub fn add_hard_link(&mut self, parent: ObjectId, name: &str, target: ObjectId) -> Result<()> {
        let path = self.path_of_new(parent, name)?;
        let object = self.object_mut(target)?;
        object.n_links = object.n_links.checked_add(1).ok_or_else(|| unwritable(&path, "too many hard links"))?;
        self.insert_link(parent, name, LinkSpec::Hard(target))
    }

    /// Adds a link to a path, absolute or relative to `parent`; the path need not lead anywhere.
    ///
    /// Errors: as [`add_group`](Self::add_group), and for an empty path or one with a NUL.
    pub fn add_soft_link(&mut self, parent: ObjectId, name: &str, path: &str) -> Result<()> {
        self.check_target(parent, name, &[path])?;
        self.insert_link(parent, name, LinkSpec::Soft(path.to_owned()))
    }

    /// Adds a link to an object of another file.
    ///
    /// Errors: as [`add_soft_link`](Self::add_soft_link).
    pub fn add_external_link(&mut self, parent: ObjectId, name: &str, file: &str, path: &str) -> Result<()> {
        self.check_target(parent, name, &[file, path])?;
        self.insert_link(parent, name, LinkSpec::External { file: file.to_owned(), path: path.to_owned() })
    }

    /// Adds an attribute, of the native type of its value.
    ///
    /// Errors: [`Error::Unwritable`] for a name that is taken, empty or has a NUL, and for a value that is too large, does
    /// not agree with its type and extent, or has no form in a file.
    pub fn add_attribute(&mut self, object: ObjectId, attribute: Attribute) -> Result<()> {
        let object = self.object_mut(object)?;
        if attribute.name.is_empty() || attribute.name.contains('\0') {
            return Err(unwritable(&object.path, format!("{:?} cannot be an attribute's name", attribute.name)));
        }
        if object.attributes.contains_key(&attribute.name) {
            return Err(unwritable(&object.path, format!("there is an attribute {:?} already", attribute.name)));
        }
        check_attribute(&attribute)
            .map_err(|reason| unwritable(&format!("{}: attribute {:?}", object.path, attribute.name), reason))?;
        object.attributes.insert(attribute.name.clone(), attribute);
        Ok(())
    }

    /// Puts an attribute in the place of the one of its name, where there is one.
    ///
    /// Errors: as [`add_attribute`](Self::add_attribute), but for a name that is taken.
    pub fn set_attribute(&mut self, object: ObjectId, attribute: Attribute) -> Result<()> {
        let former = self.object_mut(object)?.attributes.remove_entry(&attribute.name);
        let added = self.add_attribute(object, attribute);
        if let (Err(_), Some((name, former))) = (&added, former) {
            self.object_mut(object)?.attributes.insert(name, former);
        }
        added
    }

    /// The attribute of that name.
    pub fn attribute(&self, object: ObjectId, name: &str) -> Option<&Attribute> {
        self.objects.get(object.0)?.attributes.get(name)
    }

    /// Gives a dataset another type, extent or contents; its attributes stay.
    ///
    /// Errors: as [`add_dataset`](Self::add_dataset), and where the object is no dataset.
    pub fn set_dataset(&mut self, object: ObjectId, spec: DatasetSpec) -> Result<()> {
        let object = self.object_mut(object)?;
        check_dataset(&spec).map_err(|reason| unwritable(&object.path, reason))?;
        match &mut object.body {
            Body::Dataset(former) => *former = spec,
            Body::Group(_) => return Err(unwritable(&object.path, "a group has no elements")),
        }
        Ok(())
    }

    /// The object at an absolute path of hard links.
    pub fn find(&self, path: &str) -> Option<ObjectId> {
        path.split('/').filter(|name| !name.is_empty()).try_fold(self.root(), |id, name| {
            match &self.objects.get(id.0)?.body {
                Body::Group(links) => match links.get(name)? {
                    LinkSpec::Hard(target) => Some(*target),
                    LinkSpec::Soft(_) | LinkSpec::External { .. } => None,
                },
                Body::Dataset(_) => None,
            }
        })
    }

    /// The path by which the object was added, absolute.
    pub fn path(&self, object: ObjectId) -> Option<&str> {
        self.objects.get(object.0).map(|o| o.path.as_str())
    }

    /// All objects in the order of their ids.
    pub(super) fn objects(&self) -> impl Iterator<Item = (ObjectId, &Object)> {
        self.objects.iter().enumerate().map(|(index, object)| (ObjectId(index), object))
    }

    fn add_object(&mut self, parent: ObjectId, name: &str, body: Body) -> Result<ObjectId> {
        let path = self.path_of_new(parent, name)?;
        let id = ObjectId(self.objects.len());
        self.objects.push(Object { path, n_links: 1, attributes: BTreeMap::new(), body });
        self.insert_link(parent, name, LinkSpec::Hard(id))?;
        Ok(id)
    }

    /// Checks that `name` can be added to `parent`, and gives its path.
    fn path_of_new(&self, parent: ObjectId, name: &str) -> Result<String> {
        let group = self.objects.get(parent.0).ok_or_else(|| foreign_id(parent))?;
        let path = format!("{}/{name}", group.path.trim_end_matches('/'));
        if name.is_empty() || name == "." || name.contains(['/', '\0']) {
            return Err(unwritable(&group.path, format!("{name:?} cannot be a link's name")));
        }
        match &group.body {
            Body::Group(links) if links.contains_key(name) => {
                Err(unwritable(&path, "there is a link of that name already"))
            }
            Body::Group(_) => Ok(path),
            Body::Dataset(_) => Err(unwritable(&path, "a dataset cannot hold objects")),
        }
    }

    fn check_target(&self, parent: ObjectId, name: &str, parts: &[&str]) -> Result<()> {
        let path = self.path_of_new(parent, name)?;
        match parts.iter().find(|part| part.is_empty() || part.contains('\0')) {
            Some(part) => Err(unwritable(&path, format!("{part:?} cannot be a link's target"))),
            None => Ok(()),
        }
    }

    fn insert_link(&mut self, parent: ObjectId, name: &str, link: LinkSpec) -> Result<()> {
        if let Body::Group(links) = &mut self.object_mut(parent)?.body {
            links.insert(name.to_owned(), link);
        }
        Ok(())
    }

    fn object_mut(&mut self, id: ObjectId) -> Result<&mut Object> {
        self.objects.get_mut(id.0).ok_or_else(|| foreign_id(id))
    }
}

impl Default for Tree {
    fn default() -> Self {
        Self::new()
    }
}

impl Dataspace {
    /// The extent of an array of that shape; `()` is a scalar.
    pub fn simple(shape: &[u64]) -> Self {
        if shape.is_empty() {
            return Self::Scalar;
        }
        Self::Simple { dims: shape.to_vec(), max_dims: shape.iter().copied().map(Some).collect() }
    }
}

/// An object or a value that cannot be written.
pub(super) fn unwritable(object: &str, reason: impl Into<String>) -> Error {
    Error::Unwritable { object: object.to_owned(), reason: reason.into() }
}

fn foreign_id(id: ObjectId) -> Error {
    unwritable(&format!("object {}", id.0), "belongs to another tree")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::write::Number;

    fn reason(result: Result<impl std::fmt::Debug>) -> String {
        result.unwrap_err().to_string()
    }

    #[test]
    fn names_that_hdf5_cannot_hold_are_refused() {
        let mut tree = Tree::new();
        for name in ["", ".", "a/b", "a\0"] {
            assert!(reason(tree.add_group(ObjectId(0), name)).contains("cannot be a link's name"), "{name:?}");
        }
        tree.add_group(tree.root(), "a").unwrap();
        assert_eq!(
            reason(tree.add_soft_link(ObjectId(0), "a", "/b")),
            "/a: cannot be written: there is a link of that name already"
        );
        assert!(reason(tree.add_soft_link(ObjectId(0), "b", "")).contains("cannot be a link's target"));
        assert!(
            reason(tree.add_external_link(ObjectId(0), "b", "x.hdf5", "a\0")).contains("cannot be a link's target")
        );
        assert!(reason(tree.add_attribute(ObjectId(0), Attribute::numbers("", &[1u8]))).contains("attribute's name"));
        tree.add_attribute(tree.root(), Attribute::numbers("n", &[1u8])).unwrap();
        assert!(reason(tree.add_attribute(ObjectId(0), Attribute::numbers("n", &[1u8]))).contains("already"));
    }

    #[test]
    fn objects_are_found_and_changed() {
        let mut tree = Tree::new();
        let group = tree.add_group(tree.root(), "a").unwrap();
        let spec = |n| DatasetSpec { dtype: u8::DTYPE, space: Dataspace::simple(&[n]), contents: Contents::Streamed };
        let dataset = tree.add_dataset(group, "d", spec(3)).unwrap();
        tree.add_soft_link(tree.root(), "s", "/a").unwrap();
        tree.add_attribute(dataset, Attribute::numbers("n", &[1u8])).unwrap();
        assert_eq!(
            (tree.find("/a/d"), tree.find("/"), tree.find("a")),
            (Some(dataset), Some(ObjectId(0)), Some(group))
        );
        assert_eq!((tree.find("/s/d"), tree.find("/a/x"), tree.find("/a/d/x")), (None, None, None));
        tree.set_dataset(dataset, spec(2)).unwrap();
        tree.set_attribute(dataset, Attribute::numbers("n", &[2.5f64])).unwrap();
        tree.set_attribute(group, Attribute::numbers("m", &[1u8])).unwrap();
        assert_eq!(tree.attribute(dataset, "n").unwrap().value.to_f64(), Some(vec![2.5]));
        assert_eq!(tree.attribute(dataset, "m"), None);
        assert!(reason(tree.set_dataset(group, spec(2))).contains("a group has no elements"));
        let plan = crate::write::Plan::new(tree).unwrap();
        assert!(matches!(plan.steps(), [_, crate::write::Step::Data { size_bytes: 2, .. }]));
    }

    #[test]
    fn only_groups_of_the_same_tree_hold_objects() {
        let mut tree = Tree::new();
        let spec = DatasetSpec { dtype: u8::DTYPE, space: Dataspace::Scalar, contents: Contents::Unwritten };
        let dataset = tree.add_dataset(tree.root(), "d", spec).unwrap();
        assert!(reason(tree.add_group(dataset, "x")).contains("a dataset cannot hold objects"));
        assert!(reason(Tree::new().add_group(dataset, "x")).contains("belongs to another tree"));
        assert!(reason(Tree::new().add_hard_link(ObjectId(0), "x", dataset)).contains("belongs to another tree"));
        assert_eq!(tree.path(dataset), Some("/d"));
    }
}
