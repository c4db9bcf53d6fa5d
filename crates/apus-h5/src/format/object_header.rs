//! Object headers, versions 1 and 2, with their continuations (specification, sections IV.A.1.a to IV.A.1.b).

use std::collections::VecDeque;

use super::{Cursor, Fault, MAX_METADATA_BYTES, Meta, Parse, checksum, meta::at_address};

/// The numbers of the messages that are read here (specification, section IV.A.2).
pub(crate) mod kind {
    pub(crate) const DATASPACE: u16 = 0x01;
    pub(crate) const LINK_INFO: u16 = 0x02;
    pub(crate) const DATATYPE: u16 = 0x03;
    pub(crate) const FILL_VALUE_OLD: u16 = 0x04;
    pub(crate) const FILL_VALUE: u16 = 0x05;
    pub(crate) const LINK: u16 = 0x06;
    pub(crate) const EXTERNAL_FILES: u16 = 0x07;
    pub(crate) const LAYOUT: u16 = 0x08;
    pub(crate) const FILTER_PIPELINE: u16 = 0x0b;
    pub(crate) const ATTRIBUTE: u16 = 0x0c;
    pub(crate) const SHARED_MESSAGE_TABLE: u16 = 0x0f;
    pub(crate) const CONTINUATION: u16 = 0x10;
    pub(crate) const SYMBOL_TABLE: u16 = 0x11;
    pub(crate) const ATTRIBUTE_INFO: u16 = 0x15;
    /// The highest number that the specification gives a meaning.
    pub(super) const LAST: u16 = 0x18;
}

/// The header says where the message's body is, instead of holding it.
pub(crate) const FLAG_SHARED: u8 = 0x02;
/// Who does not know the message must not open the object.
const FLAG_FAIL_IF_UNKNOWN: u8 = 0x80;

/// A message as it stands in an object header.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    /// Its number, see [`kind`].
    pub(crate) kind: u16,
    /// Its flags.
    pub(crate) flags: u8,
    /// Its body, or a shared message reference (see [`Message::resolved`]).
    pub(crate) body: Vec<u8>,
}

/// The messages of an object, in the order of the file.
#[derive(Clone, Debug)]
pub(crate) struct ObjectHeader {
    address: u64,
    messages: Vec<Message>,
}

impl ObjectHeader {
    /// Reads the header at `address` with all its continuations; checksums are verified.
    pub(crate) fn read(meta: &Meta, address: u64) -> Parse<Self> {
        let messages = read_messages(meta, address).map_err(|fault| at_address(fault, address))?;
        Ok(Self { address, messages })
    }

    /// The address of the header.
    pub(crate) fn address(&self) -> u64 {
        self.address
    }

    /// Whether there is a message of that number.
    pub(crate) fn has(&self, kind: u16) -> bool {
        self.messages.iter().any(|m| m.kind == kind)
    }

    /// The first message of that number.
    pub(crate) fn message(&self, kind: u16) -> Option<&Message> {
        self.messages.iter().find(|m| m.kind == kind)
    }

    /// All messages of that number.
    pub(crate) fn messages(&self, kind: u16) -> impl Iterator<Item = &Message> {
        self.messages.iter().filter(move |m| m.kind == kind)
    }
}

/// What is still to be read: a run of messages.
struct Chunk {
    address: u64,
    len: u64,
}

/// How the messages of a header are laid out.
enum Version {
    One,
    Two { creation_order: bool },
}

