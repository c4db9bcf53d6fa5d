//! Scale-offset: the differences to the chunk's minimum, in as many bits as the largest needs, packed; floats as decimal
//! fixed-point numbers.
//!
//! The parameters: `[scale type, scale factor, n_elements, class, size, sign, order, fill value defined, fill value (12 words)]`.
//! A chunk: the number of bits (4 bytes), the bytes of the minimum (1 byte, 8), the minimum (16 bytes, 8 of them in use), then
//! the packed differences. Of these the one with all bits set stands for the fill value.

use super::{
    FilterError,
    bits::{low, packed_len, unpack},
};

/// The registered number.
pub(super) const ID: u16 = 6;

/// The bytes before the packed differences.
const HEADER_LEN: usize = 21;

/// The number of parameters.
const N_PARAMETERS: usize = 20;

/// Scale-offset, with the type of the elements.
#[derive(Debug)]
pub(super) struct ScaleOffset {
    n_elements: usize,
    kind: Kind,
    big_endian: bool,
    /// The fill value's bits, where it is defined.
    fill: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Int8,
    Int16,
    Int32,
    Int64,
    /// With the decimal digits after the point.
    Float32(i32),
    Float64(i32),
}

/// Adds the minimum, in words of the type's own size, so that the loop is vectorised.
macro_rules! integers {
    ($word:ty, $packed:expr, $width:expr, $output:expr, $minimum:expr, $fill:expr) => {{
        let word = |number: u64| <$word>::from_le_bytes(low(number));
        let (mark, fill) = mark($width, $fill);
        let (mark, fill, minimum) = (word(mark), word(fill), word($minimum));
        spread($packed, $width, $output, |difference| {
            let difference = word(difference);
            if difference == mark { fill } else { difference.wrapping_add(minimum) }.to_le_bytes()
        });
    }};
}

impl ScaleOffset {
    /// `None` where the writer was told to keep all bits of integers, and so packs nothing.
    pub(super) fn new(parameters: &[u32]) -> Result<Option<Self>, FilterError> {
        let damaged =
            |what: &str| FilterError::Damaged(format!("scale-offset: {what} in the parameters {parameters:?}"));
        let Ok(words) = <&[u32; N_PARAMETERS]>::try_from(parameters) else {
            return Err(damaged("a wrong count"));
        };
        let [scale_type, scale_factor, n_elements, class, size, sign, order, has_fill, fill_low, fill_high, ..] =
            *words;
        let scale_factor = scale_factor.cast_signed();
        // Signed and unsigned integers are stored alike: sums wrap.
        let kind = match (class, scale_type, size, sign) {
            (0, 2, 1, 0 | 1) => Kind::Int8,
            (0, 2, 2, 0 | 1) => Kind::Int16,
            (0, 2, 4, 0 | 1) => Kind::Int32,
            (0, 2, 8, 0 | 1) => Kind::Int64,
            (1, 0, 4, _) => Kind::Float32(scale_factor),
            (1, 0, 8, _) => Kind::Float64(scale_factor),
            (1, 1, ..) => return Err(FilterError::Unsupported("scale-offset by E-scaling".to_owned())),
            _ => return Err(damaged("no valid type")),
        };
        if class == 0 {
            match i64::from(scale_factor) - 8 * i64::from(size) {
                ..0 => {}
                0 => return Ok(None),
                _ => return Err(damaged("more bits than the type has")),
            }
        }
        let big_endian = match order {
            0 => false,
            1 => true,
            _ => return Err(damaged("no valid byte order")),
        };
        let fill = match has_fill {
            0 => None,
            1 => Some(u64::from(fill_high) << 32 | u64::from(fill_low)),
            _ => return Err(damaged("no valid mark for the fill value")),
        };
        let n_elements = usize::try_from(n_elements).map_err(|_| damaged("too many elements"))?;
        Ok(Some(Self { n_elements, kind, big_endian, fill }))
    }

    /// Libhdf5 adds a byte.
    #[expect(clippy::unused_self, reason = "all filters have the same shape")]
    pub(super) fn max_encoded_len(&self, len: usize) -> usize {
        len.saturating_add(HEADER_LEN + 1)
    }

    pub(super) fn max_decoded_len(&self, _len: usize) -> usize {
        self.n_elements.saturating_mul(self.kind.size())
    }

