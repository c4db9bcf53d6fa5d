//! Fractal heaps: where dense links, dense attributes and shared messages are kept (specification, section III.G).

use std::collections::HashMap;

use super::{
    Cursor, Fault, Meta, Parse,
    btree_v2::BTreeV2,
    cursor::encoded_size,
    lookup3,
    message::FilterPipeline,
    meta::{MAX_METADATA_BYTES, at_address},
};

/// A fractal heap. Keeps the blocks that it met: made for one task, then dropped.
#[derive(Debug)]
pub(crate) struct FractalHeap<'a> {
    meta: &'a Meta,
    address: u64,
    header: Header,
    blocks: HashMap<u64, Block>,
    read_bytes: u64,
}

/// What is needed of a heap's header.
#[derive(Debug)]
struct Header {
    id_bytes: u16,
    filters: Option<FilterPipeline>,
    direct_checksums: bool,
    huge_tree: Option<u64>,
    /// The doubling table: blocks of one row are equal in size; rows 0 and 1 have the starting size, then it doubles.
    table_width: u16,
    starting_bytes: u64,
    max_direct_bytes: u64,
    /// Bytes of an offset in the heap.
    offset_bytes: u8,
    /// Bytes of an object's length in its ID.
    length_bytes: u8,
    root: Option<u64>,
    /// 0 where the root is a direct block.
    root_rows: u16,
    /// Stored size and filter mask of a filtered direct root.
    filtered_root: Option<(u64, u32)>,
}

/// A block that was read: the bytes of a direct block, or the children of an indirect one.
#[derive(Debug)]
enum Block {
    Direct(Vec<u8>),
    Indirect(Vec<Child>),
}

#[derive(Clone, Copy, Debug)]
struct Child {
    address: Option<u64>,
    filtered: Option<(u64, u32)>,
}

impl<'a> FractalHeap<'a> {
    /// Reads the header of the heap at `address`.
    pub(crate) fn open(meta: &'a Meta, address: u64) -> Parse<Self> {
        let header = Header::read(meta, address).map_err(|fault| at_address(fault, address))?;
        Ok(Self { meta, address, header, blocks: HashMap::new(), read_bytes: 0 })
    }

    /// The object with that ID.
    pub(crate) fn object(&mut self, id: &[u8]) -> Parse<Vec<u8>> {
        let object = self.find(id).map_err(|fault| at_address(fault, self.address))?;
        self.read_bytes = self.read_bytes.saturating_add(object.len() as u64);
        if self.read_bytes > MAX_METADATA_BYTES {
            let (found, limit) = (self.read_bytes, MAX_METADATA_BYTES);
            return Err(Fault::OverLimit { what: "the size of the objects of a fractal heap in bytes", found, limit });
        }
        Ok(object)
    }

    fn find(&mut self, id: &[u8]) -> Parse<Vec<u8>> {
        let mut cursor = self.meta.cursor("fractal heap ID", id);
        let first = cursor.u8()?;
        if first >> 6 != 0 {
            return Err(cursor.unsupported(format_args!("version {}", first >> 6)));
        }
        match (first >> 4) & 3 {
            0 => self.managed(cursor),
            1 => self.huge(cursor),
            2 => self.tiny(first, cursor),
            kind => Err(cursor.damaged(format_args!("kind {kind}"))),
        }
    }

    /// An object in the ID itself.
    fn tiny(&self, first: u8, mut cursor: Cursor<'_>) -> Parse<Vec<u8>> {
        // Longer IDs take a second byte for the length.
        let mut length = usize::from(first & 0x0f);
        if self.header.id_bytes > 18 {
            length = (length << 8) | usize::from(cursor.u8()?);
        }
        Ok(cursor.take(length + 1)?.to_vec())
    }

    /// An object in a block of the heap.
    fn managed(&mut self, mut cursor: Cursor<'_>) -> Parse<Vec<u8>> {
        let offset = cursor.uint(self.header.offset_bytes)?;
        let length = cursor.uint(self.header.length_bytes)?;
        let (block, start) = self.direct_block(offset)?;
        let object = usize::try_from(start).ok().zip(usize::try_from(length).ok());
        let object = object.and_then(|(start, length)| block.get(start..start.checked_add(length)?));
        object.map(<[u8]>::to_vec).ok_or_else(|| {
            Fault::Damaged(format!("fractal heap: the object at {offset} of {length} bytes reaches beyond its block"))
        })
    }