fn read_messages(meta: &Meta, address: u64) -> Parse<Vec<Message>> {
    const WHAT: &str = "object header";
    // A prefix is at most 4 + 2 + 16 + 4 + 8 bytes long.
    let prefix = meta.read_up_to(address, 34)?;
    let mut cursor = meta.cursor(WHAT, &prefix);
    let mut messages = Vec::new();
    let mut chunks = VecDeque::new();
    let mut budget = Budget::new(meta);
    let version = if cursor.rest().starts_with(b"OHDR") {
        cursor.skip(4)?;
        cursor.version(2)?;
        let flags = cursor.u8()?;
        if flags & 0x20 != 0 {
            cursor.skip(16)?; // access, modification, change and birth time
        }
        if flags & 0x10 != 0 {
            cursor.skip(4)?; // when attributes move to dense storage and back
        }
        let size = cursor.uint(1 << (flags & 3))?;
        let prefix_bytes = cursor.position();
        let version = Version::Two { creation_order: flags & 0x04 != 0 };
        let total = size.saturating_add(prefix_bytes as u64 + 4);
        budget.spend(total)?;
        let bytes = meta.read_verified(WHAT, address, total)?;
        parse_chunk(
            meta.cursor(WHAT, bytes.get(prefix_bytes..).unwrap_or_default()),
            &version,
            &mut messages,
            &mut chunks,
        )?;
        version
    } else {
        cursor.version(1)?;
        // The number of messages and the reference count; each chunk is read to its end, as the library does.
        cursor.skip(1 + 2 + 4)?;
        let size = u64::from(cursor.u32()?);
        budget.spend(size)?;
        // The prefix of 12 bytes is padded to 16.
        let bytes = meta.read(address.saturating_add(16), size)?;
        parse_chunk(meta.cursor(WHAT, &bytes), &Version::One, &mut messages, &mut chunks)?;
        Version::One
    };
    while let Some(chunk) = chunks.pop_front() {
        const WHAT: &str = "object header continuation";
        budget.spend(chunk.len)?;
        let bytes = meta.read(chunk.address, chunk.len)?;
        let cursor = match version {
            Version::One => meta.cursor(WHAT, &bytes),
            Version::Two { .. } => {
                let body = checksum::verified(WHAT, &bytes).map_err(|fault| at_address(fault, chunk.address))?;
                let mut cursor = meta.cursor(WHAT, body);
                cursor.signature(b"OCHK")?;
                cursor
            }
        };
        parse_chunk(cursor, &version, &mut messages, &mut chunks)?;
    }
    Ok(messages)
}

/// Reads the messages of one chunk; continuations go to `chunks`.
fn parse_chunk(
    mut cursor: Cursor<'_>,
    version: &Version,
    messages: &mut Vec<Message>,
    chunks: &mut VecDeque<Chunk>,
) -> Parse<()> {
    let header_bytes = match version {
        Version::One => 8,
        Version::Two { creation_order } => 4 + 2 * usize::from(*creation_order),
    };
    // What is too small for a message's header is a gap.
    while cursor.remaining() >= header_bytes {
        let kind = match version {
            Version::One => cursor.u16()?,
            Version::Two { .. } => u16::from(cursor.u8()?),
        };
        let size = cursor.u16()?;
        let flags = cursor.u8()?;
        cursor.skip(header_bytes - if matches!(version, Version::One) { 5 } else { 4 })?;
        let body = cursor.take(usize::from(size))?;
        if kind == kind::CONTINUATION {
            let mut body = Cursor::new("continuation message", body, cursor.sizes());
            let address = body.defined_address("continuation")?;
            chunks.push_back(Chunk { address, len: body.length()? });
        } else if kind > kind::LAST && flags & FLAG_FAIL_IF_UNKNOWN != 0 {
            return Err(Fault::Unsupported(format!("object header message {kind:#06x}")));
        } else if kind != 0 {
            messages.push(Message { kind, flags, body: body.to_vec() });
        }
    }
    Ok(())
}

/// Bounds the bytes of all chunks of one header together: chunks do not overlap, so they fit the file; a cycle does not.
struct Budget {
    left: u64,
    limit: u64,
}

impl Budget {
    fn new(meta: &Meta) -> Self {
        let limit = meta.len().min(MAX_METADATA_BYTES);
        Self { left: limit, limit }
    }

    /// Accounts for a chunk; an empty one still costs a byte.
    fn spend(&mut self, bytes: u64) -> Parse<()> {
        self.left = self.left.checked_sub(bytes.max(1)).ok_or_else(|| {
            Fault::Damaged(format!(
                "the chunks of an object header take more than {} bytes: a cycle, or a wrong size",
                self.limit
            ))
        })?;
        Ok(())
    }
}
