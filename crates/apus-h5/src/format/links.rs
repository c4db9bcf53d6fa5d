//! The links of a group in all its forms: link messages, dense storage, and the symbol table of old.

use std::cmp::Ordering;

use super::{
    Cursor, Fault, MAX_METADATA_BYTES, Meta, Parse,
    btree_v1::{Node, Walk},
    btree_v2::BTreeV2,
    fractal_heap::FractalHeap,
    local_heap::LocalHeap,
    lookup3,
    message::{Dense, LinkInfo, LinkMessage, SymbolTable},
    meta::at_address,
    object_header::{ObjectHeader, kind},
};
use crate::{Link, LinkTarget};

/// All links, in the order of the file.
pub(crate) fn list(meta: &Meta, header: &ObjectHeader) -> Parse<Vec<Link>> {
    let mut links = Vec::new();
    if let Some(table) = symbol_table(meta, header)? {
        table.walk(|name, entry| {
            links.push(table.link(name, &entry)?);
            Ok(true)
        })?;
    }
    for message in header.messages(kind::LINK) {
        links.push(parse(meta, &message.resolved(meta)?)?.link()?);
    }
    if let Some(dense) = dense(meta, header)? {
        let mut heap = FractalHeap::open(meta, dense.heap)?;
        BTreeV2::open(meta, dense.names)?.for_each(|record| {
            let link = heap.object(record.get(4..).unwrap_or_default())?;
            links.push(parse(meta, &link)?.link()?);
            Ok(())
        })?;
    }
    Ok(links)
}

/// The link of that name.
pub(crate) fn find(meta: &Meta, header: &ObjectHeader, name: &str) -> Parse<Option<Link>> {
    if let Some(table) = symbol_table(meta, header)? {
        return table.find(name);
    }
    for message in header.messages(kind::LINK) {
        let body = message.resolved(meta)?;
        let link = parse(meta, &body)?;
        if link.name == name.as_bytes() {
            return link.link().map(Some);
        }
    }
    let Some(dense) = dense(meta, header)? else { return Ok(None) };
    // A record is the hash of the name, then the ID of the link message in the heap (record type 5).
    let hash = lookup3(name.as_bytes());
    let mut heap = FractalHeap::open(meta, dense.heap)?;
    let mut found = None;
    BTreeV2::open(meta, dense.names)?.search(
        |record| Ok(record_hash(record)?.cmp(&hash)),
        |record| {
            let link = heap.object(record.get(4..).unwrap_or_default())?;
            let link = parse(meta, &link)?;
            if link.name != name.as_bytes() {
                return Ok(());
            }
            match found.replace(link.link()?) {
                None => Ok(()),
                Some(_) => Err(Fault::Damaged(format!("two links of the name {name:?}"))),
            }
        },
    )?;
    Ok(found)
}

fn parse<'a>(meta: &Meta, body: &'a [u8]) -> Parse<LinkMessage<'a>> {
    LinkMessage::parse(meta.cursor("link message", body))
}

fn record_hash(record: &[u8]) -> Parse<u32> {
    let hash =
        record.first_chunk().ok_or_else(|| Fault::damaged("version-2 B-tree: a link record of under 4 bytes"))?;
    Ok(u32::from_le_bytes(*hash))
}

fn dense(meta: &Meta, header: &ObjectHeader) -> Parse<Option<Dense>> {
    let Some(message) = header.message(kind::LINK_INFO) else { return Ok(None) };
    Ok(LinkInfo::parse(meta.cursor("link info message", &message.body))?.dense)
}

fn symbol_table<'a>(meta: &'a Meta, header: &ObjectHeader) -> Parse<Option<OldGroup<'a>>> {
    let Some(message) = header.message(kind::SYMBOL_TABLE) else { return Ok(None) };
    let SymbolTable { tree, heap } = SymbolTable::parse(meta.cursor("symbol table message", &message.body))?;
    Ok(Some(OldGroup { meta, tree, names: LocalHeap::read(meta, heap)? }))
}

/// An old-style group: a B-tree of symbol table nodes, ordered by name (specification, sections III.B and III.C).
struct OldGroup<'a> {
    meta: &'a Meta,
    tree: u64,
    names: LocalHeap,
}

/// What a symbol table entry says of an object.
struct Entry {
    header: Option<u64>,
    cache_type: u32,
    /// Of a symbolic link: where its path is in the local heap.
    link_value: u32,
}

