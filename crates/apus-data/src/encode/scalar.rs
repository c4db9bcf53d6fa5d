//! Elements as text; each type is analysed once.

use std::borrow::Cow;

use apus_h5::Datatype;

use super::{
    dtype::is_boolean,
    number::{Notation, write_f16, write_f32, write_f64},
};

/// How native elements of a type are written as JSON.
#[derive(Clone, Debug)]
pub(super) enum Scalar {
    Integer { size: usize, signed: bool },
    F16,
    F32,
    F64,
    Boolean,
    Text { size: usize },
    Bytes { size: usize },
    Reference { size: usize, region: bool },
    Record { size: usize, fields: Vec<Field> },
    Array { base: Box<Self>, dims: Vec<usize> },
}

#[derive(Clone, Debug)]
pub(super) struct Field {
    /// The name as a JSON string.
    pub(super) name: Vec<u8>,
    pub(super) offset: usize,
    pub(super) scalar: Scalar,
}

impl Scalar {
    /// `None` for types without a text form: those with members of variable length, and those that the reader does not know.
    pub(super) fn of(dtype: &Datatype) -> Option<Self> {
        let size = usize::try_from(dtype.size_bytes()).ok()?;
        Some(match dtype {
            Datatype::Integer { signed, .. } if size <= 8 => Self::Integer { size, signed: *signed },
            Datatype::Bitfield { .. } if size <= 8 => Self::Integer { size, signed: false },
            Datatype::Float { size: 2, .. } => Self::F16,
            Datatype::Float { size: 4, .. } => Self::F32,
            Datatype::Float { size: 8, .. } => Self::F64,
            Datatype::Enum { .. } if is_boolean(dtype) => Self::Boolean,
            Datatype::Enum { base, .. } => Self::of(base)?,
            Datatype::FixedString { .. } => Self::Text { size },
            Datatype::Opaque { .. } => Self::Bytes { size },
            Datatype::Reference { region, .. } => Self::Reference { size, region: *region },
            Datatype::Array { base, dims } => Self::Array {
                base: Box::new(Self::of(base)?),
                dims: dims.iter().map(|&dim| usize::try_from(dim).ok()).collect::<Option<_>>()?,
            },
            Datatype::Compound { members, .. } => Self::Record {
                size,
                fields: members
                    .iter()
                    .map(|member| {
                        let mut name = Vec::new();
                        write_text(member.name.as_bytes(), Notation::Strict, &mut name);
                        let scalar = Self::of(&member.dtype)?;
                        let offset = usize::try_from(member.offset).ok()?;
                        (offset.checked_add(scalar.size())? <= size).then_some(Field { name, offset, scalar })
                    })
                    .collect::<Option<_>>()?,
            },
            _ => return None,
        })
    }

    /// The bytes of an element.
    pub(super) fn size(&self) -> usize {
        match self {
            Self::Integer { size, .. }
            | Self::Text { size }
            | Self::Bytes { size }
            | Self::Reference { size, .. }
            | Self::Record { size, .. } => *size,
            Self::F16 => 2,
            Self::F32 => 4,
            Self::F64 => 8,
            Self::Boolean => 1,
            Self::Array { base, dims } => dims.iter().fold(base.size(), |size, &dim| size.saturating_mul(dim)),
        }
    }

    /// Writes whole elements with commas between them.
    pub(super) fn write_run(&self, bytes: &[u8], notation: Notation, out: &mut Vec<u8>) {
        // One loop for each of the common types, so that the type is not examined for each element.
        match self {
            Self::Integer { size: 8, signed: true } => {
                run(bytes, out, |bytes, out| write_integer(i64::from_le_bytes(*bytes), out));
            }
            Self::Integer { size: 4, signed: true } => {
                run(bytes, out, |bytes, out| write_integer(i32::from_le_bytes(*bytes), out));
            }
            Self::F32 => run(bytes, out, |bytes, out| write_f32(f32::from_le_bytes(*bytes), notation, out)),
            Self::F64 => run(bytes, out, |bytes, out| write_f64(f64::from_le_bytes(*bytes), notation, out)),
            other => {
                for (i, element) in bytes.chunks_exact(other.size().max(1)).enumerate() {
                    if i > 0 {
                        out.push(b',');
                    }
                    other.write(element, notation, out);
                }
            }
        }
    }

