//! Words one after the other, from one slice into another or where they lie.

use super::ByteOrder;

/// The bytes that a kernel works on.
pub(super) enum Words<'a> {
    /// Stored words, and room for native ones.
    Apart(&'a [u8], &'a mut [u8]),
    /// Stored words that are to become native ones of the same size.
    InPlace(&'a mut [u8]),
}

impl Words<'_> {
    /// Maps words of `S` bytes to words of `N`. In place the two must be equal; where they are not, nothing happens.
    pub(super) fn map<const S: usize, const N: usize>(self, f: impl Fn([u8; S]) -> [u8; N]) {
        match self {
            Self::Apart(stored, native) => {
                for (from, to) in stored.as_chunks::<S>().0.iter().zip(native.as_chunks_mut::<N>().0) {
                    *to = f(*from);
                }
            }
            Self::InPlace(words) if S == N => {
                for word in words.as_chunks_mut::<S>().0 {
                    let native = f(*word);
                    word.copy_from_slice(&native);
                }
            }
            Self::InPlace(_) => {}
        }
    }

    /// The same for sizes that machines do not have: up to 16 bytes come as a number, and the lowest `native_size` bytes of the
    /// result leave.
    pub(super) fn map_any(self, stored_size: usize, native_size: usize, order: ByteOrder, f: impl Fn(u128) -> u128) {
        match self {
            Self::Apart(stored, native) => {
                for (from, to) in stored.chunks_exact(stored_size).zip(native.chunks_exact_mut(native_size)) {
                    store(to, f(load(from, order)));
                }
            }
            Self::InPlace(words) if stored_size == native_size => {
                for word in words.chunks_exact_mut(stored_size) {
                    let native = f(load(word, order));
                    store(word, native);
                }
            }
            Self::InPlace(_) => {}
        }
    }
}

fn load(word: &[u8], order: ByteOrder) -> u128 {
    let push = |number: u128, byte: &u8| number << 8 | u128::from(*byte);
    match order {
        ByteOrder::Big => word.iter().fold(0, push),
        ByteOrder::Little | ByteOrder::Vax => word.iter().rev().fold(0, push),
    }
}

fn store(word: &mut [u8], number: u128) {
    for (to, byte) in word.iter_mut().zip(number.to_le_bytes()) {
        *to = byte;
    }
}

/// Reverses the bytes of each word.
pub(super) fn reverse(size: usize, words: Words) {
    match size {
        1 => words.map(|word: [u8; 1]| word),
        2 => words.map(|word| u16::from_le_bytes(word).to_be_bytes()),
        4 => words.map(|word| u32::from_le_bytes(word).to_be_bytes()),
        8 => words.map(|word| u64::from_le_bytes(word).to_be_bytes()),
        _ => match words {
            Words::InPlace(bytes) => bytes.chunks_exact_mut(size).for_each(<[u8]>::reverse),
            Words::Apart(stored, native) => {
                for (from, to) in stored.chunks_exact(size).zip(native.chunks_exact_mut(size)) {
                    to.iter_mut().zip(from.iter().rev()).for_each(|(to, from)| *to = *from);
                }
            }
        },
    }
}
