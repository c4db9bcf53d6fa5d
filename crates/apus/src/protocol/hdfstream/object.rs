//! Groups, datasets and soft links as maps.

use apus_data::encode::msgpack::{self, ElementType, write_array, write_map, write_nil, write_str};
use apus_h5::{Attribute, Dataset, Error, File, Group, Link, LinkTarget, Object, Result};

use serde::Serialize;

/// Groups of more links than this, below the one that was asked for, come without the contents of their datasets.
const MAX_LINKS_WITH_DATA: usize = 20;
/// All contents that come along with a description; what is beyond is left to requests of its own.
const MAX_INLINE_BYTES: u64 = 64 << 20;
/// The deepest that groups are expanded, whatever a request says: links may make circles.
const MAX_DEPTH: u32 = 32;
/// A description of more bytes than this, contents aside, goes no further: links may lead to the same objects over and over.
const MAX_DESCRIPTION_BYTES: u64 = 16 << 20;

/// How much of an object is described.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub(super) struct Extent {
    /// How deep groups are expanded.
    pub(super) max_depth: u32,
    /// Contents of datasets of at most so many bytes come along.
    pub(super) data_size_limit: u64,
}

/// Describes the object at `path`: everything a client would ask for next comes along, since descriptions are small and
/// round trips are long; of contents, no more than `held_bytes`.
///
/// Errors: the reader's; `None` where the object is of a kind that clients cannot hold.
pub(super) fn describe(file: &File, path: &str, extent: Extent, held_bytes: u64) -> Result<Option<Vec<u8>>> {
    let max_inline_bytes = MAX_INLINE_BYTES.min(held_bytes);
    let mut writer = Writer { out: Vec::new(), extent, max_inline_bytes, inline_bytes: 0 };
    let written = match file.get(path)? {
        Object::Group(group) => {
            writer.group(&group, 0)?;
            Some(())
        }
        Object::Dataset(dataset) => writer.dataset(&dataset, true)?,
        _ => None,
    };
    Ok(written.map(|()| writer.out))
}

struct Writer {
    out: Vec<u8>,
    extent: Extent,
    max_inline_bytes: u64,
    inline_bytes: u64,
}

impl Writer {
    fn group(&mut self, group: &Group, depth: u32) -> Result<()> {
        let links = group.links()?;
        write_map(&mut self.out, 3);
        write_str(&mut self.out, "hdf5_object");
        write_str(&mut self.out, "group");
        match group.attributes() {
            Ok(attributes) => self.attributes(&attributes),
            Err(_) => self.readable_attributes(&group.attribute_names()?, |name| group.attribute(name))?,
        }
        write_str(&mut self.out, "members");
        write_map(&mut self.out, links.len());
        let with_data = depth == 0 || links.len() <= MAX_LINKS_WITH_DATA;
        for link in &links {
            write_str(&mut self.out, &link.name);
            let start = self.out.len();
            // A member that cannot be described must not take its whole group away: nil says that it exists, and asking for
            // it tells what is wrong with it.
            if !matches!(self.member(group, link, depth, with_data), Ok(Some(()))) {
                self.out.truncate(start);
                write_nil(&mut self.out);
            }
        }
        Ok(())
    }

    fn member(&mut self, group: &Group, link: &Link, depth: u32, with_data: bool) -> Result<Option<()>> {
        if let LinkTarget::Soft { path } = &link.target {
            write_map(&mut self.out, 2);
            write_str(&mut self.out, "hdf5_object");
            write_str(&mut self.out, "soft_link");
            write_str(&mut self.out, "target");
            write_str(&mut self.out, path);
            return Ok(Some(()));
        }
        if (self.out.len() as u64).saturating_sub(self.inline_bytes) > MAX_DESCRIPTION_BYTES {
            return Ok(None);
        }
        match group.get(&link.name)? {
            Object::Group(member) if depth < self.extent.max_depth.min(MAX_DEPTH) => {
                self.group(&member, depth + 1).map(Some)
            }
            Object::Dataset(member) => self.dataset(&member, with_data),
            _ => Ok(None),
        }
    }

    fn dataset(&mut self, dataset: &Dataset, with_data: bool) -> Result<Option<()>> {
        let Some(element) = ElementType::of(dataset.dtype()) else { return Ok(None) };
        let data = if with_data { self.contents(dataset)? } else { None };
        write_map(&mut self.out, if data.is_some() { 6 } else { 5 });
        write_str(&mut self.out, "hdf5_object");
        write_str(&mut self.out, "dataset");
        match dataset.attributes() {
            Ok(attributes) => self.attributes(&attributes),
            Err(_) => self.readable_attributes(&dataset.attribute_names()?, |name| dataset.attribute(name))?,
        }
        element.write_members(&mut self.out);
        write_str(&mut self.out, "shape");
        msgpack::write_shape(&mut self.out, msgpack::shape_of(dataset.space()), &element.element_shape);
        if let Some(data) = data {
            write_str(&mut self.out, "data");
            self.out.extend_from_slice(&data);
        }
        Ok(Some(()))
    }

    /// The contents of a small dataset, encoded.
    fn contents(&mut self, dataset: &Dataset) -> Result<Option<Vec<u8>>> {
        let n_elements = dataset.space().n_elements().unwrap_or(u64::MAX);
        let size_bytes = n_elements.saturating_mul(dataset.dtype().size_bytes());
        let left_bytes = self.max_inline_bytes - self.inline_bytes;
        if size_bytes > self.extent.data_size_limit.min(left_bytes) {
            return Ok(None);
        }
        // Elements of variable length may turn out to be longer than their descriptors.
        let array = match dataset.read_all(left_bytes) {
            Err(Error::OverLimit { .. }) => return Ok(None),
            array => array?,
        };
        let mut out = Vec::new();
        let written = write_array(&mut out, &array);
        self.inline_bytes = self.max_inline_bytes.min(self.inline_bytes + out.len() as u64);
        Ok(written.map(|()| out))
    }

    fn attributes(&mut self, attributes: &[Attribute]) {
        write_str(&mut self.out, "attributes");
        write_map(&mut self.out, attributes.len());
        for attribute in attributes {
            self.attribute(&attribute.name, Some(attribute));
        }
    }

    /// Attributes one by one: one that cannot be read is nil, and must not take the others and their object away.
    ///
    /// Errors: those of the source alone, which say nothing of the file.
    fn readable_attributes(
        &mut self,
        names: &[String],
        read: impl Fn(&str) -> Result<Option<Attribute>>,
    ) -> Result<()> {
        write_str(&mut self.out, "attributes");
        write_map(&mut self.out, names.len());
        for name in names {
            match read(name) {
                Err(error @ Error::Io { .. }) => return Err(error),
                attribute => self.attribute(name, attribute.ok().flatten().as_ref()),
            }
        }
        Ok(())
    }

    /// One attribute; nil where it has no form here.
    fn attribute(&mut self, name: &str, attribute: Option<&Attribute>) {
        write_str(&mut self.out, name);
        let start = self.out.len();
        if attribute.and_then(|attribute| write_array(&mut self.out, &attribute.value)).is_none() {
            self.out.truncate(start);
            write_nil(&mut self.out);
        }
    }
}
