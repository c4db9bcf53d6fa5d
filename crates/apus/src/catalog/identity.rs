//! Which bytes a path stands for.

use std::{fs, io, os::unix::fs::MetadataExt};

use sha2::{Digest, Sha256};

/// What tells one state of a file from another: everything that answers and caches rest on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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
    pub(super) fn of(metadata: &fs::Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            size_bytes: metadata.len(),
            modified_ns: i128::from(metadata.mtime()) * 1_000_000_000 + i128::from(metadata.mtime_nsec()),
        }
    }

    /// Whether the open file still is in this state.
    pub(super) fn check(&self, file: &fs::File) -> io::Result<bool> {
        Ok(Self::of(&file.metadata()?) == *self)
    }

    /// Adds itself to what an entity tag is made of.
    pub fn write_to(&self, tag: &mut TagBuilder) {
        tag.add(self.device.to_le_bytes());
        tag.add(self.inode.to_le_bytes());
        tag.add(self.size_bytes.to_le_bytes());
        tag.add(self.modified_ns.to_le_bytes());
    }
}

/// Makes a strong entity tag out of all that an answer depends on.
#[derive(Clone)]
pub struct TagBuilder(Sha256);

impl TagBuilder {
    /// Starts with the version of the service, since another version may encode otherwise.
    pub fn new() -> Self {
        let mut tag = Self(Sha256::new());
        tag.add(env!("CARGO_PKG_VERSION"));
        tag
    }

    /// Adds a part; its length counts, so that parts do not run into each other.
    pub fn add(&mut self, part: impl AsRef<[u8]>) {
        let part = part.as_ref();
        self.0.update((part.len() as u64).to_le_bytes());
        self.0.update(part);
    }

    /// The tag as it stands in the header, with its quotes.
    pub fn finish(self) -> String {
        use std::fmt::Write;
        let mut text = String::with_capacity(34);
        text.push('"');
        for byte in self.0.finalize().iter().take(16) {
            let _ = write!(text, "{byte:02x}");
        }
        text.push('"');
        text
    }
}

impl Default for TagBuilder {
    fn default() -> Self {
        Self::new()
    }
}
