//! Extensible arrays of chunks: one dimension is unlimited.
//!
//! The header leads to an index block, which holds the first elements, the addresses of the first data blocks, and those of
//! super blocks, which hold addresses of further data blocks. Blocks grow with their number; data blocks above a size come in
//! pages, of which the super block tells which were written.

use super::fixed_array::{Chunks, Elements, bit, check_header_address};
use crate::format::{Fault, Meta, Parse};

/// What the header says, and the sizes that follow from it.
#[derive(Debug)]
struct Shape {
    /// The address of the header.
    address: u64,
    client: u8,
    elements: Elements,
    /// Bytes of a block's offset in the array.
    offset_bytes: u64,
    /// Elements in the index block.
    index_elements: u64,
    /// Elements of the smallest data block.
    min_block_elements: u64,
    /// Data blocks of the smallest super block.
    min_pointers: u64,
    /// Elements of a page.
    page_elements: u64,
    /// The number of super blocks that there could be.
    n_super_blocks: u32,
}

impl Shape {
    /// The data blocks of super block `i`, and the elements of each.
    fn super_block(&self, i: u32) -> Option<(u64, u64)> {
        let n_blocks = 1u64.checked_shl(i / 2)?;
        let n_elements = 1u64.checked_shl(i.div_ceil(2))?.checked_mul(self.min_block_elements)?;
        n_blocks.checked_mul(n_elements)?;
        Some((n_blocks, n_elements))
    }

    fn n_pages(&self, n_elements: u64) -> u64 {
        if n_elements > self.page_elements { n_elements / self.page_elements } else { 0 }
    }
}

/// Reads the array whose header is at `address`.
pub(super) fn read(meta: &Meta, address: u64, chunks: &mut Chunks<'_>) -> Parse<()> {
    const WHAT: &str = "extensible array header";
    let (offset, length) = (u64::from(meta.sizes().offset), u64::from(meta.sizes().length));
    let bytes = meta.read_verified(WHAT, address, 12 + 6 * length + offset + 4)?;
    let mut cursor = meta.cursor(WHAT, &bytes);
    cursor.signature(b"EAHD")?;
    cursor.version(0)?;
    let (client, element_bytes, max_bits) = (cursor.u8()?, cursor.u8()?, cursor.u8()?);
    let elements = Elements::new(&cursor, client, element_bytes, chunks.filtered)?;
    let (index_elements, min_block_elements, min_pointers) = (cursor.u8()?, cursor.u8()?, cursor.u8()?);
    let page_bits = cursor.u8()?;
    let page_elements = 1u64.checked_shl(page_bits.into());
    let sound = min_block_elements.is_power_of_two() && min_pointers.is_power_of_two() && max_bits <= 64;
    let (true, Some(page_elements)) = (sound, page_elements) else {
        return Err(cursor.damaged(format_args!(
            "at most {max_bits} bits of elements, blocks of {min_block_elements} and more elements in pages of 2^{page_bits}, \
             super blocks of {min_pointers} and more blocks"
        )));
    };
    for _ in 0..4 {
        cursor.length()?; // numbers and sizes of blocks
    }
    chunks.n_set = cursor.length()?;
    cursor.length()?; // elements that there is room for
    let shape = Shape {
        address,
        client,
        elements,
        offset_bytes: u64::from(max_bits).div_ceil(8),
        index_elements: index_elements.into(),
        min_block_elements: min_block_elements.into(),
        min_pointers: min_pointers.into(),
        page_elements,
        n_super_blocks: (1 + u32::from(max_bits)).saturating_sub(u32::from(min_block_elements).ilog2()),
    };
    match cursor.address()? {
        Some(block) => read_index_block(meta, block, &shape, chunks),
        None => Ok(()),
    }
}

fn read_index_block(meta: &Meta, address: u64, shape: &Shape, chunks: &mut Chunks<'_>) -> Parse<()> {
    const WHAT: &str = "extensible array index block";
    let offset = u64::from(meta.sizes().offset);
    // The first super blocks are so small that their data blocks' addresses stand here.
    let n_inline = (2 * u32::try_from(shape.min_pointers).unwrap_or(1).ilog2()).min(shape.n_super_blocks);
    let n_blocks: u64 = (0..n_inline).filter_map(|i| shape.super_block(i)).map(|(n, _)| n).sum();
    let n_supers = shape.n_super_blocks - n_inline;
    let size = 6 + offset + shape.elements.size(shape.index_elements)? + offset * (n_blocks + u64::from(n_supers));
    let bytes = meta.read_verified(WHAT, address, size + 4)?;
    let mut cursor = meta.cursor(WHAT, &bytes);
    cursor.signature(b"EAIB")?;
    cursor.version(0)?;
    if cursor.u8()? != shape.client {
        return Err(cursor.damaged("the index block is another client's"));
    }
    check_header_address(&mut cursor, shape.address)?;
    shape.elements.read(&mut cursor, shape.index_elements, 0, chunks)?;
    let mut first = shape.index_elements;
    for i in 0..shape.n_super_blocks {
        // What lies beyond 64 bits was never written.
        let Some((n_blocks, n_elements)) = shape.super_block(i) else { break };
        let Some(next) = first.checked_add(n_blocks * n_elements) else { break };
        if i < n_inline {
            for block in 0..n_blocks {
                if let Some(address) = cursor.address()? {
                    // Blocks this small have no pages unless pages are smaller still: then all of them count as written.
                    read_data_block(meta, address, shape, n_elements, first + block * n_elements, None, chunks)?;
                }
            }
        } else if let Some(address) = cursor.address()? {
            read_super_block(meta, address, shape, (n_blocks, n_elements), first, chunks)?;
        }
        first = next;
    }
    Ok(())
}

