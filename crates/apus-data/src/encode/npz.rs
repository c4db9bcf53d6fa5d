//! The npz format: a ZIP archive of npy files, as `numpy.savez` writes it, for several arrays in one answer. Nothing is
//! compressed, so the length is known beforehand; the checksum of a member follows it.
//!
//! Source: PKWARE's APPNOTE 6.3.10, with its ZIP64 extensions where a size or an offset needs them.

use std::collections::HashSet;

/// The media type.
pub const CONTENT_TYPE: &str = "application/zip";

/// Writes an archive: for each member in order [`start_member`](Self::start_member), [`pass`](Self::pass) for its elements,
/// [`end_member`](Self::end_member); then [`finish`](Self::finish).
#[derive(Debug)]
pub struct NpzEncoder {
    members: Vec<Member>,
    /// The member that is being written, or comes next.
    current: usize,
    checksum: crc32fast::Hasher,
    /// The bytes of the current member's elements that are still to come.
    remaining_bytes: u64,
}

/// An array to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NpzArray {
    /// Its name in the result of `numpy.load`.
    pub name: String,
    /// The header of its npy file.
    pub npy_header: Vec<u8>,
    /// The bytes of its elements.
    pub data_bytes: u64,
}

/// Why an archive cannot be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NpzError {
    /// A name occurs twice, or has more than 65535 bytes.
    #[error("{name:.100}: the name occurs twice, or is too long")]
    BadName {
        /// The name.
        name: String,
    },
    /// The archive is too large for 64-bit offsets.
    #[error("{name}: too large")]
    TooLarge {
        /// The member.
        name: String,
    },
    /// There are more or fewer elements than announced.
    #[error("{name}: the length differs from the announced one")]
    WrongLength {
        /// The member.
        name: String,
    },
}

#[derive(Debug)]
struct Member {
    /// The file's name in the archive.
    name: String,
    /// The header of its npy file.
    npy_header: Vec<u8>,
    /// The size of its npy file.
    size_bytes: u64,
    /// The position of its local header.
    offset: u64,
    /// Its checksum, once it is complete.
    crc32: u32,
}

const LOCAL_HEADER: u32 = 0x0403_4b50;
const DATA_DESCRIPTOR: u32 = 0x0807_4b50;
const CENTRAL_HEADER: u32 = 0x0201_4b50;
const ZIP64_END: u32 = 0x0606_4b50;
const ZIP64_END_LOCATOR: u32 = 0x0706_4b50;
const END: u32 = 0x0605_4b50;

/// Sizes and offsets from here on need a ZIP64 field.
const ZIP64_FROM: u64 = 0xffff_ffff;
/// Version 4.5 of the format, which ZIP64 needs, and 2.0 for everything else.
const VERSION_ZIP64: u16 = 45;
const VERSION: u16 = 20;
/// Checksum and sizes follow the member; names are UTF-8.
const FLAGS: u16 = 1 << 3 | 1 << 11;
/// 1980-01-01, ZIP's earliest date: answers do not depend on the time of the request.
const DATE: u16 = 0x0021;

impl NpzEncoder {
    /// An encoder for these arrays, in this order.
    ///
    /// Errors: names that occur twice or are too long; an archive that is too large.
    pub fn new(arrays: Vec<NpzArray>) -> Result<Self, NpzError> {
        let mut members: Vec<Member> = Vec::with_capacity(arrays.len());
        let mut names = HashSet::with_capacity(arrays.len());
        let mut offset = 0u64;
        for NpzArray { name, npy_header, data_bytes } in arrays {
            let name = format!("{name}.npy");
            if name.len() > usize::from(u16::MAX) || !names.insert(name.clone()) {
                return Err(NpzError::BadName { name });
            }
            let too_large = || NpzError::TooLarge { name: name.clone() };
            let size_bytes = data_bytes.checked_add(npy_header.len() as u64).ok_or_else(too_large)?;
            let member = Member { name: name.clone(), npy_header, size_bytes, offset, crc32: 0 };
            offset = offset.checked_add(member.archived_bytes()).ok_or_else(too_large)?;
            members.push(member);
        }
        Ok(Self { members, current: 0, checksum: crc32fast::Hasher::new(), remaining_bytes: 0 })
    }

