//! Types as they are stored, in the words of the HDF5 specification.

use apus_h5::{ByteOrder, CharacterSet, Datatype, StringPadding};
use serde::Serialize;

/// A type as it is stored in the file.
#[derive(Serialize)]
#[serde(tag = "class", rename_all = "snake_case")]
pub(super) enum StoredType {
    Integer {
        size_bytes: u32,
        signed: bool,
        order: &'static str,
        bit_offset: u16,
        precision: u16,
    },
    Float {
        size_bytes: u32,
        order: &'static str,
        bit_offset: u16,
        precision: u16,
        exponent_bits: u8,
        mantissa_bits: u8,
        exponent_bias: u32,
    },
    Bitfield {
        size_bytes: u32,
        order: &'static str,
    },
    String {
        size_bytes: Option<u32>,
        padding: Option<&'static str>,
        character_set: &'static str,
    },
    Sequence {
        base: Box<Self>,
    },
    Enum {
        base: Box<Self>,
        members: Vec<(String, serde_json::Value)>,
    },
    Compound {
        size_bytes: u32,
        members: Vec<StoredMember>,
    },
    Array {
        base: Box<Self>,
        shape: Vec<u32>,
    },
    Opaque {
        size_bytes: u32,
        tag: String,
    },
    Reference {
        size_bytes: u32,
        region: bool,
    },
    Other {
        size_bytes: u32,
        name: &'static str,
    },
}

/// A member of a record.
#[derive(Serialize)]
pub(super) struct StoredMember {
    name: String,
    offset_bytes: u64,
    stored_type: StoredType,
}

impl StoredType {
    pub(super) fn of(dtype: &Datatype) -> Self {
        match dtype {
            Datatype::Integer { size, signed, order, bit_offset, precision } => Self::Integer {
                size_bytes: *size,
                signed: *signed,
                order: order_name(*order),
                bit_offset: *bit_offset,
                precision: *precision,
            },
            Datatype::Float { size, order, bit_offset, precision, format } => Self::Float {
                size_bytes: *size,
                order: order_name(*order),
                bit_offset: *bit_offset,
                precision: *precision,
                exponent_bits: format.exponent_size,
                mantissa_bits: format.mantissa_size,
                exponent_bias: format.exponent_bias,
            },
            Datatype::Bitfield { size, order } => Self::Bitfield { size_bytes: *size, order: order_name(*order) },
            Datatype::FixedString { size, padding, character_set } => Self::String {
                size_bytes: Some(*size),
                padding: Some(match padding {
                    StringPadding::NullTerminated => "null_terminated",
                    StringPadding::NullPadded => "null_padded",
                    StringPadding::SpacePadded => "space_padded",
                }),
                character_set: character_set_name(*character_set),
            },
            Datatype::VariableString { character_set } => {
                Self::String { size_bytes: None, padding: None, character_set: character_set_name(*character_set) }
            }
            Datatype::VariableSequence(base) => Self::Sequence { base: Box::new(Self::of(base)) },
            Datatype::Enum { base, members } => Self::Enum {
                members: members.iter().map(|(name, value)| (name.clone(), integer(base, value))).collect(),
                base: Box::new(Self::of(base)),
            },
            Datatype::Compound { size, members } => Self::Compound {
                size_bytes: *size,
                members: members
                    .iter()
                    .map(|member| StoredMember {
                        name: member.name.clone(),
                        offset_bytes: member.offset,
                        stored_type: Self::of(&member.dtype),
                    })
                    .collect(),
            },
            Datatype::Array { base, dims } => Self::Array { base: Box::new(Self::of(base)), shape: dims.clone() },
            Datatype::Opaque { size, tag } => Self::Opaque { size_bytes: *size, tag: tag.clone() },
            Datatype::Reference { size, region } => Self::Reference { size_bytes: *size, region: *region },
            Datatype::Other { size, class } => Self::Other { size_bytes: *size, name: class },
            other => Self::Other { size_bytes: u32::try_from(other.size_bytes()).unwrap_or(u32::MAX), name: "unknown" },
        }
    }
}

fn order_name(order: ByteOrder) -> &'static str {
    match order {
        ByteOrder::Little => "little",
        ByteOrder::Big => "big",
        ByteOrder::Vax => "vax",
    }
}

fn character_set_name(character_set: CharacterSet) -> &'static str {
    match character_set {
        CharacterSet::Ascii => "ascii",
        CharacterSet::Utf8 => "utf-8",
    }
}

/// The value of an enum's member.
fn integer(base: &Datatype, little_endian: &[u8]) -> serde_json::Value {
    let signed = matches!(base, Datatype::Integer { signed: true, .. });
    let is_negative = signed && little_endian.last().is_some_and(|&b| b >= 0x80);
    let mut wide = [if is_negative { 0xff } else { 0 }; 8];
    for (to, from) in wide.iter_mut().zip(little_endian) {
        *to = *from;
    }
    if signed { i64::from_le_bytes(wide).into() } else { u64::from_le_bytes(wide).into() }
}
