//! The TIFF format: one grey picture of numbers, uncompressed, in one strip behind its directory.
//!
//! Source: TIFF 6.0, and the `BigTIFF` design for pictures of 4 GiB and more.

use apus_h5::{Datatype, FloatFormat};

/// The media type.
pub const CONTENT_TYPE: &str = "image/tiff";

const SHORT: u16 = 3;
const LONG: u16 = 4;
const LONG8: u16 = 16;

/// The bytes before the numbers of a picture of `shape` (height, width), of native elements; `None` for other shapes, pictures of
/// nothing, and elements that TIFF has no form for.
pub fn header(dtype: &Datatype, shape: &[u64]) -> Option<Vec<u8>> {
    let [height, width] = *shape else { return None };
    let (sample_format, element_bytes) = sample(dtype)?;
    let (height, width) = (u32::try_from(height).ok()?, u32::try_from(width).ok()?);
    let size_bytes = u64::from(height).checked_mul(width.into())?.checked_mul(element_bytes)?;
    if size_bytes == 0 {
        return None;
    }
    let is_big = size_bytes > u64::from(u32::MAX) - 1024;
    let mut tags: Vec<(u16, u16, u64)> = vec![
        (256, LONG, width.into()),
        (257, LONG, height.into()),
        (258, SHORT, 8 * element_bytes),
        // No compression; the smallest number is black.
        (259, SHORT, 1),
        (262, SHORT, 1),
        // Where the strip begins: filled in below.
        (273, if is_big { LONG8 } else { LONG }, 0),
        (277, SHORT, 1),
        (278, LONG, height.into()),
        (279, if is_big { LONG8 } else { LONG }, size_bytes),
        (339, SHORT, sample_format),
    ];
    let (head_bytes, count_bytes, entry_bytes, offset_bytes) = if is_big { (16, 8, 20, 8) } else { (8, 2, 12, 4) };
    let directory_bytes = head_bytes + count_bytes + entry_bytes * tags.len() as u64 + offset_bytes;
    // Numbers begin at a multiple of the largest element.
    let start = directory_bytes.next_multiple_of(16);
    tags.iter_mut().filter(|tag| tag.0 == 273).for_each(|tag| tag.2 = start);
    let mut out = Vec::new();
    let mut put = |bytes: &[u8]| out.extend_from_slice(bytes);
    put(b"II");
    if is_big {
        put(&[43, 0, 8, 0, 0, 0, 16, 0, 0, 0, 0, 0, 0, 0]);
        put(&(tags.len() as u64).to_le_bytes());
    } else {
        put(&[42, 0, 8, 0, 0, 0]);
        put(&u16::try_from(tags.len()).ok()?.to_le_bytes());
    }
    let n_value_bytes = usize::try_from(offset_bytes).ok()?;
    for (tag, kind, value) in tags {
        put(&tag.to_le_bytes());
        put(&kind.to_le_bytes());
        // One value each.
        put(1u64.to_le_bytes().get(..n_value_bytes)?);
        put(value.to_le_bytes().get(..n_value_bytes)?);
    }
    out.resize(usize::try_from(start).ok()?, 0);
    Some(out)
}

/// The sample format's number, and the bytes of an element.
fn sample(dtype: &Datatype) -> Option<(u64, u64)> {
    const UNSIGNED: u64 = 1;
    const SIGNED: u64 = 2;
    const FLOAT: u64 = 3;
    match dtype {
        Datatype::Integer { size: size @ (1 | 2 | 4 | 8), signed, .. } => {
            Some((if *signed { SIGNED } else { UNSIGNED }, (*size).into()))
        }
        Datatype::Bitfield { size: size @ (1 | 2 | 4 | 8), .. } => Some((UNSIGNED, (*size).into())),
        Datatype::Enum { base, .. } => sample(base),
        Datatype::Float { size, format: FloatFormat::F16 | FloatFormat::F32 | FloatFormat::F64, .. } => {
            Some((FLOAT, (*size).into()))
        }
        _ => None,
    }
}
