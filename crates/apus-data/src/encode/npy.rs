//! The npy format: numpy's own file format, byte for byte what `numpy.save` writes. The raw format is the same without the header.
//!
//! Source: `numpy.lib.format`.

use super::dtype::{Dtype, write_python_tuple};

/// The media type.
pub const CONTENT_TYPE: &str = "application/x-npy";
/// The media type of the array's bytes alone.
pub const RAW_CONTENT_TYPE: &str = "application/octet-stream";

const MAGIC: &[u8] = b"\x93NUMPY";
/// The header's length is a multiple of this.
const ALIGN_BYTES: usize = 64;
/// numpy leaves room for the first extent to grow to this many digits.
const GROWTH_DIGITS: usize = 21;

/// The bytes before the array's: magic, version, length and the dictionary. `None` if they would be longer than the format
/// allows.
pub fn header(dtype: &Dtype, shape: &[u64]) -> Option<Vec<u8>> {
    let mut text = String::from("{'descr': ");
    dtype.write_python(&mut text);
    text.push_str(", 'fortran_order': False, 'shape': ");
    write_python_tuple(shape, &mut text);
    text.push_str(", }");
    if let Some(first) = shape.first() {
        let n_digits = first.to_string().len();
        text.extend(std::iter::repeat_n(' ', GROWTH_DIGITS.saturating_sub(n_digits)));
    }
    // Versions 1 and 2 are in Latin-1, version 3 is in UTF-8; from 2 on the length has four bytes.
    let latin1: Option<Vec<u8>> = text.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect();
    match latin1 {
        Some(text) => with_head(1, &text).or_else(|| with_head(2, &text)),
        None => with_head(3, text.as_bytes()),
    }
}

fn with_head(version: u8, text: &[u8]) -> Option<Vec<u8>> {
    let length_bytes = if version == 1 { 2 } else { 4 };
    let start = MAGIC.len() + 2 + length_bytes;
    // Like numpy, pads by a full block where none would be needed.
    let n_padding = ALIGN_BYTES - (start + text.len() + 1) % ALIGN_BYTES;
    let length = text.len() + n_padding + 1;
    let mut out = Vec::with_capacity(start + length);
    out.extend_from_slice(MAGIC);
    out.extend_from_slice(&[version, 0]);
    match version {
        1 => out.extend_from_slice(&u16::try_from(length).ok()?.to_le_bytes()),
        _ => out.extend_from_slice(&u32::try_from(length).ok()?.to_le_bytes()),
    }
    out.extend_from_slice(text);
    out.extend(std::iter::repeat_n(b' ', n_padding));
    out.push(b'\n');
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `numpy.save(f, numpy.zeros((10, 3), "<f4"))`, numpy 2.4.
    #[test]
    fn is_what_numpy_saves() {
        let header = header(&Dtype::Plain("<f4".to_owned()), &[10, 3]).unwrap();
        let mut expected =
            b"\x93NUMPY\x01\x00v\x00{'descr': '<f4', 'fortran_order': False, 'shape': (10, 3), }".to_vec();
        expected.resize(127, b' ');
        expected.push(b'\n');
        assert_eq!(header, expected);
    }

    #[test]
    fn is_a_multiple_of_64() {
        for n in 0..200 {
            let dtype = Dtype::Plain("x".repeat(n));
            assert_eq!(header(&dtype, &[]).unwrap().len() % 64, 0);
        }
    }
}
