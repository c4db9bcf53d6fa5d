//! Copies the wanted elements of a decoded chunk to where they stand in the answer.

use crate::dtype::Converter;

use super::plan::{BandRun, Run};

/// Copies from a chunk to the answer.
#[derive(Debug)]
pub(crate) struct Placement<'a> {
    /// What one index on the segment's axis needs.
    pub(crate) runs: &'a [Run],
    /// The wanted indices on the segment's axis.
    pub(crate) pieces: &'a [BandRun],
    /// Elements of the chunk, and of the answer, for one index on that axis.
    pub(crate) src_step: usize,
    pub(crate) dst_step: usize,
    /// The element of the chunk with which `src` begins, and where the outer indices stand.
    pub(crate) src_first: usize,
    pub(crate) src_offset: usize,
    /// Bytes of an element in the chunk, and in the answer.
    pub(crate) stored_bytes: usize,
    pub(crate) native_bytes: usize,
    /// How stored elements become native ones, where they have to.
    pub(crate) converter: Option<&'a Converter>,
}

impl Placement<'_> {
    /// Whether the chunk as a whole is one contiguous part of the answer, and where it begins there (in bytes).
    pub(crate) fn whole(&self, chunk_elements: usize) -> Option<usize> {
        let ([run], [piece]) = (self.runs, self.pieces) else { return None };
        let run_len = usize::try_from(run.len).ok()?;
        let steps = usize::try_from(piece.len).ok()?;
        let whole = run_len == self.src_step
            && run_len == self.dst_step
            && steps.checked_mul(run_len)? == chunk_elements
            && self.converter.is_none();
        if whole {
            usize::try_from(piece.out).ok()?.checked_mul(self.dst_step)?.checked_mul(self.native_bytes)
        } else {
            None
        }
    }

    /// Copies from `src` to `dst`. `None` where one of them is too short, which the plan rules out.
    pub(crate) fn copy(&self, src: &[u8], dst: &mut [u8]) -> Option<()> {
        for piece in self.pieces {
            let (start, out, steps) = (to_usize(piece.start)?, to_usize(piece.out)?, to_usize(piece.len)?);
            for run in self.runs {
                let (src_run, dst_run, len) = (to_usize(run.src)?, to_usize(run.dst)?, to_usize(run.len)?);
                let src_at = (self.src_offset + start * self.src_step + src_run).checked_sub(self.src_first)?;
                let dst_at = out * self.dst_step + dst_run;
                let (src_at, dst_at) = (src_at * self.stored_bytes, dst_at * self.native_bytes);
                if len == self.src_step && len == self.dst_step {
                    self.copy_run(src, src_at, dst, dst_at, len * steps)?;
                } else if self.converter.is_none() {
                    let steps_bytes = (self.src_step * self.stored_bytes, self.dst_step * self.native_bytes);
                    let src = src.get(src_at..)?;
                    let dst = dst.get_mut(dst_at..)?;
                    let len = len * self.stored_bytes;
                    match len {
                        4 => copy_strided_array::<4>(src, dst, steps_bytes, steps)?,
                        8 => copy_strided_array::<8>(src, dst, steps_bytes, steps)?,
                        _ => copy_strided(src, dst, steps_bytes, steps, len)?,
                    }
                } else {
                    for step in 0..steps {
                        let src_at = src_at + step * self.src_step * self.stored_bytes;
                        let dst_at = dst_at + step * self.dst_step * self.native_bytes;
                        self.copy_run(src, src_at, dst, dst_at, len)?;
                    }
                }
            }
        }
        Some(())
    }

    fn copy_run(&self, src: &[u8], src_at: usize, dst: &mut [u8], dst_at: usize, n: usize) -> Option<()> {
        let src = src.get(src_at..src_at.checked_add(n * self.stored_bytes)?)?;
        let dst = dst.get_mut(dst_at..dst_at.checked_add(n * self.native_bytes)?)?;
        match self.converter {
            Some(converter) => converter.convert(src, dst),
            None => dst.copy_from_slice(src),
        }
        Some(())
    }

    /// Fills the wanted elements with `fill`, one native element.
    pub(crate) fn fill(&self, fill: &[u8], dst: &mut [u8]) -> Option<()> {
        for piece in self.pieces {
            for run in self.runs {
                for step in 0..piece.len {
                    let at = to_usize((piece.out + step) * self.dst_step as u64 + run.dst)? * self.native_bytes;
                    let len = to_usize(run.len)? * self.native_bytes;
                    fill_with(fill, dst.get_mut(at..at.checked_add(len)?)?);
                }
            }
        }
        Some(())
    }
}

/// Fills `dst` with copies of `fill`.
pub(crate) fn fill_with(fill: &[u8], dst: &mut [u8]) {
    match fill {
        [] => {}
        [first, rest @ ..] if rest.iter().all(|byte| byte == first) => dst.fill(*first),
        _ => dst.chunks_exact_mut(fill.len()).for_each(|element| element.copy_from_slice(fill)),
    }
}

fn to_usize(n: u64) -> Option<usize> {
    usize::try_from(n).ok()
}

/// One element of every step, where elements have the size of a machine word.
fn copy_strided_array<const N: usize>(
    src: &[u8],
    dst: &mut [u8],
    (src_step, dst_step): (usize, usize),
    steps: usize,
) -> Option<()> {
    let mut copied = 0;
    // The last step may be cut off after its element.
    let src = src.chunks(src_step.max(N)).take(steps);
    let dst = dst.chunks_mut(dst_step.max(N)).take(steps);
    for (src, dst) in src.zip(dst) {
        *dst.first_chunk_mut::<N>()? = *src.first_chunk::<N>()?;
        copied += 1;
    }
    (copied == steps).then_some(())
}

fn copy_strided(
    src: &[u8],
    dst: &mut [u8],
    (src_step, dst_step): (usize, usize),
    steps: usize,
    len: usize,
) -> Option<()> {
    for step in 0..steps {
        let (src_at, dst_at) = (step * src_step, step * dst_step);
        dst.get_mut(dst_at..dst_at + len)?.copy_from_slice(src.get(src_at..src_at + len)?);
    }
    Some(())
}
