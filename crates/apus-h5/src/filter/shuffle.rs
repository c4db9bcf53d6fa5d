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
        match self.element_size {
            2 => unshuffle_2(planes, elements),
            4 => unshuffle_4(planes, elements),
            8 => unshuffle_8(planes, elements),
            size => unshuffle(planes, elements, size, 0),
        }
        Ok(input.len())
    }
}

/// The elements of a block: few enough for the nearest cache to keep them while the planes pass.
const BLOCK: usize = 2048;

/// From the element `first` on, byte by byte.
fn unshuffle(planes: &[u8], elements: &mut [u8], size: usize, first: usize) {
    let n_elements = planes.len() / size;
    for start in (first..n_elements).step_by(BLOCK) {
        let end = (start + BLOCK).min(n_elements);
        let block = &mut elements[start * size..end * size];
        for (i, plane) in planes.chunks_exact(n_elements).enumerate() {
            for (element, byte) in block.chunks_exact_mut(size).zip(&plane[start..end]) {
                element[i] = *byte;
            }
        }
    }
}

fn unshuffle_2(planes: &[u8], elements: &mut [u8]) {
    let (low, high) = planes.split_at(planes.len() / 2);
    for ((element, low), high) in elements.as_chunks_mut().0.iter_mut().zip(low).zip(high) {
        *element = [*low, *high];
    }
}

/// Two pairs of planes at a time become words of 2 bytes, and those elements: each step is one that the compiler vectorises.
fn unshuffle_4(planes: &[u8], elements: &mut [u8]) {
    const TILE: usize = 128;
    let [a, b, c, d] = tiles::<4, TILE>(planes);
    let (mut low, mut high) = ([0; TILE], [0; TILE]);
    for (i, tile) in elements.chunks_exact_mut(4 * TILE).enumerate().take(a.len()) {
        for k in 0..TILE {
            low[k] = u16::from_le_bytes([a[i][k], b[i][k]]);
        }
        for k in 0..TILE {
            high[k] = u16::from_le_bytes([c[i][k], d[i][k]]);
        }
        for ((element, low), high) in tile.as_chunks_mut().0.iter_mut().zip(&low).zip(&high) {
            *element = (u32::from(*low) | u32::from(*high) << 16).to_le_bytes();
        }
    }
    unshuffle(planes, elements, 4, a.len() * TILE);
}

/// 8 bytes of each of the 8 planes at a time are a matrix, and its transpose is 8 elements.
fn unshuffle_8(planes: &[u8], elements: &mut [u8]) {
    let tiles = tiles::<8, 8>(planes);
    for (i, tile) in elements.as_chunks_mut::<64>().0.iter_mut().enumerate().take(tiles[0].len()) {
        let columns = transpose(std::array::from_fn(|k| u64::from_le_bytes(tiles[k][i])));
        // By index: with iterators the compiler does not vectorise the transposition, and it takes four times as long.
        for k in 0..8 {
            tile[8 * k..8 * k + 8].copy_from_slice(&columns[k].to_le_bytes());
        }
    }
    unshuffle(planes, elements, 8, tiles[0].len() * 8);
}

/// The planes, each cut into whole tiles of `T` bytes.
fn tiles<const P: usize, const T: usize>(planes: &[u8]) -> [&[[u8; T]]; P] {
    let n_elements = planes.len() / P;
    let n_tiles = n_elements / T;
    std::array::from_fn(|i| &planes[i * n_elements..][..n_elements].as_chunks().0[..n_tiles])
}

/// Transposes 8 x 8 bytes: swaps the blocks of 4 x 4 off the diagonal, then those of 2 x 2 in each, then single bytes.
#[inline]
fn transpose(mut rows: [u64; 8]) -> [u64; 8] {
    let mut swap = |upper: usize, lower: usize, bits: u32, mask: u64| {
        let (above, below) = (rows[upper], rows[lower]);
        rows[upper] = above & mask | (below & mask) << bits;
        rows[lower] = above >> bits & mask | below & !mask;
    };
    for i in [0, 1, 2, 3] {
        swap(i, i + 4, 32, 0x0000_0000_ffff_ffff);
    }
    for i in [0, 1, 4, 5] {
        swap(i, i + 2, 16, 0x0000_ffff_0000_ffff);
    }
    for i in [0, 2, 4, 6] {
        swap(i, i + 1, 8, 0x00ff_00ff_00ff_00ff);
    }
    rows
}
