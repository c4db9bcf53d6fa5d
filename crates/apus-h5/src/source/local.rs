//! A file of the local file system.

use std::{fs, io, os::unix::fs::FileExt, path::Path};

use super::ByteSource;

/// A local file, read with `pread`: a file that is truncated while it is read is an error for its readers, never a crash.
#[derive(Debug)]
pub struct LocalFile {
    file: fs::File,
    len: u64,
}

impl LocalFile {
    /// Opens the file at `path` for reading.
    pub fn open(path: &Path) -> io::Result<Self> {
        Self::from_file(fs::File::open(path)?)
    }

    /// Takes a file that is open already, so that its owner can check what it is before a byte is read.
    pub fn from_file(file: fs::File) -> io::Result<Self> {
        let len = file.metadata()?.len();
        Ok(Self { file, len })
    }
}

impl ByteSource for LocalFile {
    fn len(&self) -> u64 {
        self.len
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<()> {
        self.file.read_exact_at(buf, offset)
    }
}
