//! Shared messages: a body that stands in a committed datatype's header or in the file's shared message heap instead of the
//! object header (specification, sections IV.A.2 "Shared Message", III.H "Shared Object Header Message Table").

use std::borrow::Cow;

use super::{
    Fault, Meta, Parse,
    fractal_heap::FractalHeap,
    meta::at_address,
    object_header::{FLAG_SHARED, Message, ObjectHeader, kind},
    shared_heaps::SharedHeaps,
};

/// Reads the table that the message `body` of the superblock extension points to.
pub(super) fn read_table(meta: &Meta, body: &[u8]) -> Parse<SharedHeaps> {
    const WHAT: &str = "shared message table";
    let mut cursor = meta.cursor("shared message table message", body);
    cursor.version(0)?;
    let address = cursor.defined_address(WHAT)?;
    let n_indexes = cursor.u8()?;
    let index_bytes = 14 + 2 * u64::from(meta.sizes().offset);
    let bytes = meta.read_verified(WHAT, address, 4 + u64::from(n_indexes) * index_bytes + 4)?;
    let mut cursor = meta.cursor(WHAT, &bytes);
    cursor.signature(b"SMTB")?;
    let mut heaps = SharedHeaps::default();
    for _ in 0..n_indexes {
        cursor.version(0)?;
        cursor.skip(1)?; // list or B-tree: only writers look messages up
        let kinds = cursor.u16()?;
        cursor.skip(4 + 2 + 2 + 2)?; // minimum size, cut-offs, number of messages
        cursor.address()?;
        heaps.push(kinds, cursor.address()?);
    }
    Ok(heaps)
}

impl Message {
    /// The message's own body, fetched from where it is shared.
    pub(crate) fn resolved(&self, meta: &Meta) -> Parse<Cow<'_, [u8]>> {
        if self.flags & FLAG_SHARED == 0 {
            Ok(Cow::Borrowed(&self.body))
        } else {
            shared_body(meta, self.kind, &self.body).map(Cow::Owned)
        }
    }
}

/// The body of a message of number `message_kind` to which the shared message `reference` points.
pub(crate) fn shared_body(meta: &Meta, message_kind: u16, reference: &[u8]) -> Parse<Vec<u8>> {
    /// The body is in the shared message heap.
    const IN_HEAP: u8 = 1;
    let mut cursor = meta.cursor("shared message", reference);
    let version = cursor.u8()?;
    let place = cursor.u8()?;
    let address = match version {
        1 => {
            // Six reserved bytes, then what was once a symbol table entry: a name's offset and the header's address.
            cursor.skip(6)?;
            cursor.length()?;
            cursor.defined_address("shared message")?
        }
        3 if place == IN_HEAP => return body_in_heap(meta, message_kind, cursor.take(8)?),
        2 | 3 => cursor.defined_address("shared message")?,
        _ => return Err(cursor.unsupported(format_args!("version {version}"))),
    };
    let header = ObjectHeader::read(meta, address)?;
    let message = header.message(message_kind).ok_or_else(|| {
        Fault::Damaged(format!(
            "the object header at address {address} has no message {message_kind:#06x} to be shared"
        ))
    })?;
    if message.flags & FLAG_SHARED == 0 {
        return Ok(message.body.clone());
    }
    // A committed datatype's message may itself be kept in the heap, but never in yet another header.
    let mut cursor = meta.cursor("shared message", &message.body);
    if message_kind == kind::DATATYPE && cursor.u8()? == 3 && cursor.u8()? == IN_HEAP {
        return body_in_heap(meta, message_kind, cursor.take(8)?);
    }
    Err(at_address(Fault::damaged("a shared message is shared once more"), address))
}

/// The message that `heap_id` names in the heap for messages of that number.
pub(crate) fn body_in_heap(meta: &Meta, message_kind: u16, heap_id: &[u8]) -> Parse<Vec<u8>> {
    // Both fill value messages count as one kind.
    let held_as = if message_kind == kind::FILL_VALUE_OLD { kind::FILL_VALUE } else { message_kind };
    let heap = meta.shared_heaps.of(held_as).ok_or_else(|| {
        Fault::Damaged(format!(
            "message {message_kind:#06x} is in the shared message heap, but the file has none for it"
        ))
    })?;
    FractalHeap::open(meta, heap)?.object(heap_id)
}
