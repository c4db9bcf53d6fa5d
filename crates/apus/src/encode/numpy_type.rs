//! numpy's names of types, and elements as numbers.

use apus_h5::Datatype;

use super::dtype::is_boolean;

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
        (Datatype::Float { size: 2, .. }, &[a, b]) => Some(half(u16::from_le_bytes([a, b]))),
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

/// IEEE 754 binary16, widened exactly.
pub(crate) fn half(bits: u16) -> f64 {
    let sign = if bits & 0x8000 == 0 { 1.0 } else { -1.0 };
    let mantissa = f64::from(bits & 0x3ff);
    sign * match (bits >> 10) & 0x1f {
        0 => mantissa * 2f64.powi(-24),
        0x1f if mantissa == 0.0 => f64::INFINITY,
        0x1f => f64::NAN,
        exponent => (1024.0 + mantissa) * 2f64.powi(i32::from(exponent) - 25),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Expected: `numpy.uint16(bits).view("f2").astype("f8")`.
    #[test]
    fn halves_are_widened_exactly() {
        for (bits, expect) in [
            (0x3c00, 1.0),
            (0xc000, -2.0),
            (0x7bff, 65504.0),
            (0x0001, 5.960_464_477_539_063e-8),
            (0x03ff, 6.097_555_160_522_461e-5),
            (0x0400, 6.103_515_625e-5),
            (0x2e66, 0.099_975_585_937_5),
            (0x7c00, f64::INFINITY),
        ] {
            assert_eq!(half(bits).to_bits(), f64::to_bits(expect), "{bits:#x}");
        }
        assert!(half(0x7e00).is_nan());
        assert!(half(0x8000).is_sign_negative());
    }
}
