//! Elements as text, compiled once per type.

use apus_h5::Datatype;

use super::dtype::is_boolean;

/// How native elements of a type are written as JSON. Numbers are the shortest text that gives the same bits back in the
/// stored precision; NaN and the infinities, for which JSON has no numbers, are the strings `"NaN"`, `"Infinity"` and
/// `"-Infinity"`, which `float()` in Python and `Number()` in JavaScript take back.
#[derive(Clone, Debug)]
pub(super) enum Scalar {
    Integer { size: usize, signed: bool },
    F16,
    F32,
    F64,
    Boolean,
    Text { size: usize },
    Bytes { size: usize },
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
    /// `None` for types that have no text: elements of variable length within others, and those that the reader does not
    /// know either.
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
            Datatype::Opaque { .. } | Datatype::Reference { .. } => Self::Bytes { size },
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
                        write_text(member.name.as_bytes(), &mut name);
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
            Self::Integer { size, .. } | Self::Text { size } | Self::Bytes { size } | Self::Record { size, .. } => {
                *size
            }
            Self::F16 => 2,
            Self::F32 => 4,
            Self::F64 => 8,
            Self::Boolean => 1,
            Self::Array { base, dims } => dims.iter().fold(base.size(), |size, &dim| size.saturating_mul(dim)),
        }
    }

    /// Writes elements with commas between them.
    pub(super) fn write_row(&self, elements: &[u8], out: &mut Vec<u8>) {
        match self {
            // What most data are, without asking for the type of each.
            Self::F64 => {
                separated(elements.as_chunks().0, out, |bytes, out| write_f64(f64::from_le_bytes(*bytes), out));
            }
            Self::F32 => separated(elements.as_chunks().0, out, |bytes, out| {
                write_f32(f32::from_le_bytes(*bytes), Precision::Single, out);
            }),
            _ => separated(elements.chunks_exact(self.size().max(1)), out, |bytes, out| self.write(bytes, out)),
        }
    }

    /// Writes one element; `bytes` are as many as [`size`](Self::size).
    pub(super) fn write(&self, bytes: &[u8], out: &mut Vec<u8>) {
        match self {
            Self::Integer { size, signed } => write_integer(bytes, *size, *signed, out),
            Self::F16 => write_f32(f16_to_f32(u16::from_le_bytes(fixed(bytes))), Precision::Half, out),
            Self::F32 => write_f32(f32::from_le_bytes(fixed(bytes)), Precision::Single, out),
            Self::F64 => write_f64(f64::from_le_bytes(fixed(bytes)), out),
            Self::Boolean => out.extend_from_slice(if bytes.first() == Some(&0) { b"false" } else { b"true" }),
            Self::Text { .. } => {
                let end = bytes.iter().rposition(|&b| b != 0).map_or(0, |last| last + 1);
                write_text(bytes.get(..end).unwrap_or_default(), out);
            }
            Self::Bytes { .. } => write_bytes(bytes, out),
            Self::Record { fields, .. } => {
                out.push(b'{');
                for (i, field) in fields.iter().enumerate() {
                    if i > 0 {
                        out.push(b',');
                    }
                    out.extend_from_slice(&field.name);
                    out.push(b':');
                    let end = field.offset + field.scalar.size();
                    field.scalar.write(bytes.get(field.offset..end).unwrap_or_default(), out);
                }
                out.push(b'}');
            }
            Self::Array { base, dims } => write_array(base, dims, bytes, out),
        }
    }
}

fn separated<T>(elements: impl IntoIterator<Item = T>, out: &mut Vec<u8>, mut write: impl FnMut(T, &mut Vec<u8>)) {
    for (i, element) in elements.into_iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        write(element, out);
    }
}

fn write_array(base: &Scalar, dims: &[usize], bytes: &[u8], out: &mut Vec<u8>) {
    let Some((&first, rest)) = dims.split_first() else { return base.write(bytes, out) };
    out.push(b'[');
    let size = rest.iter().fold(base.size(), |size, &dim| size.saturating_mul(dim));
    for i in 0..first {
        if i > 0 {
            out.push(b',');
        }
        write_array(base, rest, bytes.get(i * size..(i + 1) * size).unwrap_or_default(), out);
    }
    out.push(b']');
}

/// The bytes as an array; zeros where there are too few, which the reader's whole elements never are.
fn fixed<const N: usize>(bytes: &[u8]) -> [u8; N] {
    bytes.try_into().unwrap_or([0; N])
}

