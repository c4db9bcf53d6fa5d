//! Numbers packed without gaps, most significant bit first: how nbit and scale-offset store them.

/// Reads numbers of changing width one after the other. After the end it reads zeros; callers check lengths before.
#[derive(Clone, Copy)]
pub(super) struct BitReader<'a> {
    bytes: &'a [u8],
    /// In bits; a slice has less than 2^61 bytes on any machine.
    position: usize,
}

impl<'a> BitReader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, position: 0 }
    }

    /// The next `width` bits, 1 to 64 of them.
    #[inline]
    pub(super) fn take(&mut self, width: u32) -> u64 {
        let at = self.position / 8;
        #[expect(clippy::cast_possible_truncation, reason = "less than 8")]
        let skip = (self.position % 8) as u32;
        self.position += width as usize;
        let head = be_u64(self.bytes, at) << skip;
        // The 8 bytes hold the number, unless it is one of the widest and starts late in its first byte.
        let missing = (skip + width).saturating_sub(64);
        let tail =
            if missing == 0 { 0 } else { self.bytes.get(at + 8).map_or(0, |byte| u64::from(*byte) >> (8 - skip)) };
        (head | tail) >> (64 - width)
    }
}

/// The 8 bytes from `at` on, zeros after the end.
#[inline]
fn be_u64(bytes: &[u8], at: usize) -> u64 {
    let rest = bytes.get(at..).unwrap_or_default();
    match rest.first_chunk::<8>() {
        Some(chunk) => u64::from_be_bytes(*chunk),
        None => rest.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)) << ((64 - 8 * rest.len()) % 64),
    }
}

/// Maps numbers of `width` bits (1 to 64) to words of `S` bytes, as many as `output` holds.
///
/// In blocks of 64, which take as many words of 8 bytes as a number has bits: a loop for each width gets them out, with all
/// shifts known to the compiler, and a second one, which is vectorised, maps them.
#[inline]
pub(super) fn unpack<const S: usize>(input: &[u8], width: u32, output: &mut [u8], word: impl Fn(u64) -> [u8; S]) {
    let width = width as usize;
    let Some(unpack_block) = BLOCKS.get(width.wrapping_sub(1)) else { return };
    let mut numbers = [0; BLOCK];
    for (i, words) in output.as_chunks_mut::<S>().0.chunks_mut(BLOCK).enumerate() {
        let rest = input.get(i * BLOCK_BYTES_PER_BIT * width..).unwrap_or_default();
        if rest.len() >= BLOCK_BYTES_PER_BIT * width + OVERHANG {
            unpack_block(rest, &mut numbers);
        } else {
            let mut padded = [0; BLOCK_BYTES_PER_BIT * 64 + OVERHANG];
            let n = rest.len().min(padded.len());
            padded[..n].copy_from_slice(&rest[..n]);
            unpack_block(&padded, &mut numbers);
        }
        for (out, number) in words.iter_mut().zip(&numbers) {
            *out = word(*number);
        }
    }
}

/// The numbers of a block, and its bytes for each bit that they have.
const BLOCK: usize = 64;
const BLOCK_BYTES_PER_BIT: usize = BLOCK / 8;

/// The bytes after a block that are looked at, though nothing is taken from them.
const OVERHANG: usize = 9;

/// Gets out one block of numbers of `W` bits.
fn unpack_block<const W: usize>(input: &[u8], numbers: &mut [u64; BLOCK]) {
    let input = &input[..BLOCK_BYTES_PER_BIT * W + OVERHANG];
    // 8 numbers end on a byte.
    for (i, numbers) in numbers.as_chunks_mut::<8>().0.iter_mut().enumerate() {
        let input = &input[i * W..][..W + OVERHANG];
        for (k, number) in numbers.iter_mut().enumerate() {
            let (at, skip) = (k * W / 8, k * W % 8);
            let head = input[at..at + 8].first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes)) << skip;
            let tail = if skip + W > 64 { u64::from(input[at + 8]) >> (8 - skip) } else { 0 };
            *number = (head | tail) >> (64 - W);
        }
    }
}

macro_rules! blocks {
    ($($width:literal)*) => { [$(unpack_block::<$width>),*] };
}

type UnpackBlock = fn(&[u8], &mut [u64; BLOCK]);

/// By width, from 1 on.
const BLOCKS: [UnpackBlock; 64] = blocks!(
    1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32
    33 34 35 36 37 38 39 40 41 42 43 44 45 46 47 48 49 50 51 52 53 54 55 56 57 58 59 60 61 62 63 64
);

/// The bytes that `n` numbers of `width` bits take; `None` beyond what an address space holds.
pub(super) fn packed_len(n: usize, width: usize) -> Option<usize> {
    n.checked_mul(width).map(|bits| bits.div_ceil(8))
}

/// The lowest `S` bytes, the least significant first.
#[inline]
pub(super) fn low<const S: usize>(bits: u64) -> [u8; S] {
    let bytes = bits.to_le_bytes();
    std::array::from_fn(|i| bytes[i])
}

/// The lowest `S` bytes, the most significant first.
#[inline]
pub(super) fn high<const S: usize>(bits: u64) -> [u8; S] {
    let bytes = bits.to_le_bytes();
    std::array::from_fn(|i| bytes[S - 1 - i])
}
