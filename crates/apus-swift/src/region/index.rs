//! Which parts of a large union can hold a particle.

use super::axis::{ROUNDING, wrap};

/// The box cut into blocks, each with the parts that reach into it: a particle is compared with those of its block alone.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Index {
    /// The places of parts by block, ascending; z runs fastest.
    blocks: Vec<Vec<u16>>,
}

/// Blocks on each axis: 4096 in all, so that the index of 1024 parts is made in a blink and takes 8 MB at the most.
const SIDE: usize = 16;
/// More than wrapping and dividing can round off, relative to the box.
const ALLOWANCE: f64 = 16.0 * ROUNDING;

impl Index {
    /// The index of `n_parts` parts, of which `may_contain(part, lower, upper)` says whether they reach into these bounds.
    pub(super) fn new(
        n_parts: u16,
        box_size: [f64; 3],
        may_contain: impl Fn(u16, [f64; 3], [f64; 3], f64) -> bool,
    ) -> Self {
        let allowance = ALLOWANCE * box_size.into_iter().fold(0.0, f64::max);
        #[expect(clippy::cast_precision_loss, reason = "at most 16")]
        let edge = |axis: usize, i: usize| box_size[axis] * i as f64 / SIDE as f64;
        let mut blocks = Vec::with_capacity(SIDE * SIDE * SIDE);
        for x in 0..SIDE {
            for y in 0..SIDE {
                for z in 0..SIDE {
                    let lower = [edge(0, x), edge(1, y), edge(2, z)];
                    let upper = [edge(0, x + 1), edge(1, y + 1), edge(2, z + 1)];
                    blocks.push((0..n_parts).filter(|part| may_contain(*part, lower, upper, allowance)).collect());
                }
            }
        }
        Self { blocks }
    }

    /// The parts that can hold a particle there; `None` where that is not known: of what is no number or lies more than a box outside.
    pub(super) fn parts_at(&self, position: [f64; 3], box_size: [f64; 3]) -> Option<&[u16]> {
        let mut block = 0;
        for (x, side) in position.into_iter().zip(box_size) {
            if !(x >= -side && x <= 2.0 * side) {
                return None;
            }
            #[expect(clippy::cast_precision_loss, reason = "16")]
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to 16")]
            let i = (wrap(x, side) / side * SIDE as f64) as usize;
            block = block * SIDE + i.min(SIDE - 1);
        }
        self.blocks.get(block).map(Vec::as_slice)
    }
}
