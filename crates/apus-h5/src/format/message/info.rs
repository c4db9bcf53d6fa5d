//! Messages that say where a group's links and an object's attributes are: link info, attribute info, symbol table
//! (specification, sections IV.A.2.c, IV.A.2.v, IV.A.2.r).

use crate::format::{Cursor, Parse};

/// Where the links of a new-style group are, when they are not messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LinkInfo {
    /// The heap of link messages, and the B-tree that finds them by the hash of their names.
    pub(crate) dense: Option<Dense>,
}

/// Where the attributes of an object are, when they are not messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AttributeInfo {
    /// The heap of attribute messages, and the B-tree that finds them by the hash of their names.
    pub(crate) dense: Option<Dense>,
}

/// Dense storage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Dense {
    /// The address of the fractal heap.
    pub(crate) heap: u64,
    /// The address of the version-2 B-tree by name.
    pub(crate) names: u64,
}

/// Where the links of an old-style group are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SymbolTable {
    /// The version-1 B-tree of symbol table nodes.
    pub(crate) tree: u64,
    /// The local heap of names.
    pub(crate) heap: u64,
}

impl LinkInfo {
    /// Reads a link info message.
    pub(crate) fn parse(cursor: Cursor<'_>) -> Parse<Self> {
        Ok(Self { dense: parse_dense(cursor, 8)? })
    }
}

impl AttributeInfo {
    /// Reads an attribute info message.
    pub(crate) fn parse(cursor: Cursor<'_>) -> Parse<Self> {
        Ok(Self { dense: parse_dense(cursor, 2)? })
    }
}

impl SymbolTable {
    /// Reads a symbol table message.
    pub(crate) fn parse(mut cursor: Cursor<'_>) -> Parse<Self> {
        Ok(Self {
            tree: cursor.defined_address("group's B-tree")?,
            heap: cursor.defined_address("group's local heap")?,
        })
    }
}

/// Both info messages have one form, but for the bytes of the largest creation order.
fn parse_dense(mut cursor: Cursor<'_>, creation_order_bytes: usize) -> Parse<Option<Dense>> {
    cursor.version(0)?;
    let flags = cursor.u8()?;
    if flags & 1 != 0 {
        cursor.skip(creation_order_bytes)?;
    }
    let heap = cursor.address()?;
    let names = cursor.address()?;
    Ok(heap.zip(names).map(|(heap, names)| Dense { heap, names }))
}
