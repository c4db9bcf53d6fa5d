//! Buffers that are used again: a fresh mebibyte costs more to map than to fill.

use std::sync::{Arc, Mutex, PoisonError};

/// So many bytes wait for their next use; the buffers that waited longest go first.
const MAX_KEPT_BYTES: usize = 32 << 20;
/// Smaller ones are left to the allocator, which has them without asking the system.
const MIN_KEPT_BYTES: usize = 64 << 10;

/// The buffers that wait for their next use. Cheap to clone; readers on one pool share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Buffers(Arc<Mutex<Vec<Vec<u8>>>>);

/// A buffer that goes back when it is dropped. Its bytes are whatever its last use left, until they are written.
#[derive(Debug)]
pub(crate) struct Buffer {
    bytes: Vec<u8>,
    len: usize,
    home: Buffers,
}

impl Buffers {
    /// A buffer of `len` bytes.
    pub(crate) fn take(&self, len: usize) -> Buffer {
        let bytes = if len < MIN_KEPT_BYTES {
            vec![0; len]
        } else {
            // Rounded up, so that it fits others of about that length.
            let new = || vec![0; len.checked_next_multiple_of(MIN_KEPT_BYTES).unwrap_or(len)];
            self.take_kept(len).unwrap_or_else(new)
        };
        Buffer { bytes, len, home: self.clone() }
    }

    /// The one that came last of those that are large enough, but not so large that a slow client holds much for little.
    fn take_kept(&self, len: usize) -> Option<Vec<u8>> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = kept.iter().rposition(|bytes| bytes.len() >= len && bytes.len() / 2 <= len)?;
        Some(kept.remove(found))
    }
}

impl Buffer {
    /// The bytes.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    /// The bytes, to be written.
    pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.bytes[..self.len]
    }

    /// Leaves off what comes after so many bytes.
    pub(crate) fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
    }

    /// The number of bytes.
    pub(crate) fn len(&self) -> usize {
        self.len
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        if self.bytes.len() < MIN_KEPT_BYTES || self.bytes.len() > MAX_KEPT_BYTES {
            return;
        }
        let mut kept = self.home.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.push(std::mem::take(&mut self.bytes));
        let mut held: usize = kept.iter().map(Vec::len).sum();
        let n_dropped = kept.iter().take_while(|bytes| {
            let is_over = held > MAX_KEPT_BYTES;
            held -= bytes.len();
            is_over
        });
        let n_dropped = n_dropped.count();
        let dropped: Vec<Vec<u8>> = kept.drain(..n_dropped).collect();
        // Giving memory back takes long: others need not wait for it.
        drop(kept);
        drop(dropped);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn n_kept(buffers: &Buffers) -> usize {
        buffers.0.lock().unwrap().len()
    }

    #[test]
    fn a_buffer_is_used_again_by_what_it_fits() {
        let buffers = Buffers::default();
        let mut first = buffers.take(1 << 20);
        first.bytes_mut().fill(7);
        drop(first);
        let others = [buffers.take(300_000), buffers.take((1 << 20) + 1), buffers.take(1000)];
        assert!(others.iter().all(|other| other.bytes()[0] == 0), "too large for one, too small for another");
        let again = buffers.take((1 << 20) - 10);
        assert_eq!((again.len(), again.bytes()[0]), ((1 << 20) - 10, 7));
        drop(again);
        drop(others);
        assert_eq!(n_kept(&buffers), 3, "a small one is not kept");
    }

    #[test]
    fn no_more_is_kept_than_the_limit() {
        let buffers = Buffers::default();
        let many: Vec<Buffer> = (0..40).map(|_| buffers.take(1 << 20)).collect();
        drop(many);
        assert_eq!(n_kept(&buffers), MAX_KEPT_BYTES >> 20);
        drop(buffers.take(MAX_KEPT_BYTES + 1));
        assert_eq!(n_kept(&buffers), MAX_KEPT_BYTES >> 20);
        drop(buffers.take(MAX_KEPT_BYTES));
        assert_eq!(n_kept(&buffers), 1, "those that waited longest go");
    }
}
