//! Files of one folder, which may refer to each other.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use apus_h5::{Caches, File, OpenOptions, Resolver, source::LocalFile};

/// Opens the files that lie beside the one that names them.
struct Beside;

impl Resolver for Beside {
    fn resolve(&self, from: &File, target: &str) -> Result<Option<File>, String> {
        if target.contains("refused") {
            return Err("the test refuses it".to_owned());
        }
        let path = Path::new(from.name()).parent().unwrap().join(target);
        if path.exists() { Ok(Some(open(&path))) } else { Ok(None) }
    }
}

/// Opens a file whose links and virtual sources may lead to files of its folder.
pub(crate) fn open(path: &Path) -> File {
    let source = Arc::new(LocalFile::open(path).unwrap());
    // Few enough chunks that they push each other out.
    let caches = Caches::new(1 << 20, 256 << 10);
    let options = OpenOptions { resolver: Some(Arc::new(Beside)), caches, ..OpenOptions::default() };
    File::from_source(path.display().to_string(), source, options).unwrap()
}

/// The folder of SWIFT's output: the whole pack where it lies beside the repository, or the part that is in it.
pub(crate) fn of_swift_output() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let pack = root.join("../shared/data/swift");
    if pack.is_dir() { pack } else { root.join("tests/data") }
}
