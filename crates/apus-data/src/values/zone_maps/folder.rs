//! Zone maps on disk.

use std::{
    collections::BTreeMap,
    fmt, fs,
    io::{self, Read as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use super::{
    MapKey, ZoneMap, ZoneValues,
    format::{self, MAX_FILE_BYTES},
};
use crate::catalog::Catalog;

/// A folder of zone maps, limited in bytes; those that were not used for longest go first. Cheap to clone.
///
/// Several processes may share it, and whatever is in it may be deleted at any time. Where it cannot be written to, that is logged once, and
/// what is learned lasts as long as the process.
#[derive(Clone)]
pub struct ZoneMapFolder(Arc<Inner>);

struct Inner {
    path: PathBuf,
    limit_bytes: u64,
    /// Held while a map is written.
    writing: Mutex<()>,
    has_warned: AtomicBool,
    counts: Counts,
}

#[derive(Default)]
struct Counts {
    loaded: AtomicU64,
    missing: AtomicU64,
    refused: AtomicU64,
    saved: AtomicU64,
    failed: AtomicU64,
    size_bytes: AtomicU64,
}

/// What a [`ZoneMapFolder`] did so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ZoneMapStats {
    /// Maps that were there.
    pub loaded: u64,
    /// Maps that were not.
    pub missing: u64,
    /// Files that were damaged, or of something else.
    pub refused: u64,
    /// Maps that were written.
    pub saved: u64,
    /// Maps that could not be written.
    pub failed: u64,
    /// The bytes of all maps when one was written last.
    pub size_bytes: u64,
}

/// How many files this process has begun to write.
static N_TEMPORARY: AtomicU64 = AtomicU64::new(0);
/// The ending of the files.
const ENDING: &str = ".zone";
/// The ending of files that are being written.
const TEMPORARY_ENDING: &str = ".zone.tmp";
/// What is being written for longer was left by a process that was killed.
const MAX_WRITING: Duration = Duration::from_hours(1);

impl ZoneMapFolder {
    /// The maps in this folder, which is made when the first is written. `None` where no bytes are allowed, or where the folder lies among the
    /// data, which is never written to: that is logged.
    pub fn new(path: impl Into<PathBuf>, limit_bytes: u64, catalog: &Catalog) -> Option<Self> {
        let path = path.into();
        if limit_bytes == 0 {
            return None;
        }
        // The folder itself need not be there yet.
        let absolute = std::path::absolute(&path).unwrap_or_else(|_| path.clone());
        let existing = absolute.ancestors().find(|folder| folder.exists());
        if existing.is_some_and(|folder| catalog.virtual_path(folder).is_some()) {
            tracing::warn!(
                path = %path.display(),
                "zone maps are not kept: their folder lies in a folder that is served; choose another state folder"
            );
            return None;
        }
        Some(Self(Arc::new(Inner {
            path,
            limit_bytes,
            writing: Mutex::new(()),
            has_warned: AtomicBool::new(false),
            counts: Counts::default(),
        })))
    }

    /// What it did so far.
    pub fn stats(&self) -> ZoneMapStats {
        let counts = &self.0.counts;
        let [loaded, missing, refused, saved, failed, size_bytes] =
            [&counts.loaded, &counts.missing, &counts.refused, &counts.saved, &counts.failed, &counts.size_bytes]
                .map(|count| count.load(Ordering::Relaxed));
        ZoneMapStats { loaded, missing, refused, saved, failed, size_bytes }
    }

    /// The map of that key, where there is a sound one that `fits`.
    pub(in crate::values) fn load(&self, key: &MapKey, fits: impl Fn(&ZoneValues) -> bool) -> Option<ZoneValues> {
        let path = self.0.path.join(key.file_name()? + ENDING);
        let counts = &self.0.counts;
        let refuse = |reason: &dyn fmt::Display| {
            tracing::warn!(path = %path.display(), %reason, "a zone map is not used; it is removed, and will be made again");
            // Where somebody has just put a sound one there, that is made again too.
            let _ = fs::remove_file(&path);
            counts.refused.fetch_add(1, Ordering::Relaxed);
        };
        let file = match read(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                counts.missing.fetch_add(1, Ordering::Relaxed);
                return None;
            }
            Err(error) => {
                refuse(&error);
                return None;
            }
        };
        match format::decode(key, &file) {
            Ok(values) if fits(&values) => {
                counts.loaded.fetch_add(1, Ordering::Relaxed);
                Some(values)
            }
            Ok(_) => {
                refuse(&"it is of other rows");
                None
            }
            Err(reason) => {
                refuse(&reason);
                None
            }
        }
    }

    /// Writes a map, where there is anything in it.
    pub(in crate::values) fn save(&self, map: &ZoneMap) {
        let Some(name) = map.key.file_name() else { return };
        let Some((file, n_known)) = format::encode(&map.key, &map.values) else { return };
        if file.len() as u64 > self.0.limit_bytes {
            return;
        }
        match self.0.write(&(name + ENDING), &file) {
            Ok(()) => {
                map.note_saved(n_known);
                self.0.counts.saved.fetch_add(1, Ordering::Relaxed);
            }
            Err(error) => {
                self.0.counts.failed.fetch_add(1, Ordering::Relaxed);
                if !self.0.has_warned.swap(true, Ordering::Relaxed) {
                    tracing::warn!(
                        path = %self.0.path.display(), %error,
                        "zone maps cannot be written, and last only until the service stops; make the folder writable, with room for them"
                    );
                }
            }
        }
    }
}

