//! Skeletons of real files, as h5py and swiftsimio see them.

use std::{
    env, fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use apus_h5::{
    File, OpenOptions, Resolver,
    source::LocalFile,
    write::{Plan, Skeleton, SkeletonOptions},
};

use crate::python;

/// Up to this size, datasets bring their elements by default.
const KEPT_BYTES: u64 = 64 << 10;

/// Opens files beside the one that asks.
struct Beside(PathBuf);

impl Resolver for Beside {
    fn resolve(&self, _from: &File, target: &str) -> Result<Option<File>, String> {
        let name = Path::new(target).file_name().ok_or("no name")?;
        open(&self.0.join(name)).map(Some).map_err(|error| error.to_string())
    }
}

fn open(path: &Path) -> apus_h5::Result<File> {
    let resolver = Beside(path.parent().unwrap().to_owned());
    let options = OpenOptions { resolver: Some(Arc::new(resolver)), ..OpenOptions::default() };
    File::from_source(path.display().to_string(), Arc::new(LocalFile::open(path).unwrap()), options)
}

/// Every file of the pack, with its skeleton beside it.
fn skeletons(name: &str) -> Vec<(PathBuf, PathBuf)> {
    let dir = python::scratch(name);
    // A larger pack may stand in for the repository's.
    let pack = env::var_os("APUS_TEST_DATA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data"), PathBuf::from);
    let mut pairs = Vec::new();
    for entry in fs::read_dir(&pack).unwrap() {
        let original = entry.unwrap().path();
        if original.extension().is_none_or(|extension| extension != "hdf5") {
            continue;
        }
        let skeleton = dir.join(original.file_name().unwrap());
        fs::write(&skeleton, image(&original)).unwrap();
        pairs.push((original, skeleton));
    }
    pairs.sort();
    assert!(pairs.len() >= 16, "{} has {} files", pack.display(), pairs.len());
    pairs
}

fn image(path: &Path) -> Vec<u8> {
    let root = open(path).unwrap().root().unwrap();
    let skeleton = Skeleton::new(&root, &SkeletonOptions::default()).unwrap();
    assert_eq!(skeleton.omissions, [], "{}", path.display());
    Plan::new(skeleton.tree).unwrap().into_bytes().unwrap()
}

fn arguments(pairs: &[(PathBuf, PathBuf)]) -> Vec<&Path> {
    pairs.iter().flat_map(|(original, skeleton)| [original.as_path(), skeleton.as_path()]).collect()
}

#[test]
fn skeletons_are_the_files_without_the_bulk() {
    let pairs = skeletons("skeleton-h5py");
    let kept = KEPT_BYTES.to_string();
    let mut args = vec![Path::new(&kept)];
    args.extend(arguments(&pairs));
    let counts = python::run("main", "compare_skeleton.py", &args);
    assert_eq!(counts.lines().count(), pairs.len());
}

#[test]
fn swiftsimio_12_loads_and_masks_skeletons() {
    let pairs = skeletons("skeleton-swiftsimio-12");
    let said = python::run("main", "load_skeleton.py", &arguments(&pairs));
    assert!(said.contains("12.") && said.contains(&format!("{} files", pairs.len())), "{said}");
}

#[test]
fn swiftsimio_7_loads_and_masks_skeletons() {
    let pairs = skeletons("skeleton-swiftsimio-7");
    let said = python::run("swiftsimio7", "load_skeleton.py", &arguments(&pairs));
    assert!(said.contains("7.0") && said.contains(&format!("{} files", pairs.len())), "{said}");
}
