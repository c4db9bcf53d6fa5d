//! From a path to an object, along links of every kind.

use crate::{
    Dataset, Error, File, Group, LinkTarget, NamedType, Object, Result,
    format::{
        Fault, links,
        object_header::{ObjectHeader, kind},
    },
};

/// The most soft and external links that one look-up follows: libhdf5's default. It also ends cycles.
const MAX_LINKS: u32 = 16;

/// An object that a path has led to so far.
struct Reached {
    file: File,
    address: u64,
    /// The absolute path by which it was reached, in `file`.
    path: String,
}

/// The object that `path` leads to from the object at `address`, which was reached as `base`; an absolute `path` starts at
/// the root. So many virtual datasets, each a source of the one before, led there.
///
/// Repeated slashes and `.` count for nothing, as in libhdf5; `..` is a name like any other.
pub(crate) fn resolve(file: &File, address: u64, base: &str, path: &str, depth: usize) -> Result<Object> {
    let start = Reached { file: file.clone(), address, path: base.trim_end_matches('/').to_owned() };
    let mut links_left = MAX_LINKS;
    let reached = walk(start, path, &mut links_left)?;
    open(reached, depth)
}

fn walk(start: Reached, path: &str, links_left: &mut u32) -> Result<Reached> {
    let mut reached = if path.starts_with('/') { root(start.file) } else { start };
    for name in path.split('/').filter(|name| !matches!(*name, "" | ".")) {
        reached = step(reached, name, links_left)?;
    }
    Ok(reached)
}

fn root(file: File) -> Reached {
    Reached { address: file.root_address(), file, path: String::new() }
}

/// Follows the link `name` of the group `reached`. The depth of the recursion is bounded by the links that are left.
fn step(reached: Reached, name: &str, links_left: &mut u32) -> Result<Reached> {
    let path = format!("{}/{name}", reached.path);
    let error = |fault: Fault| fault.at(reached.file.name(), &path);
    let not_found = || Error::NotFound { file: reached.file.name().to_owned(), object: path.clone() };
    let meta = reached.file.meta();
    let header = ObjectHeader::read(meta, reached.address).map_err(error)?;
    let link = links::find(meta, &header, name).map_err(error)?.ok_or_else(not_found)?;
    if !matches!(link.target, LinkTarget::Hard { .. }) {
        *links_left = links_left.checked_sub(1).ok_or_else(|| {
            error(Fault::Unsupported(format!("a path through more than {MAX_LINKS} soft or external links")))
        })?;
    }
    match link.target {
        LinkTarget::Hard { address } => Ok(Reached { address, path, file: reached.file }),
        LinkTarget::Soft { path: target } => {
            let file = reached.file.clone();
            let reached = walk(reached, &target, links_left)?;
            // In the file that was asked the caller's path is kept; another file knows only its own.
            Ok(if reached.file.is_same(&file) { Reached { path, ..reached } } else { reached })
        }
        LinkTarget::External { file: target, path: object } => {
            let refused = |reason: String| Error::Refused {
                file: reached.file.name().to_owned(),
                object: path.clone(),
                target: target.clone(),
                reason,
            };
            let resolver = reached.file.resolver();
            let resolver = resolver.ok_or_else(|| refused("links to other files are not followed here".to_owned()))?;
            let other = resolver.resolve(&reached.file, &target).map_err(refused)?.ok_or_else(not_found)?;
            walk(root(other), &object, links_left)
        }
        LinkTarget::UserDefined { class } => {
            Err(error(Fault::Unsupported(format!("a user-defined link of class {class}"))))
        }
    }
}

fn open(reached: Reached, depth: usize) -> Result<Object> {
    let Reached { file, address, mut path } = reached;
    if path.is_empty() {
        path.push('/');
    }
    let header = ObjectHeader::read(file.meta(), address).map_err(|fault| fault.at(file.name(), &path))?;
    // As libhdf5 tells them apart, and in its order: a group knows where its links are, a dataset has a type and an extent.
    if header.has(kind::SYMBOL_TABLE) || header.has(kind::LINK_INFO) {
        Ok(Object::Group(Group::new(file, path, header)))
    } else if header.has(kind::DATATYPE) && header.has(kind::DATASPACE) {
        Dataset::open(file, path, header, depth).map(Object::Dataset)
    } else if header.has(kind::DATATYPE) {
        Ok(Object::NamedType(NamedType::new(file, path, header)))
    } else {
        let fault = Fault::Damaged(format!("the object header at address {address} is of no known kind of object"));
        Err(fault.at(file.name(), &path))
    }
}
