//! Floating-point numbers: sign, exponent and mantissa from wherever they stand to their IEEE places.
//!
//! What libhdf5 does (`H5T__conv_f_f`), where the native type holds every value of the stored one:
//! a zero keeps its sign; an exponent of all ones is an infinity where the mantissa is zero and else a NaN, whose mantissa
//! becomes all ones; everything else keeps its value. Nothing is ever rounded here: pairs of types that would need it are refused.

use super::{Step, vax, words::Words};
use crate::{ByteOrder, FloatFormat, filter::FilterError};

/// Moves a floating-point number.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Float {
    stored_size: usize,
    native_size: usize,
    order: ByteOrder,
    format: FloatFormat,
    native: FloatFormat,
    route: Route,
}

/// The ways, from the fastest.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Route {
    /// The stored format is the native one.
    Same,
    /// An implied leading bit, at most as many exponent and mantissa bits as the native f32 or f64 has: the parts are put in
    /// their places, and the product with this power of two corrects the bias (for subnormal numbers as well).
    Scaled(f64),
    /// Everything else, part by part.
    Parts,
}

impl Float {
    pub(super) fn new(
        stored_size: usize,
        native_size: usize,
        order: ByteOrder,
        format: &FloatFormat,
        native: &FloatFormat,
    ) -> Result<Self, FilterError> {
        if order == ByteOrder::Vax {
            return Err(vax());
        }
        let (format, native) = (*format, *native);
        let parts = [
            (format.sign_position, 1),
            (format.exponent_position, format.exponent_size),
            (format.mantissa_position, format.mantissa_size),
        ];
        let outside = parts.iter().any(|(at, n)| *n == 0 || (usize::from(*at) + usize::from(*n)) > stored_size * 8);
        if outside || stored_size > 16 {
            return Err(FilterError::Damaged(format!("a floating-point type of {stored_size} bytes with {format:?}")));
        }
        let known = match native_size {
            2 => native == FloatFormat::F16,
            4 => native == FloatFormat::F32,
            8 => native == FloatFormat::F64,
            _ => false,
        };
        if !known || !holds(&format, &native) {
            let (exponent, mantissa) = (u32::from(format.exponent_size), u32::from(format.mantissa_size));
            return Err(FilterError::Unsupported(format!(
                "a floating-point type of {} bits ({exponent} of exponent, {mantissa} of mantissa) as one of {} bits",
                exponent + mantissa + 1,
                native_size * 8
            )));
        }
        let route = if format == native && stored_size == native_size {
            Route::Same
        } else {
            scaled(&format, &native, stored_size).map_or(Route::Parts, Route::Scaled)
        };
        Ok(Self { stored_size, native_size, order, format, native, route })
    }

    /// The least that has to be done.
    pub(super) fn step(self) -> Step {
        match (self.route, self.order) {
            (Route::Same, ByteOrder::Little) => Step::Keep,
            (Route::Same, _) => Step::Reverse,
            _ => Step::Float(self),
        }
    }

    pub(super) fn convert(&self, words: Words) {
        match (self.route, self.stored_size, self.native_size) {
            (Route::Scaled(factor), 4, 4) => {
                let narrow = Narrow::<u32>::new(&self.format, &self.native);
                // A power of two in the range of f32, as `scaled` checked.
                #[expect(clippy::cast_possible_truncation, reason = "exact")]
                let factor = factor as f32;
                match self.order {
                    ByteOrder::Big => words.map(|word| narrow.to_f32(u32::from_be_bytes(word), factor)),
                    _ => words.map(|word| narrow.to_f32(u32::from_le_bytes(word), factor)),
                }
            }
            (Route::Scaled(factor), 8, 8) => {
                let narrow = Narrow::<u64>::new(&self.format, &self.native);
                match self.order {
                    ByteOrder::Big => words.map(|word| narrow.to_f64(u64::from_be_bytes(word), factor)),
                    _ => words.map(|word| narrow.to_f64(u64::from_le_bytes(word), factor)),
                }
            }
            (Route::Scaled(factor), 2, 4) => {
                let narrow = Narrow::<u32>::new(&self.format, &self.native);
                #[expect(clippy::cast_possible_truncation, reason = "exact")]
                let factor = factor as f32;
                match self.order {
                    ByteOrder::Big => words.map(|word| narrow.to_f32(u16::from_be_bytes(word).into(), factor)),
                    _ => words.map(|word| narrow.to_f32(u16::from_le_bytes(word).into(), factor)),
                }
            }
            (_, stored_size, native_size) => {
                words.map_any(stored_size, native_size, self.order, |word| self.parts(word));
            }
        }
    }
}

/// The range of a format's finite values, as powers of two: below the first, from the last bit of the smallest on.
fn range(format: &FloatFormat) -> (i64, i64) {
    let bias = i64::from(format.exponent_bias);
    let mantissa = i64::from(format.mantissa_size);
    let max_exponent = (1i64 << format.exponent_size.min(62)) - 2;
    // Without an implied bit the mantissa counts from its own highest bit, one place lower in value.
    (max_exponent - bias + 1, 1 - bias - mantissa)
}

/// Whether every finite value of `format` is one of `native`.
fn holds(format: &FloatFormat, native: &FloatFormat) -> bool {
    let digits = format.mantissa_size - u8::from(!format.implied_msb);
    let ((top, bottom), (native_top, native_bottom)) = (range(format), range(native));
    digits <= native.mantissa_size && top <= native_top && bottom >= native_bottom
}

