//! The values of datasets, whole: each file's against the digests that h5py gave.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use apus_h5::{Data, Dataset, DecodePool, Error, Indices, Pace, ReadOptions, RowRanges, Selection};
use sha2::{Digest, Sha256};

use crate::{folder, python};

/// File, then dataset, then shape, type and the first half of the digest.
type Digests = BTreeMap<String, BTreeMap<String, (Vec<u64>, String, String)>>;

fn options() -> ReadOptions {
    ReadOptions {
        pool: DecodePool::new(2).unwrap(),
        block_bytes: 100_000,
        work_ahead_bytes: 4 << 20,
        ..ReadOptions::default()
    }
}

/// The first half of the digest of the values.
fn digest(dataset: &Dataset, options: &ReadOptions) -> Result<String, Error> {
    digest_of(dataset, Selection::default(), options, false)
}

fn digest_of(dataset: &Dataset, selection: Selection, options: &ReadOptions, is_parked: bool) -> Result<String, Error> {
    let mut hash = Sha256::new();
    let mut n_bytes = 0;
    let reader = dataset.reader(selection, options)?;
    let expected_bytes = reader.size_bytes();
    for (i, block) in reader.enumerate() {
        let block = block?;
        if is_parked {
            // Its client stalls now and then, and takes blocks of various lengths.
            options.pace.set_block_bytes([usize::MAX, 3_000, 50_000][i % 3]);
            if i % 32 == 1 {
                options.pace.park();
            }
        }
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
                // numpy has made one-element arrays of scalars.
                let found = if dataset.shape().is_empty() { &[1][..] } else { dataset.shape() };
                assert_eq!(found, if shape.is_empty() { &[1] } else { &shape[..] }, "{name}:{object}");
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

/// A part of a dataset, and what h5py and numpy make of it.
#[derive(serde::Deserialize)]
struct Part {
    file: String,
    object: String,
    rows: Vec<(u64, u64)>,
    inner: Vec<Inner>,
    shape: Vec<u64>,
    digest: String,
}

#[derive(serde::Deserialize)]
#[serde(untagged)]
enum Inner {
    Range(Option<(u64, u64)>),
    List { list: Vec<u64> },
}

fn check_selections(folder: &Path) {
    let parts: Vec<Part> = serde_json::from_slice(&fs::read(folder.join("SELECTIONS.json")).unwrap()).unwrap();
    assert!(parts.len() > 500);
    let mut wrong = Vec::new();
    // Open for all of them, so that chunks are found that other selections decoded.
    let mut files = BTreeMap::new();
    for (i, part) in parts.iter().enumerate() {
        let options = ReadOptions { block_bytes: [1_000, 70_000, 4 << 20][i % 3], ..options() };
        let rows = RowRanges::new(part.rows.iter().map(|(start, end)| *start..*end).collect()).unwrap();
        let inner = part.inner.iter().map(|inner| match inner {
            Inner::Range(None) => Indices::All,
            Inner::Range(Some((start, end))) => Indices::Range(*start, *end),
            Inner::List { list } => Indices::List(list.clone()),
        });
        let selection = Selection { rows: Some(rows), inner: inner.collect() };
        let file = files.entry(&part.file).or_insert_with(|| folder::open(&folder.join(&part.file)));
        let dataset = file.dataset(&part.object).unwrap();
        assert_eq!(dataset.reader(selection.clone(), &options).unwrap().shape(), part.shape);
        if i % 20 == 0 {
            let parked = ReadOptions { pace: Pace::default(), ..options.clone() };
            let digest = digest_of(&dataset, selection.clone(), &parked, true).unwrap();
            assert_eq!(digest, part.digest, "{}:{}: parked between blocks", part.file, part.object);
        }
        match digest_of(&dataset, selection, &options, false) {
            Ok(digest) if digest == part.digest => {}
            Ok(_) => wrong.push(format!("{}:{} rows {:?}: other values", part.file, part.object, part.rows)),
            Err(error) => wrong.push(error.to_string()),
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {} selections:\n{}",
        wrong.len(),
        parts.len(),
        wrong[..wrong.len().min(20)].join("\n")
    );
}

fn check_variable(folder: &Path) {
    let expected: BTreeMap<String, Vec<Vec<u8>>> =
        serde_json::from_slice(&fs::read(folder.join("VARIABLE.json")).unwrap()).unwrap();
    let file = folder::open(&folder.join("variable.h5"));
    for (name, elements) in expected {
        let dataset = file.dataset(&name).unwrap();
        let all = dataset.read_all(1 << 20).unwrap();
        assert!(all.data == Data::Variable(elements.clone()), "{name}: other values");
        let rows = RowRanges::new(vec![9..14, 3..4]).unwrap();
        let some = dataset.read(Selection { rows: Some(rows), inner: vec![] }, 1 << 20).unwrap();
        assert!(some.data == Data::Variable([&elements[9..14], &elements[3..4]].concat()), "{name}: other rows");
        assert!(matches!(dataset.read_all(400), Err(Error::OverLimit { .. })));
        assert!(matches!(dataset.reader(Selection::default(), &options()), Err(Error::Unsupported { .. })));
    }
}

fn check_files_of_every_kind(seed: &str) {
    let folder = python::scratch(&format!("data-{seed}"));
    python::run("main", "make_data_files.py", &[&folder, Path::new(seed)]);
    assert!(check(&folder, |_, _, _| false) > 150);
    check_selections(&folder);
    check_variable(&folder);
}

#[test]
fn files_of_every_kind_are_read_as_by_h5py() {
    check_files_of_every_kind("1");
}

#[test]
fn files_of_every_kind_are_read_as_by_h5py_once_more() {
    check_files_of_every_kind("2");
}

/// The programme beside the repository that writes a matrix of layouts, filters, types and generations.
#[test]
fn a_matrix_of_files_is_read_or_refused_by_name() {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/conformance/make_h5_matrix.py");
    if !program.exists() {
        return;
    }
    for seed in ["3", "11"] {
        let folder = python::scratch(&format!("matrix-{seed}"));
        python::run("main", program.to_str().unwrap(), &[&folder, Path::new(seed)]);
        python::run("main", "digest_again.py", &[&folder]);
        let n_right = check(&folder, |file, _, error| {
            file == "plug.h5" && matches!(error, Error::Unsupported { feature, .. } if feature.contains("filter"))
        });
        assert!(n_right > 150, "{n_right}");
    }
}
