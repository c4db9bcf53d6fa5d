//! The kinds of file, written by h5py (`files.py`), and what is done to them while they are served.

use std::{
    fs,
    ops::Range,
    path::{Path, PathBuf},
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use super::python;

/// The name that requests ask for.
pub(crate) const ASKED: &str = "asked.hdf5";

/// The folder that `files.py` has filled, once for all tests.
static WRITTEN: LazyLock<PathBuf> = LazyLock::new(|| {
    let out = scratch("files");
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../demo/cosmic_web_0002.hdf5");
    python::run("main", "files.py", &[&demo, &out]);
    out
});

/// A kind of file.
#[derive(Clone, Debug)]
pub(crate) struct Kind {
    pub(crate) name: String,
    /// The name of the file that its values lie in.
    innermost: String,
    /// Which generations belong to it.
    base: String,
}

/// The files of a kind in a folder of their own.
pub(crate) struct Files {
    pub(crate) kind: Kind,
    pub(crate) folder: PathBuf,
}

impl Kind {
    /// Every kind.
    pub(crate) fn all() -> Vec<Self> {
        let names =
            fs::read_dir(WRITTEN.join("kinds")).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut kinds: Vec<Self> = names.map(|name| Self::named(&name)).collect();
        kinds.sort_by(|a, b| a.name.cmp(&b.name));
        kinds
    }

    pub(crate) fn named(name: &str) -> Self {
        let text = |of: &str| fs::read_to_string(WRITTEN.join("kinds").join(name).join(of)).unwrap();
        Self { name: name.to_owned(), innermost: text("INNERMOST"), base: text("BASE") }
    }

    /// Whether the file that is asked for holds its values itself.
    pub(crate) fn is_direct(&self) -> bool {
        self.innermost == ASKED
    }

    /// Whether requests for positions ask for texts of variable length instead.
    pub(crate) fn is_of_texts(&self) -> bool {
        self.base == "strings"
    }

    /// The innermost file with other values: as many bytes, the same datasets at the same places.
    pub(crate) fn generation(&self, number: usize) -> Vec<u8> {
        fs::read(WRITTEN.join("generations").join(&self.base).join(format!("{number}.hdf5"))).unwrap()
    }

    /// A copy for one test.
    pub(crate) fn copy(&self, test: &str) -> Files {
        let folder = scratch(&format!("{test}/{}", self.name));
        for entry in fs::read_dir(WRITTEN.join("kinds").join(&self.name)).unwrap() {
            let entry = entry.unwrap();
            fs::copy(entry.path(), folder.join(entry.file_name())).unwrap();
        }
        let files = Files { kind: self.clone(), folder };
        files.replace(0);
        files
    }
}

impl Files {
    /// The file that its values lie in.
    pub(crate) fn innermost(&self) -> PathBuf {
        self.folder.join(&self.kind.innermost)
    }

    /// Puts another file in the place of the innermost.
    pub(crate) fn replace(&self, generation: usize) {
        put(&self.innermost(), &self.kind.generation(generation));
    }

    /// Writes those bytes of the innermost file over what is there.
    pub(crate) fn overwrite(&self, bytes: &[u8], part: Range<usize>) {
        use std::os::unix::fs::FileExt;
        let file = fs::File::options().write(true).open(self.innermost()).unwrap();
        file.write_all_at(&bytes[part.clone()], part.start as u64).unwrap();
    }

    pub(crate) fn truncate(&self) {
        let file = fs::File::options().write(true).open(self.innermost()).unwrap();
        file.set_len(file.metadata().unwrap().len() / 8).unwrap();
    }

    pub(crate) fn remove(&self) {
        fs::remove_file(self.innermost()).unwrap();
    }
}

/// Puts a file of these bytes at a path, whatever is there. It was written long ago by its own account, each at another time, so that nobody
/// waits for it to come to rest.
pub(crate) fn put(path: &Path, bytes: &[u8]) {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let before = Duration::from_secs(1_000_000 - COUNT.fetch_add(1, Ordering::Relaxed));
    let new = path.with_file_name(".new");
    fs::write(&new, bytes).unwrap();
    fs::File::options().write(true).open(&new).unwrap().set_modified(SystemTime::now() - before).unwrap();
    fs::rename(&new, path).unwrap();
}

/// Where two states of a file differ, from the first byte to the last.
pub(crate) fn differing(a: &[u8], b: &[u8]) -> Range<usize> {
    let differs = |(a, b): (&u8, &u8)| a != b;
    let first = a.iter().zip(b).position(differs).unwrap();
    let last = a.iter().zip(b).rposition(differs).unwrap();
    first..last + 1
}

/// A fresh folder.
pub(crate) fn scratch(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("suite").join(name);
    if folder.exists() {
        fs::remove_dir_all(&folder).unwrap();
    }
    fs::create_dir_all(&folder).unwrap();
    folder
}
