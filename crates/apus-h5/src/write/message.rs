//! The bodies of the messages that object headers are made of.
//!
//! Source: HDF5 File Format Specification 3.0, IV.A.2 "Disk Format: Level 2A2 - Data Object Header Messages".

use super::{
    datatype,
    draft::{Draft, Target, UNDEFINED_ADDRESS},
    heap::Heap,
    tree::LinkSpec,
};
use crate::{Array, Attribute, Data, Dataspace, Datatype};

/// The number of a message's type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Kind {
    Dataspace = 0x01,
    LinkInfo = 0x02,
    Datatype = 0x03,
    FillValue = 0x05,
    Link = 0x06,
    DataLayout = 0x08,
    GroupInfo = 0x0a,
    Attribute = 0x0c,
    AttributeInfo = 0x15,
    ReferenceCount = 0x16,
}

/// The most dimensions that HDF5 knows.
const MAX_RANK: usize = 32;

/// Dataspace message, version 2.
pub(super) fn dataspace(space: &Dataspace) -> Result<Draft, String> {
    let (kind, dims): (u8, &[u64]) = match space {
        Dataspace::Scalar => (0, &[]),
        Dataspace::Simple { dims, .. } => (1, dims),
        Dataspace::Null => (2, &[]),
    };
    if dims.len() > MAX_RANK {
        return Err(format!("{} dimensions", dims.len()));
    }
    let mut draft = Draft::default();
    draft.bytes(&[2, dims.len().to_le_bytes()[0], 0, kind]);
    for &dim in dims {
        draft.u64(dim);
    }
    Ok(draft)
}

/// Fill value message, version 3: space is allocated late, and what was never written reads as the default, zeros.
pub(super) fn default_fill_value() -> Draft {
    const ALLOCATE_LATE: u8 = 2;
    const FILL_IF_SET: u8 = 2;
    let mut draft = Draft::default();
    draft.bytes(&[3, ALLOCATE_LATE | FILL_IF_SET << 2]);
    draft
}

/// Data layout message, version 3, contiguous; without a place where nothing is stored.
pub(super) fn contiguous_layout(data: Option<Target>, size_bytes: u64) -> Draft {
    let mut draft = Draft::default();
    draft.bytes(&[3, 1]);
    match data {
        Some(target) => draft.address(target),
        None => draft.u64(UNDEFINED_ADDRESS),
    }
    draft.u64(size_bytes);
    draft
}

/// Link info message: no creation order, and all links in the header.
pub(super) fn link_info() -> Draft {
    let mut draft = Draft::default();
    draft.bytes(&[0, 0]);
    draft.u64(UNDEFINED_ADDRESS);
    draft.u64(UNDEFINED_ADDRESS);
    draft
}

/// Group info message, with nothing but defaults.
pub(super) fn group_info() -> Draft {
    let mut draft = Draft::default();
    draft.bytes(&[0, 0]);
    draft
}

/// Attribute info message: no creation order, and all attributes in the header.
pub(super) fn attribute_info() -> Draft {
    link_info()
}

/// Reference count message, for objects with several hard links.
pub(super) fn reference_count(n_links: u32) -> Draft {
    let mut draft = Draft::default();
    draft.u8(0);
    draft.u32(n_links);
    draft
}

/// Link message, version 1.
pub(super) fn link(name: &str, link: &LinkSpec) -> Result<Draft, String> {
    const HAS_KIND: u8 = 1 << 3;
    const HAS_CHARACTER_SET: u8 = 1 << 4;
    const NAME_LENGTH_IN_2_BYTES: u8 = 1;
    let mut draft = Draft::default();
    draft.bytes(&[1, HAS_KIND | HAS_CHARACTER_SET | NAME_LENGTH_IN_2_BYTES]);
    draft.u8(match link {
        LinkSpec::Hard(_) => 0,
        LinkSpec::Soft(_) => 1,
        LinkSpec::External { .. } => 64,
    });
    draft.u8(u8::from(!name.is_ascii()));
    draft.u16(length(name.len(), "name")?);
    draft.bytes(name.as_bytes());
    match link {
        LinkSpec::Hard(object) => draft.address(Target::Header(*object)),
        LinkSpec::Soft(path) => {
            draft.u16(length(path.len(), "target")?);
            draft.bytes(path.as_bytes());
        }
        LinkSpec::External { file, path } => {
            draft.u16(length(file.len() + path.len() + 3, "target")?);
            draft.u8(0);
            draft.c_string(file);
            draft.c_string(path);
        }
    }
    Ok(draft)
}

