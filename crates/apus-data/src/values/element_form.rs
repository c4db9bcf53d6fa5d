//! The form in which elements leave, where it is not the native one.

use apus_h5::{ByteOrder, Datatype, FloatFormat, Member, Reader, half_to_f64};
use bytes::Bytes;

use crate::Result;

/// The form in which elements leave.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum ElementForm {
    /// Native: little-endian.
    #[default]
    Native,
    /// As native, with the numbers in the byte order in which they are stored.
    Stored(Swap),
    /// Half-precision floats as single-precision ones.
    Single,
    /// Extended floats of 80 bits as the nearest double-precision ones.
    Double,
}

/// Where in an element the bytes of big-endian numbers are.
#[derive(Clone, Debug, PartialEq)]
pub enum Swap {
    /// Nowhere, in so many bytes.
    Nothing(usize),
    /// All of them are one number.
    Number(usize),
    /// Those of an item, of which an array has so many.
    Array(Box<Swap>, usize),
    /// Those of the members of a record of so many bytes, each at its offset.
    Record(Vec<(usize, Swap)>, usize),
}

impl ElementForm {
    /// In the byte order of the file.
    pub fn stored(stored: &Datatype, native: &Datatype) -> Self {
        match Swap::of(stored, native) {
            Some(swap) if swap.is_needed() => Self::Stored(swap),
            _ => Self::Native,
        }
    }

    /// As JavaScript's typed arrays hold numbers: no halves, nothing of more than 64 bits.
    pub fn of_typed_arrays(native: &Datatype) -> Self {
        match native {
            Datatype::Float { format: FloatFormat::F16, .. } => Self::Single,
            Datatype::Float { format, size: 16, .. } if *format == FloatFormat::X87 => Self::Double,
            Datatype::Array { base, .. } => Self::of_typed_arrays(base),
            _ => Self::Native,
        }
    }

    /// The type of elements in this form.
    pub fn dtype(&self, native: &Datatype) -> Datatype {
        match (self, native) {
            (Self::Native | Self::Stored(_), _) => native.clone(),
            (_, Datatype::Array { base, dims }) => {
                Datatype::Array { base: Box::new(self.dtype(base)), dims: dims.clone() }
            }
            (Self::Single, _) => float(4, 32, FloatFormat::F32),
            (Self::Double, _) => float(8, 64, FloatFormat::F64),
        }
    }

    /// The bytes that so many native ones become.
    pub fn size_bytes(&self, native_bytes: u64) -> u64 {
        match self {
            Self::Native | Self::Stored(_) => native_bytes,
            Self::Single => native_bytes.saturating_mul(2),
            Self::Double => native_bytes / 2,
        }
    }

    /// Turns whole native elements into this form.
    pub fn convert(&self, native: &[u8]) -> Vec<u8> {
        match self {
            Self::Native => native.to_vec(),
            Self::Stored(swap) => {
                let mut bytes = native.to_vec();
                bytes.chunks_exact_mut(swap.size().max(1)).for_each(|element| swap.apply(element));
                bytes
            }
            #[expect(
                clippy::cast_possible_truncation,
                reason = "every half-precision number is a single-precision one"
            )]
            Self::Single => {
                let halves = native.as_chunks().0.iter();
                halves.flat_map(|half| (half_to_f64(u16::from_le_bytes(*half)) as f32).to_le_bytes()).collect()
            }
            Self::Double => {
                let extended = native.as_chunks::<16>().0.iter();
                extended.flat_map(|bytes| extended_to_f64(bytes).to_le_bytes()).collect()
            }
        }
    }
}

impl Swap {
    /// `None` for elements of variable length, and where both types do not have the same members.
    fn of(stored: &Datatype, native: &Datatype) -> Option<Self> {
        let size = usize::try_from(native.size_bytes()).ok()?;
        Some(match (stored, native) {
            (Datatype::Integer { order, .. } | Datatype::Float { order, .. } | Datatype::Bitfield { order, .. }, _) => {
                match order {
                    ByteOrder::Big if size > 1 => Self::Number(size),
                    _ => Self::Nothing(size),
                }
            }
            (Datatype::Enum { base: stored, .. }, Datatype::Enum { base: native, .. }) => Self::of(stored, native)?,
            (Datatype::Array { base: stored, dims }, Datatype::Array { base: native, .. }) => {
                let n = dims.iter().try_fold(1usize, |n, &dim| n.checked_mul(usize::try_from(dim).ok()?))?;
                Self::Array(Box::new(Self::of(stored, native)?), n)
            }
            (Datatype::Compound { members: stored, .. }, Datatype::Compound { members: native, .. }) => {
                let pairs = stored.iter().zip(native);
                let swap = |(stored, native): (&Member, &Member)| {
                    Some((usize::try_from(native.offset).ok()?, Self::of(&stored.dtype, &native.dtype)?))
                };
                Self::Record(pairs.map(swap).collect::<Option<_>>()?, size)
            }
            (Datatype::VariableString { .. } | Datatype::VariableSequence(_), _) => return None,
            _ => Self::Nothing(size),
        })
    }

    fn is_needed(&self) -> bool {
        match self {
            Self::Nothing(_) => false,
            Self::Number(_) => true,
            Self::Array(item, _) => item.is_needed(),
            Self::Record(members, _) => members.iter().any(|(_, swap)| swap.is_needed()),
        }
    }

    fn size(&self) -> usize {
        match self {
            Self::Nothing(size) | Self::Number(size) | Self::Record(_, size) => *size,
            Self::Array(item, n) => item.size().saturating_mul(*n),
        }
    }

