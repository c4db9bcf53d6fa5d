//! LZ4, as the registered HDF5 filter frames it: the decoded length (8 bytes), the length of a block (4 bytes), then for each
//! block its length (4 bytes) and its bytes, which are as they were where that did not shrink them. All numbers are big-endian.

use super::FilterError;

/// The registered number.
pub(super) const ID: u16 = 32004;

/// What a byte of LZ4 can become at most: one more byte of a copy's length stands for 255.
const MAX_RATIO: usize = 255;

/// LZ4. The length of a block, its one parameter, stands in each chunk too.
#[derive(Debug)]
pub(super) struct Lz4;

impl Lz4 {
    #[expect(clippy::unnecessary_wraps, reason = "all filters have the same shape")]
    pub(super) fn new(_parameters: &[u32]) -> Result<Self, FilterError> {
        Ok(Self)
    }

    /// 12 bytes, and 4 for each block: of any size, but no writer makes them shorter than 32 bytes.
    #[expect(clippy::unused_self, reason = "all filters have the same shape")]
    pub(super) fn max_encoded_len(&self, len: usize) -> usize {
        len.saturating_add(len / 8).saturating_add(1024)
    }

    #[expect(clippy::unused_self, reason = "all filters have the same shape")]
    pub(super) fn max_decoded_len(&self, len: usize) -> usize {
        len.saturating_mul(MAX_RATIO)
    }

    #[expect(clippy::unused_self, reason = "all filters have the same shape")]
    pub(super) fn decode(&self, input: &[u8], output: &mut [u8]) -> Result<usize, FilterError> {
        let output_len = output.len();
        let broken_off =
            || FilterError::Damaged(format!("lz4: the {} bytes end in the middle of a block", input.len()));
        let (len, rest) = input.split_first_chunk().ok_or_else(broken_off)?;
        let (block_len, mut rest) = rest.split_first_chunk().ok_or_else(broken_off)?;
        let (len, block_len) = (u64::from_be_bytes(*len), u32::from_be_bytes(*block_len));
        let output = usize::try_from(len).ok().and_then(|len| output.get_mut(..len)).ok_or_else(|| {
            FilterError::Damaged(format!("lz4: {len} bytes, more than the {output_len} that the chunk can need"))
        })?;
        let block_len = usize::try_from(block_len).unwrap_or(usize::MAX);
        if block_len == 0 && !output.is_empty() {
            return Err(FilterError::Damaged("lz4: blocks of no length".to_owned()));
        }
        for block in output.chunks_mut(block_len.max(1)) {
            let (len, after) = rest.split_first_chunk().ok_or_else(broken_off)?;
            let len = usize::try_from(u32::from_be_bytes(*len)).unwrap_or(usize::MAX);
            let (bytes, after) = after.split_at_checked(len).ok_or_else(broken_off)?;
            rest = after;
            if bytes.len() == block.len() {
                block.copy_from_slice(bytes);
                continue;
            }
            match lz4_flex::block::decompress_into(bytes, block) {
                Ok(n) if n == block.len() => {}
                Ok(n) => return Err(FilterError::Damaged(format!("lz4: a block has {n} bytes, not {}", block.len()))),
                Err(error) => return Err(FilterError::Damaged(format!("lz4: {error}"))),
            }
        }
        Ok(output.len())
    }
}