impl Inner {
    fn write(&self, name: &str, file: &[u8]) -> io::Result<()> {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.path)?;
        // A name that no other writer has, not even one of the same number on another machine.
        let number = N_TEMPORARY.fetch_add(1, Ordering::Relaxed);
        let now_ns = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |now| now.as_nanos());
        let temporary = self.path.join(format!("{}.{number}.{now_ns}.{name}.tmp", std::process::id()));
        let written = write_new(&temporary, file).and_then(|()| fs::rename(&temporary, self.path.join(name)));
        if let Err(error) = written {
            let _ = fs::remove_file(&temporary);
            return Err(error);
        }
        // So that the name lasts as well; where folders cannot be synced, it does or does not.
        let _ = fs::File::open(&self.path).and_then(|folder| folder.sync_all());
        self.evict(name);
        Ok(())
    }

    /// Removes maps until all together are within the limit, those that were not used for longest first, and what killed processes left.
    fn evict(&self, newest: &str) {
        let Ok(entries) = fs::read_dir(&self.path) else { return };
        let now = SystemTime::now();
        let (mut by_use, mut size_bytes) = (BTreeMap::new(), 0u64);
        for entry in entries.flatten() {
            let (Ok(name), Ok(metadata)) = (entry.file_name().into_string(), entry.metadata()) else { continue };
            let used = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
            if name.ends_with(TEMPORARY_ENDING) {
                if now.duration_since(used).is_ok_and(|age| age > MAX_WRITING) {
                    let _ = fs::remove_file(entry.path());
                }
            } else if is_map(&name) && metadata.is_file() {
                size_bytes = size_bytes.saturating_add(metadata.len());
                by_use.insert((name == newest, used, name), metadata.len());
            }
        }
        for ((is_newest, _, name), len) in by_use {
            if size_bytes <= self.limit_bytes || is_newest {
                break;
            }
            match fs::remove_file(self.path.join(&name)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {}
                _ => size_bytes = size_bytes.saturating_sub(len),
            }
        }
        self.counts.size_bytes.store(size_bytes, Ordering::Relaxed);
    }
}

/// Whether it is the name of a map.
fn is_map(name: &str) -> bool {
    name.strip_suffix(ENDING).is_some_and(|hash| hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// The bytes of a map, which is used now.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    let is_file = fs::symlink_metadata(path)?.is_file();
    let other = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
    if !is_file {
        return Err(other("it is no file"));
    }
    let file = fs::File::open(path)?;
    let size_bytes = file.metadata()?.len();
    if size_bytes > MAX_FILE_BYTES {
        return Err(other("it is longer than any zone map"));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(size_bytes).unwrap_or(0));
    (&file).take(MAX_FILE_BYTES).read_to_end(&mut bytes)?;
    // Where that fails, it goes a little earlier.
    let _ = file.set_modified(SystemTime::now());
    Ok(bytes)
}

fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

impl fmt::Debug for ZoneMapFolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ZoneMapFolder({}, {:?})", self.0.path.display(), self.stats())
    }
}

#[cfg(test)]
#[path = "folder_tests.rs"]
mod tests;
