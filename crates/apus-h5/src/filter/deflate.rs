//! Deflate: a zlib stream.

use flate2::{Decompress, FlushDecompress, Status};

use super::FilterError;

/// The registered number.
pub(super) const ID: u16 = 1;

/// What a byte of deflate can become at most: a code of two bits for a copy of 258 bytes.
const MAX_RATIO: usize = 4 * 258;

/// Deflate. The level, its one parameter, tells the writer only.
#[derive(Debug)]
pub(super) struct Deflate;

/// A decoder's state, about 40 kB, kept between chunks.
#[derive(Debug)]
pub(super) struct Inflater(Decompress);

impl Default for Inflater {
    fn default() -> Self {
        Self(Decompress::new(true))
    }
}

impl Deflate {
    #[expect(clippy::unnecessary_wraps, reason = "all filters have the same shape")]
    pub(super) fn new(_parameters: &[u32]) -> Result<Self, FilterError> {
        Ok(Self)
    }

    /// Stored blocks cost 5 bytes per 16 kB or more; writers that flush often may spend somewhat more.
    #[expect(clippy::unused_self, reason = "all filters have the same shape")]
    pub(super) fn max_encoded_len(&self, len: usize) -> usize {
        len.saturating_add(len / 8).saturating_add(1024)
    }

    #[expect(clippy::unused_self, reason = "all filters have the same shape")]
    pub(super) fn max_decoded_len(&self, len: usize) -> usize {
        len.saturating_mul(MAX_RATIO)
    }

    /// Bytes after the end of the stream are ignored, as libhdf5 does.
    #[expect(clippy::unused_self, reason = "all filters have the same shape")]
    pub(super) fn decode(
        &self,
        input: &[u8],
        output: &mut [u8],
        inflater: &mut Inflater,
    ) -> Result<usize, FilterError> {
        let Inflater(decompress) = inflater;
        decompress.reset(true);
        let status = decompress.decompress(input, output, FlushDecompress::Finish);
        // Both fit: they count bytes of two slices.
        let (n_in, n_out) = (decompress.total_in(), decompress.total_out());
        match status {
            Ok(Status::StreamEnd) => Ok(usize::try_from(n_out).unwrap_or(usize::MAX)),
            Ok(Status::Ok | Status::BufError) if n_in < input.len() as u64 => Err(FilterError::Damaged(format!(
                "deflate: more than the {} bytes that the chunk can need",
                output.len()
            ))),
            Ok(Status::Ok | Status::BufError) => Err(FilterError::Damaged(format!(
                "deflate: the stream breaks off after {n_in} of {} bytes, having given {n_out}",
                input.len()
            ))),
            Err(error) => Err(FilterError::Damaged(format!("deflate: {error} at byte {n_in} of {}", input.len()))),
        }
    }
}
