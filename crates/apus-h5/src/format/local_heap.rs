//! Local heaps: where the names of an old-style group are (specification, section III.D).

use super::{Meta, Parse, meta::at_address};

/// The names of an old-style group.
#[derive(Debug)]
pub(crate) struct LocalHeap {
    data: Vec<u8>,
}

impl LocalHeap {
    /// Reads the heap at `address` with its data.
    pub(crate) fn read(meta: &Meta, address: u64) -> Parse<Self> {
        Self::read_data(meta, address).map_err(|fault| at_address(fault, address))
    }

    fn read_data(meta: &Meta, address: u64) -> Parse<Self> {
        let sizes = meta.sizes();
        let bytes = meta.read(address, 8 + 2 * u64::from(sizes.length) + u64::from(sizes.offset))?;
        let mut cursor = meta.cursor("local heap", &bytes);
        cursor.signature(b"HEAP")?;
        cursor.version(0)?;
        cursor.skip(3)?;
        let size = cursor.length()?;
        cursor.length()?; // the first free block
        let data = cursor.defined_address("heap's data")?;
        Ok(Self { data: meta.read(data, size)? })
    }

    /// The string that starts at `offset`.
    pub(crate) fn string(&self, meta: &Meta, offset: u64) -> Parse<&[u8]> {
        let mut cursor = meta.cursor("local heap", &self.data);
        cursor.take_u64(offset)?;
        cursor.c_string()
    }
}
