//! Types as h5grove tells them: the numbers of the HDF5 library, and numpy's name of what h5py reads them as.

use apus_data::encode::{dtype::is_boolean, savetxt::complex_part};
use apus_h5::{ByteOrder, CharacterSet, Datatype, StringPadding};
use serde::{Serialize, Serializer};

/// A type as it is stored in the file.
#[derive(Serialize)]
pub(super) struct TypeMetadata {
    /// Of a member of a record.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    class: u8,
    /// `null` for types that h5py has no numpy type for.
    dtype: Option<NumpyType>,
    size: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    order: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sign: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cset: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    strpad: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    vlen: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tag: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dims: Option<Vec<u32>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    members: Option<Members>,
    #[serde(skip_serializing_if = "Option::is_none")]
    base: Option<Box<TypeMetadata>>,
}

/// The members of a record, or of an enum.
#[derive(Serialize)]
#[serde(untagged)]
enum Members {
    Record(Vec<TypeMetadata>),
    #[serde(serialize_with = "as_map")]
    Enum(Vec<(String, i128)>),
}

/// `numpy.dtype(...).str`, of a record those of its members.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub(super) enum NumpyType {
    Name(String),
    #[serde(serialize_with = "as_map")]
    Fields(Vec<(String, NumpyType)>),
}

