//! Zstandard: one or more frames.

use std::fmt;

use ruzstd::decoding::FrameDecoder;

use super::FilterError;

/// The registered number.
pub(super) const ID: u16 = 32015;

/// Zstandard. The level, its one parameter, tells the writer only.
#[derive(Debug)]
pub(super) struct Zstd;

/// A decoder's state, kept between chunks.
#[derive(Default)]
pub(super) struct ZstdState(FrameDecoder);

impl fmt::Debug for ZstdState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ZstdState")
    }
}

impl Zstd {
    #[expect(clippy::unnecessary_wraps, reason = "all filters have the same shape")]
    pub(super) fn new(_parameters: &[u32]) -> Result<Self, FilterError> {
        Ok(Self)
    }

    /// Raw blocks cost 3 bytes per 128 kB; writers that flush often may spend somewhat more.
    #[expect(clippy::unused_self, reason = "all filters have the same shape")]
    pub(super) fn max_encoded_len(&self, len: usize) -> usize {
        len.saturating_add(len / 8).saturating_add(1024)
    }

    /// A block of 4 bytes can repeat one byte 128 k times.
    #[expect(clippy::unused_self, reason = "all filters have the same shape")]
    pub(super) fn max_decoded_len(&self, len: usize) -> usize {
        len.saturating_mul(128 << 10)
    }

    #[expect(clippy::unused_self, reason = "all filters have the same shape")]
    pub(super) fn decode(&self, input: &[u8], output: &mut [u8], state: &mut ZstdState) -> Result<usize, FilterError> {
        let ZstdState(decoder) = state;
        let damaged = |reason: String| FilterError::Damaged(format!("zstd: {reason}"));
        // What is kept for looking back never needs to be longer than what is put out, but for the least that a frame may ask.
        decoder.set_max_window_size((output.len() as u64).max(MIN_WINDOW_BYTES));
        let n_decoded = decoder.decode_all(input, output).map_err(|error| damaged(error.to_string()));
        let (stored, computed) = (decoder.get_checksum_from_data(), decoder.get_calculated_checksum());
        if let (Ok(_), Some(stored), Some(computed)) = (&n_decoded, stored, computed)
            && stored != computed
        {
            return Err(damaged(format!("the checksum is {computed:#010x}, not the stored {stored:#010x}")));
        }
        n_decoded
    }
}

/// Writers choose windows by the level and the length that they expect, up to 8 MiB at the usual levels.
const MIN_WINDOW_BYTES: u64 = 8 << 20;
