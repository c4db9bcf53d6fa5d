//! numpy's names of types, and elements as numbers.

use apus_h5::Datatype;

use super::{dtype::is_boolean, number::widen_half};

/// `numpy.dtype(...).str` of a native type: `<f8`, `|i1`, `|S5`, `|b1`, `|O` for strings of variable length, `|V12` for records;
/// `None` for types that numpy does not have. An array as an element has the name of what it holds.
pub(crate) fn type_string(dtype: &Datatype) -> Option<String> {
    let number = |kind: char, size: u32| Some(format!("{}{kind}{size}", if size == 1 { '|' } else { '<' }));
    match dtype {
        Datatype::Integer { size: size @ (1 | 2 | 4 | 8), signed, .. } => {
            number(if *signed { 'i' } else { 'u' }, *size)
        }
        Datatype::Bitfield { size: size @ (1 | 2 | 4 | 8), .. } => number('u', *size),
        Datatype::Float { size: size @ (2 | 4 | 8), .. } => number('f', *size),
        Datatype::Enum { .. } if is_boolean(dtype) => Some("|b1".to_owned()),
        Datatype::Enum { base, .. } | Datatype::Array { base, .. } => type_string(base),
        Datatype::FixedString { size, .. } => Some(format!("|S{size}")),
        Datatype::VariableString { .. } => Some("|O".to_owned()),
        Datatype::Compound { size, .. } => Some(format!("|V{size}")),
        _ => None,
    }
}

/// An element of a native floating-point type.
pub(crate) fn as_f64(dtype: &Datatype, bytes: &[u8]) -> Option<f64> {
    match (dtype, bytes) {
        (Datatype::Float { size: 2, .. }, &[a, b]) => Some(widen_half(u16::from_le_bytes([a, b]))),
        (Datatype::Float { size: 4, .. }, &[a, b, c, d]) => Some(f32::from_le_bytes([a, b, c, d]).into()),
        (Datatype::Float { size: 8, .. }, bytes) => Some(f64::from_le_bytes(bytes.try_into().ok()?)),
        _ => None,
    }
}

/// An element of a native integer type.
pub(crate) fn as_i128(dtype: &Datatype, bytes: &[u8]) -> Option<i128> {
    let signed = match dtype {
        Datatype::Integer { signed, .. } => *signed,
        Datatype::Bitfield { .. } => false,
        _ => return None,
    };
    if bytes.is_empty() || bytes.len() > 8 {
        return None;
    }
    let negative = signed && bytes.last().is_some_and(|b| b & 0x80 != 0);
    let mut wide = [if negative { 0xff } else { 0 }; 16];
    wide[..bytes.len()].copy_from_slice(bytes);
    Some(i128::from_le_bytes(wide))
}
