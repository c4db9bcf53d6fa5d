//! Integers: the bits that count, from their place to the lowest ones, the sign extended.

use super::{Step, vax, words::Words};
use crate::{ByteOrder, filter::FilterError};

/// Picks an integer out of a stored word.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Integer {
    stored_size: usize,
    native_size: usize,
    order: ByteOrder,
    bit_offset: u32,
    precision: u32,
    signed: bool,
}

impl Integer {
    pub(super) fn new(
        stored_size: usize,
        native_size: usize,
        order: ByteOrder,
        bit_offset: u16,
        precision: u16,
        signed: bool,
    ) -> Result<Self, FilterError> {
        let (bit_offset, precision) = (u32::from(bit_offset), u32::from(precision));
        if order == ByteOrder::Vax {
            return Err(vax());
        }
        if stored_size > 16 || native_size < stored_size || native_size > 16 {
            return Err(FilterError::Unsupported(format!("an integer of {stored_size} bytes as one of {native_size}")));
        }
        // Both are at most 2^16 - 1, and the size is at most 16.
        if precision == 0 || (bit_offset + precision) as usize > stored_size * 8 {
            return Err(FilterError::Damaged(format!(
                "an integer of {stored_size} bytes with {precision} bits from bit {bit_offset} on"
            )));
        }
        Ok(Self { stored_size, native_size, order, bit_offset, precision, signed })
    }

    /// The least that has to be done.
    pub(super) fn step(self) -> Step {
        let same_size = self.stored_size == self.native_size;
        // libhdf5 turns a big-endian byte into a little-endian one by swapping, which leaves it as it is: whatever stands above
        // the bits that count stays. For longer words h5py never asks for that, and signs are extended.
        let byte = self.stored_size == 1 && self.order == ByteOrder::Big && self.bit_offset == 0;
        let whole = same_size && (byte || self.precision as usize == self.stored_size * 8);
        match self.order {
            ByteOrder::Little if whole => Step::Keep,
            ByteOrder::Big if whole => Step::Reverse,
            _ => Step::Integer(self),
        }
    }

    pub(super) fn convert(&self, words: Words) {
        match (self.stored_size, self.native_size) {
            (1, 1) => pick!(self, words, u8),
            (2, 2) => pick!(self, words, u16),
            (4, 4) => pick!(self, words, u32),
            (8, 8) => pick!(self, words, u64),
            (stored_size, native_size) => {
                let (left, right) = self.shifts(u128::BITS);
                words.map_any(stored_size, native_size, self.order, |word| {
                    if self.signed {
                        ((word << left).cast_signed() >> right).cast_unsigned()
                    } else {
                        word << left >> right
                    }
                });
            }
        }
    }

    /// How far to shift left to drop what lies above, and then right to drop what lies below, in a word of that many bits.
    fn shifts(&self, bits: u32) -> (u32, u32) {
        (bits - self.bit_offset - self.precision, bits - self.precision)
    }
}

/// The loop for words of the size of `$word`, one for each order and sign, so that each is vectorised.
macro_rules! pick {
    ($integer:expr, $words:expr, $word:ty) => {{
        let (left, right) = $integer.shifts(<$word>::BITS);
        let unsigned = |word: $word| (word << left >> right).to_le_bytes();
        let signed = |word: $word| ((word << left).cast_signed() >> right).to_le_bytes();
        match ($integer.order == ByteOrder::Big, $integer.signed) {
            (false, false) => $words.map(|word| unsigned(<$word>::from_le_bytes(word))),
            (false, true) => $words.map(|word| signed(<$word>::from_le_bytes(word))),
            (true, false) => $words.map(|word| unsigned(<$word>::from_be_bytes(word))),
            (true, true) => $words.map(|word| signed(<$word>::from_be_bytes(word))),
        }
    }};
}
use pick;
