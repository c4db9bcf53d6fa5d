//! The attributes of an object in all their forms: messages, shared messages, and dense storage.

use super::{
    Fault, MAX_METADATA_BYTES, Meta, Parse,
    btree_v2::BTreeV2,
    fractal_heap::FractalHeap,
    lookup3,
    message::{AttributeInfo, AttributeMessage},
    object_header::{FLAG_SHARED, ObjectHeader, kind},
    shared,
};

/// Calls `visit` with the message body of each attribute, in the order of the file.
pub(crate) fn for_each(meta: &Meta, header: &ObjectHeader, mut visit: impl FnMut(&[u8]) -> Parse<()>) -> Parse<()> {
    // Many small messages may share one large body in a hostile file.
    let mut total_bytes = 0u64;
    let mut visit = |body: &[u8]| {
        total_bytes = total_bytes.saturating_add(body.len() as u64);
        if total_bytes > MAX_METADATA_BYTES {
            let limit = MAX_METADATA_BYTES;
            return Err(Fault::OverLimit {
                what: "the size of an object's attributes in bytes",
                found: total_bytes,
                limit,
            });
        }
        visit(body)
    };
    for message in header.messages(kind::ATTRIBUTE) {
        visit(&message.resolved(meta)?)?;
    }
    let Some(mut dense) = Dense::open(meta, header)? else { return Ok(()) };
    let Dense { heap, names, .. } = &mut dense;
    names.for_each(|record| visit(&Record::parse(meta, record)?.body(meta, heap)?))
}

/// The attribute of that name.
pub(crate) fn find(meta: &Meta, header: &ObjectHeader, name: &str) -> Parse<Option<AttributeMessage>> {
    for message in header.messages(kind::ATTRIBUTE) {
        let body = message.resolved(meta)?;
        if AttributeMessage::parse_name(meta, &body)? == name.as_bytes() {
            return AttributeMessage::parse(meta, &body).map(Some);
        }
    }
    let Some(Dense { mut heap, names }) = Dense::open(meta, header)? else { return Ok(None) };
    let hash = lookup3(name.as_bytes());
    let mut found = None;
    names.search(
        |record| Ok(Record::parse(meta, record)?.hash.cmp(&hash)),
        |record| {
            let body = Record::parse(meta, record)?.body(meta, &mut heap)?;
            if AttributeMessage::parse_name(meta, &body)? != name.as_bytes() {
                return Ok(());
            }
            match found.replace(AttributeMessage::parse(meta, &body)?) {
                None => Ok(()),
                Some(_) => Err(Fault::Damaged(format!("two attributes of the name {name:?}"))),
            }
        },
    )?;
    Ok(found)
}

/// Dense storage: a heap of attribute messages, and the tree that finds them by the hash of their names.
struct Dense<'a> {
    heap: FractalHeap<'a>,
    names: BTreeV2<'a>,
}

impl<'a> Dense<'a> {
    fn open(meta: &'a Meta, header: &ObjectHeader) -> Parse<Option<Self>> {
        let Some(message) = header.message(kind::ATTRIBUTE_INFO) else { return Ok(None) };
        let info = AttributeInfo::parse(meta.cursor("attribute info message", &message.body))?;
        let Some(dense) = info.dense else { return Ok(None) };
        Ok(Some(Self { heap: FractalHeap::open(meta, dense.heap)?, names: BTreeV2::open(meta, dense.names)? }))
    }
}

/// A record of the tree by name (version-2 B-tree record type 8).
struct Record<'a> {
    heap_id: &'a [u8],
    flags: u8,
    hash: u32,
}

impl<'a> Record<'a> {
    fn parse(meta: &Meta, record: &'a [u8]) -> Parse<Self> {
        let mut cursor = meta.cursor("attribute record", record);
        let heap_id = cursor.take(8)?;
        let flags = cursor.u8()?;
        cursor.skip(4)?; // creation order
        Ok(Self { heap_id, flags, hash: cursor.u32()? })
    }

    /// The attribute message: from the object's own heap, or from the file's shared message heap.
    fn body(&self, meta: &Meta, heap: &mut FractalHeap<'_>) -> Parse<Vec<u8>> {
        if self.flags & FLAG_SHARED == 0 {
            heap.object(self.heap_id)
        } else {
            shared::body_in_heap(meta, kind::ATTRIBUTE, self.heap_id)
        }
    }
}