    fn apply(&self, element: &mut [u8]) {
        match self {
            Self::Nothing(_) => {}
            Self::Number(_) => element.reverse(),
            Self::Array(item, _) => element.chunks_exact_mut(item.size().max(1)).for_each(|item_| item.apply(item_)),
            Self::Record(members, _) => {
                for (offset, swap) in members {
                    if let Some(member) = element.get_mut(*offset..offset.saturating_add(swap.size())) {
                        swap.apply(member);
                    }
                }
            }
        }
    }
}

fn float(size: u32, precision: u16, format: FloatFormat) -> Datatype {
    Datatype::Float { size, order: ByteOrder::Little, bit_offset: 0, precision, format }
}

/// The nearest double-precision number to an x87 one, ties to even, as C's cast has it.
fn extended_to_f64(bytes: &[u8; 16]) -> f64 {
    let [m0, m1, m2, m3, m4, m5, m6, m7, e0, e1, ..] = *bytes;
    let mantissa = u64::from_le_bytes([m0, m1, m2, m3, m4, m5, m6, m7]);
    let head = u16::from_le_bytes([e0, e1]);
    let exponent = i32::from(head & 0x7fff);
    let magnitude = match (exponent, mantissa << 1) {
        (0x7fff, 0) => f64::INFINITY,
        (0x7fff, _) => f64::NAN,
        // The value is mantissa * 2^(exponent - 16383 - 63).
        _ => scaled(mantissa, exponent - 16446),
    };
    if head >> 15 == 0 { magnitude } else { -magnitude }
}

/// `mantissa * 2^exponent`, rounded once.
fn scaled(mantissa: u64, exponent: i32) -> f64 {
    if mantissa == 0 {
        return 0.0;
    }
    let shift = mantissa.leading_zeros();
    let (mantissa, exponent) = (mantissa << shift, exponent - shift.cast_signed());
    // Of the 64 bits, 53 stay; below 2^-1022 fewer.
    let lowest = (exponent + 11).max(-1074);
    let n_dropped = u32::try_from(lowest - exponent).unwrap_or(u32::MAX);
    if n_dropped > 64 {
        return 0.0;
    }
    let wide = u128::from(mantissa);
    let kept = wide >> n_dropped;
    let rest = wide - (kept << n_dropped);
    let half = 1u128 << (n_dropped - 1);
    let rounded = kept + u128::from(rest > half || (rest == half && kept & 1 == 1));
    if lowest > 1100 {
        return f64::INFINITY;
    }
    // At most 2^53, so exact; and a power of two at a time, of which each is exact.
    #[expect(clippy::cast_precision_loss, reason = "at most 2^53")]
    let value = rounded as f64;
    let first = lowest.clamp(-1000, 1000);
    value * 2f64.powi(first) * 2f64.powi(lowest - first)
}

/// The elements of a reader in a form, block by block.
pub(super) struct Elements {
    reader: Reader,
    form: ElementForm,
}

impl Elements {
    pub(super) fn new(reader: Reader, form: ElementForm) -> Self {
        Self { reader, form }
    }
}

impl From<Reader> for Elements {
    fn from(reader: Reader) -> Self {
        Self::new(reader, ElementForm::Native)
    }
}

impl Iterator for Elements {
    type Item = Result<Bytes>;

    fn next(&mut self) -> Option<Self::Item> {
        let block = match self.reader.next()? {
            Ok(block) => block,
            Err(error) => return Some(Err(error.into())),
        };
        Some(Ok(match &self.form {
            ElementForm::Native => Bytes::from_owner(block),
            form => form.convert(block.bytes()).into(),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn extended(head: u16, mantissa: u64) -> f64 {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&mantissa.to_le_bytes());
        bytes[8..10].copy_from_slice(&head.to_le_bytes());
        extended_to_f64(&bytes)
    }

    /// Expected: `float(numpy.longdouble)` of these bits.
    #[test]
    fn extended_floats_are_rounded_once() {
        assert_eq!(extended(16383, 1 << 63).to_bits(), f64::to_bits(1.0));
        assert_eq!(extended(0x8000 | 16383, 3 << 62).to_bits(), f64::to_bits(-1.5));
        assert_eq!(extended(16383, (1 << 63) | (1 << 10)).to_bits(), f64::to_bits(1.0));
        assert_eq!(extended(16383, (1 << 63) | (1 << 10) | 1).to_bits(), f64::to_bits(1.0 + f64::EPSILON));
        assert_eq!(extended(16383, (1 << 63) | (3 << 10)).to_bits(), f64::to_bits(1.0 + 2.0 * f64::EPSILON));
        assert_eq!(extended(16383, u64::MAX).to_bits(), f64::to_bits(2.0));
        assert_eq!(extended(16383 - 1074, 1 << 63).to_bits(), f64::to_bits(5e-324));
        assert_eq!(extended(16383 - 1075, 1 << 63).to_bits(), f64::to_bits(0.0));
        assert_eq!(extended(16383 - 1075, (1 << 63) | 1).to_bits(), f64::to_bits(5e-324));
        assert_eq!(extended(16383 - 1022, 1 << 63).to_bits(), f64::to_bits(f64::MIN_POSITIVE));
        assert_eq!(extended(16383 + 1023, u64::MAX << 11).to_bits(), f64::to_bits(f64::MAX));
        assert_eq!(extended(16383 + 1023, u64::MAX).to_bits(), f64::to_bits(f64::INFINITY));
        assert_eq!(extended(16383 + 1024, 1 << 63).to_bits(), f64::to_bits(f64::INFINITY));
        assert_eq!(extended(0x7fff, 1 << 63).to_bits(), f64::to_bits(f64::INFINITY));
        assert!(extended(0x7fff, 3 << 62).is_nan());
        assert_eq!(extended(1, 1 << 63).to_bits(), f64::to_bits(0.0));
    }
}
