//! The data layout message, versions 1 to 5 (specification, section IV.A.2.i; version 5 came with HDF5 2.0 and differs from
//! version 4 only in the size field of filtered chunks in the indexes).

use crate::format::{Cursor, Parse, global_heap::GlobalHeapId};

/// How the elements of a dataset are laid out in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum LayoutMessage {
    /// In the object header: the bytes themselves.
    Compact(Vec<u8>),
    /// In one piece.
    Contiguous {
        /// Where; `None` while nothing was written.
        address: Option<u64>,
        /// The bytes of the piece; versions 1 and 2 do not say.
        size_bytes: Option<u64>,
    },
    /// In chunks.
    Chunked(Chunked),
    /// In other datasets; the mapping is an object of the global heap, `None` where there is none.
    Virtual(Option<GlobalHeapId>),
}

/// The layout of a chunked dataset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Chunked {
    /// The extent of a chunk, none of it zero; as many dimensions as the dataset has (not checked here).
    pub(crate) dims: Vec<u64>,
    /// The bytes of an element, as the layout message states them.
    pub(crate) element_bytes: u64,
    /// Chunks that reach beyond the extent are stored without filters.
    pub(crate) partial_chunks_unfiltered: bool,
    /// The version of the layout message.
    pub(crate) version: u8,
    /// Where the index is; `None` while nothing was written.
    pub(crate) address: Option<u64>,
    /// The kind of index.
    pub(crate) index: ChunkIndex,
}

/// The index that knows where each chunk is, with its parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ChunkIndex {
    /// A version-1 B-tree (layout message versions 1 to 3).
    BTree1,
    /// There is one chunk, and the index's address is the chunk's.
    Single {
        /// Stored size and filter mask of a filtered chunk.
        filtered: Option<(u64, u32)>,
    },
    /// Chunks one after another, in order.
    Implicit,
    /// A fixed array.
    FixedArray {
        /// Elements of a page of a data block, as a power of two.
        page_bits: u8,
    },
    /// An extensible array (its header repeats the parameters).
    ExtensibleArray {
        /// Bits of the largest number of elements.
        max_elements_bits: u8,
        /// Elements in the index block.
        index_elements: u8,
        /// The fewest data block pointers of a super block.
        min_pointers: u8,
        /// The fewest elements of a data block.
        min_elements: u8,
        /// Bits of the number of elements in a page of a data block.
        page_bits: u8,
    },
    /// A version-2 B-tree (its header repeats the parameters).
    BTree2,
}

impl LayoutMessage {
    /// Reads a layout message.
    pub(crate) fn parse(mut cursor: Cursor<'_>) -> Parse<Self> {
        match cursor.u8()? {
            1 | 2 => Self::parse_old(cursor),
            version @ 3..=5 => Self::parse_new(cursor, version),
            version => Err(cursor.unsupported(format_args!("version {version}"))),
        }
    }

    fn parse_old(mut cursor: Cursor<'_>) -> Parse<Self> {
        let rank = cursor.u8()?;
        let class = cursor.u8()?;
        cursor.skip(5)?;
        let address = if class == 0 { None } else { cursor.address()? };
        let dims = (0..rank).map(|_| cursor.u32().map(u64::from)).collect::<Parse<Vec<_>>>()?;
        match class {
            0 => {
                let size = cursor.u32()?;
                Ok(Self::Compact(cursor.take_u64(u64::from(size))?.to_vec()))
            }
            1 => Ok(Self::Contiguous { address, size_bytes: None }),
            2 => chunked(&cursor, dims, 3, false, address, ChunkIndex::BTree1),
            _ => Err(cursor.unsupported(format_args!("class {class}"))),
        }
    }

    fn parse_new(mut cursor: Cursor<'_>, version: u8) -> Parse<Self> {
        match cursor.u8()? {
            0 => {
                let size = cursor.u16()?;
                Ok(Self::Compact(cursor.take(usize::from(size))?.to_vec()))
            }
            1 => Ok(Self::Contiguous { address: cursor.address()?, size_bytes: Some(cursor.length()?) }),
            2 if version == 3 => {
                let rank = cursor.u8()?;
                let address = cursor.address()?;
                let dims = (0..rank).map(|_| cursor.u32().map(u64::from)).collect::<Parse<Vec<_>>>()?;
                chunked(&cursor, dims, version, false, address, ChunkIndex::BTree1)
            }
            2 => {
                let flags = cursor.u8()?;
                let rank = cursor.u8()?;
                let dim_bytes = cursor.u8()?;
                let dims = (0..rank).map(|_| cursor.uint(dim_bytes)).collect::<Parse<Vec<_>>>()?;
                let index = ChunkIndex::parse(&mut cursor, flags)?;
                let address = cursor.address()?;
                chunked(&cursor, dims, version, flags & 1 != 0, address, index)
            }
            3 if version >= 4 => Ok(Self::Virtual(GlobalHeapId::parse(&mut cursor)?)),
            class => Err(cursor.unsupported(format_args!("class {class} in version {version}"))),
        }
    }
}

impl ChunkIndex {
    fn parse(cursor: &mut Cursor<'_>, flags: u8) -> Parse<Self> {
        Ok(match cursor.u8()? {
            1 if flags & 2 != 0 => Self::Single { filtered: Some((cursor.length()?, cursor.u32()?)) },
            1 => Self::Single { filtered: None },
            2 => Self::Implicit,
            3 => Self::FixedArray { page_bits: cursor.u8()? },
            4 => Self::ExtensibleArray {
                max_elements_bits: cursor.u8()?,
                index_elements: cursor.u8()?,
                min_pointers: cursor.u8()?,
                min_elements: cursor.u8()?,
                page_bits: cursor.u8()?,
            },
            5 => {
                cursor.skip(4 + 1 + 1)?; // node size, split and merge percentages
                Self::BTree2
            }
            kind => return Err(cursor.unsupported(format_args!("chunk index of type {kind}"))),
        })
    }
}

/// Puts a chunked layout together; the last of `dims` is the size of an element.
fn chunked(
    cursor: &Cursor<'_>,
    mut dims: Vec<u64>,
    version: u8,
    partial_chunks_unfiltered: bool,
    address: Option<u64>,
    index: ChunkIndex,
) -> Parse<LayoutMessage> {
    let element_bytes = dims.pop().unwrap_or(0);
    if dims.is_empty() || dims.contains(&0) || element_bytes == 0 {
        return Err(cursor.damaged(format_args!("chunks of shape {dims:?} with elements of {element_bytes} bytes")));
    }
    Ok(LayoutMessage::Chunked(Chunked { dims, element_bytes, partial_chunks_unfiltered, version, address, index }))
}