    /// An object that is stored on its own.
    fn huge(&self, mut cursor: Cursor<'_>) -> Parse<Vec<u8>> {
        let Header { id_bytes, filters, huge_tree, .. } = &self.header;
        let sizes = self.meta.sizes();
        let direct_bytes = u16::from(sizes.offset) + u16::from(sizes.length) * if filters.is_some() { 2 } else { 1 };
        let direct_bytes = direct_bytes + if filters.is_some() { 4 } else { 0 };
        if direct_bytes < *id_bytes {
            return self.huge_at(&mut cursor);
        }
        // The ID is a number, and a version-2 B-tree knows where that object is (records of types 1 and 2).
        let number = cursor.uint(u8::try_from(id_bytes.saturating_sub(1).min(8)).unwrap_or(8))?;
        let tree = huge_tree.ok_or_else(|| cursor.damaged("a huge object in a heap without a tree of them"))?;
        let tree = BTreeV2::open(self.meta, tree)?;
        let mut place = None;
        let length_bytes = usize::from(sizes.length);
        tree.search(
            |record| {
                let at = record.len().saturating_sub(length_bytes);
                let number_of =
                    self.meta.cursor("huge object record", record.get(at..).unwrap_or_default()).length()?;
                Ok(number_of.cmp(&number))
            },
            |record| {
                place = Some(record.to_vec());
                Ok(())
            },
        )?;
        let place = place.ok_or_else(|| cursor.damaged(format_args!("there is no huge object {number}")))?;
        self.huge_at(&mut self.meta.cursor("huge object record", &place))
    }

    /// The huge object whose place comes next: address and length; when filtered, filter mask and the length without filters.
    fn huge_at(&self, cursor: &mut Cursor<'_>) -> Parse<Vec<u8>> {
        let address = cursor.defined_address("huge object")?;
        let length = cursor.length()?;
        let stored = self.meta.read(address, length)?;
        match &self.header.filters {
            None => Ok(stored),
            Some(filters) => {
                let mask = cursor.u32()?;
                filters.decode(&stored, mask, cursor.length()?)
            }
        }
    }

    /// The direct block that holds byte `offset` of the heap, and where in it.
    fn direct_block(&mut self, offset: u64) -> Parse<(&[u8], u64)> {
        let empty = || Fault::Damaged(format!("fractal heap: there is no block for offset {offset}"));
        let mut address = self.header.root.ok_or_else(empty)?;
        let mut filtered = self.header.filtered_root;
        let mut block_bytes = self.header.starting_bytes;
        let mut block_offset = 0;
        let mut n_rows = usize::from(self.header.root_rows);
        // Each level of indirect blocks has fewer rows than the one above: this ends.
        while n_rows > 0 {
            let (row, column, row_bytes, start) = self.header.place(offset - block_offset);
            if row >= n_rows {
                return Err(empty());
            }
            let number = row * usize::from(self.header.table_width) + column;
            let child = self.indirect(address, block_offset, n_rows)?.get(number).copied().ok_or_else(empty)?;
            (address, filtered) = (child.address.ok_or_else(empty)?, child.filtered);
            block_offset += start;
            block_bytes = row_bytes;
            let below = if row_bytes > self.header.max_direct_bytes { self.header.rows_of(row_bytes) } else { 0 };
            if below >= n_rows {
                return Err(Fault::damaged("fractal heap: an indirect block is as large as the one that holds it"));
            }
            n_rows = below;
        }
        let start = offset - block_offset;
        if start >= block_bytes {
            return Err(empty());
        }
        Ok((self.direct(address, block_offset, block_bytes, filtered)?, start))
    }

    fn direct(&mut self, address: u64, block_offset: u64, size: u64, filtered: Option<(u64, u32)>) -> Parse<&[u8]> {
        if !self.blocks.contains_key(&address) {
            let block =
                self.read_direct(address, block_offset, size, filtered).map_err(|fault| at_address(fault, address))?;
            self.blocks.insert(address, Block::Direct(block));
        }
        match self.blocks.get(&address) {
            Some(Block::Direct(bytes)) if bytes.len() as u64 == size => Ok(bytes),
            _ => Err(Fault::Damaged(format!("fractal heap: two blocks at address {address}"))),
        }
    }