    /// The size of the archive.
    pub fn size_bytes(&self) -> u64 {
        let mut directory = Vec::new();
        self.write_directory(&mut directory);
        self.directory_offset().saturating_add(directory.len() as u64)
    }

    /// Writes what comes before the next member's elements.
    pub fn start_member(&mut self, out: &mut Vec<u8>) {
        let Some(member) = self.members.get(self.current) else { return };
        put_u32(out, LOCAL_HEADER);
        put_u16(out, member.version());
        put_u16(out, FLAGS);
        // Stored, not compressed.
        put_u16(out, 0);
        put_u16(out, 0);
        put_u16(out, DATE);
        // The checksum and the sizes are in the data descriptor; a ZIP64 field says that they take 8 bytes there.
        put_u32(out, 0);
        let is_large = member.is_large();
        let size = if is_large { u32::MAX } else { 0 };
        put_u32(out, size);
        put_u32(out, size);
        put_u16(out, saturate_u16(member.name.len()));
        put_u16(out, if is_large { 20 } else { 0 });
        out.extend_from_slice(member.name.as_bytes());
        if is_large {
            put_u16(out, 1);
            put_u16(out, 16);
            put_u64(out, 0);
            put_u64(out, 0);
        }
        out.extend_from_slice(&member.npy_header);
        self.checksum.update(&member.npy_header);
        self.remaining_bytes = member.size_bytes - member.npy_header.len() as u64;
    }

    /// Counts elements that the caller sends as they are, and adds them to the checksum.
    ///
    /// Errors: more elements than announced.
    pub fn pass(&mut self, elements: &[u8]) -> Result<(), NpzError> {
        let remaining = self.remaining_bytes.checked_sub(elements.len() as u64);
        self.remaining_bytes = remaining.ok_or_else(|| self.wrong_length())?;
        self.checksum.update(elements);
        Ok(())
    }

    /// Writes what comes after a member's elements.
    ///
    /// Errors: fewer elements than announced.
    pub fn end_member(&mut self, out: &mut Vec<u8>) -> Result<(), NpzError> {
        if self.remaining_bytes > 0 {
            return Err(self.wrong_length());
        }
        let Some(member) = self.members.get_mut(self.current) else { return Ok(()) };
        member.crc32 = std::mem::take(&mut self.checksum).finalize();
        self.current += 1;
        put_u32(out, DATA_DESCRIPTOR);
        put_u32(out, member.crc32);
        match u32::try_from(member.size_bytes) {
            Ok(size) if !member.is_large() => {
                put_u32(out, size);
                put_u32(out, size);
            }
            _ => {
                put_u64(out, member.size_bytes);
                put_u64(out, member.size_bytes);
            }
        }
        Ok(())
    }