/// Attribute message, version 3.
pub(super) fn attribute(attribute: &Attribute, heap: &mut Heap) -> Result<Draft, String> {
    let Array { dtype, space, data } = &attribute.value;
    check_elements(dtype, space, data)?;
    let (dtype_message, space_message) = (datatype::encode(dtype)?, dataspace(space)?);
    let mut draft = Draft::default();
    draft.bytes(&[3, 0]);
    draft.u16(length(attribute.name.len() + 1, "name")?);
    draft.u16(length(dtype_message.len(), "type")?);
    draft.u16(length(space_message.len(), "shape")?);
    draft.u8(u8::from(!attribute.name.is_ascii()));
    draft.c_string(&attribute.name);
    draft.append(dtype_message);
    draft.append(space_message);
    draft.append(elements(dtype, data, heap));
    Ok(draft)
}

/// Says what is wrong where an attribute's message cannot be made, without making it.
pub(super) fn check_attribute(attribute: &Attribute) -> Result<(), String> {
    let Array { dtype, space, data } = &attribute.value;
    check_elements(dtype, space, data)?;
    let value_bytes = match data {
        Data::Fixed(bytes) => bytes.len(),
        Data::Variable(values) => values.len().saturating_mul(datatype::HEAP_REFERENCE_BYTES as usize),
    };
    let frame_bytes = 9 + attribute.name.len() + 1 + datatype::encode(dtype)?.len() + dataspace(space)?.len();
    check_length(frame_bytes.saturating_add(value_bytes))
}

/// Says what is wrong where values, type and extent do not agree, or have no form in a file.
pub(super) fn check_elements(dtype: &Datatype, space: &Dataspace, data: &Data) -> Result<(), String> {
    let n_elements = space.n_elements().ok_or("more elements than 64 bits count")?;
    if datatype::holds_variable(dtype) {
        return Err("values of variable length inside others".to_owned());
    }
    match data {
        Data::Fixed(_) if datatype::is_variable(dtype) => Err("bytes for values of variable length".to_owned()),
        Data::Fixed(bytes) if dtype.size_bytes().checked_mul(n_elements) != Some(bytes.len() as u64) => {
            Err(format!("{} bytes for {n_elements} elements of {}", bytes.len(), dtype.size_bytes()))
        }
        Data::Fixed(_) => Ok(()),
        Data::Variable(_) if !datatype::is_variable(dtype) => {
            Err("values of variable length for a type of fixed size".to_owned())
        }
        Data::Variable(values) if values.len() as u64 != n_elements => {
            Err(format!("{} values for {n_elements} elements", values.len()))
        }
        Data::Variable(values) => {
            let item_bytes = item_bytes(dtype);
            match values.iter().map(|value| value.len() as u64).find(|len| n_items(*len, item_bytes).is_none()) {
                Some(len) => Err(format!("a value of {len} bytes with items of {item_bytes}")),
                None => Ok(()),
            }
        }
    }
}

/// The elements, which were checked, as they stand in the file; those of variable length go to the heap.
pub(super) fn elements(dtype: &Datatype, data: &Data, heap: &mut Heap) -> Draft {
    let mut draft = Draft::default();
    match data {
        Data::Fixed(bytes) => draft.bytes(bytes),
        Data::Variable(values) => {
            for value in values {
                heap.put(value, n_items(value.len() as u64, item_bytes(dtype)).unwrap_or_default(), &mut draft);
            }
        }
    }
    draft
}

/// Whether a message's body is short enough.
pub(super) fn check_length(size: usize) -> Result<(), String> {
    match u16::try_from(size) {
        Ok(_) => Ok(()),
        Err(_) => Err(format!("takes {size} bytes of the header, more than {}", u16::MAX)),
    }
}

/// What one item of a value of variable length takes.
fn item_bytes(dtype: &Datatype) -> u64 {
    match dtype {
        Datatype::VariableSequence(base) => base.size_bytes(),
        _ => 1,
    }
}

/// The items of a value, where they are whole and 32 bits count them.
fn n_items(size: u64, item_bytes: u64) -> Option<u32> {
    let n = size.checked_div(item_bytes).filter(|n| n * item_bytes == size)?;
    u32::try_from(n).ok()
}

fn length(n: usize, what: &str) -> Result<u16, String> {
    u16::try_from(n).map_err(|_| format!("a {what} of {n} bytes"))
}
