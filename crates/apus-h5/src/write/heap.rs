//! Global heaps, which hold the values of variable length.
//!
//! Source: HDF5 File Format Specification 3.0, III.E "Disk Format: Level 1E - Global Heap".

use super::draft::{Draft, Target};

/// The least size of a collection; libhdf5 takes nothing smaller (`H5HG_MINSIZE`).
const MIN_COLLECTION_BYTES: usize = 4096;
/// A collection is closed when it holds this much.
const FULL_COLLECTION_BYTES: usize = 1 << 16;
/// The signature, the version, three reserved bytes and the size.
const COLLECTION_HEADER_BYTES: usize = 16;
/// Index, reference count, four reserved bytes and the size.
const OBJECT_HEADER_BYTES: usize = 16;

/// Global heap collections under construction.
#[derive(Debug, Default)]
pub(super) struct Heap {
    closed: Vec<Vec<u8>>,
    /// The objects of the collection that is being filled, and how many they are.
    open: Vec<u8>,
    n_open: u16,
}

impl Heap {
    /// Stores a value of `n_elements` elements and appends the reference to it: the count, the collection's address, and
    /// the index in it. An empty value is a null reference, as libhdf5 has it.
    pub(super) fn put(&mut self, value: &[u8], n_elements: u32, draft: &mut Draft) {
        draft.u32(n_elements);
        if value.is_empty() {
            draft.u64(0);
            draft.u32(0);
            return;
        }
        // Index 0 is the free space, and the last index is the highest that 16 bits hold.
        if self.n_open == u16::MAX || (self.n_open > 0 && self.open.len() + value.len() > FULL_COLLECTION_BYTES) {
            self.close();
        }
        self.n_open += 1;
        self.object_header(self.n_open, 1, value.len());
        self.open.extend_from_slice(value);
        self.open.resize(self.open.len().next_multiple_of(8), 0);
        draft.address(Target::Heap(self.closed.len()));
        draft.u32(u32::from(self.n_open));
    }

    /// The collections, in the order of their numbers.
    pub(super) fn into_collections(mut self) -> Vec<Vec<u8>> {
        if self.n_open > 0 {
            self.close();
        }
        self.closed
    }

    fn close(&mut self) {
        let used = COLLECTION_HEADER_BYTES + self.open.len();
        // What is left is either nothing or the free-space object, whose size counts its own header.
        let size = if used + OBJECT_HEADER_BYTES <= MIN_COLLECTION_BYTES {
            MIN_COLLECTION_BYTES
        } else {
            used + OBJECT_HEADER_BYTES
        };
        let mut collection = Vec::with_capacity(size);
        collection.extend(b"GCOL");
        collection.extend([1, 0, 0, 0]);
        collection.extend((size as u64).to_le_bytes());
        self.object_header(0, 0, size - used);
        collection.append(&mut self.open);
        collection.resize(size, 0);
        self.closed.push(collection);
        self.n_open = 0;
    }

    fn object_header(&mut self, index: u16, n_references: u16, size: usize) {
        self.open.extend(index.to_le_bytes());
        self.open.extend(n_references.to_le_bytes());
        self.open.extend([0; 4]);
        self.open.extend((size as u64).to_le_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_go_on_in_the_next_collection_when_one_is_full() {
        let (mut heap, mut draft) = (Heap::default(), Draft::default());
        heap.put(&vec![1; 40_000], 40_000, &mut draft);
        heap.put(&[], 0, &mut draft);
        heap.put(&vec![2; 40_000], 40_000, &mut draft);
        heap.put(&vec![3; 200_000], 200_000, &mut draft);
        let references = draft.settle(|target| match target {
            Target::Heap(number) => 1000 + number as u64,
            _ => unreachable!(),
        });
        let address = |i: usize| u64::from_le_bytes(references[16 * i + 4..16 * i + 12].try_into().unwrap());
        assert_eq!((address(0), address(1), address(2), address(3)), (1000, 0, 1001, 1002));
        let sizes: Vec<usize> = heap.into_collections().iter().map(Vec::len).collect();
        assert_eq!(sizes, [40_000 + 48, 40_000 + 48, 200_000 + 48]);
    }

    #[test]
    fn a_small_collection_is_filled_up_with_free_space() {
        let (mut heap, mut draft) = (Heap::default(), Draft::default());
        heap.put(b"kpc", 3, &mut draft);
        let collections = heap.into_collections();
        assert_eq!(collections.len(), 1);
        assert_eq!(collections[0].len(), 4096);
        assert_eq!(&collections[0][..8], b"GCOL\x01\0\0\0");
        assert_eq!(&collections[0][32..40], b"kpc\0\0\0\0\0");
        assert_eq!(&collections[0][48..56], &(4096u64 - 40).to_le_bytes());
    }
}
