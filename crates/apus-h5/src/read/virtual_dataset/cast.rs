//! From the native type of a source to that of the virtual dataset, where they differ.
//!
//! What libhdf5 does between numbers (`H5Tconv.c`, the conversions by hardware): integers keep their value or become the
//! nearest that there is; integers become the nearest float; floats are rounded, and what is too large becomes an infinity.
//! From floats to integers it does what the C compiler did with it, so that is refused. So are the pairs for which it has other
//! rules where the source's bytes are in the other order: to smaller floats (which it rounds by itself) and between signed and
//! unsigned integers of one size (which keep their bits).

use crate::{ByteOrder, Datatype, FloatFormat, half_to_f64};

/// A conversion of numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cast {
    from: Number,
    to: Number,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Number {
    Integer { size: usize, signed: bool },
    F16,
    F32,
    F64,
}

impl Number {
    fn new(dtype: &Datatype) -> Option<Self> {
        match dtype {
            Datatype::Integer { size: size @ (1 | 2 | 4 | 8), signed, .. } => {
                Some(Self::Integer { size: usize::try_from(*size).ok()?, signed: *signed })
            }
            Datatype::Float { format: FloatFormat::F16, .. } => Some(Self::F16),
            Datatype::Float { format: FloatFormat::F32, .. } => Some(Self::F32),
            Datatype::Float { format: FloatFormat::F64, .. } => Some(Self::F64),
            _ => None,
        }
    }

    fn size(self) -> usize {
        match self {
            Self::Integer { size, .. } => size,
            Self::F16 => 2,
            Self::F32 => 4,
            Self::F64 => 8,
        }
    }
}

impl Cast {
    /// How to make elements of type `from` ones of type `to`, both native; `Ok(None)` where they are that already. `stored` is
    /// the type from which the source's elements were made.
    ///
    /// Errors: the pair of types, as text.
    pub(super) fn new(from: &Datatype, to: &Datatype, stored: &Datatype) -> Result<Option<Self>, String> {
        let same = match (from, to) {
            // Native strings are filled up with NULs, whatever they were called.
            (Datatype::FixedString { size: from, .. }, Datatype::FixedString { size: to, .. }) => from == to,
            _ => from == to,
        };
        if same {
            return Ok(None);
        }
        let refused = || format!("a virtual dataset of {to:?} over a source of {from:?}");
        match Number::new(from).zip(Number::new(to)) {
            Some((Number::F16 | Number::F32 | Number::F64, Number::Integer { .. }) | (_, Number::F16)) | None => {
                Err(refused())
            }
            Some((from, to)) => {
                let is_little = matches!(
                    stored,
                    Datatype::Integer { order: ByteOrder::Little, .. }
                        | Datatype::Float { order: ByteOrder::Little, .. }
                );
                let is_same_size =
                    matches!((from, to), (Number::Integer { .. }, Number::Integer { .. })) && from.size() == to.size();
                if !is_little && (is_same_size || (from, to) == (Number::F64, Number::F32)) {
                    return Err(refused());
                }
                Ok(Some(Self { from, to }))
            }
        }
    }

    /// Bytes of an element before and after.
    pub(super) fn sizes(self) -> (usize, usize) {
        (self.from.size(), self.to.size())
    }

    /// Converts as many elements as both slices hold.
    pub(super) fn convert(self, from: &[u8], to: &mut [u8]) {
        let (from_size, to_size) = self.sizes();
        let elements = from.chunks_exact(from_size).zip(to.chunks_exact_mut(to_size));
        match (self.from, self.to) {
            (Number::Integer { signed, .. }, to) => elements.for_each(|(a, b)| store_integer(to, load(a, signed), b)),
            (from, Number::F32) => {
                elements.for_each(|(a, b)| b.copy_from_slice(&to_f32(to_f64(from, a)).to_le_bytes()));
            }
            (from, _) => elements.for_each(|(a, b)| b.copy_from_slice(&to_f64(from, a).to_le_bytes())),
        }
    }
}

fn load(bytes: &[u8], signed: bool) -> i128 {
    let negative = signed && bytes.last().is_some_and(|last| last & 0x80 != 0);
    let mut wide = if negative { [0xff; 16] } else { [0; 16] };
    wide[..bytes.len()].copy_from_slice(bytes);
    i128::from_le_bytes(wide)
}

fn store_integer(to: Number, value: i128, bytes: &mut [u8]) {
    match to {
        Number::Integer { size, signed } => {
            let bits = u32::try_from(size * 8).unwrap_or(64);
            let (min, max) = if signed { (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) } else { (0, (1 << bits) - 1) };
            bytes.copy_from_slice(&value.clamp(min, max).to_le_bytes()[..size]);
        }
        #[expect(clippy::cast_precision_loss, reason = "the nearest float is what is asked for")]
        Number::F32 => bytes.copy_from_slice(&(value as f32).to_le_bytes()),
        #[expect(clippy::cast_precision_loss, reason = "the nearest float is what is asked for")]
        Number::F64 => bytes.copy_from_slice(&(value as f64).to_le_bytes()),
        Number::F16 => {}
    }
}

fn to_f64(from: Number, bytes: &[u8]) -> f64 {
    let mut wide = [0; 8];
    wide[..bytes.len()].copy_from_slice(bytes);
    match from {
        Number::F16 => half_to_f64(u16::from_le_bytes([wide[0], wide[1]])),
        Number::F32 => f64::from(f32::from_le_bytes([wide[0], wide[1], wide[2], wide[3]])),
        Number::F64 | Number::Integer { .. } => f64::from_le_bytes(wide),
    }
}

/// As libhdf5 has it: what lies beyond the largest float is an infinity, even if it would be rounded to that float.
fn to_f32(value: f64) -> f32 {
    let largest = f64::from(f32::MAX);
    if value > largest {
        f32::INFINITY
    } else if value < -largest {
        f32::NEG_INFINITY
    } else {
        #[expect(clippy::cast_possible_truncation, reason = "the nearest float is what is asked for")]
        return value as f32;
    }
}
