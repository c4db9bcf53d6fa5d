//! Version-1 B-trees of a group's symbol table nodes (specification, section III.A.1). Those of chunks are read in
//! `chunk_index/btree1.rs`.

use std::collections::HashSet;

use super::{Fault, Meta, Parse, meta::at_address};

/// No real tree comes near: nodes have at least two children.
const MAX_LEVEL: u8 = 64;

/// A node: `children.len() + 1` keys, which are offsets of names in the local heap, and the children between them.
#[derive(Debug)]
pub(crate) struct Node {
    /// Height above the leaves, whose children are what the tree indexes.
    pub(crate) level: u8,
    /// The keys.
    pub(crate) keys: Vec<u64>,
    /// The addresses of the children.
    pub(crate) children: Vec<u64>,
}

impl Node {
    /// Reads the node at `address`.
    pub(crate) fn read(meta: &Meta, address: u64) -> Parse<Self> {
        Self::read_node(meta, address).map_err(|fault| at_address(fault, address))
    }

    fn read_node(meta: &Meta, address: u64) -> Parse<Self> {
        const WHAT: &str = "version-1 B-tree node";
        let address_bytes = u64::from(meta.sizes().offset);
        let prefix_bytes = 8 + 2 * address_bytes;
        let prefix = meta.read(address, prefix_bytes)?;
        let mut cursor = meta.cursor(WHAT, &prefix);
        cursor.signature(b"TREE")?;
        let kind = cursor.u8()?;
        if kind != 0 {
            return Err(cursor.damaged(format_args!("node type 0 (of a group) expected, {kind} found")));
        }
        let level = cursor.u8()?;
        if level > MAX_LEVEL {
            return Err(cursor.damaged(format_args!("level {level}")));
        }
        let n_children = cursor.u16()?;
        let key_bytes = u64::from(meta.sizes().length);
        let body_bytes = u64::from(n_children) * (key_bytes + address_bytes) + key_bytes;
        let bytes = meta.read(address.saturating_add(prefix_bytes), body_bytes)?;
        let mut cursor = meta.cursor(WHAT, &bytes);
        let mut keys = Vec::new();
        let mut children = Vec::with_capacity(usize::from(n_children));
        for _ in 0..n_children {
            keys.push(cursor.length()?);
            children.push(cursor.defined_address("child")?);
        }
        keys.push(cursor.length()?);
        Ok(Self { level, keys, children })
    }
}

/// Guards a walk from the root down: each node once, each one level below the node before.
#[derive(Debug, Default)]
pub(crate) struct Walk {
    seen: HashSet<u64>,
}

impl Walk {
    /// Checks the node at `address`, met below a node of level `above` (`None` for the root).
    pub(crate) fn enter(&mut self, address: u64, node: &Node, above: Option<u8>) -> Parse<()> {
        if !self.seen.insert(address) {
            return Err(Fault::Damaged(format!("version-1 B-tree: the node at address {address} is met twice")));
        }
        match above {
            Some(above) if above.checked_sub(1) != Some(node.level) => Err(Fault::Damaged(format!(
                "version-1 B-tree: the node at address {address} has level {} below one of level {above}",
                node.level
            ))),
            _ => Ok(()),
        }
    }
}
