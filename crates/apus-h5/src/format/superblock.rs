//! The superblock, versions 0 to 3, and its extension (specification, sections II.A to II.C).

use std::sync::Arc;

use super::{
    Cursor, Fault, Meta, Parse, Sizes, checksum,
    object_header::{ObjectHeader, kind},
    shared,
};
use crate::source::{BlockCache, ByteSource};

const SIGNATURE: &[u8; 8] = b"\x89HDF\r\n\x1a\n";
const WHAT: &str = "superblock";

/// Why a source could not be opened.
#[derive(Debug)]
pub(crate) enum OpenFault {
    /// There is no superblock in it.
    NotHdf5(String),
    /// There is one, but something is wrong with it.
    Fault(Fault),
}

impl From<Fault> for OpenFault {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// What the fields of a superblock say.
struct Superblock {
    sizes: Sizes,
    base: u64,
    extension: Option<u64>,
    end_of_file: u64,
    root: u64,
}

/// Finds the superblock and reads it: gives access to the metadata, and the address of the root group's object header.
pub(crate) fn open(source: Arc<dyn ByteSource>, cache_bytes: usize) -> Result<(Meta, u64), OpenFault> {
    let file_bytes = source.len();
    let cache = BlockCache::new(source, cache_bytes);
    let start = find(&cache, file_bytes)?;
    // The longest form has 8 + 88 bytes (version 1 with 8-byte sizes: 100).
    let mut bytes = vec![0; usize::try_from((file_bytes - start).min(128)).unwrap_or(0)];
    cache.read_at(start, &mut bytes).map_err(Fault::Io)?;
    let superblock = parse(&bytes)?;
    // A user block may have been added or cut since: addresses count from where the superblock is, as libhdf5 has it.
    let end = superblock.end_of_file.saturating_sub(superblock.base).saturating_add(start);
    if file_bytes < end {
        return Err(Fault::Damaged(format!("truncated: {end} bytes expected, {file_bytes} found")).into());
    }
    let mut meta = Meta::new(cache, start, superblock.sizes);
    if let Some(extension) = superblock.extension {
        let header = ObjectHeader::read(&meta, extension)?;
        if let Some(message) = header.message(kind::SHARED_MESSAGE_TABLE) {
            meta.shared_heaps = shared::read_table(&meta, &message.body)?;
        }
    }
    Ok((meta, superblock.root))
}

/// The signature is at byte 0, or behind a user block of 512, 1024, 2048 ... bytes.
fn find(cache: &BlockCache, file_bytes: u64) -> Result<u64, OpenFault> {
    let mut start = 0u64;
    let mut found = [0; 8];
    while start.checked_add(8).is_some_and(|end| end <= file_bytes) {
        cache.read_at(start, &mut found).map_err(Fault::Io)?;
        if found == *SIGNATURE {
            return Ok(start);
        }
        start = (start * 2).max(512);
    }
    Err(OpenFault::NotHdf5(format!("no signature at byte 0, 512, 1024, ... of {file_bytes}")))
}

fn parse(bytes: &[u8]) -> Parse<Superblock> {
    let no_sizes = Sizes { offset: 8, length: 8 };
    let mut cursor = Cursor::new(WHAT, bytes, no_sizes);
    cursor.skip(8)?;
    let version = cursor.u8()?;
    match version {
        0 | 1 => parse_old(bytes, version),
        2 | 3 => parse_new(bytes, version),
        _ => Err(cursor.unsupported(format_args!("version {version}"))),
    }
}

fn parse_old(bytes: &[u8], version: u8) -> Parse<Superblock> {
    let mut cursor = Cursor::new(WHAT, bytes, sizes_at(bytes, 13)?);
    cursor.skip(9 + 4 + 2 + 1)?;
    cursor.skip(2 + 2 + 4)?; // sizes of B-tree and symbol table nodes, which need not be known to read them; flags
    if version == 1 {
        cursor.skip(4)?;
    }
    let base = cursor.defined_address("file's base")?;
    cursor.address()?; // free space
    let end_of_file = cursor.defined_address("end of the file")?;
    cursor.address()?; // driver information
    // The root group's symbol table entry: the offset of its name (which the library writes as a length), then its header.
    cursor.length()?;
    let root = cursor.defined_address("root group")?;
    Ok(Superblock { sizes: cursor.sizes(), base, extension: None, end_of_file, root })
}

fn parse_new(bytes: &[u8], version: u8) -> Parse<Superblock> {
    /// Set while a writer has the file open; it stays set when the writer dies.
    const OPEN_FOR_WRITING: u8 = 0x05;
    let sizes = sizes_at(bytes, 9)?;
    let checked = 12 + 4 * usize::from(sizes.offset);
    let bytes = bytes.get(..checked + 4).ok_or_else(|| Fault::damaged("superblock: the file ends in it"))?;
    let mut cursor = Cursor::new(WHAT, checksum::verified(WHAT, bytes)?, sizes);
    cursor.skip(11)?;
    let flags = cursor.u8()?;
    if version == 3 && flags & OPEN_FOR_WRITING != 0 {
        return Err(
            cursor.unsupported("a file that is marked as open for writing (libhdf5's h5clear -s takes the mark away)")
        );
    }
    let base = cursor.defined_address("file's base")?;
    let extension = cursor.address()?;
    let end_of_file = cursor.defined_address("end of the file")?;
    let root = cursor.defined_address("root group")?;
    Ok(Superblock { sizes, base, extension, end_of_file, root })
}

/// The sizes of addresses and lengths, which stand at byte `position`.
fn sizes_at(bytes: &[u8], position: usize) -> Parse<Sizes> {
    match bytes.get(position..position + 2) {
        Some(&[offset @ (2 | 4 | 8), length @ (2 | 4 | 8)]) => Ok(Sizes { offset, length }),
        Some(&[offset, length]) => {
            Err(Fault::Unsupported(format!("superblock: addresses of {offset} bytes, lengths of {length} bytes")))
        }
        _ => Err(Fault::damaged("superblock: the file ends in it")),
    }
}