fn as_map<T: Serialize, S: Serializer>(entries: &[(String, T)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(entries.iter().map(|(name, value)| (name, value)))
}

impl TypeMetadata {
    /// That of a stored type.
    pub(super) fn of(dtype: &Datatype) -> Self {
        let metadata = Self {
            name: None,
            class: class(dtype),
            dtype: NumpyType::of(dtype),
            size: memory_bytes(dtype),
            order: None,
            sign: None,
            cset: None,
            strpad: None,
            vlen: None,
            tag: None,
            dims: None,
            members: None,
            base: None,
        };
        match dtype {
            Datatype::Integer { order, signed, .. } => {
                Self { order: Some(order_code(*order)), sign: Some((*signed).into()), ..metadata }
            }
            Datatype::Float { order, .. } | Datatype::Bitfield { order, .. } => {
                Self { order: Some(order_code(*order)), ..metadata }
            }
            Datatype::FixedString { padding, character_set, .. } => Self {
                cset: Some(character_set_code(*character_set)),
                strpad: Some(match padding {
                    StringPadding::NullTerminated => 0,
                    StringPadding::NullPadded => 1,
                    StringPadding::SpacePadded => 2,
                }),
                vlen: Some(false),
                ..metadata
            },
            Datatype::VariableString { character_set } => {
                Self { cset: Some(character_set_code(*character_set)), strpad: Some(0), vlen: Some(true), ..metadata }
            }
            Datatype::VariableSequence(base) => Self { base: Some(Box::new(Self::of(base))), ..metadata },
            Datatype::Enum { base, members } => {
                let value = |(name, bytes): &(String, Vec<u8>)| (name.clone(), integer(base, bytes));
                Self {
                    members: Some(Members::Enum(members.iter().map(value).collect())),
                    base: Some(Box::new(Self::of(base))),
                    ..metadata
                }
            }
            Datatype::Compound { members, .. } => {
                let member =
                    |member: &apus_h5::Member| Self { name: Some(member.name.clone()), ..Self::of(&member.dtype) };
                Self { members: Some(Members::Record(members.iter().map(member).collect())), ..metadata }
            }
            Datatype::Array { base, dims } => {
                Self { dims: Some(dims.clone()), base: Some(Box::new(Self::of(base))), ..metadata }
            }
            Datatype::Opaque { tag, .. } => Self { tag: Some(tag.clone()), ..metadata },
            _ => metadata,
        }
    }
}

impl NumpyType {
    /// What h5py reads elements of that stored type as; `None` where it cannot.
    pub(super) fn of(dtype: &Datatype) -> Option<Self> {
        if let Some(part) = complex_part(dtype) {
            return Some(Self::Name(format!("{}c{}", order_sign(part)?, 2 * part.native().size_bytes())));
        }
        Some(Self::Name(match dtype {
            Datatype::Integer { size: size @ (1 | 2 | 4 | 8), signed, .. } => {
                format!("{}{}{size}", order_sign(dtype)?, if *signed { 'i' } else { 'u' })
            }
            Datatype::Bitfield { size: size @ (1 | 2 | 4 | 8), .. } => format!("{}u{size}", order_sign(dtype)?),
            Datatype::Float { .. } => format!("{}f{}", order_sign(dtype)?, dtype.native().size_bytes()),
            Datatype::FixedString { size, .. } => format!("|S{size}"),
            Datatype::VariableString { .. } | Datatype::VariableSequence(_) | Datatype::Reference { .. } => {
                "|O".to_owned()
            }
            Datatype::Enum { .. } if is_boolean(dtype) => "|b1".to_owned(),
            Datatype::Enum { base, .. } => return Self::of(base),
            Datatype::Opaque { size, .. } => format!("|V{size}"),
            Datatype::Array { .. } => format!("|V{}", dtype.native().size_bytes()),
            Datatype::Compound { members, .. } => {
                let field = |member: &apus_h5::Member| Some((member.name.clone(), Self::of(&member.dtype)?));
                return members.iter().map(field).collect::<Option<_>>().map(Self::Fields);
            }
            _ => return None,
        }))
    }
}

/// The number of the class, `H5T_class_t`.
fn class(dtype: &Datatype) -> u8 {
    match dtype {
        Datatype::Integer { .. } => 0,
        Datatype::Float { .. } => 1,
        Datatype::FixedString { .. } | Datatype::VariableString { .. } => 3,
        Datatype::Bitfield { .. } => 4,
        Datatype::Opaque { .. } => 5,
        Datatype::Compound { .. } => 6,
        Datatype::Reference { .. } => 7,
        Datatype::Enum { .. } => 8,
        Datatype::VariableSequence(_) => 9,
        Datatype::Array { .. } => 10,
        Datatype::Other { class: "complex", .. } => 11,
        _ => 2,
    }
}

/// The bytes of an element in the memory of the HDF5 library, where a string of variable length is a pointer.
fn memory_bytes(dtype: &Datatype) -> u64 {
    match dtype {
        Datatype::VariableString { .. } => 8,
        Datatype::VariableSequence(_) => 16,
        Datatype::Array { base, dims } => {
            dims.iter().fold(memory_bytes(base), |size, &dim| size.saturating_mul(dim.into()))
        }
        Datatype::Compound { size, members } => members.iter().fold(u64::from(*size), |size, member| {
            size.saturating_sub(member.dtype.size_bytes()).saturating_add(memory_bytes(&member.dtype))
        }),
        other => other.size_bytes(),
    }
}

/// numpy's sign of the byte order.
fn order_sign(dtype: &Datatype) -> Option<char> {
    let (size, order) = match dtype {
        Datatype::Integer { size, order, .. }
        | Datatype::Float { size, order, .. }
        | Datatype::Bitfield { size, order } => (*size, *order),
        _ => return None,
    };
    match order {
        _ if size == 1 => Some('|'),
        ByteOrder::Little => Some('<'),
        ByteOrder::Big => Some('>'),
        ByteOrder::Vax => None,
    }
}

fn order_code(order: ByteOrder) -> u8 {
    match order {
        ByteOrder::Little => 0,
        ByteOrder::Big => 1,
        ByteOrder::Vax => 2,
    }
}

fn character_set_code(character_set: CharacterSet) -> u8 {
    match character_set {
        CharacterSet::Ascii => 0,
        CharacterSet::Utf8 => 1,
    }
}

/// The value of an enum's member.
fn integer(base: &Datatype, little_endian: &[u8]) -> i128 {
    let is_signed = matches!(base, Datatype::Integer { signed: true, .. });
    let is_negative = is_signed && little_endian.last().is_some_and(|&byte| byte >= 0x80);
    let mut wide = [if is_negative { 0xff } else { 0 }; 16];
    wide.iter_mut().zip(little_endian).for_each(|(to, from)| *to = *from);
    i128::from_le_bytes(wide)
}
