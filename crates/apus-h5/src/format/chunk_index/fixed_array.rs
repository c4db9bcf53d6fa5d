//! Fixed arrays of chunks: no dimension is unlimited.

use super::{check_filtered, numbering::Numbering, table::Builder};
use crate::format::{Cursor, Fault, Meta, Parse, grid::Grid};

/// The two clients of fixed and extensible arrays: plain and filtered chunks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Elements {
    /// Bytes of the field that holds a chunk's size, for filtered chunks.
    size_bytes: Option<u8>,
    /// Bytes of an element.
    bytes: u8,
}

impl Elements {
    /// Checks client and element size of an array's header.
    pub(super) fn new(cursor: &Cursor<'_>, client: u8, bytes: u8, filtered: bool) -> Parse<Self> {
        let offset = cursor.sizes().offset;
        let size_bytes = match client {
            0 if bytes == offset => None,
            1 if (1..=8).contains(&bytes.saturating_sub(offset).saturating_sub(4)) => Some(bytes - offset - 4),
            0 | 1 => return Err(cursor.damaged(format_args!("elements of {bytes} bytes"))),
            _ => return Err(cursor.unsupported(format_args!("client {client}"))),
        };
        check_filtered(size_bytes.is_some(), filtered)?;
        Ok(Self { size_bytes, bytes })
    }

    /// Bytes of `n` elements.
    pub(super) fn size(self, n: u64) -> Parse<u64> {
        n.checked_mul(self.bytes.into()).ok_or_else(|| Fault::Damaged(format!("an array of chunks with {n} elements")))
    }

    /// Bytes of the elements in `cursor`, taken as those from `first` on.
    pub(super) fn read(self, cursor: &mut Cursor<'_>, n: u64, first: u64, chunks: &mut Chunks<'_>) -> Parse<()> {
        for index in first..first.saturating_add(n) {
            let address = cursor.address()?;
            let filtered = match self.size_bytes {
                Some(size_bytes) => Some((cursor.uint(size_bytes)?, cursor.u32()?)),
                None => None,
            };
            let Some(address) = address else { continue };
            let number = chunks.numbering.to_grid(index, chunks.grid).filter(|_| index < chunks.n_set);
            let number = number.ok_or_else(|| {
                cursor.damaged(format_args!(
                    "element {index} of {}, which is beyond the extent of {:?}",
                    chunks.n_set,
                    chunks.grid.dims()
                ))
            })?;
            match filtered {
                Some((size, filter_mask)) => chunks.builder.insert(number, address, size, filter_mask)?,
                None => chunks.builder.insert_unfiltered(number, address)?,
            }
        }
        Ok(())
    }
}

/// Where elements go.
#[derive(Debug)]
pub(super) struct Chunks<'a> {
    pub(super) grid: &'a Grid,
    pub(super) numbering: &'a Numbering,
    pub(super) builder: &'a mut Builder,
    /// Blocks do not share bytes, so that together they are shorter than the file: this many bytes are left of it.
    pub(super) budget: u64,
    /// The elements that were set: none from this one on.
    pub(super) n_set: u64,
    /// Whether the dataset has filters.
    pub(super) filtered: bool,
}

impl Chunks<'_> {
    /// Counts the bytes of a block.
    pub(super) fn spend(&mut self, bytes: u64) -> Parse<()> {
        let left = self.budget.checked_sub(bytes);
        self.budget = left.ok_or_else(|| Fault::damaged("blocks of an array of chunks share bytes"))?;
        Ok(())
    }
}

/// Whether bit `i` of a bitmap is set; the first bit is the highest of the first byte.
pub(super) fn bit(bitmap: &[u8], i: u64) -> bool {
    let byte = usize::try_from(i / 8).ok().and_then(|byte| bitmap.get(byte));
    byte.is_some_and(|byte| byte & (0x80 >> (i % 8)) != 0)
}

/// Reads the array whose header is at `address`.
pub(super) fn read(meta: &Meta, address: u64, chunks: &mut Chunks<'_>) -> Parse<()> {
    const WHAT: &str = "fixed array header";
    let (offset, length) = (u64::from(meta.sizes().offset), u64::from(meta.sizes().length));
    let bytes = meta.read_verified(WHAT, address, 8 + length + offset + 4)?;
    let mut cursor = meta.cursor(WHAT, &bytes);
    cursor.signature(b"FAHD")?;
    cursor.version(0)?;
    let (client, element_bytes, page_bits) = (cursor.u8()?, cursor.u8()?, cursor.u8()?);
    let elements = Elements::new(&cursor, client, element_bytes, chunks.filtered)?;
    let n_elements = cursor.length()?;
    if n_elements != chunks.n_set {
        return Err(cursor.damaged(format_args!("{n_elements} elements for {} chunks", chunks.n_set)));
    }
    match cursor.address()? {
        Some(block) => {
            let header = Header { address, client, elements, n_elements, page_bits };
            read_block(meta, block, &header, chunks)
        }
        None => Ok(()),
    }
}

/// Passes over the address of the array's header, which all blocks of an array repeat.
pub(super) fn check_header_address(cursor: &mut Cursor<'_>, expected: u64) -> Parse<()> {
    match cursor.address()? {
        Some(found) if found == expected => Ok(()),
        found => Err(cursor.damaged(format_args!("a block of the array at {expected} expected, of {found:?} found"))),
    }
}

/// What the header says.
struct Header {
    address: u64,
    client: u8,
    elements: Elements,
    n_elements: u64,
    page_bits: u8,
}

fn read_block(meta: &Meta, address: u64, header: &Header, chunks: &mut Chunks<'_>) -> Parse<()> {
    const WHAT: &str = "fixed array data block";
    const PAGE: &str = "fixed array page";
    let &Header { client, elements, n_elements, page_bits, .. } = header;
    let page_elements = 1u64.checked_shl(page_bits.into()).unwrap_or(u64::MAX);
    let n_pages = if n_elements > page_elements { n_elements.div_ceil(page_elements) } else { 0 };
    let bitmap_bytes = n_pages.div_ceil(8);
    let prefix_bytes = 6 + u64::from(meta.sizes().offset) + bitmap_bytes;
    let inline_bytes = if n_pages == 0 { elements.size(n_elements)? } else { 0 };
    let block_bytes = prefix_bytes.saturating_add(inline_bytes).saturating_add(4);
    let bytes = meta.read_verified(WHAT, address, block_bytes)?;
    let mut cursor = meta.cursor(WHAT, &bytes);
    cursor.signature(b"FADB")?;
    cursor.version(0)?;
    if cursor.u8()? != client {
        return Err(cursor.damaged("the data block is another client's"));
    }
    check_header_address(&mut cursor, header.address)?;
    let bitmap = cursor.take_u64(bitmap_bytes)?;
    if n_pages == 0 {
        return elements.read(&mut cursor, n_elements, 0, chunks);
    }
    let page_bytes = elements.size(page_elements)?.saturating_add(4);
    for page in (0..n_pages).filter(|page| bit(bitmap, *page)) {
        let first = page * page_elements;
        let n = page_elements.min(n_elements - first);
        let at = page.checked_mul(page_bytes).and_then(|at| at.checked_add(address)?.checked_add(block_bytes));
        let at = at.ok_or_else(|| Fault::Damaged(format!("{PAGE} {page} beyond 64 bits")))?;
        let bytes = meta.read_verified(PAGE, at, elements.size(n)?.saturating_add(4))?;
        elements.read(&mut meta.cursor(PAGE, &bytes), n, first, chunks)?;
    }
    Ok(())
}
