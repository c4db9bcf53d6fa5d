//! Takes arbitrary bytes as a file and reads all there is in it, as far as small limits allow: groups, links, attributes, and
//! the first rows of each dataset. Files that it points to are itself again.
//!
//! Nothing is expected but that it ends, with values or errors, in little time and memory.
#![no_main]

use std::{
    collections::HashSet,
    sync::{Arc, LazyLock},
};

use apus_h5::{
    Dataset, DecodePool, File, Group, LinkTarget, Object, OpenOptions, ReadOptions, Resolver, RowRanges, Selection,
    source::Memory,
};
use libfuzzer_sys::fuzz_target;

const MAX_OBJECTS: usize = 200;
const LIMIT_BYTES: u64 = 1 << 16;

static POOL: LazyLock<DecodePool> = LazyLock::new(|| DecodePool::new(1).expect("a thread"));

/// Whatever name a link or a virtual dataset gives leads to the file itself, except for the empty name.
struct Itself;

impl Resolver for Itself {
    fn resolve(&self, from: &File, target: &str) -> Result<Option<File>, String> {
        if target == "missing" { Ok(None) } else { Ok(Some(from.clone())) }
    }
}

fuzz_target!(|bytes: &[u8]| {
    let options = OpenOptions {
        resolver: Some(Arc::new(Itself)),
        metadata_cache_bytes: 1 << 16,
        max_chunk_bytes: 1 << 20,
        ..OpenOptions::default()
    };
    let source = Arc::new(Memory::new(bytes.to_vec()));
    let Ok(file) = File::from_source("image", source, options) else { return };
    let mut seen = HashSet::new();
    let mut ways = vec!["/".to_owned()];
    while let Some(path) = ways.pop() {
        if seen.len() >= MAX_OBJECTS {
            break;
        }
        match file.get(&path) {
            Ok(Object::Group(group)) if seen.insert(group.address()) => visit_group(&group, &path, &mut ways),
            Ok(Object::Dataset(dataset)) if seen.insert(dataset.address()) => visit_dataset(&dataset),
            _ => {}
        }
    }
});

fn visit_group(group: &Group, path: &str, ways: &mut Vec<String>) {
    let _ = group.attributes();
    for link in group.links().unwrap_or_default().into_iter().take(MAX_OBJECTS) {
        let _ = group.link(&link.name);
        if !matches!(link.target, LinkTarget::UserDefined { .. }) && path.len() < 1000 {
            ways.push(format!("{}/{}", path.trim_end_matches('/'), link.name));
        }
    }
}

fn visit_dataset(dataset: &Dataset) {
    let _ = (dataset.attributes(), dataset.storage_size_bytes(), dataset.virtual_files());
    let _ = (dataset.dtype().size_bytes(), dataset.stored_type().native(), dataset.filters(), dataset.chunk_shape());
    let n_rows = dataset.shape().first().copied();
    let rows = n_rows.and_then(|n| RowRanges::new(vec![n.saturating_sub(2)..n, 0..n.min(3)]));
    let selection = Selection { rows, ..Selection::default() };
    let _ = dataset.read(selection.clone(), LIMIT_BYTES);
    let options =
        ReadOptions { pool: POOL.clone(), block_bytes: 1 << 12, work_ahead_bytes: 1 << 14, ..ReadOptions::default() };
    let Ok(reader) = dataset.reader(selection, &options) else { return };
    let promised = reader.size_bytes();
    let mut size_bytes = 0;
    for block in reader.take(64) {
        let Ok(block) = block else { return };
        size_bytes += block.bytes().len() as u64;
        assert!(size_bytes <= promised, "{size_bytes} bytes left where {promised} were promised");
    }
}