    pub(super) fn decode(&self, input: &[u8], output: &mut [u8]) -> Result<usize, FilterError> {
        let Self { n_elements, kind, big_endian, fill } = *self;
        let (size, output_len) = (kind.size(), output.len());
        let output = n_elements.checked_mul(size).and_then(|len| output.get_mut(..len)).ok_or_else(|| {
            FilterError::Damaged(format!(
                "scale-offset: {n_elements} elements of {size} bytes, more than the {output_len} bytes that the chunk can need"
            ))
        })?;
        let Some((&[b0, b1, b2, b3, minimum_len, ref minimum @ ..], packed)) = input.split_first_chunk::<HEADER_LEN>()
        else {
            return Err(FilterError::Damaged(format!("scale-offset: {} bytes have no room for a header", input.len())));
        };
        let width = u32::from_le_bytes([b0, b1, b2, b3]);
        let minimum = minimum.iter().take(usize::from(minimum_len).min(8)).rev();
        let minimum = minimum.fold(0u64, |number, byte| number << 8 | u64::from(*byte));
        let n_bits = size * 8;
        let needed = usize::try_from(width)
            .ok()
            .filter(|width| *width <= n_bits)
            .and_then(|width| packed_len(n_elements, width));
        if needed.is_none_or(|needed| needed > packed.len()) {
            return Err(FilterError::Damaged(format!(
                "scale-offset: {} bytes cannot hold {n_elements} elements of {width} bits, or those have more than {n_bits}",
                packed.len()
            )));
        }
        match kind {
            _ if width as usize == n_bits => output.copy_from_slice(&packed[..output.len()]),
            Kind::Int8 => integers!(u8, packed, width, output, minimum, fill),
            Kind::Int16 => integers!(u16, packed, width, output, minimum, fill),
            Kind::Int32 => integers!(u32, packed, width, output, minimum, fill),
            Kind::Int64 => integers!(u64, packed, width, output, minimum, fill),
            Kind::Float32(digits) => floats_32(packed, width, output, minimum, fill, digits),
            Kind::Float64(digits) => floats_64(packed, width, output, minimum, fill, digits),
        }
        if big_endian {
            output.chunks_exact_mut(size).for_each(<[u8]>::reverse);
        }
        Ok(output.len())
    }
}

/// The difference that stands for the fill value, and that: a difference has less bits than `u64`, so without a fill value it
/// is one that is never met.
fn mark(width: u32, fill: Option<u64>) -> (u64, u64) {
    fill.map_or((u64::MAX, 0), |fill| (u64::MAX >> (63 - width) >> 1, fill))
}

/// Unpacks `width` bits (0 to 63) at a time.
fn spread<const S: usize>(packed: &[u8], width: u32, output: &mut [u8], word: impl Fn(u64) -> [u8; S]) {
    match width {
        0 => output.as_chunks_mut().0.fill(word(0)),
        _ => unpack(packed, width, output, word),
    }
}

fn floats_32(packed: &[u8], width: u32, output: &mut [u8], minimum: u64, fill: Option<u64>, digits: i32) {
    let word = |number: u64| u32::from_le_bytes(low(number));
    let (mark, fill) = mark(width, fill);
    let (mark, fill, minimum) = (word(mark), word(fill), f32::from_bits(word(minimum)));
    #[expect(clippy::cast_precision_loss, reason = "what libhdf5 does")]
    let scale = 10f32.powf(digits as f32);
    spread(packed, width, output, |difference| {
        let difference = word(difference);
        #[expect(clippy::cast_precision_loss, reason = "rounded as libhdf5 does")]
        let number = difference.cast_signed() as f32 / scale + minimum;
        if difference == mark { fill } else { number.to_bits() }.to_le_bytes()
    });
}

fn floats_64(packed: &[u8], width: u32, output: &mut [u8], minimum: u64, fill: Option<u64>, digits: i32) {
    let (mark, fill) = mark(width, fill);
    let (scale, minimum) = (10f64.powf(digits.into()), f64::from_bits(minimum));
    let word = |difference: u64, number: f64| {
        let number = number / scale + minimum;
        if difference == mark { fill } else { number.to_bits() }.to_le_bytes()
    };
    if width < f64::MANTISSA_DIGITS {
        // As the mantissa of 2^52 plus the difference: unlike a conversion, this is vectorised.
        const ONE_BIT: f64 = 4_503_599_627_370_496.0; // 2^52
        spread(packed, width, output, |difference| {
            word(difference, f64::from_bits(ONE_BIT.to_bits() | difference) - ONE_BIT)
        });
    } else {
        #[expect(clippy::cast_precision_loss, reason = "rounded as libhdf5 does")]
        spread(packed, width, output, |difference| word(difference, difference.cast_signed() as f64));
    }
}

impl Kind {
    fn size(self) -> usize {
        match self {
            Self::Int8 => 1,
            Self::Int16 => 2,
            Self::Int32 | Self::Float32(_) => 4,
            Self::Int64 | Self::Float64(_) => 8,
        }
    }
}
