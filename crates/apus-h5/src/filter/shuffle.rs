//! Shuffle: the first bytes of all elements, then the second bytes, and so on.

use super::FilterError;

/// The registered number.
pub(super) const ID: u16 = 2;

/// Shuffle, with the size of an element.
#[derive(Debug)]
pub(super) struct Shuffle {
    element_size: usize,
}

impl Shuffle {
    pub(super) fn new(parameters: &[u32]) -> Result<Self, FilterError> {
        match *parameters {
            [size] if size > 0 => usize::try_from(size).ok(),
            _ => None,
        }
        .map(|element_size| Self { element_size })
        .ok_or_else(|| FilterError::Damaged(format!("shuffle: {parameters:?} is no element size")))
    }

    #[expect(clippy::unused_self, reason = "all filters have the same shape")]
    pub(super) fn max_encoded_len(&self, len: usize) -> usize {
        len
    }

    /// Bytes after the last whole element stay where they are.
    pub(super) fn decode(&self, input: &[u8], output: &mut [u8]) -> Result<usize, FilterError> {
        let Some(output) = output.get_mut(..input.len()) else {
            return Err(FilterError::Damaged(format!(
                "shuffle: {} bytes, more than the {} that the chunk can need",
                input.len(),
                output.len()
            )));
        };
        let n_elements = input.len() / self.element_size;
        if self.element_size == 1 || n_elements <= 1 {
            output.copy_from_slice(input);
            return Ok(input.len());
        }
        let (planes, rest) = input.split_at(n_elements * self.element_size);
        let (elements, rest_out) = output.split_at_mut(planes.len());
        rest_out.copy_from_slice(rest);
        for (i, plane) in planes.chunks_exact(n_elements).enumerate() {
            for (element, byte) in elements.chunks_exact_mut(self.element_size).zip(plane) {
                element[i] = *byte;
            }
        }
        Ok(input.len())
    }
}