    fn read_direct(&self, address: u64, block_offset: u64, size: u64, filtered: Option<(u64, u32)>) -> Parse<Vec<u8>> {
        const WHAT: &str = "fractal heap direct block";
        let mut bytes = match (&self.header.filters, filtered) {
            (Some(filters), Some((stored_bytes, mask))) => {
                filters.decode(&self.meta.read(address, stored_bytes)?, mask, size)?
            }
            _ => self.meta.read(address, size)?,
        };
        let mut cursor = self.meta.cursor(WHAT, &bytes);
        self.check_block_prefix(&mut cursor, *b"FHDB", block_offset)?;
        if self.header.direct_checksums {
            // The checksum was computed with zeros in its own place.
            let place = cursor.position();
            let stored = cursor.u32()?;
            if let Some(field) = bytes.get_mut(place..place + 4) {
                field.fill(0);
            }
            let computed = lookup3(&bytes);
            if stored != computed && !cfg!(fuzzing) {
                return Err(Fault::Damaged(format!(
                    "{WHAT}: checksum {stored:#010x} stored, {computed:#010x} computed"
                )));
            }
        }
        Ok(bytes)
    }

    fn indirect(&mut self, address: u64, block_offset: u64, n_rows: usize) -> Parse<&[Child]> {
        if !self.blocks.contains_key(&address) {
            let block =
                self.read_indirect(address, block_offset, n_rows).map_err(|fault| at_address(fault, address))?;
            self.blocks.insert(address, Block::Indirect(block));
        }
        match self.blocks.get(&address) {
            Some(Block::Indirect(children)) => Ok(children),
            _ => Err(Fault::Damaged(format!("fractal heap: two blocks at address {address}"))),
        }
    }

    fn read_indirect(&self, address: u64, block_offset: u64, n_rows: usize) -> Parse<Vec<Child>> {
        const WHAT: &str = "fractal heap indirect block";
        let header = &self.header;
        let sizes = self.meta.sizes();
        let width = usize::from(header.table_width);
        let n_direct = n_rows.min(header.direct_rows()) * width;
        let n_indirect = n_rows * width - n_direct;
        let filtered_bytes = if header.filters.is_some() { u64::from(sizes.length) + 4 } else { 0 };
        let address_bytes = u64::from(sizes.offset);
        let size = 5
            + address_bytes
            + u64::from(header.offset_bytes)
            + n_direct as u64 * (address_bytes + filtered_bytes)
            + n_indirect as u64 * address_bytes
            + 4;
        let bytes = self.meta.read_verified(WHAT, address, size)?;
        let mut cursor = self.meta.cursor(WHAT, &bytes);
        self.check_block_prefix(&mut cursor, *b"FHIB", block_offset)?;
        let mut children = Vec::with_capacity(n_direct + n_indirect);
        for i in 0..n_direct + n_indirect {
            let address = cursor.address()?;
            let filtered =
                if i < n_direct && header.filters.is_some() { Some((cursor.length()?, cursor.u32()?)) } else { None };
            children.push(Child { address, filtered });
        }
        Ok(children)
    }

    /// What direct and indirect blocks begin with: signature, version, the heap's address, the block's offset in the heap.
    fn check_block_prefix(&self, cursor: &mut Cursor<'_>, signature: [u8; 4], block_offset: u64) -> Parse<()> {
        cursor.signature(&signature)?;
        cursor.version(0)?;
        let heap = cursor.defined_address("heap")?;
        let offset = cursor.uint(self.header.offset_bytes)?;
        if (heap, offset) == (self.address, block_offset) {
            return Ok(());
        }
        Err(cursor.damaged(format_args!(
            "the block at offset {block_offset} of the heap at {} expected, that at {offset} of {heap} found",
            self.address
        )))
    }
}

