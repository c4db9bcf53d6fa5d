//! Version-2 B-trees of any depth and any record type (specification, section III.A.2).

use std::{cmp::Ordering, collections::HashSet};

use super::{Cursor, Fault, Meta, Parse, cursor::encoded_size, meta::at_address};

/// Signature, version, type and checksum of a node.
const NODE_OVERHEAD_BYTES: u64 = 10;
/// No real tree comes near: with two records a node, 2^64 records are 64 levels.
const MAX_DEPTH: u16 = 64;

/// A version-2 B-tree.
#[derive(Clone, Debug)]
pub(crate) struct BTreeV2<'a> {
    meta: &'a Meta,
    kind: u8,
    record_bytes: u16,
    root: Option<Child>,
    /// For each level from the leaves up: bytes of a child's pointer in nodes of that level.
    levels: Vec<Level>,
}

#[derive(Clone, Copy, Debug)]
struct Child {
    address: u64,
    n_records: u64,
}

#[derive(Clone, Copy, Debug)]
struct Level {
    max_records: u64,
    /// Bytes of the number of all records below a child of a node of this level.
    child_total_bytes: u8,
}

impl<'a> BTreeV2<'a> {
    /// Reads the header of the tree at `address`.
    pub(crate) fn open(meta: &'a Meta, address: u64) -> Parse<Self> {
        Self::read_header(meta, address).map_err(|fault| at_address(fault, address))
    }

    /// The type of the records.
    pub(crate) fn kind(&self) -> u8 {
        self.kind
    }

    /// Calls `visit` with each record in order.
    pub(crate) fn for_each(&self, visit: impl FnMut(&[u8]) -> Parse<()>) -> Parse<()> {
        self.search(|_| Ok(Ordering::Equal), visit)
    }

    /// Calls `visit` with each record that `compare` finds equal, in order. Records less than what is looked for stand before
    /// it, and only nodes that can hold an equal one are read.
    pub(crate) fn search(
        &self,
        compare: impl Fn(&[u8]) -> Parse<Ordering>,
        mut visit: impl FnMut(&[u8]) -> Parse<()>,
    ) -> Parse<()> {
        let Some(root) = self.root else { return Ok(()) };
        let mut seen = HashSet::new();
        self.search_node(root, self.levels.len() - 1, &mut seen, &compare, &mut visit)
    }

    fn search_node(
        &self,
        node: Child,
        level: usize,
        seen: &mut HashSet<u64>,
        compare: &impl Fn(&[u8]) -> Parse<Ordering>,
        visit: &mut impl FnMut(&[u8]) -> Parse<()>,
    ) -> Parse<()> {
        if !seen.insert(node.address) {
            return Err(Fault::Damaged(format!("version-2 B-tree: the node at address {} is met twice", node.address)));
        }
        let (records, children) = self.read_node(node, level).map_err(|fault| at_address(fault, node.address))?;
        // An equal record may be below a child only if the record before the child is not greater, nor the one after it less.
        let mut before = Ordering::Less;
        let mut records = records.chunks_exact(usize::from(self.record_bytes));
        let mut children = children.into_iter();
        loop {
            let record = records.next();
            let after = record.map_or(Ok(Ordering::Greater), compare)?;
            if let Some(child) = children.next()
                && before != Ordering::Greater
                && after != Ordering::Less
            {
                self.search_node(child, level - 1, seen, compare, visit)?;
            }
            match record {
                Some(record) if after == Ordering::Equal => visit(record)?,
                Some(_) if after == Ordering::Less => {}
                _ => return Ok(()),
            }
            before = after;
        }
    }

