//! The datatype message.
//!
//! Source: HDF5 File Format Specification 3.0, IV.A.2.d. Numbers and strings are written as version 1, which every reader
//! knows; enums, compounds and arrays as version 3, which libhdf5 1.8 brought.

use super::draft::Draft;
use crate::{ByteOrder, CharacterSet, Datatype, FloatFormat, StringPadding};

/// How deep types may nest.
const MAX_DEPTH: u32 = 32;
/// What the reference to a value of variable length takes: the count, an address and an index.
pub(super) const HEAP_REFERENCE_BYTES: u32 = 16;

/// The message's body, or why the type cannot be written.
pub(super) fn encode(dtype: &Datatype) -> Result<Draft, String> {
    let mut draft = Draft::default();
    put(&mut draft, dtype, 0)?;
    Ok(draft)
}

/// Whether values of that type are references into a heap.
pub(super) fn is_variable(dtype: &Datatype) -> bool {
    matches!(dtype, Datatype::VariableString { .. } | Datatype::VariableSequence(_))
}

/// Whether values of that type hold references into a heap somewhere inside.
pub(super) fn holds_variable(dtype: &Datatype) -> bool {
    match dtype {
        Datatype::Array { base, .. } | Datatype::VariableSequence(base) => is_variable(base) || holds_variable(base),
        Datatype::Compound { members, .. } => members.iter().any(|m| is_variable(&m.dtype) || holds_variable(&m.dtype)),
        _ => false,
    }
}

fn put(draft: &mut Draft, dtype: &Datatype, depth: u32) -> Result<(), String> {
    if depth > MAX_DEPTH {
        return Err(format!("a type nested more than {MAX_DEPTH} deep"));
    }
    if let Some(0) = fixed_size(dtype) {
        return Err("a type of size 0".to_owned());
    }
    match dtype {
        Datatype::Integer { size, signed, order, bit_offset, precision } => {
            if *order == ByteOrder::Vax {
                return Err("an integer in the VAX's order".to_owned());
            }
            header(draft, 1, 0, u32::from(*order == ByteOrder::Big) | u32::from(*signed) << 3, *size);
            draft.u16(*bit_offset);
            draft.u16(*precision);
        }
        Datatype::Float { size, order, bit_offset, precision, format } => {
            put_float(draft, *size, *order, (*bit_offset, *precision), format);
        }
        Datatype::Bitfield { size, order } => {
            if *order == ByteOrder::Vax {
                return Err("a bit field in the VAX's order".to_owned());
            }
            header(draft, 1, 4, u32::from(*order == ByteOrder::Big), *size);
            draft.u16(0);
            draft.u16(u16::try_from(u64::from(*size) * 8).map_err(|_| format!("a bit field of {size} bytes"))?);
        }
        Datatype::FixedString { size, padding, character_set } => {
            let padding = match padding {
                StringPadding::NullTerminated => 0,
                StringPadding::NullPadded => 1,
                StringPadding::SpacePadded => 2,
            };
            header(draft, 1, 3, padding | charset(*character_set) << 4, *size);
        }
        Datatype::VariableString { character_set } => {
            header(draft, 1, 9, 1 | charset(*character_set) << 8, HEAP_REFERENCE_BYTES);
            put(draft, &<u8 as super::Number>::DTYPE, depth + 1)?;
        }
        Datatype::VariableSequence(base) => {
            header(draft, 1, 9, 0, HEAP_REFERENCE_BYTES);
            put(draft, base, depth + 1)?;
        }
        Datatype::Enum { base, members } => put_enum(draft, base, members, depth)?,
        Datatype::Compound { size, members } => {
            header(draft, 3, 6, count(members.len(), "members")?, *size);
            // An offset takes as many bytes as the element's size needs.
            let offset_bytes = 4 - (size.leading_zeros() / 8) as usize;
            for member in members {
                let end = member.offset.checked_add(member.dtype.size_bytes());
                if end.is_none_or(|end| end > u64::from(*size)) {
                    return Err(format!("member {:?} reaches beyond the compound's {size} bytes", member.name));
                }
                name(draft, &member.name)?;
                draft.bytes(&member.offset.to_le_bytes()[..offset_bytes]);
                put(draft, &member.dtype, depth + 1)?;
            }
        }
        Datatype::Array { base, dims } => {
            let n_dims = u8::try_from(dims.len()).ok().filter(|n| (1..=32).contains(n));
            let n_dims = n_dims.ok_or_else(|| format!("an array type of {} dimensions", dims.len()))?;
            let size = u32::try_from(dtype.size_bytes()).map_err(|_| "an array type over 4 GiB".to_owned())?;
            header(draft, 3, 10, 0, size);
            draft.u8(n_dims);
            for &dim in dims {
                draft.u32(dim);
            }
            put(draft, base, depth + 1)?;
        }
        Datatype::Opaque { size, tag } => {
            // The tag is kept in a multiple of 8 bytes, with at least one NUL; its length counts them.
            let tag_bytes = (tag.len() + 1).next_multiple_of(8);
            if tag_bytes > 256 - 8 || tag.contains('\0') {
                return Err(format!("an opaque type with the tag {tag:?}"));
            }
            header(draft, 1, 5, count(tag_bytes, "bytes of a tag")?, *size);
            draft.bytes(tag.as_bytes());
            draft.bytes(&[0; 8][..tag_bytes - tag.len()]);
        }
        Datatype::Reference { .. } => return Err("a reference: its address means nothing in another file".to_owned()),
        Datatype::Other { class, .. } => return Err(format!("the type class {class}")),
    }
    Ok(())
}