fn write_integer(bytes: &[u8], size: usize, signed: bool, out: &mut Vec<u8>) {
    let is_negative = signed && bytes.last().is_some_and(|&b| b >= 0x80);
    let mut wide = [if is_negative { 0xff } else { 0 }; 8];
    for (to, from) in wide.iter_mut().zip(bytes.iter().take(size)) {
        *to = *from;
    }
    let mut buffer = itoa::Buffer::new();
    let text = if signed { buffer.format(i64::from_le_bytes(wide)) } else { buffer.format(u64::from_le_bytes(wide)) };
    out.extend_from_slice(text.as_bytes());
}

#[derive(Clone, Copy)]
enum Precision {
    Half,
    Single,
}

#[expect(clippy::cast_possible_truncation, reason = "the digits of a half-precision number are found by trying")]
fn write_f32(value: f32, precision: Precision, out: &mut Vec<u8>) {
    if !value.is_finite() {
        return write_not_finite(value.is_nan(), value.is_sign_negative(), out);
    }
    match precision {
        Precision::Single => out.extend_from_slice(zmij::Buffer::new().format_finite(value).as_bytes()),
        Precision::Half => {
            // Five digits tell all half-precision numbers apart.
            let short = (0..5).find_map(|n| {
                let text = format!("{value:.n$e}");
                let back: f64 = text.parse().ok()?;
                (f32_to_f16(back as f32) == f32_to_f16(value)).then_some(back)
            });
            out.extend_from_slice(zmij::Buffer::new().format_finite(short.unwrap_or(value.into())).as_bytes());
        }
    }
}

fn write_f64(value: f64, out: &mut Vec<u8>) {
    if value.is_finite() {
        out.extend_from_slice(zmij::Buffer::new().format_finite(value).as_bytes());
    } else {
        write_not_finite(value.is_nan(), value.is_sign_negative(), out);
    }
}

fn write_not_finite(is_nan: bool, is_negative: bool, out: &mut Vec<u8>) {
    out.extend_from_slice(match (is_nan, is_negative) {
        (true, _) => b"\"NaN\"",
        (false, false) => b"\"Infinity\"",
        (false, true) => b"\"-Infinity\"",
    });
}

/// Half precision to single, exactly.
fn f16_to_f32(bits: u16) -> f32 {
    let sign = if bits & 0x8000 == 0 { 1.0 } else { -1.0 };
    let exponent = (bits >> 10) & 0x1f;
    let mantissa = f32::from(bits & 0x3ff);
    sign * match exponent {
        0 => mantissa * 2f32.powi(-24),
        31 if mantissa == 0.0 => f32::INFINITY,
        31 => f32::NAN,
        _ => (1024.0 + mantissa) * 2f32.powi(i32::from(exponent) - 25),
    }
}

/// The nearest half-precision number, ties to even, as bits; for finite values.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the values are below 2048")]
fn f32_to_f16(value: f32) -> u16 {
    let sign = if value.is_sign_negative() { 0x8000 } else { 0 };
    let magnitude = value.abs();
    let exponent = if magnitude == 0.0 { -14 } else { (magnitude.log2().floor() as i32).clamp(-14, 15) };
    // One step of the grid at this exponent; rounding up may carry into the next exponent, which the bits follow.
    let steps = (magnitude / 2f32.powi(exponent - 10)).round_ties_even() as u16;
    let bits = if exponent == -14 { steps } else { (((exponent + 15) as u16) << 10) + (steps - 1024) };
    sign | bits
}

/// A string, as JSON; text that is not UTF-8 as [`write_bytes`].
pub(super) fn write_text(bytes: &[u8], out: &mut Vec<u8>) {
    match std::str::from_utf8(bytes) {
        // Writing to memory does not fail.
        Ok(text) => serde_json::to_writer(out, text).unwrap_or_default(),
        Err(_) => write_bytes(bytes, out),
    }
}

/// Bytes without a meaning, as `{"hex": "00ff"}`.
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
    fn half_precision_goes_there_and_back() {
        for bits in 0..=u16::MAX {
            let value = f16_to_f32(bits);
            if value.is_finite() {
                assert_eq!(f32_to_f16(value), bits, "{value}");
                let mut out = Vec::new();
                write_f32(value, Precision::Half, &mut out);
                let back: f32 = String::from_utf8(out).unwrap().parse().unwrap();
                assert_eq!(f32_to_f16(back), bits, "{value}");
            }
        }
    }

    #[test]
    fn numbers_are_short() {
        let text = |scalar: &Scalar, bytes: &[u8]| {
            let mut out = Vec::new();
            scalar.write(bytes, &mut out);
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
