//! LZF, h5py's own filter: runs of literal bytes, and copies of up to 264 bytes from at most 8 kB back.

use super::FilterError;

/// The registered number.
pub(super) const ID: u16 = 32000;

/// What a byte of input can become at most: 3 bytes for a copy of 264.
const MAX_RATIO: usize = 88;

/// LZF. Its parameters (versions, and the length of a chunk) tell nothing that is needed.
#[derive(Debug)]
pub(super) struct Lzf;

impl Lzf {
    #[expect(clippy::unnecessary_wraps, reason = "all filters have the same shape")]
    pub(super) fn new(_parameters: &[u32]) -> Result<Self, FilterError> {
        Ok(Self)
    }

    /// Literals only: one byte more for each 32.
    #[expect(clippy::unused_self, reason = "all filters have the same shape")]
    pub(super) fn max_encoded_len(&self, len: usize) -> usize {
        len.saturating_add(len / 32).saturating_add(1)
    }

    #[expect(clippy::unused_self, reason = "all filters have the same shape")]
    pub(super) fn max_decoded_len(&self, len: usize) -> usize {
        len.saturating_mul(MAX_RATIO)
    }

    #[expect(clippy::unused_self, reason = "all filters have the same shape")]
    pub(super) fn decode(&self, input: &[u8], output: &mut [u8]) -> Result<usize, FilterError> {
        let (mut rest, mut at) = (input, 0);
        while let Some((control, after)) = rest.split_first() {
            let at_byte = input.len() - rest.len();
            let step = match *control {
                control @ 0..32 => literal(after, output, at, usize::from(control) + 1),
                control => copy(control, after, output, at),
            };
            (rest, at) = step.ok_or_else(|| {
                FilterError::Damaged(format!(
                    "lzf: at byte {at_byte} of {} the input ends, a copy starts before the output, or the output passes the {} bytes \
                     that the chunk can need",
                    input.len(),
                    output.len()
                ))
            })?;
        }
        Ok(at)
    }
}

/// Takes `len` bytes as they are; gives what is left of the input, and the place in the output.
fn literal<'a>(rest: &'a [u8], output: &mut [u8], at: usize, len: usize) -> Option<(&'a [u8], usize)> {
    let (bytes, rest) = rest.split_at_checked(len)?;
    let end = at.checked_add(len)?;
    output.get_mut(at..end)?.copy_from_slice(bytes);
    Some((rest, end))
}

/// Copies what was put out before.
fn copy<'a>(control: u8, rest: &'a [u8], output: &mut [u8], at: usize) -> Option<(&'a [u8], usize)> {
    let (len, rest) = match usize::from(control >> 5) {
        7 => {
            let (more, rest) = rest.split_first()?;
            (7 + usize::from(*more) + 2, rest)
        }
        len => (len + 2, rest),
    };
    let (low, rest) = rest.split_first()?;
    let back = (usize::from(control & 0x1f) << 8 | usize::from(*low)) + 1;
    let from = at.checked_sub(back)?;
    let end = at.checked_add(len)?;
    let window = output.get_mut(from..end)?;
    if back >= len {
        window.copy_within(..len, back);
    } else {
        // The copy runs into itself: what it has written it reads again.
        for i in back..window.len() {
            window[i] = window[i - back];
        }
    }
    Some((rest, end))
}
