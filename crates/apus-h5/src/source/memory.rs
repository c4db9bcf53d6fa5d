//! Bytes that are in memory already.

use std::{fmt, io};

use super::ByteSource;

/// A file image in memory: what the demo serves and what fuzzing feeds. Holds anything that is bytes (`Vec<u8>`,
/// `&'static [u8]`, `bytes::Bytes`).
pub struct Memory<B>(B);

impl<B: AsRef<[u8]>> Memory<B> {
    /// Takes the bytes of a whole file.
    pub fn new(bytes: B) -> Self {
        Self(bytes)
    }
}

impl<B: AsRef<[u8]>> fmt::Debug for Memory<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Memory({} bytes)", self.0.as_ref().len())
    }
}

impl<B: AsRef<[u8]> + Send + Sync> ByteSource for Memory<B> {
    fn len(&self) -> u64 {
        self.0.as_ref().len() as u64
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<()> {
        let bytes = self.0.as_ref();
        let part = usize::try_from(offset)
            .ok()
            .and_then(|start| bytes.get(start..start.checked_add(buf.len())?))
            .ok_or(io::ErrorKind::UnexpectedEof)?;
        buf.copy_from_slice(part);
        Ok(())
    }
}