impl OldGroup<'_> {
    /// Calls `visit` with each name and entry in order until it returns false.
    fn walk(&self, mut visit: impl FnMut(&[u8], Entry) -> Parse<bool>) -> Parse<()> {
        let mut walk = Walk::default();
        // Depth first, the first child on top; a walk that meets no node twice ends.
        let mut stack = vec![(self.tree, None)];
        let mut name_bytes = 0u64;
        while let Some((address, above)) = stack.pop() {
            let node = self.node(address)?;
            walk.enter(address, &node, above)?;
            if node.level > 0 {
                stack.extend(node.children.iter().rev().map(|&child| (child, Some(node.level))));
                continue;
            }
            for &child in &node.children {
                for entry in self.symbols(child)? {
                    let (name, entry) = entry;
                    let name = self.names.string(self.meta, name)?;
                    // Names may lie over one another in the heap of a hostile file.
                    name_bytes = name_bytes.saturating_add(name.len() as u64 + 64);
                    if name_bytes > MAX_METADATA_BYTES {
                        let limit = MAX_METADATA_BYTES;
                        return Err(Fault::OverLimit {
                            what: "the size of a group's links in bytes",
                            found: name_bytes,
                            limit,
                        });
                    }
                    if !visit(name, entry)? {
                        return Ok(());
                    }
                }
            }
        }
        Ok(())
    }

    /// Descends along the keys: those of child i are greater than key i and at most key i+1.
    fn find(&self, name: &str) -> Parse<Option<Link>> {
        let mut walk = Walk::default();
        let (mut address, mut above) = (self.tree, None);
        loop {
            let node = self.node(address)?;
            walk.enter(address, &node, above)?;
            let mut child = None;
            for (&key, &candidate) in node.keys.iter().skip(1).zip(&node.children) {
                let key = self.names.string(self.meta, key)?;
                if key.cmp(name.as_bytes()) != Ordering::Less {
                    child = Some(candidate);
                    break;
                }
            }
            let Some(child) = child else { return Ok(None) };
            if node.level > 0 {
                (address, above) = (child, Some(node.level));
                continue;
            }
            for (offset, entry) in self.symbols(child)? {
                let found = self.names.string(self.meta, offset)?;
                if found == name.as_bytes() {
                    return self.link(found, &entry).map(Some);
                }
            }
            return Ok(None);
        }
    }

    fn node(&self, address: u64) -> Parse<Node> {
        Node::read(self.meta, address)
    }

    /// The entries of a symbol table node, each with its name's offset in the local heap.
    fn symbols(&self, address: u64) -> Parse<Vec<(u64, Entry)>> {
        let read = || {
            const WHAT: &str = "symbol table node";
            let prefix = self.meta.read(address, 8)?;
            let mut cursor = self.meta.cursor(WHAT, &prefix);
            cursor.signature(b"SNOD")?;
            cursor.version(1)?;
            cursor.skip(1)?;
            let n_symbols = u64::from(cursor.u16()?);
            let sizes = self.meta.sizes();
            let entry_bytes = u64::from(sizes.length) + u64::from(sizes.offset) + 4 + 4 + 16;
            let bytes = self.meta.read(address.saturating_add(8), n_symbols * entry_bytes)?;
            let mut cursor = self.meta.cursor(WHAT, &bytes);
            (0..n_symbols).map(|_| parse_entry(&mut cursor)).collect::<Parse<Vec<_>>>()
        };
        read().map_err(|fault| at_address(fault, address))
    }

    fn link(&self, name: &[u8], entry: &Entry) -> Parse<Link> {
        /// The entry is a symbolic link.
        const SYMBOLIC: u32 = 2;
        let cursor = self.meta.cursor("symbol table", &[]);
        let name = cursor.text(name)?;
        let target = match *entry {
            Entry { cache_type: SYMBOLIC, link_value, .. } => {
                LinkTarget::Soft { path: cursor.text(self.names.string(self.meta, u64::from(link_value))?)? }
            }
            Entry { header: Some(address), .. } => LinkTarget::Hard { address },
            Entry { header: None, .. } => {
                return Err(Fault::Damaged(format!("symbol table: {name:?} has no object header")));
            }
        };
        Ok(Link { name, target })
    }
}

fn parse_entry(cursor: &mut Cursor<'_>) -> Parse<(u64, Entry)> {
    // The specification calls it an offset, but the library writes a length: they differ where the sizes do.
    let name = cursor.length()?;
    let header = cursor.address()?;
    let cache_type = cursor.u32()?;
    cursor.skip(4)?;
    let link_value = cursor.u32()?;
    cursor.skip(12)?;
    Ok((name, Entry { header, cache_type, link_value }))
}
