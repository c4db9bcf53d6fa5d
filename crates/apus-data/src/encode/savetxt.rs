//! Lines of numbers as `numpy.savetxt(..., delimiter=",")` writes them: no names, every number as `%.18e`.

use std::io::Write;

use apus_h5::{Datatype, FloatFormat, half_to_f64};

use super::TextEncoder;

/// The media type.
pub const CONTENT_TYPE: &str = "text/csv";

/// Turns native numbers into lines, piece by piece.
#[derive(Debug)]
pub struct SavetxtEncoder {
    number: Number,
    /// Whether two numbers make one complex one.
    is_complex: bool,
    /// Elements in a line.
    n_columns: u64,
    /// Elements that are already in the current line.
    n_written: u64,
}

#[derive(Clone, Copy, Debug)]
enum Number {
    Integer { size: usize, signed: bool },
    F16,
    F32,
    F64,
}

impl SavetxtEncoder {
    /// An encoder for an array of one or two dimensions, with native elements; `None` for other shapes, and for what numpy does not take
    /// for numbers.
    pub fn new(dtype: &Datatype, shape: &[u64]) -> Option<Self> {
        let n_columns = match shape {
            [_] => 1,
            [_, n_columns] => *n_columns,
            _ => return None,
        };
        let part = complex_part(dtype);
        let number = Number::of(part.unwrap_or(dtype))?;
        Some(Self { number, is_complex: part.is_some(), n_columns, n_written: 0 })
    }

    fn write_element(&self, element: &[u8], out: &mut Vec<u8>) {
        if !self.is_complex {
            return write_number(self.number.value(element), out);
        }
        let (real, imaginary) = element.split_at(element.len() / 2);
        out.extend_from_slice(b" (");
        write_number(self.number.value(real), out);
        let start = out.len();
        write_number(self.number.value(imaginary), out);
        // numpy joins the parts by a plus, and drops it where a minus follows.
        if out.get(start) != Some(&b'-') {
            out.insert(start, b'+');
        }
        out.extend_from_slice(b"j)");
    }
}

impl TextEncoder for SavetxtEncoder {
    fn element_bytes(&self) -> usize {
        self.number.size() * if self.is_complex { 2 } else { 1 }
    }

    fn write(&mut self, elements: &[u8], out: &mut Vec<u8>) {
        for element in elements.chunks_exact(self.element_bytes()) {
            if self.n_written > 0 {
                out.push(b',');
            }
            self.write_element(element, out);
            self.n_written += 1;
            if self.n_written == self.n_columns {
                self.n_written = 0;
                out.push(b'\n');
            }
        }
    }

    fn finish(&mut self, _: &mut Vec<u8>) {}
}

impl Number {
    fn of(dtype: &Datatype) -> Option<Self> {
        Some(match dtype {
            Datatype::Integer { size: size @ 1..=8, signed, .. } => {
                Self::Integer { size: usize::try_from(*size).ok()?, signed: *signed }
            }
            Datatype::Bitfield { size: size @ 1..=8, .. } => {
                Self::Integer { size: usize::try_from(*size).ok()?, signed: false }
            }
            Datatype::Enum { base, .. } => Self::of(base)?,
            Datatype::Float { format: FloatFormat::F16, size: 2, .. } => Self::F16,
            Datatype::Float { format: FloatFormat::F32, size: 4, .. } => Self::F32,
            Datatype::Float { format: FloatFormat::F64, size: 8, .. } => Self::F64,
            _ => return None,
        })
    }

    fn size(self) -> usize {
        match self {
            Self::Integer { size, .. } => size,
            Self::F16 => 2,
            Self::F32 => 4,
            Self::F64 => 8,
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "as Python's float does, large integers are rounded")]
    fn value(self, bytes: &[u8]) -> f64 {
        let mut word = [0; 8];
        word.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
        match self {
            Self::Integer { size, signed } => {
                let bits = u64::from_le_bytes(word);
                let unused = 64 - 8 * size.min(8);
                if signed { (bits.cast_signed() << unused >> unused) as f64 } else { bits as f64 }
            }
            Self::F16 => half_to_f64(u16::from_le_bytes([word[0], word[1]])),
            Self::F32 => f32::from_le_bytes([word[0], word[1], word[2], word[3]]).into(),
            Self::F64 => f64::from_le_bytes(word),
        }
    }
}

/// The type of the parts of a complex number as h5py writes it: a record of `r` and `i`.
pub fn complex_part(dtype: &Datatype) -> Option<&Datatype> {
    let Datatype::Compound { size, members } = dtype else { return None };
    let [r, i] = members.as_slice() else { return None };
    let is_complex = (r.name.as_str(), i.name.as_str()) == ("r", "i")
        && r.dtype == i.dtype
        && matches!(r.dtype, Datatype::Float { .. })
        && (r.offset, i.offset) == (0, r.dtype.size_bytes())
        && u64::from(*size) == 2 * r.dtype.size_bytes();
    is_complex.then_some(&r.dtype)
}

/// As C writes `%.18e`: the exponent has a sign and at least two digits.
fn write_number(value: f64, out: &mut Vec<u8>) {
    if !value.is_finite() {
        out.extend_from_slice(match value {
            f64::INFINITY => b"inf",
            f64::NEG_INFINITY => b"-inf",
            _ => b"nan",
        });
        return;
    }
    let text = format!("{value:.18e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, digits) = match exponent.strip_prefix('-') {
        Some(digits) => ('-', digits),
        None => ('+', exponent),
    };
    // Writing to memory does not fail.
    let _ = write!(out, "{mantissa}e{sign}{digits:0>2}");
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Expected: Python's `"%.18e" % x`.
    #[test]
    fn numbers_are_those_of_c() {
        for (x, expected) in [
            (0.0, "0.000000000000000000e+00"),
            (-0.1, "-1.000000000000000056e-01"),
            (5e-324, "4.940656458412465442e-324"),
            (1.5e300, "1.500000000000000079e+300"),
            (f64::NAN, "nan"),
            (f64::NEG_INFINITY, "-inf"),
        ] {
            let mut out = Vec::new();
            write_number(x, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
    }
}
