//! Which bytes a path stands for.

use std::{fs, io, os::unix::fs::MetadataExt};

use serde::Serialize;

/// What tells one state of a file from another: everything that answers and caches rest on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Identity {
    /// The device.
    pub device: u64,
    /// The number of the inode.
    pub inode: u64,
    /// The length in bytes.
    pub size_bytes: u64,
    /// When it was last written, in nanoseconds since 1970.
    pub modified_ns: i128,
}

impl Identity {
    pub(crate) fn of(metadata: &fs::Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            size_bytes: metadata.len(),
            modified_ns: i128::from(metadata.mtime()) * 1_000_000_000 + i128::from(metadata.mtime_nsec()),
        }
    }

    /// Whether the open file still is in this state.
    pub(crate) fn check(&self, file: &fs::File) -> io::Result<bool> {
        Ok(Self::of(&file.metadata()?) == *self)
    }
}
