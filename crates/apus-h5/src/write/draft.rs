//! Bytes under construction.

use super::ObjectId;

/// The address that stands for "nowhere".
pub(super) const UNDEFINED_ADDRESS: u64 = u64::MAX;

/// What an address that is not known yet will point to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// An object's header.
    Header(ObjectId),
    /// A dataset's elements.
    Data(ObjectId),
    /// A global heap collection, by its number.
    Heap(usize),
}

/// Bytes under construction, and the places in them where addresses go once the layout is settled.
#[derive(Clone, Debug, Default)]
pub(super) struct Draft {
    bytes: Vec<u8>,
    addresses: Vec<(usize, Target)>,
}

impl Draft {
    pub(super) fn u8(&mut self, value: u8) {
        self.bytes.push(value);
    }

    pub(super) fn u16(&mut self, value: u16) {
        self.bytes.extend(value.to_le_bytes());
    }

    pub(super) fn u32(&mut self, value: u32) {
        self.bytes.extend(value.to_le_bytes());
    }

    pub(super) fn u64(&mut self, value: u64) {
        self.bytes.extend(value.to_le_bytes());
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Text with its NUL.
    pub(super) fn c_string(&mut self, text: &str) {
        self.bytes(text.as_bytes());
        self.u8(0);
    }

    /// An address that becomes known when the layout is settled.
    pub(super) fn address(&mut self, target: Target) {
        self.addresses.push((self.bytes.len(), target));
        self.u64(UNDEFINED_ADDRESS);
    }

    /// Another draft behind this one.
    pub(super) fn append(&mut self, other: Self) {
        let start = self.bytes.len();
        self.addresses.extend(other.addresses.into_iter().map(|(at, target)| (start + at, target)));
        self.bytes.extend(other.bytes);
    }

    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// The bytes with all addresses filled in.
    pub(super) fn settle(mut self, address_of: impl Fn(Target) -> u64) -> Vec<u8> {
        for (at, target) in self.addresses {
            self.bytes[at..at + 8].copy_from_slice(&address_of(target).to_le_bytes());
        }
        self.bytes
    }
}
