//! Object headers: one chunk that holds all messages of an object.
//!
//! Source: HDF5 File Format Specification 3.0, IV.A.1.b "Version 2 Data Object Header Prefix".

use super::{
    ObjectId, datatype,
    draft::{Draft, Target},
    heap::Heap,
    message::{self, Kind},
    tree::{Body, Contents, DatasetSpec, Object, unwritable},
};
use crate::{Result, format::lookup3};

/// An object's header, and its elements where the tree holds them.
#[derive(Debug)]
pub(super) struct ObjectDraft {
    /// The header, without its checksum.
    pub(super) header: Draft,
    /// What its data are.
    pub(super) data: DataDraft,
}

/// The elements of an object.
#[derive(Debug)]
pub(super) enum DataDraft {
    /// None are stored.
    None,
    /// These.
    Held(Draft),
    /// As many bytes from the caller.
    Streamed(u64),
}

/// The bytes of a checksum.
pub(super) const CHECKSUM_BYTES: usize = 4;

/// Drafts everything of one object but the addresses.
pub(super) fn draft_object(id: ObjectId, object: &Object, heap: &mut Heap) -> Result<ObjectDraft> {
    let mut messages = Draft::default();
    let mut data = DataDraft::None;
    match &object.body {
        Body::Group(links) => {
            push(&mut messages, Kind::LinkInfo, message::link_info());
            push(&mut messages, Kind::GroupInfo, message::group_info());
            for (name, link) in links {
                let body = message::link(name, link);
                try_push(&mut messages, Kind::Link, body, || format!("{}: link {name:?}", object.path))?;
            }
        }
        Body::Dataset(spec) => {
            let in_object = || object.path.clone();
            try_push(&mut messages, Kind::Dataspace, message::dataspace(&spec.space), in_object)?;
            try_push(&mut messages, Kind::Datatype, datatype::encode(&spec.dtype), in_object)?;
            push(&mut messages, Kind::FillValue, message::default_fill_value());
            let (layout, elements) = draft_data(id, spec, heap).map_err(|reason| unwritable(&object.path, reason))?;
            push(&mut messages, Kind::DataLayout, layout);
            data = elements;
        }
    }
    if object.n_links > 1 {
        push(&mut messages, Kind::ReferenceCount, message::reference_count(object.n_links));
    }
    if !object.attributes.is_empty() {
        push(&mut messages, Kind::AttributeInfo, message::attribute_info());
    }
    for (name, attribute) in &object.attributes {
        let body = message::attribute(attribute, heap);
        try_push(&mut messages, Kind::Attribute, body, || format!("{}: attribute {name:?}", object.path))?;
    }

    let mut header = Draft::default();
    header.bytes(b"OHDR");
    header.u8(2);
    // The flags say only that the size takes four bytes: no times, no creation order.
    header.u8(2);
    let size =
        u32::try_from(messages.len()).map_err(|_| unwritable(&object.path, "over 4 GiB of links and attributes"))?;
    header.u32(size);
    header.append(messages);
    Ok(ObjectDraft { header, data })
}

/// Fills in the addresses of a header or a superblock and seals it with its checksum.
pub(super) fn seal(draft: Draft, address_of: impl Fn(Target) -> u64) -> Vec<u8> {
    let mut bytes = draft.settle(address_of);
    bytes.extend(lookup3(&bytes).to_le_bytes());
    bytes
}

/// The layout message and the elements.
fn draft_data(id: ObjectId, spec: &DatasetSpec, heap: &mut Heap) -> Result<(Draft, DataDraft), String> {
    let size_bytes = check_dataset(spec)?;
    let data = match &spec.contents {
        Contents::Held(values) => DataDraft::Held(message::elements(&spec.dtype, values, heap)),
        Contents::Streamed => DataDraft::Streamed(size_bytes),
        Contents::Unwritten => DataDraft::None,
    };
    // Where there is nothing, there is no address either: libhdf5 does so and expects it.
    let stored = !matches!(data, DataDraft::None) && size_bytes > 0;
    let layout = message::contiguous_layout(stored.then_some(Target::Data(id)), size_bytes);
    Ok((layout, if stored { data } else { DataDraft::None }))
}

/// The bytes that a dataset's elements take, or what of it has no form in a file.
pub(super) fn check_dataset(spec: &DatasetSpec) -> Result<u64, String> {
    datatype::encode(&spec.dtype)?;
    message::dataspace(&spec.space)?;
    match &spec.contents {
        Contents::Held(values) => message::check_elements(&spec.dtype, &spec.space, values)?,
        Contents::Streamed if datatype::is_variable(&spec.dtype) || datatype::holds_variable(&spec.dtype) => {
            return Err("values of variable length cannot be streamed".to_owned());
        }
        Contents::Streamed | Contents::Unwritten => {}
    }
    let n_elements = spec.space.n_elements().ok_or("more elements than 64 bits count")?;
    n_elements.checked_mul(spec.dtype.size_bytes()).ok_or_else(|| "more bytes than 64 bits count".to_owned())
}

fn try_push(messages: &mut Draft, kind: Kind, body: Result<Draft, String>, what: impl Fn() -> String) -> Result<()> {
    let body = body.map_err(|reason| unwritable(&what(), reason))?;
    message::check_length(body.len()).map_err(|reason| unwritable(&what(), reason))?;
    push(messages, kind, body);
    Ok(())
}

/// Appends a message whose body is known to be short enough.
fn push(messages: &mut Draft, kind: Kind, body: Draft) {
    /// The message never changes; the library marks a dataset's type, fill value and extent so.
    const CONSTANT: u8 = 1;
    messages.u8(kind as u8);
    messages.u16(u16::try_from(body.len()).unwrap_or(u16::MAX));
    messages.u8(if matches!(kind, Kind::Datatype | Kind::FillValue) { CONSTANT } else { 0 });
    messages.append(body);
}