    /// Writes one element; `bytes` has [`size`](Self::size) bytes.
    pub(super) fn write(&self, bytes: &[u8], notation: Notation, out: &mut Vec<u8>) {
        match self {
            Self::Integer { size, signed } => write_wide_integer(bytes, *size, *signed, out),
            Self::F16 => write_f16(u16::from_le_bytes(fixed(bytes)), notation, out),
            Self::F32 => write_f32(f32::from_le_bytes(fixed(bytes)), notation, out),
            Self::F64 => write_f64(f64::from_le_bytes(fixed(bytes)), notation, out),
            Self::Boolean => out.extend_from_slice(if bytes.first() == Some(&0) { b"false" } else { b"true" }),
            Self::Text { .. } => {
                let end = bytes.iter().rposition(|&b| b != 0).map_or(0, |last| last + 1);
                write_text(bytes.get(..end).unwrap_or_default(), notation, out);
            }
            Self::Reference { region, .. } if matches!(notation, Notation::Orjson | Notation::OrjsonList) => {
                write_reference(*region, bytes.iter().all(|&byte| byte == 0), out);
            }
            Self::Bytes { .. } if matches!(notation, Notation::Orjson | Notation::OrjsonList) => {
                write_text(bytes, notation, out);
            }
            Self::Bytes { .. } | Self::Reference { .. } => write_bytes(bytes, out),
            Self::Record { fields, .. } => {
                let [open, close] = if notation == Notation::Strict { *b"{}" } else { *b"[]" };
                out.push(open);
                for (i, field) in fields.iter().enumerate() {
                    if i > 0 {
                        out.push(b',');
                    }
                    if notation == Notation::Strict {
                        out.extend_from_slice(&field.name);
                        out.push(b':');
                    }
                    let end = field.offset + field.scalar.size();
                    let notation = match (notation, &field.scalar) {
                        // Python's tuples of a record hold its arrays as numpy's.
                        (Notation::Orjson | Notation::OrjsonList, Self::Array { .. }) => Notation::Orjson,
                        (Notation::Orjson, _) => Notation::OrjsonList,
                        (notation, _) => notation,
                    };
                    field.scalar.write(bytes.get(field.offset..end).unwrap_or_default(), notation, out);
                }
                out.push(close);
            }
            Self::Array { base, dims } => write_array(base, dims, bytes, notation, out),
        }
    }
}

fn write_array(base: &Scalar, dims: &[usize], bytes: &[u8], notation: Notation, out: &mut Vec<u8>) {
    let Some((&first, rest)) = dims.split_first() else { return base.write(bytes, notation, out) };
    out.push(b'[');
    let size = rest.iter().fold(base.size(), |size, &dim| size.saturating_mul(dim));
    for i in 0..first {
        if i > 0 {
            out.push(b',');
        }
        write_array(base, rest, bytes.get(i * size..(i + 1) * size).unwrap_or_default(), notation, out);
    }
    out.push(b']');
}

/// Writes elements of `N` bytes with commas between them.
fn run<const N: usize>(bytes: &[u8], out: &mut Vec<u8>, mut write: impl FnMut(&[u8; N], &mut Vec<u8>)) {
    for (i, element) in bytes.as_chunks::<N>().0.iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        write(element, out);
    }
}

/// The bytes as an array; zeros if the length is wrong, which does not happen with whole elements.
fn fixed<const N: usize>(bytes: &[u8]) -> [u8; N] {
    bytes.try_into().unwrap_or([0; N])
}

fn write_integer(value: impl itoa::Integer, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

/// An integer of up to eight bytes.
fn write_wide_integer(bytes: &[u8], size: usize, signed: bool, out: &mut Vec<u8>) {
    let is_negative = signed && bytes.last().is_some_and(|&b| b >= 0x80);
    let mut wide = [if is_negative { 0xff } else { 0 }; 8];
    for (to, from) in wide.iter_mut().zip(bytes.iter().take(size)) {
        *to = *from;
    }
    if signed { write_integer(i64::from_le_bytes(wide), out) } else { write_integer(u64::from_le_bytes(wide), out) }
}

/// Writes a string as JSON; in strict notation, text that is not UTF-8 as by [`write_bytes`].
pub(super) fn write_text(bytes: &[u8], notation: Notation, out: &mut Vec<u8>) {
    match (String::from_utf8_lossy(bytes), notation) {
        (Cow::Owned(_), Notation::Strict) => write_bytes(bytes, out),
        // Writing to memory does not fail.
        (text, _) => serde_json::to_writer(out, &*text).unwrap_or_default(),
    }
}

/// Writes what `str` gives of h5py's references.
fn write_reference(is_region: bool, is_null: bool, out: &mut Vec<u8>) {
    out.extend_from_slice(match (is_region, is_null) {
        (false, false) => b"\"<HDF5 object reference>\"",
        (false, true) => b"\"<HDF5 object reference (null)>\"",
        (true, false) => b"\"<HDF5 region reference>\"",
        (true, true) => b"\"<HDF5 region reference (null>\"",
    });
}

/// Writes opaque bytes, as `{"hex": "00ff"}`.
pub(super) fn write_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    out.extend_from_slice(b"{\"hex\":\"");
    for byte in bytes {
        out.push(DIGITS[usize::from(byte >> 4)]);
        out.push(DIGITS[usize::from(byte & 15)]);
    }
    out.extend_from_slice(b"\"}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        let text = |scalar: &Scalar, bytes: &[u8]| {
            let mut out = Vec::new();
            scalar.write(bytes, Notation::Strict, &mut out);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(text(&Scalar::F32, &0.1f32.to_le_bytes()), "0.1");
        assert_eq!(text(&Scalar::F64, &0.1f64.to_le_bytes()), "0.1");
        assert_eq!(text(&Scalar::F16, &0x2e66u16.to_le_bytes()), "0.1");
        assert_eq!(text(&Scalar::F64, &f64::NEG_INFINITY.to_le_bytes()), "\"-Infinity\"");
        assert_eq!(text(&Scalar::Integer { size: 2, signed: true }, &(-5i16).to_le_bytes()), "-5");
        assert_eq!(text(&Scalar::Integer { size: 8, signed: false }, &u64::MAX.to_le_bytes()), "18446744073709551615");
        assert_eq!(text(&Scalar::Text { size: 4 }, b"a\"\0\0"), "\"a\\\"\"");
        assert_eq!(text(&Scalar::Text { size: 2 }, b"\xff\0"), "{\"hex\":\"ff\"}");
    }
}
