//! Buffers that are used again: a fresh mebibyte costs more to map than to fill.

use std::sync::{Arc, Mutex, PoisonError};

/// Buffers above this size are given back to the system.
const MAX_KEPT_BYTES: usize = 64 << 20;
/// At most so many wait for their next use.
const MAX_KEPT: usize = 16;

/// The buffers of one reader that wait for their next use.
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
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut bytes = kept.unwrap_or_default();
        if bytes.capacity() < len {
            // A new allocation comes zeroed from the system, which growing the old one and filling it would do by hand.
            bytes = vec![0; len];
        } else if bytes.len() < len {
            bytes.resize(len, 0);
        }
        Buffer { bytes, len, home: self.clone() }
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

    /// The number of bytes.
    pub(crate) fn len(&self) -> usize {
        self.len
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let mut kept = self.home.0.lock().unwrap_or_else(PoisonError::into_inner);
        let held: usize = kept.iter().map(Vec::len).sum();
        if kept.len() < MAX_KEPT && held + self.bytes.len() <= MAX_KEPT_BYTES {
            kept.push(std::mem::take(&mut self.bytes));
        }
    }
}
