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
#[inline]
pub(super) fn unpack<const S: usize>(input: &[u8], width: u32, output: &mut [u8], word: impl Fn(u64) -> [u8; S]) {
    let mut reader = BitReader::new(input);
    for out in output.as_chunks_mut::<S>().0 {
        *out = word(reader.take(width));
    }
}

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