    /// Writes the archive's directory.
    ///
    /// Errors: members that were not written.
    pub fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), NpzError> {
        if self.current < self.members.len() {
            return Err(self.wrong_length());
        }
        self.write_directory(out);
        Ok(())
    }

    fn directory_offset(&self) -> u64 {
        self.members.last().map_or(0, |member| member.offset.saturating_add(member.archived_bytes()))
    }

    fn write_directory(&self, out: &mut Vec<u8>) {
        let start = out.len();
        for member in &self.members {
            member.write_central_header(out);
        }
        let directory_bytes = (out.len() - start) as u64;
        let directory_offset = self.directory_offset();
        let n_members = self.members.len() as u64;
        if n_members >= u64::from(u16::MAX) || directory_bytes >= ZIP64_FROM || directory_offset >= ZIP64_FROM {
            put_u32(out, ZIP64_END);
            // The size of the rest of this record.
            put_u64(out, 44);
            put_u16(out, VERSION_ZIP64);
            put_u16(out, VERSION_ZIP64);
            put_u32(out, 0);
            put_u32(out, 0);
            put_u64(out, n_members);
            put_u64(out, n_members);
            put_u64(out, directory_bytes);
            put_u64(out, directory_offset);
            put_u32(out, ZIP64_END_LOCATOR);
            put_u32(out, 0);
            put_u64(out, directory_offset.saturating_add(directory_bytes));
            put_u32(out, 1);
        }
        put_u32(out, END);
        put_u16(out, 0);
        put_u16(out, 0);
        put_u16(out, saturate_u16(self.members.len()));
        put_u16(out, saturate_u16(self.members.len()));
        put_u32(out, saturate_u32(directory_bytes));
        put_u32(out, saturate_u32(directory_offset));
        put_u16(out, 0);
    }

    fn wrong_length(&self) -> NpzError {
        NpzError::WrongLength { name: self.members.get(self.current).map_or_else(String::new, |m| m.name.clone()) }
    }
}

impl Member {
    /// Whether its sizes need 8 bytes.
    fn is_large(&self) -> bool {
        self.size_bytes >= ZIP64_FROM
    }

    fn version(&self) -> u16 {
        if self.is_large() || self.offset >= ZIP64_FROM { VERSION_ZIP64 } else { VERSION }
    }

    /// Its size with its local header and its data descriptor.
    fn archived_bytes(&self) -> u64 {
        let frame = 30 + self.name.len() as u64 + if self.is_large() { 20 + 24 } else { 16 };
        self.size_bytes.saturating_add(frame)
    }

    fn write_central_header(&self, out: &mut Vec<u8>) {
        let mut zip64 = Vec::new();
        if self.is_large() {
            put_u64(&mut zip64, self.size_bytes);
            put_u64(&mut zip64, self.size_bytes);
        }
        if self.offset >= ZIP64_FROM {
            put_u64(&mut zip64, self.offset);
        }
        put_u32(out, CENTRAL_HEADER);
        // Made on Unix, for the permissions below.
        put_u16(out, 3 << 8 | self.version());
        put_u16(out, self.version());
        put_u16(out, FLAGS);
        put_u16(out, 0);
        put_u16(out, 0);
        put_u16(out, DATE);
        put_u32(out, self.crc32);
        put_u32(out, saturate_u32(self.size_bytes));
        put_u32(out, saturate_u32(self.size_bytes));
        put_u16(out, saturate_u16(self.name.len()));
        put_u16(out, if zip64.is_empty() { 0 } else { saturate_u16(zip64.len() + 4) });
        put_u16(out, 0);
        put_u16(out, 0);
        put_u16(out, 0);
        // A regular file, rw-r--r--.
        put_u32(out, 0o100_644 << 16);
        put_u32(out, saturate_u32(self.offset));
        out.extend_from_slice(self.name.as_bytes());
        if !zip64.is_empty() {
            put_u16(out, 1);
            put_u16(out, saturate_u16(zip64.len()));
            out.extend_from_slice(&zip64);
        }
    }
}

fn put_u16(out: &mut Vec<u8>, value: u16) {
    out.extend_from_slice(&value.to_le_bytes());
}

fn put_u32(out: &mut Vec<u8>, value: u32) {
    out.extend_from_slice(&value.to_le_bytes());
}

fn put_u64(out: &mut Vec<u8>, value: u64) {
    out.extend_from_slice(&value.to_le_bytes());
}

/// The value, or all ones where a ZIP64 field has it.
fn saturate_u16(value: usize) -> u16 {
    u16::try_from(value).unwrap_or(u16::MAX)
}

/// As [`saturate_u16`].
fn saturate_u32(value: u64) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}
