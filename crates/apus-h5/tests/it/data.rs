//! The values of datasets, whole: each file's against the digests that h5py gave.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use apus_h5::{Dataset, DecodePool, Error, ReadOptions, Selection};
use sha2::{Digest, Sha256};

use crate::folder;

/// File, then dataset, then shape, type and the first half of the digest.
type Digests = BTreeMap<String, BTreeMap<String, (Vec<u64>, String, String)>>;

fn options() -> ReadOptions {
    ReadOptions { pool: DecodePool::new(2).unwrap(), block_bytes: 100_000, work_ahead_bytes: 4 << 20 }
}

/// The first half of the digest of the values, as blocks and, where they are few, in one piece.
fn digest(dataset: &Dataset, options: &ReadOptions) -> Result<String, Error> {
    let mut hash = Sha256::new();
    let mut n_bytes = 0;
    let reader = dataset.reader(Selection::default(), options)?;
    let expected_bytes = reader.size_bytes();
    for block in reader {
        let block = block?;
        assert!(block.bytes().len() <= options.block_bytes && !block.bytes().is_empty());
        n_bytes += block.bytes().len() as u64;
        hash.update(block.bytes());
    }
    assert_eq!(n_bytes, expected_bytes);
    let digest = hash.finalize().iter().take(16).fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").unwrap();
        hex
    });
    Ok(digest)
}

fn check(folder: &Path, may_refuse: impl Fn(&str, &str, &Error) -> bool) -> usize {
    let digests: Digests = serde_json::from_slice(&fs::read(folder.join("DIGESTS.json")).unwrap()).unwrap();
    let options = options();
    let mut wrong = Vec::new();
    let mut n_right = 0;
    for (name, datasets) in &digests {
        let path: PathBuf = folder.join(name);
        if !path.exists() {
            continue;
        }
        let file = folder::open(&path);
        for (object, (shape, _, expected)) in datasets {
            let result = file.dataset(object).and_then(|dataset| {
                assert_eq!(dataset.shape(), shape, "{name}:{object}");
                digest(&dataset, &options)
            });
            match result {
                Ok(digest) if digest == *expected => n_right += 1,
                Ok(_) => wrong.push(format!("{name}:{object}: other values")),
                Err(error) if may_refuse(name, object, &error) => {}
                Err(error) => wrong.push(error.to_string()),
            }
        }
    }
    let shown = &wrong[..wrong.len().min(30)];
    assert!(wrong.is_empty(), "{n_right} right, {} not:\n{}", wrong.len(), shown.join("\n"));
    n_right
}

#[test]
fn swift_output_has_its_digests() {
    let folder = folder::of_swift_output();
    assert!(check(&folder, |_, _, _| false) > 500);
}
