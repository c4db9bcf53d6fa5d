//! Damaged files: reading ends, with values or with errors.

use std::{collections::HashSet, fs, path::Path, sync::Arc};

use apus_h5::{Error, File, Object, OpenOptions, source::Memory};

/// Asks for everything in front of the data that can be reached.
fn visit(bytes: Vec<u8>) -> Result<usize, Error> {
    let options = OpenOptions { metadata_cache_bytes: 1 << 16, ..OpenOptions::default() };
    let file = File::from_source("image", Arc::new(Memory::new(bytes)), options)?;
    let mut seen = HashSet::new();
    let mut paths = vec!["/".to_owned()];
    let mut n_answers = 0;
    while let Some(path) = paths.pop() {
        match file.get(&path) {
            Ok(Object::Group(group)) if seen.insert(group.address()) => {
                n_answers += group.attributes().map_or(0, |attributes| attributes.len());
                for link in group.links().unwrap_or_default().into_iter().take(50) {
                    n_answers += usize::from(group.link(&link.name).is_ok());
                    paths.push(format!("{}/{}", path.trim_end_matches('/'), link.name));
                }
            }
            Ok(Object::Dataset(dataset)) if seen.insert(dataset.address()) => {
                n_answers += dataset.attributes().map_or(0, |attributes| attributes.len());
                n_answers += usize::from(dataset.storage_size_bytes().is_ok());
            }
            _ => {}
        }
    }
    Ok(n_answers)
}

/// The files that fuzzing starts from, of every generation.
fn seeds() -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds/open_file");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files.map(|path| (path.display().to_string(), fs::read(path).unwrap())).collect()
}

#[test]
fn changed_bytes_end_in_values_or_errors() {
    // A generator of its own, so that a failure happens again (xorshift64).
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % below as u64).unwrap()
    };
    for (name, bytes) in seeds() {
        assert!(visit(bytes.clone()).unwrap() > 0, "{name}");
        for _ in 0..60 {
            let mut damaged = bytes.clone();
            for _ in 0..=random(6) {
                let at = random(damaged.len());
                let special = [0, 1, 2, 0x7f, 0x80, 0xfe, 0xff][random(7)];
                damaged[at] = if random(2) == 0 { special } else { damaged[at] ^ (1 << random(8)) };
            }
            let _ = visit(damaged);
        }
    }
}

#[test]
fn truncated_files_are_refused_as_damaged() {
    for (name, bytes) in seeds() {
        for eighths in 1..8 {
            let cut = bytes[..bytes.len() * eighths / 8].to_vec();
            let error = visit(cut).unwrap_err();
            assert!(matches!(error, Error::Damaged { .. } | Error::NotHdf5 { .. }), "{name}: {error}");
        }
    }
}
