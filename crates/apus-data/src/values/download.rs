//! Files as they are: one, or a folder as a tar.

use super::{Content, EntityTag, Pinned, file::FileBlocks, tar::Tar};
use crate::{Result, catalog::OpenBytes, store::VPath};

/// The bytes of a file as they are.
#[derive(Debug)]
pub struct FileDownload {
    pinned: Pinned,
    bytes: OpenBytes,
}

/// A folder with all below it that the roles cover, as a tar.
pub struct FolderDownload {
    pinned: Pinned,
    tar: Tar,
    tag: EntityTag,
}

impl FileDownload {
    /// Errors: those of opening.
    pub fn new(pinned: &Pinned, path: &VPath) -> Result<Self> {
        Ok(Self { pinned: pinned.clone(), bytes: pinned.open_bytes(path)? })
    }

    /// The file.
    pub fn bytes(&self) -> &OpenBytes {
        &self.bytes
    }

    /// The tag of the answer.
    ///
    /// Errors: none that such a request gives; the type is the tag's.
    pub fn tag(&self) -> Result<EntityTag> {
        self.pinned.tag(&"download")
    }

    /// The bytes.
    pub fn content(self) -> Content {
        let Self { pinned, bytes } = self;
        let options = pinned.read_options();
        let size_bytes = bytes.identity.size_bytes;
        Content::seekable(pinned, size_bytes, move |part| Ok((Box::new(FileBlocks::new(bytes, part, options)), 0)))
    }
}

impl FolderDownload {
    /// The tar, in which names begin with `folder`.
    ///
    /// Errors: more than `max_entries` files and folders, a name that no tar can hold, those of listing.
    pub fn new(pinned: &Pinned, path: &VPath, folder: String, max_entries: usize) -> Result<Self> {
        let files = pinned.archive().catalog.tree(pinned.roles(), path, max_entries)?;
        // What lies in the files was not looked at.
        let tag = pinned.tag(&("folder", &folder, &files))?.weak();
        Ok(Self { pinned: pinned.clone(), tar: Tar::new(pinned.clone(), folder, files)?, tag })
    }

    /// The tag of the answer: a weak one.
    pub fn tag(&self) -> &EntityTag {
        &self.tag
    }

    /// The bytes.
    pub fn content(self) -> Content {
        let size_bytes = self.tar.size_bytes();
        Content::stream(self.pinned, self.tar, Some(size_bytes))
    }
}
