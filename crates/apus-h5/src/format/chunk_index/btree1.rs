//! Version-1 B-trees of chunks: what all files have whose layout message is older than version 4.
//!
//! libhdf5 finds a chunk by a binary search along the keys, from the root down. Here every leaf is listed instead, which finds the
//! same chunks only where the keys are sound: each on the grid, in order, and between the two keys around it in the node above.

use super::table::Builder;
use crate::format::{Cursor, Fault, Meta, Parse, grid::Grid};

const WHAT: &str = "version-1 B-tree of chunks";
/// The node type of chunks.
const CHUNKS: u8 = 1;
/// Far deeper than 65,535-fold branching over 64-bit addresses can be.
const MAX_LEVEL: u8 = 32;

/// Reads all nodes below `root`.
pub(super) fn read(meta: &Meta, root: u64, grid: &Grid, element_bytes: u64, builder: &mut Builder) -> Parse<()> {
    // Nodes do not share bytes, so that together they are shorter than the file: this ends trees that bite their tails.
    let mut tree = Tree { meta, grid, element_bytes, builder, budget: meta.len() };
    let mut nodes = vec![Child { address: root, keys: None }];
    let mut level = None;
    while !nodes.is_empty() {
        (level, nodes) = tree.read_level(&nodes, level)?;
    }
    Ok(())
}

struct Tree<'a> {
    meta: &'a Meta,
    grid: &'a Grid,
    element_bytes: u64,
    builder: &'a mut Builder,
    budget: u64,
}

/// The coordinates of a chunk's first element, and its place within the element, which is zero but for a node's last key.
type Key = Vec<u64>;

/// A node as the level above tells of it.
struct Child {
    address: u64,
    /// The keys on both sides of it; the root has none.
    keys: Option<(Key, Key)>,
}

/// What all nodes begin with.
struct Header {
    level: u8,
    n_entries: u16,
    left: Option<u64>,
    right: Option<u64>,
}

impl Tree<'_> {
    /// Reads the nodes of a level from left to right. Returns the level below, and its nodes.
    fn read_level(&mut self, nodes: &[Child], expected: Option<u8>) -> Parse<(Option<u8>, Vec<Child>)> {
        let mut children = Vec::new();
        let mut level = expected;
        for (i, node) in nodes.iter().enumerate() {
            let header = self.read_header(node.address)?;
            if level.is_some_and(|expected| expected != header.level) || header.level > MAX_LEVEL {
                return Err(damaged(node, format_args!("a node of level {}", header.level)));
            }
            level = Some(header.level);
            let left = i.checked_sub(1).and_then(|before| nodes.get(before)).map(|node| node.address);
            let right = nodes.get(i + 1).map(|node| node.address);
            if (header.left, header.right) != (left, right) {
                return Err(damaged(
                    node,
                    format_args!(
                        "a node between {left:?} and {right:?} that has {:?} and {:?} as its neighbours",
                        header.left, header.right
                    ),
                ));
            }
            self.read_entries(node, &header, &mut children)?;
        }
        Ok((level.and_then(|level| level.checked_sub(1)), children))
    }

    fn header_bytes(&self) -> u64 {
        8 + 2 * u64::from(self.meta.sizes().offset)
    }

    fn read_header(&self, address: u64) -> Parse<Header> {
        let header = self.meta.read(address, self.header_bytes())?;
        let mut cursor = self.meta.cursor(WHAT, &header);
        cursor.signature(b"TREE")?;
        let (kind, level, n_entries) = (cursor.u8()?, cursor.u8()?, cursor.u16()?);
        if kind != CHUNKS {
            return Err(cursor.damaged(format_args!("a node of type {kind} at address {address}")));
        }
        Ok(Header { level, n_entries, left: cursor.address()?, right: cursor.address()? })
    }

    /// Takes the chunks of a leaf; the children of any other node go to `children`.
    fn read_entries(&mut self, node: &Child, header: &Header, children: &mut Vec<Child>) -> Parse<()> {
        // A key: size, filter mask, an offset for each axis and one within the element.
        let key_bytes = 8 + 8 * (self.grid.rank() as u64 + 1);
        let size = u64::from(header.n_entries) * (key_bytes + u64::from(self.meta.sizes().offset)) + key_bytes;
        let node_bytes = self.header_bytes() + size;
        self.budget =
            self.budget.checked_sub(node_bytes).ok_or_else(|| damaged(node, "nodes share bytes with others"))?;
        let entries = self.meta.read(node.address.saturating_add(self.header_bytes()), size)?;
        let mut cursor = self.meta.cursor(WHAT, &entries);
        let (mut key, mut next_key) = (Key::new(), Key::new());
        let mut chunk = self.read_key(node, &mut cursor, &mut key)?;
        if node.keys.as_ref().is_some_and(|(lower, _)| key < *lower) {
            return Err(damaged(node, format_args!("key {key:?} before that of the node above")));
        }
        for _ in 0..header.n_entries {
            let address = cursor.defined_address("child")?;
            let next_chunk = self.read_key(node, &mut cursor, &mut next_key)?;
            if next_key <= key {
                return Err(damaged(node, format_args!("key {next_key:?} after {key:?}")));
            }
            if header.level > 0 {
                children.push(Child { address, keys: Some((key.clone(), next_key.clone())) });
            } else {
                let (size, filter_mask) = chunk;
                self.builder.insert(self.number(node, &key)?, address, size.into(), filter_mask)?;
            }
            chunk = next_chunk;
            std::mem::swap(&mut key, &mut next_key);
        }
        if node.keys.as_ref().is_some_and(|(_, upper)| key > *upper) {
            return Err(damaged(node, format_args!("key {key:?} beyond that of the node above")));
        }
        Ok(())
    }

    /// Reads a key into `key`. Returns the size and the filter mask of the chunk there.
    fn read_key(&self, node: &Child, cursor: &mut Cursor<'_>, key: &mut Key) -> Parse<(u32, u32)> {
        let chunk = (cursor.u32()?, cursor.u32()?);
        let mut is_on_grid = true;
        key.clear();
        for step in self.grid.chunk().iter().copied().chain([self.element_bytes]) {
            let x = cursor.u64()?;
            is_on_grid &= x.is_multiple_of(step);
            key.push(x);
        }
        if is_on_grid { Ok(chunk) } else { Err(damaged(node, format_args!("key {key:?}, where no chunk begins"))) }
    }

    /// The number of the chunk with that key.
    fn number(&self, node: &Child, key: &Key) -> Parse<u64> {
        match key.split_last() {
            Some((0, coordinates)) => self.grid.number_at(coordinates),
            _ => None,
        }
        .ok_or_else(|| damaged(node, format_args!("a chunk at {key:?} in an extent of {:?}", self.grid.dims())))
    }
}

fn damaged(node: &Child, reason: impl std::fmt::Display) -> Fault {
    Fault::Damaged(format!("{WHAT}: {reason} (address {})", node.address))
}
