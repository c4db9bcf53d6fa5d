//! Where everything goes, and so how long the file is.

use std::collections::BTreeMap;

use super::{
    ObjectId, Tree,
    draft::{Draft, Target, UNDEFINED_ADDRESS},
    heap::Heap,
    object_header::{CHECKSUM_BYTES, DataDraft, draft_object, seal},
    tree::unwritable,
};
use crate::{Error, Result};

/// Every address of a file, found from its declaration alone.
///
/// The file starts with the superblock and all object headers, then come the values of variable length and the datasets
/// that the tree held, then the streamed datasets in the order of their declaration.
#[derive(Clone, Debug)]
pub struct Plan {
    steps: Vec<Step>,
    size_bytes: u64,
}

/// What comes next in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// These bytes.
    Bytes(Vec<u8>),
    /// All elements of a streamed dataset in C order, `size_bytes` of them, as its type says they stand in the file.
    Data {
        /// The dataset.
        object: ObjectId,
        /// What the elements take; never 0, for an empty dataset gets no step.
        size_bytes: u64,
    },
}

/// Superblock version 2 with its checksum.
const SUPERBLOCK_BYTES: usize = 48;
/// What every structure and every dataset starts at a multiple of, so that elements in a mapped file are aligned.
const ALIGNMENT: u64 = 8;

impl Plan {
    /// Plans the file.
    ///
    /// Errors: [`Error::Unwritable`], which names the object and what of it cannot be written.
    pub fn new(tree: Tree) -> Result<Self> {
        let mut heap = Heap::default();
        let mut headers = Vec::new();
        let mut held = Vec::new();
        let mut streamed = Vec::new();
        for (id, object) in tree.objects() {
            let draft = draft_object(id, object, &mut heap)?;
            headers.push((id, draft.header));
            match draft.data {
                DataDraft::None => {}
                DataDraft::Held(elements) => held.push((id, elements)),
                DataDraft::Streamed(size_bytes) => streamed.push((id, size_bytes)),
            }
        }
        let root = tree.root();
        // The declaration may hold large values that were copied by now.
        drop(tree);
        let collections = heap.into_collections();

        let mut places =
            Places { next: SUPERBLOCK_BYTES as u64, headers: Vec::new(), heaps: Vec::new(), data: BTreeMap::new() };
        for (_, header) in &headers {
            let address = places.take(header.len() as u64 + CHECKSUM_BYTES as u64)?;
            places.headers.push(address);
        }
        for collection in &collections {
            let address = places.take(collection.len() as u64)?;
            places.heaps.push(address);
        }
        for (id, size_bytes) in
            held.iter().map(|(id, elements)| (id, elements.len() as u64)).chain(streamed.iter().map(|(id, n)| (id, *n)))
        {
            let address = places.take(size_bytes)?;
            places.data.insert(*id, address);
        }

        let mut steps = Steps { steps: Vec::new(), position: 0 };
        steps.bytes(0, seal(superblock(places.next, root), |target| places.of(target)));
        for ((_, header), &address) in headers.into_iter().zip(&places.headers) {
            steps.bytes(address, seal(header, |target| places.of(target)));
        }
        for (collection, &address) in collections.into_iter().zip(&places.heaps) {
            steps.bytes(address, collection);
        }
        for (id, elements) in held {
            steps.bytes(places.of(Target::Data(id)), elements.settle(|target| places.of(target)));
        }
        for (object, size_bytes) in streamed {
            steps.bytes(places.of(Target::Data(object)), Vec::new());
            steps.data(object, size_bytes);
        }
        Ok(Self { steps: steps.steps, size_bytes: places.next })
    }

    /// The size of the file.
    pub fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// The steps in the order of the file; their lengths add up to [`size_bytes`](Self::size_bytes).
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The steps, to be followed.
    pub fn into_steps(self) -> Vec<Step> {
        self.steps
    }

    /// The whole file, where nothing is streamed.
    ///
    /// Errors: [`Error::Unwritable`] where something is.
    pub fn into_bytes(self) -> Result<Vec<u8>> {
        let mut file = Vec::new();
        for step in self.steps {
            match step {
                Step::Bytes(bytes) if file.is_empty() => file = bytes,
                Step::Bytes(bytes) => file.extend(bytes),
                Step::Data { object, size_bytes } => {
                    return Err(unwritable(
                        &format!("{object:?}"),
                        format!("its {size_bytes} bytes are to be streamed"),
                    ));
                }
            }
        }
        Ok(file)
    }
}

/// The addresses that were given out.
struct Places {
    next: u64,
    headers: Vec<u64>,
    heaps: Vec<u64>,
    data: BTreeMap<ObjectId, u64>,
}

impl Places {
    /// The next free place for `size_bytes`.
    fn take(&mut self, size_bytes: u64) -> Result<u64> {
        let start = self.next.checked_next_multiple_of(ALIGNMENT);
        let end = start.and_then(|start| start.checked_add(size_bytes)).filter(|&end| end < UNDEFINED_ADDRESS);
        let (Some(start), Some(end)) = (start, end) else {
            return Err(Error::Unwritable {
                object: "the file".to_owned(),
                reason: "more bytes than 64 bits count".to_owned(),
            });
        };
        self.next = end;
        Ok(start)
    }

    /// Where a target is. Drafts point only to what has a place, so nothing comes out undefined.
    fn of(&self, target: Target) -> u64 {
        let address = match target {
            Target::Header(id) => self.headers.get(id.index()),
            Target::Heap(number) => self.heaps.get(number),
            Target::Data(id) => self.data.get(&id),
        };
        address.copied().unwrap_or(UNDEFINED_ADDRESS)
    }
}

/// The steps so far; neighbouring bytes become one step.
struct Steps {
    steps: Vec<Step>,
    position: u64,
}

impl Steps {
    /// Bytes at an address, with the padding before them.
    fn bytes(&mut self, address: u64, bytes: Vec<u8>) {
        let padding = std::iter::repeat_n(0, usize::try_from(address - self.position).unwrap_or_default());
        self.position = address + bytes.len() as u64;
        if !matches!(self.steps.last(), Some(Step::Bytes(_))) {
            if padding.len() == 0 && bytes.is_empty() {
                return;
            }
            self.steps.push(Step::Bytes(Vec::new()));
        }
        if let Some(Step::Bytes(last)) = self.steps.last_mut() {
            last.extend(padding);
            last.extend(bytes);
        }
    }

    fn data(&mut self, object: ObjectId, size_bytes: u64) {
        self.position += size_bytes;
        self.steps.push(Step::Data { object, size_bytes });
    }
}

/// Superblock, version 2.
///
/// Source: HDF5 File Format Specification 3.0, II.A "Disk Format: Level 0A - Format Signature and Superblock".
fn superblock(size_bytes: u64, root: ObjectId) -> Draft {
    let mut draft = Draft::default();
    draft.bytes(b"\x89HDF\r\n\x1a\n");
    // Version 2, offsets and lengths of 8 bytes, no consistency flags.
    draft.bytes(&[2, 8, 8, 0]);
    draft.u64(0);
    draft.u64(UNDEFINED_ADDRESS);
    draft.u64(size_bytes);
    draft.address(Target::Header(root));
    draft
}