fn put_float(
    draft: &mut Draft,
    size: u32,
    order: ByteOrder,
    (bit_offset, precision): (u16, u16),
    format: &FloatFormat,
) {
    let (version, order) = match order {
        ByteOrder::Little => (1, 0),
        ByteOrder::Big => (1, 1),
        ByteOrder::Vax => (3, 0x41),
    };
    let normalisation = if format.implied_msb { 2 << 4 } else { 0 };
    header(draft, version, 1, order | normalisation | u32::from(format.sign_position) << 8, size);
    draft.u16(bit_offset);
    draft.u16(precision);
    draft.bytes(&[format.exponent_position, format.exponent_size, format.mantissa_position, format.mantissa_size]);
    draft.u32(format.exponent_bias);
}

fn put_enum(draft: &mut Draft, base: &Datatype, members: &[(String, Vec<u8>)], depth: u32) -> Result<(), String> {
    let Datatype::Integer { size, order, .. } = base else {
        return Err("an enum over something else than integers".to_owned());
    };
    header(draft, 3, 8, count(members.len(), "members")?, *size);
    put(draft, base, depth + 1)?;
    for (member, _) in members {
        name(draft, member)?;
    }
    for (member, value) in members {
        if value.len() as u64 != u64::from(*size) {
            return Err(format!("the enum's member {member:?} has a value of {} bytes, not {size}", value.len()));
        }
        match order {
            ByteOrder::Big => value.iter().rev().for_each(|&byte| draft.u8(byte)),
            _ => draft.bytes(value),
        }
    }
    Ok(())
}

/// Class, version, the class's 24 bits and the size of an element.
fn header(draft: &mut Draft, version: u8, class: u8, bits: u32, size: u32) {
    draft.u8(version << 4 | class);
    draft.bytes(&bits.to_le_bytes()[..3]);
    draft.u32(size);
}

fn charset(set: CharacterSet) -> u32 {
    match set {
        CharacterSet::Ascii => 0,
        CharacterSet::Utf8 => 1,
    }
}

fn name(draft: &mut Draft, text: &str) -> Result<(), String> {
    if text.is_empty() || text.contains('\0') {
        return Err(format!("a member called {text:?}"));
    }
    draft.c_string(text);
    Ok(())
}

fn count(n: usize, what: &str) -> Result<u32, String> {
    match u16::try_from(n) {
        Ok(0) => Err(format!("a type with no {what}")),
        Ok(n) => Ok(u32::from(n)),
        Err(_) => Err(format!("a type with {n} {what}")),
    }
}

/// The declared size of types whose size is free.
fn fixed_size(dtype: &Datatype) -> Option<u32> {
    match dtype {
        Datatype::Integer { size, .. }
        | Datatype::Float { size, .. }
        | Datatype::Bitfield { size, .. }
        | Datatype::FixedString { size, .. }
        | Datatype::Compound { size, .. }
        | Datatype::Opaque { size, .. } => Some(*size),
        _ => None,
    }
}
