//! Global heap collections: where variable-length data and the mappings of virtual datasets are kept (specification, section
//! III.E).

use std::{
    collections::{HashMap, hash_map::Entry},
    ops::Range,
};

use super::{Cursor, Fault, MAX_METADATA_BYTES, Meta, Parse, meta::at_address};

/// The bytes of collections that are held at a time.
const HELD_BYTES: u64 = 16 << 20;

/// Where an object of the global heap is ("global heap ID").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct GlobalHeapId {
    /// The address of the collection.
    pub(crate) collection: u64,
    /// The number of the object in it; 0 is no object.
    pub(crate) index: u32,
}

impl GlobalHeapId {
    /// Reads an ID: an address, then an index. `None` where the address is undefined, or 0 as writers put it for no data.
    pub(crate) fn parse(cursor: &mut Cursor<'_>) -> Parse<Option<Self>> {
        let collection = cursor.address()?;
        let index = cursor.u32()?;
        Ok(collection.filter(|&address| address != 0).map(|collection| Self { collection, index }))
    }
}

/// Looks up objects of the global heap, and keeps the collections that it met, since neighbours tend to share one. Made for one
/// task, then dropped.
#[derive(Debug)]
pub(crate) struct GlobalHeap<'a> {
    meta: &'a Meta,
    collections: HashMap<u64, Collection>,
    held_bytes: u64,
    loaded_bytes: u64,
}

#[derive(Debug)]
struct Collection {
    bytes: Vec<u8>,
    objects: HashMap<u32, Range<usize>>,
}

impl<'a> GlobalHeap<'a> {
    /// Starts with nothing loaded.
    pub(crate) fn new(meta: &'a Meta) -> Self {
        Self { meta, collections: HashMap::new(), held_bytes: 0, loaded_bytes: 0 }
    }

    /// A cursor over `bytes` with the file's sizes.
    pub(crate) fn cursor<'b>(&self, what: &'static str, bytes: &'b [u8]) -> Cursor<'b> {
        self.meta.cursor(what, bytes)
    }

    /// The bytes of an object.
    pub(crate) fn object(&mut self, id: GlobalHeapId) -> Parse<&[u8]> {
        if self.held_bytes > HELD_BYTES && !self.collections.contains_key(&id.collection) {
            self.collections.clear();
            self.held_bytes = 0;
        }
        let collection = match self.collections.entry(id.collection) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => {
                let collection =
                    Collection::load(self.meta, id.collection).map_err(|fault| at_address(fault, id.collection))?;
                let size = collection.bytes.len() as u64;
                self.held_bytes = self.held_bytes.saturating_add(size);
                // Each collection is loaded about once in any sound file, so that this stops only those that make us load
                // a few large ones over and over.
                self.loaded_bytes = self.loaded_bytes.saturating_add(size);
                let limit = self.meta.len().saturating_mul(4).saturating_add(MAX_METADATA_BYTES);
                if self.loaded_bytes > limit {
                    return Err(Fault::OverLimit {
                        what: "the global heap's share in bytes",
                        found: self.loaded_bytes,
                        limit,
                    });
                }
                entry.insert(collection)
            }
        };
        let object = collection.objects.get(&id.index).and_then(|range| collection.bytes.get(range.clone()));
        object.ok_or_else(|| {
            Fault::Damaged(format!(
                "the global heap collection at address {} has no object {}",
                id.collection, id.index
            ))
        })
    }
}

impl Collection {
    fn load(meta: &Meta, address: u64) -> Parse<Self> {
        const WHAT: &str = "global heap collection";
        let prefix_bytes = 8 + u64::from(meta.sizes().length);
        let prefix = meta.read(address, prefix_bytes)?;
        let mut cursor = meta.cursor(WHAT, &prefix);
        cursor.signature(b"GCOL")?;
        cursor.version(1)?;
        cursor.skip(3)?;
        let size = cursor.length()?;
        if size < prefix_bytes {
            return Err(cursor.damaged(format_args!("a size of {size} bytes")));
        }
        let bytes = meta.read(address, size)?;
        let mut cursor = meta.cursor(WHAT, &bytes);
        cursor.take_u64(prefix_bytes)?;
        let mut objects = HashMap::new();
        // An object's header is two u16, a reserved u32 and a length; free space that is too small for one ends the heap.
        while cursor.remaining() >= 8 + usize::from(meta.sizes().length) {
            let index = u32::from(cursor.u16()?);
            cursor.skip(6)?;
            let size = cursor.length()?;
            if index == 0 {
                break;
            }
            let start = cursor.position();
            cursor.take_u64(size)?;
            objects.insert(index, start..cursor.position());
            let padding = (8 - cursor.position() % 8) % 8;
            cursor.skip(padding.min(cursor.remaining()))?;
        }
        Ok(Self { bytes, objects })
    }
}