impl Header {
    fn read(meta: &Meta, address: u64) -> Parse<Self> {
        const WHAT: &str = "fractal heap header";
        let sizes = meta.sizes();
        let (offset_size, length_size) = (u64::from(sizes.offset), u64::from(sizes.length));
        let fixed_bytes = 4 + 1 + 2 + 2 + 1 + 4 + 12 * length_size + 3 * offset_size + 2 + 2 + 2 + 2;
        let prefix = meta.read(address, 9)?;
        let mut cursor = meta.cursor(WHAT, &prefix);
        cursor.skip(7)?;
        let filter_bytes = u64::from(cursor.u16()?);
        let filtered_bytes = if filter_bytes > 0 { length_size + 4 + filter_bytes } else { 0 };
        let bytes = meta.read_verified(WHAT, address, fixed_bytes + filtered_bytes + 4)?;
        let mut cursor = meta.cursor(WHAT, &bytes);
        cursor.signature(b"FRHP")?;
        cursor.version(0)?;
        let id_bytes = cursor.u16()?;
        cursor.skip(2)?;
        let flags = cursor.u8()?;
        let max_managed_bytes = cursor.u32()?;
        cursor.length()?; // next huge ID
        let huge_tree = cursor.address()?;
        cursor.length()?; // free space in managed blocks
        cursor.address()?; // its manager
        for _ in 0..8 {
            cursor.length()?; // sizes and counts that only writers need
        }
        let table_width = cursor.u16()?;
        let starting_bytes = cursor.length()?;
        let max_direct_bytes = cursor.length()?;
        let max_heap_bits = cursor.u16()?;
        cursor.skip(2)?; // starting number of rows
        let root = cursor.address()?;
        let root_rows = cursor.u16()?;
        let (filtered_root, filters) = if filter_bytes > 0 {
            let root = (cursor.length()?, cursor.u32()?);
            let pipeline = cursor.take_u64(filter_bytes)?;
            (Some(root), Some(FilterPipeline::parse(meta.cursor("filter pipeline of a fractal heap", pipeline))?))
        } else {
            (None, None)
        };
        let sound = (1..=64).contains(&max_heap_bits)
            && table_width.is_power_of_two()
            && starting_bytes.is_power_of_two()
            && max_direct_bytes.is_power_of_two()
            && starting_bytes <= max_direct_bytes
            && max_direct_bytes <= MAX_METADATA_BYTES;
        if !sound {
            return Err(cursor.damaged(format_args!(
                "a doubling table of width {table_width}, blocks of {starting_bytes} to {max_direct_bytes} bytes, {max_heap_bits} bits"
            )));
        }
        let offset_bytes = u8::try_from(max_heap_bits.div_ceil(8)).unwrap_or(8);
        let block_offset_bytes = u8::try_from(max_direct_bytes.ilog2().div_ceil(8)).unwrap_or(8);
        let header = Self {
            id_bytes,
            filters,
            direct_checksums: flags & 2 != 0,
            huge_tree,
            table_width,
            starting_bytes,
            max_direct_bytes,
            offset_bytes,
            length_bytes: block_offset_bytes.min(encoded_size(u64::from(max_managed_bytes))),
            root,
            root_rows,
            filtered_root,
        };
        let row_bits = header.starting_bytes.ilog2() + u32::from(header.table_width).ilog2();
        if usize::from(root_rows) > header.direct_rows() + 64 || u32::from(root_rows) + row_bits > 65 {
            return Err(cursor.damaged(format_args!("a root block of {root_rows} rows")));
        }
        Ok(header)
    }

    /// The number of rows whose blocks are direct ones.
    fn direct_rows(&self) -> usize {
        (self.max_direct_bytes.ilog2() - self.starting_bytes.ilog2()) as usize + 2
    }

    /// The number of rows of an indirect block that stands for `size` bytes of the heap.
    fn rows_of(&self, size: u64) -> usize {
        let first_row = self.starting_bytes.ilog2() + u32::from(self.table_width).ilog2();
        (size.ilog2().saturating_sub(first_row)) as usize + 1
    }

    /// Row, column, block size and the block's start for byte `offset` of an indirect block's part of the heap.
    fn place(&self, offset: u64) -> (usize, usize, u64, u64) {
        let row_0_bytes = self.starting_bytes.saturating_mul(u64::from(self.table_width));
        let (row, size, row_start) = if offset < row_0_bytes {
            (0, self.starting_bytes, 0)
        } else {
            // Row r starts at 2^(r-1) times the size of row 0, which is a power of two.
            let row = offset.ilog2() - row_0_bytes.ilog2() + 1;
            (row as usize, self.starting_bytes << (row - 1), row_0_bytes << (row - 1))
        };
        let column = (offset - row_start) / size;
        (row, usize::try_from(column).unwrap_or(usize::MAX), size, row_start + column * size)
    }
}
