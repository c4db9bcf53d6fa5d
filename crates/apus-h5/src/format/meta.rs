//! Reads metadata of one file by address.

use std::sync::Arc;

use super::{Cursor, Fault, Parse, checksum, shared_heaps::SharedHeaps};
use crate::source::{BlockCache, ByteSource};

/// The most bytes of one structure, and of everything that one question (a list of links, an attribute's value) collects.
/// Far above anything real; it keeps a hostile file from making us allocate its own length.
pub(crate) const MAX_METADATA_BYTES: u64 = 64 << 20;

/// The sizes of the integers that hold addresses and lengths, from the superblock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sizes {
    /// Bytes of an address ("size of offsets").
    pub(crate) offset: u8,
    /// Bytes of a length ("size of lengths").
    pub(crate) length: u8,
}

/// The metadata of one file: its bytes behind a cache of blocks, and what every parser needs to know of the superblock.
///
/// All addresses are relative to the base address, as they stand in the file.
#[derive(Debug)]
pub(crate) struct Meta {
    cache: BlockCache,
    base: u64,
    sizes: Sizes,
    /// Where shared messages are, once the superblock's extension was read.
    pub(super) shared_heaps: SharedHeaps,
}

impl Meta {
    /// Reads over `cache`; address 0 is at byte `base`.
    pub(super) fn new(cache: BlockCache, base: u64, sizes: Sizes) -> Self {
        Self { cache, base, sizes, shared_heaps: SharedHeaps::default() }
    }

    /// The sizes of addresses and lengths.
    pub(crate) fn sizes(&self) -> Sizes {
        self.sizes
    }

    /// The source, for raw data, which passes by the cache.
    pub(crate) fn source(&self) -> &Arc<dyn ByteSource> {
        self.cache.source()
    }

    /// The number of bytes from the base address to the end of the file.
    pub(crate) fn len(&self) -> u64 {
        self.source().len().saturating_sub(self.base)
    }

    /// The offset in the source of the `len` bytes at `address`, if the file is long enough to hold them.
    pub(crate) fn offset_in_source(&self, address: u64, len: u64) -> Parse<u64> {
        match address.checked_add(len) {
            Some(end) if end <= self.len() => Ok(self.base + address),
            _ => Err(Fault::Damaged(format!(
                "{len} bytes at address {address} reach beyond the end of the file ({} bytes)",
                self.len()
            ))),
        }
    }

    /// The `len` bytes at `address`.
    pub(crate) fn read(&self, address: u64, len: u64) -> Parse<Vec<u8>> {
        let offset = self.offset_in_source(address, len)?;
        let size = usize::try_from(len).ok().filter(|_| len <= MAX_METADATA_BYTES);
        let Some(size) = size else {
            return Err(Fault::OverLimit {
                what: "the size of a metadata structure in bytes",
                found: len,
                limit: MAX_METADATA_BYTES,
            });
        };
        let mut bytes = vec![0; size];
        self.cache.read_at(offset, &mut bytes)?;
        Ok(bytes)
    }

    /// The bytes at `address`: `len` of them, or fewer where the file ends before.
    pub(crate) fn read_up_to(&self, address: u64, len: u64) -> Parse<Vec<u8>> {
        self.read(address, len.min(self.len().saturating_sub(address)))
    }

    /// The structure of `len` bytes at `address` that ends with its checksum, without that.
    pub(crate) fn read_verified(&self, what: &'static str, address: u64, len: u64) -> Parse<Vec<u8>> {
        let mut bytes = self.read(address, len)?;
        let body = checksum::verified(what, &bytes).map_err(|fault| at_address(fault, address))?.len();
        bytes.truncate(body);
        Ok(bytes)
    }

    /// A cursor over `bytes` with the file's sizes.
    pub(crate) fn cursor<'a>(&self, what: &'static str, bytes: &'a [u8]) -> Cursor<'a> {
        Cursor::new(what, bytes, self.sizes)
    }
}

/// Adds the address of the structure to what is wrong with it.
pub(crate) fn at_address(fault: Fault, address: u64) -> Fault {
    match fault {
        Fault::Damaged(reason) => Fault::Damaged(format!("{reason} (address {address})")),
        Fault::Unsupported(feature) => Fault::Unsupported(format!("{feature} (address {address})")),
        other => other,
    }
}
