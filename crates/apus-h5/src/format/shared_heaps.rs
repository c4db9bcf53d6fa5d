//! Which heap holds the shared messages of which number.

/// The file's heaps of shared messages.
#[derive(Clone, Debug, Default)]
pub(super) struct SharedHeaps(Vec<Heap>);

/// One heap, and which messages it holds.
#[derive(Clone, Debug)]
struct Heap {
    /// Bit N is set where messages of number N are held.
    kinds: u16,
    address: Option<u64>,
}

impl SharedHeaps {
    /// Adds a heap for the messages whose bits are set in `kinds`.
    pub(super) fn push(&mut self, kinds: u16, address: Option<u64>) {
        self.0.push(Heap { kinds, address });
    }

    /// The address of the heap for messages of that number.
    pub(super) fn of(&self, message_kind: u16) -> Option<u64> {
        let bit = 1u16.checked_shl(u32::from(message_kind))?;
        self.0.iter().find(|heap| heap.kinds & bit != 0)?.address
    }
}