    /// The records of a node, and its children where it is no leaf.
    fn read_node(&self, node: Child, level: usize) -> Parse<(Vec<u8>, Vec<Child>)> {
        let (what, signature) =
            if level == 0 { ("version-2 B-tree leaf", b"BTLF") } else { ("version-2 B-tree internal node", b"BTIN") };
        let max_records = self.levels[level].max_records;
        if node.n_records > max_records {
            return Err(Fault::Damaged(format!("{what}: {} records where {max_records} fit", node.n_records)));
        }
        let n_records_bytes = encoded_size(self.levels[0].max_records);
        let pointer_bytes = self.pointer_bytes(level, n_records_bytes);
        let records_bytes = node.n_records * u64::from(self.record_bytes);
        let children_bytes = if level == 0 { 0 } else { (node.n_records + 1) * pointer_bytes };
        let bytes =
            self.meta.read_verified(what, node.address, NODE_OVERHEAD_BYTES + records_bytes + children_bytes)?;
        let mut cursor = self.meta.cursor(what, &bytes);
        cursor.signature(signature)?;
        cursor.version(0)?;
        let kind = cursor.u8()?;
        if kind != self.kind {
            return Err(cursor.damaged(format_args!("record type {} expected, {kind} found", self.kind)));
        }
        let records = cursor.take_u64(records_bytes)?.to_vec();
        let mut children = Vec::new();
        if level > 0 {
            for _ in 0..=node.n_records {
                let address = cursor.defined_address("child")?;
                let n_records = cursor.uint(n_records_bytes)?;
                cursor.uint(self.levels[level].child_total_bytes)?;
                children.push(Child { address, n_records });
            }
        }
        Ok((records, children))
    }

    /// The bytes of a child pointer in a node of that level: address, number of records, number of all records below.
    fn pointer_bytes(&self, level: usize, n_records_bytes: u8) -> u64 {
        u64::from(self.meta.sizes().offset)
            + u64::from(n_records_bytes)
            + u64::from(self.levels[level].child_total_bytes)
    }

    fn read_header(meta: &'a Meta, address: u64) -> Parse<Self> {
        const WHAT: &str = "version-2 B-tree header";
        let sizes = meta.sizes();
        let size = 4 + 1 + 1 + 4 + 2 + 2 + 1 + 1 + u64::from(sizes.offset) + 2 + u64::from(sizes.length) + 4;
        let bytes = meta.read_verified(WHAT, address, size)?;
        let mut cursor = meta.cursor(WHAT, &bytes);
        cursor.signature(b"BTHD")?;
        cursor.version(0)?;
        let kind = cursor.u8()?;
        let node_bytes = u64::from(cursor.u32()?);
        let record_bytes = cursor.u16()?;
        let depth = cursor.u16()?;
        cursor.skip(2)?; // when nodes are split and merged
        let root = cursor.address()?;
        let root_records = u64::from(cursor.u16()?);
        if record_bytes == 0 || depth > MAX_DEPTH {
            return Err(cursor.damaged(format_args!("records of {record_bytes} bytes, depth {depth}")));
        }
        let root = root.filter(|_| root_records > 0).map(|address| Child { address, n_records: root_records });
        let levels = levels(&cursor, node_bytes, u64::from(record_bytes), depth)?;
        Ok(Self { meta, kind, record_bytes, root, levels })
    }
}

/// How many records fit each level, and how wide the counts in its child pointers are (as `H5B2__hdr_init` computes them).
fn levels(cursor: &Cursor<'_>, node_bytes: u64, record_bytes: u64, depth: u16) -> Parse<Vec<Level>> {
    let too_small = || cursor.damaged(format_args!("nodes of {node_bytes} bytes for records of {record_bytes}"));
    let room = node_bytes.checked_sub(NODE_OVERHEAD_BYTES).ok_or_else(too_small)?;
    let leaf_records = room / record_bytes;
    if leaf_records == 0 {
        return Err(too_small());
    }
    let mut levels = vec![Level { max_records: leaf_records, child_total_bytes: 0 }];
    let mut total_below = leaf_records;
    let mut child_total_bytes = 0;
    for _ in 0..depth {
        let pointer_bytes =
            u64::from(cursor.sizes().offset) + u64::from(encoded_size(leaf_records)) + u64::from(child_total_bytes);
        let max_records = room.checked_sub(pointer_bytes).ok_or_else(too_small)? / (record_bytes + pointer_bytes);
        if max_records == 0 {
            return Err(too_small());
        }
        levels.push(Level { max_records, child_total_bytes });
        total_below = total_below.saturating_mul(max_records + 1).saturating_add(max_records);
        child_total_bytes = encoded_size(total_below);
    }
    Ok(levels)
}