fn read_super_block(
    meta: &Meta,
    address: u64,
    shape: &Shape,
    (n_blocks, n_elements): (u64, u64),
    first: u64,
    chunks: &mut Chunks<'_>,
) -> Parse<()> {
    const WHAT: &str = "extensible array super block";
    let offset = u64::from(meta.sizes().offset);
    let n_pages = shape.n_pages(n_elements);
    let too_long = || Fault::Damaged(format!("{WHAT} of {n_blocks} data blocks (address {address})"));
    let bitmap_bytes = n_blocks.checked_mul(n_pages.div_ceil(8)).ok_or_else(too_long)?;
    let size = n_blocks
        .checked_mul(offset)
        .and_then(|size| size.checked_add(bitmap_bytes)?.checked_add(6 + offset + shape.offset_bytes + 4));
    let size = size.ok_or_else(too_long)?;
    chunks.spend(size)?;
    let bytes = meta.read_verified(WHAT, address, size)?;
    let mut cursor = meta.cursor(WHAT, &bytes);
    cursor.signature(b"EASB")?;
    cursor.version(0)?;
    if cursor.u8()? != shape.client {
        return Err(cursor.damaged("the super block is another client's"));
    }
    check_header_address(&mut cursor, shape.address)?;
    cursor.take_u64(shape.offset_bytes)?;
    let bitmap = cursor.take_u64(bitmap_bytes)?;
    for block in 0..n_blocks {
        if let Some(address) = cursor.address()? {
            let pages = (n_pages > 0).then_some((bitmap, block * n_pages));
            read_data_block(meta, address, shape, n_elements, first + block * n_elements, pages, chunks)?;
        }
    }
    Ok(())
}

/// `pages` is the super block's bitmap, and the bit of this block's first page.
fn read_data_block(
    meta: &Meta,
    address: u64,
    shape: &Shape,
    n_elements: u64,
    first: u64,
    pages: Option<(&[u8], u64)>,
    chunks: &mut Chunks<'_>,
) -> Parse<()> {
    const WHAT: &str = "extensible array data block";
    const PAGE: &str = "extensible array page";
    let n_pages = shape.n_pages(n_elements);
    let prefix_bytes = 6 + u64::from(meta.sizes().offset) + shape.offset_bytes;
    let inline_bytes = if n_pages == 0 { shape.elements.size(n_elements)? } else { 0 };
    let block_bytes = prefix_bytes.saturating_add(inline_bytes).saturating_add(4);
    chunks.spend(block_bytes)?;
    let bytes = meta.read_verified(WHAT, address, block_bytes)?;
    let mut cursor = meta.cursor(WHAT, &bytes);
    cursor.signature(b"EADB")?;
    cursor.version(0)?;
    if cursor.u8()? != shape.client {
        return Err(cursor.damaged("the data block is another client's"));
    }
    check_header_address(&mut cursor, shape.address)?;
    cursor.take_u64(shape.offset_bytes)?;
    if n_pages == 0 {
        return shape.elements.read(&mut cursor, n_elements, first, chunks);
    }
    let page_bytes = shape.elements.size(shape.page_elements)?.saturating_add(4);
    for page in 0..n_pages {
        if pages.is_some_and(|(bitmap, bit_of_first)| !bit(bitmap, bit_of_first + page)) {
            continue;
        }
        let at = page.checked_mul(page_bytes).and_then(|at| at.checked_add(address)?.checked_add(block_bytes));
        let at = at.ok_or_else(|| Fault::Damaged(format!("{PAGE} {page} beyond 64 bits")))?;
        chunks.spend(page_bytes)?;
        let bytes = meta.read_verified(PAGE, at, page_bytes)?;
        let first = first + page * shape.page_elements;
        shape.elements.read(&mut meta.cursor(PAGE, &bytes), shape.page_elements, first, chunks)?;
    }
    Ok(())
}