/// The factor of [`Route::Scaled`], where that way is open.
fn scaled(format: &FloatFormat, native: &FloatFormat, stored_size: usize) -> Option<f64> {
    let parts_fit = format.mantissa_size <= native.mantissa_size && format.exponent_size <= native.exponent_size;
    let size_fits = match *native {
        FloatFormat::F32 => matches!(stored_size, 2 | 4),
        FloatFormat::F64 => stored_size == 8,
        _ => false,
    };
    let power = i64::from(native.exponent_bias) - i64::from(format.exponent_bias);
    let power_fits = power.unsigned_abs() < u64::from(native.exponent_bias);
    (format.implied_msb && parts_fit && size_fits && power_fits)
        .then(|| i32::try_from(power).ok().map(|power| 2f64.powi(power)))
        .flatten()
}

/// Shifts and masks of [`Route::Scaled`], in words of the native size.
struct Narrow<W> {
    sign_position: u32,
    exponent_position: u32,
    exponent_mask: W,
    mantissa_position: u32,
    mantissa_mask: W,
    mantissa_shift: u32,
}

/// The loops' bodies for one native type: without branches, so that they are vectorised.
macro_rules! narrow {
    ($word:ty, $float:ty, $to:ident) => {
        impl Narrow<$word> {
            fn new(format: &FloatFormat, native: &FloatFormat) -> Self {
                let mask = |size: u8| <$word>::MAX >> (<$word>::BITS - u32::from(size));
                Self {
                    sign_position: format.sign_position.into(),
                    exponent_position: format.exponent_position.into(),
                    exponent_mask: mask(format.exponent_size),
                    mantissa_position: format.mantissa_position.into(),
                    mantissa_mask: mask(format.mantissa_size),
                    mantissa_shift: (native.mantissa_size - format.mantissa_size).into(),
                }
            }

            #[inline(always)]
            fn $to(&self, word: $word, factor: $float) -> [u8; size_of::<$word>()] {
                const MANTISSA_SIZE: u32 = <$float>::MANTISSA_DIGITS - 1;
                const INFINITY: $word = <$float>::INFINITY.to_bits();
                const NAN: $word = <$word>::MAX >> 1;
                let sign = word >> self.sign_position << (<$word>::BITS - 1);
                let exponent = word >> self.exponent_position & self.exponent_mask;
                let mantissa = word >> self.mantissa_position & self.mantissa_mask;
                let magnitude = <$float>::from_bits(exponent << MANTISSA_SIZE | mantissa << self.mantissa_shift);
                let finite = (magnitude * factor).to_bits();
                let special = if mantissa == 0 { INFINITY } else { NAN };
                let bits = if exponent == self.exponent_mask { special } else { finite };
                (sign | bits).to_le_bytes()
            }
        }
    };
}
narrow!(u32, f32, to_f32);
narrow!(u64, f64, to_f64);

impl Float {
    /// [`Route::Parts`] for one word: the native bits.
    fn parts(&self, word: u128) -> u128 {
        let Self { format, native, .. } = self;
        let part = |position: u8, size: u8| word >> position & (u128::MAX >> (128 - u32::from(size)));
        let exponent_mask = u128::MAX >> (128 - u32::from(format.exponent_size));
        let sign = part(format.sign_position, 1) << native.sign_position;
        let exponent = part(format.exponent_position, format.exponent_size);
        let mantissa = part(format.mantissa_position, format.mantissa_size);
        let native_special = (u128::MAX >> (128 - u32::from(native.exponent_size))) << native.exponent_position;
        if exponent == exponent_mask {
            // A leading bit that is stored may be set or not.
            let leading = if format.implied_msb { 0 } else { 1 << (format.mantissa_size - 1) };
            let infinity = mantissa & !leading == 0;
            let nan = u128::MAX >> (128 - u32::from(native.mantissa_size));
            return sign | native_special | if infinity { 0 } else { nan };
        }
        // As an integer times a power of two. The exponent is in range: `holds` saw to it that it is near the native ones.
        let biased = i64::try_from(exponent).unwrap_or(i64::MAX);
        let last_bit = 1 - i64::from(format.exponent_bias) - i64::from(format.mantissa_size);
        let (integer, power) = match (format.implied_msb, biased, mantissa) {
            (true, 1.., _) => (mantissa | 1 << format.mantissa_size, biased - 1 + last_bit),
            (false, 1.., 0) => (1, biased - 1 + last_bit), // no number; what libhdf5 makes of it
            _ => (mantissa, biased + last_bit),
        };
        if integer == 0 {
            return sign;
        }
        // The leading bit becomes the implied one, or the number is subnormal and its last bit stands for the smallest power.
        let leading = i64::from(integer.ilog2());
        let exponent = leading + power + i64::from(native.exponent_bias);
        let native_last_bit = 1 - i64::from(native.exponent_bias) - i64::from(native.mantissa_size);
        let (exponent, up) = match exponent {
            1.. => (exponent, i64::from(native.mantissa_size) - leading),
            _ => (0, power - native_last_bit),
        };
        let moved = match u32::try_from(up) {
            Ok(up) => integer.checked_shl(up).unwrap_or(0),
            Err(_) => integer >> up.unsigned_abs().min(127),
        };
        let mantissa = moved & (u128::MAX >> (128 - u32::from(native.mantissa_size)));
        sign | u128::from(exponent.unsigned_abs()) << native.exponent_position | mantissa
    }
}
