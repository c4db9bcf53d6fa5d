//! The bytes of a file as they are, in blocks.

use std::{
    io,
    ops::Range,
    sync::{Arc, Mutex, PoisonError},
};

use apus_h5::ReadOptions;
use bytes::Bytes;

use crate::{Error, Result, catalog::OpenBytes};

/// The bytes of a file, in blocks whose buffers are used again.
pub(super) struct FileBlocks {
    file: OpenBytes,
    range: Range<u64>,
    options: ReadOptions,
    buffers: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl FileBlocks {
    pub(super) fn new(file: OpenBytes, range: Range<u64>, options: ReadOptions) -> Self {
        Self { file, range, options, buffers: Arc::default() }
    }

    fn read(&mut self) -> Result<Bytes> {
        let left = self.range.end - self.range.start;
        let n_bytes = usize::try_from(left).unwrap_or(usize::MAX).min(self.options.block_bytes);
        let n_bytes = n_bytes.min(self.options.pace.block_bytes());
        let mut free = self.buffers.lock().unwrap_or_else(PoisonError::into_inner);
        // Long ones are given back when blocks become short.
        free.retain(|buffer| buffer.capacity() / 4 <= n_bytes);
        let mut buffer = free.pop().unwrap_or_default();
        drop(free);
        buffer.resize(n_bytes, 0);
        self.file.source.read_at(self.range.start, &mut buffer).map_err(|error| self.fault(&error))?;
        self.range.start += n_bytes as u64;
        if self.range.is_empty() {
            self.file.check_unchanged()?;
        }
        Ok(Bytes::from_owner(Recycled { buffer, buffers: Arc::clone(&self.buffers) }))
    }

    fn fault(&self, error: &io::Error) -> Error {
        let path = &self.file.path;
        match error.kind() {
            io::ErrorKind::UnexpectedEof => {
                Error::changed(format!("{path}: the file was cut short while it was read; ask again"))
            }
            _ => Error::internal(format!("{path}: {error}")),
        }
    }
}

impl Iterator for FileBlocks {
    type Item = Result<Bytes>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.range.is_empty() {
            return None;
        }
        Some(self.read())
    }
}

/// A buffer that goes back when the socket is done with it.
struct Recycled {
    buffer: Vec<u8>,
    buffers: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl AsRef<[u8]> for Recycled {
    fn as_ref(&self) -> &[u8] {
        &self.buffer
    }
}

impl Drop for Recycled {
    fn drop(&mut self) {
        let buffer = std::mem::take(&mut self.buffer);
        self.buffers.lock().unwrap_or_else(PoisonError::into_inner).push(buffer);
    }
}
