//! Fletcher32: a checksum after the bytes.

use super::FilterError;

/// The registered number.
pub(super) const ID: u16 = 3;

/// The bytes of the checksum.
const CHECKSUM_LEN: usize = 4;

/// Fletcher32. It has no parameters.
#[derive(Debug)]
pub(super) struct Fletcher32;

impl Fletcher32 {
    #[expect(clippy::unnecessary_wraps, reason = "all filters have the same shape")]
    pub(super) fn new(_parameters: &[u32]) -> Result<Self, FilterError> {
        Ok(Self)
    }

    #[expect(clippy::unused_self, reason = "all filters have the same shape")]
    pub(super) fn max_encoded_len(&self, len: usize) -> usize {
        len.saturating_add(CHECKSUM_LEN)
    }

    /// The bytes without the checksum, if it is theirs.
    ///
    /// libhdf5 before 1.6.3 swapped the bytes of each half of the checksum; that is accepted too, as libhdf5 does.
    #[expect(clippy::unused_self, reason = "all filters have the same shape")]
    pub(super) fn check<'a>(&self, input: &'a [u8]) -> Result<&'a [u8], FilterError> {
        let Some((data, stored)) = input.split_last_chunk::<CHECKSUM_LEN>() else {
            return Err(FilterError::Damaged(format!("fletcher32: {} bytes have no room for a checksum", input.len())));
        };
        let stored = u32::from_le_bytes(*stored);
        let computed = checksum(data);
        let swapped = computed.swap_bytes().rotate_left(16);
        if stored == computed || stored == swapped || cfg!(fuzzing) {
            Ok(data)
        } else {
            Err(FilterError::Damaged(format!(
                "fletcher32: the checksum is {computed:#010x}, not the stored {stored:#010x}"
            )))
        }
    }

    /// Checks and copies.
    pub(super) fn decode(&self, input: &[u8], output: &mut [u8]) -> Result<usize, FilterError> {
        let data = self.check(input)?;
        output.get_mut(..data.len()).map(|output| output.copy_from_slice(data)).map(|()| data.len()).ok_or_else(|| {
            FilterError::Damaged(format!(
                "fletcher32: {} bytes, more than the {} that the chunk can need",
                data.len(),
                output.len()
            ))
        })
    }
}

/// The words (16 bits, most significant byte first, an odd last byte filled up with a zero) in rows of 16, and the rows of a
/// block: as many as keep the sums of a block below 2^32.
const LANES: usize = 16;
const BLOCK_ROWS: usize = 256;

/// The checksum of libhdf5's `H5_checksum_fletcher32`.
///
/// Both sums are taken modulo 2^16 - 1, where swapping the two bytes of a word is multiplying it by 256: so the words are added
/// as they lie in a little-endian machine, and the two sums are swapped at the end. The zero of a sum that is not zero is
/// written as 2^16 - 1, since libhdf5 only folds carries.
fn checksum(data: &[u8]) -> u32 {
    let (mut sum1, mut sum2) = (0u64, 0u64);
    for block in data.chunks(BLOCK_ROWS * LANES * 2) {
        let (rows, rest) = block.as_chunks::<{ LANES * 2 }>();
        let (plain, weighted) = sums(rows);
        // The word of row r of n and lane l is weighted with the words from it to the end: LANES (n - r) - l.
        sum2 += (rows.len() * LANES) as u64 * sum1;
        for lane in 0..LANES {
            sum2 += LANES as u64 * u64::from(weighted[lane]) - lane as u64 * u64::from(plain[lane]);
            sum1 += u64::from(plain[lane]);
        }
        let (words, odd) = rest.as_chunks::<2>();
        let odd = odd.first().map(|byte| [*byte, 0]);
        for word in words.iter().chain(&odd) {
            sum1 += u64::from(u16::from_le_bytes(*word));
            sum2 += sum1;
        }
        sum1 = fold(sum1);
        sum2 = fold(sum2);
    }
    half(sum2) << 16 | half(sum1)
}

/// The sum of each lane, and the sum of its running sums.
///
/// A function of its own with three plain loops, since otherwise the compiler does not make vectors of them: 28 GB/s against 4.
#[inline(never)]
fn sums(rows: &[[u8; LANES * 2]]) -> ([u32; LANES], [u32; LANES]) {
    let (mut plain, mut weighted) = ([0u32; LANES], [0u32; LANES]);
    for row in rows {
        let words: [u16; LANES] = std::array::from_fn(|lane| u16::from_le_bytes([row[2 * lane], row[2 * lane + 1]]));
        for lane in 0..LANES {
            plain[lane] += u32::from(words[lane]);
        }
        for lane in 0..LANES {
            weighted[lane] += plain[lane];
        }
    }
    (plain, weighted)
}

/// A sum as it stands in the checksum.
fn half(sum: u64) -> u32 {
    let folded = fold(sum);
    u32::try_from((folded & 0xff) << 8 | folded >> 8).unwrap_or(0)
}

/// The same number modulo 2^16 - 1 in 16 bits; zero only of zero.
fn fold(mut sum: u64) -> u64 {
    while sum > 0xffff {
        sum = (sum >> 16) + (sum & 0xffff);
    }
    sum
}
