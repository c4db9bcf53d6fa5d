//! Folders of maps, and what happens to them.

use std::os::unix::fs::PermissionsExt as _;

use apus_h5::Caches;
use apus_swift::ZoneBounds;

use super::*;
use crate::{
    catalog::CatalogOptions,
    store::{Mount, MountSource},
    values::zone_maps::Subject,
};

fn catalog(folder: &Path) -> Catalog {
    Catalog::new(CatalogOptions {
        mounts: vec![Mount::new("data", MountSource::Folder(folder.to_owned()))],
        aliases: BTreeMap::new(),
        open_files: 4,
        metadata_bytes: 1 << 20,
        max_chunk_bytes: 1 << 20,
        caches: Caches::new(0, 0),
    })
    .unwrap()
}

struct Folders {
    _root: tempfile::TempDir,
    catalog: Catalog,
    maps: PathBuf,
}

impl Folders {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("data")).unwrap();
        Self { catalog: catalog(&root.path().join("data")), maps: root.path().join("state/zone_maps"), _root: root }
    }

    fn open(&self, limit_bytes: u64) -> ZoneMapFolder {
        ZoneMapFolder::new(&self.maps, limit_bytes, &self.catalog).unwrap()
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> =
            fs::read_dir(&self.maps).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

/// A map of one zone of so many rows: 168 bytes in a file.
fn map(state: u8, n_rows: u64) -> ZoneMap {
    let zones = ZoneBounds::from_parts(n_rows, vec![0], vec![[[0.0; 3], [1.0; 3]]]).unwrap();
    ZoneMap::new(MapKey::of_test(state, Subject::Positions), ZoneValues::Positions(Arc::new(zones)))
}

const FILE_BYTES: u64 = 168;

fn is_there(folder: &ZoneMapFolder, state: u8) -> bool {
    folder.load(&MapKey::of_test(state, Subject::Positions), |_| true).is_some()
}

#[test]
fn maps_outlive_the_process_and_are_for_their_owner_alone() {
    let folders = Folders::new();
    let folder = folders.open(1 << 20);
    assert!(!is_there(&folder, 1));
    folder.save(&map(1, 9));
    let again = folders.open(1 << 20);
    assert!(is_there(&again, 1) && !is_there(&again, 2));
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let [name] = <[String; 1]>::try_from(folders.names()).unwrap();
    assert_eq!((mode(&folders.maps), mode(&folders.maps.join(name))), (0o700, 0o600));
    assert!(again.load(&MapKey::of_test(1, Subject::Positions), |_| false).is_none(), "one that does not fit");
    let expected = ZoneMapStats { loaded: 1, missing: 1, refused: 1, ..ZoneMapStats::default() };
    assert_eq!(again.stats(), expected);
    assert_eq!(
        folder.stats(),
        ZoneMapStats { missing: 1, saved: 1, size_bytes: FILE_BYTES, ..ZoneMapStats::default() }
    );
}

#[test]
fn what_is_no_map_of_these_values_is_made_again() {
    let folders = Folders::new();
    let folder = folders.open(1 << 20);
    (1..=2).for_each(|state| folder.save(&map(state, 9)));
    let names = folders.names();
    let paths: Vec<PathBuf> = names.iter().map(|name| folders.maps.join(name)).collect();
    let sound = fs::read(&paths[0]).unwrap();
    let both_are_there = || [1, 2].map(|state| is_there(&folder, state));
    let one_is_refused = |what: &str| {
        assert_eq!(both_are_there().iter().filter(|is_there| **is_there).count(), 1, "{what}");
    };
    fs::copy(&paths[0], &paths[1]).unwrap();
    one_is_refused("another file's content");
    fs::write(&paths[1], &sound[..sound.len() - 1]).unwrap();
    one_is_refused("cut short");
    fs::write(&paths[1], b"").unwrap();
    one_is_refused("empty");
    fs::File::create(&paths[1]).unwrap().set_len(1 << 40).unwrap();
    one_is_refused("very long");
    assert!(!paths[1].exists(), "what is damaged is removed");
    fs::create_dir(&paths[1]).unwrap();
    one_is_refused("a folder");
    fs::remove_dir(&paths[1]).unwrap();
    rustix::fs::mknodat(rustix::fs::CWD, &paths[1], rustix::fs::FileType::Fifo, rustix::fs::Mode::RUSR, 0).unwrap();
    one_is_refused("a pipe, which nobody writes to");
    assert_eq!(folder.stats().refused, 6);
    (1..=2).for_each(|state| folder.save(&map(state, 9)));
    assert_eq!(both_are_there(), [true, true]);
    fs::remove_dir_all(&folders.maps).unwrap();
    assert_eq!(both_are_there(), [false, false]);
    folder.save(&map(1, 9));
    assert_eq!(both_are_there(), [true, false], "the folder may be deleted at any time");
}

#[test]
fn the_maps_that_were_not_used_for_longest_go_first() {
    let folders = Folders::new();
    let folder = folders.open(3 * FILE_BYTES);
    let at = |state: u8, age_s: u64| {
        let name = MapKey::of_test(state, Subject::Positions).file_name().unwrap() + ENDING;
        let file = fs::File::open(folders.maps.join(name)).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(age_s)).unwrap();
    };
    (1..=3).for_each(|state| folder.save(&map(state, 9)));
    (1..=3).for_each(|state| at(state, 1000 - 100 * u64::from(state)));
    let others = ["notes.txt", "1.0.left.zone.tmp", "2.0.written.zone.tmp", "short.zone"];
    others.iter().for_each(|name| fs::write(folders.maps.join(name), [0; 200]).unwrap());
    let left = fs::File::open(folders.maps.join(others[1])).unwrap();
    left.set_modified(SystemTime::now() - Duration::from_hours(2)).unwrap();
    assert!(is_there(&folder, 1), "which is a use");
    folder.save(&map(4, 9));
    assert_eq!([1, 2, 3, 4].map(|state| is_there(&folder, state)), [true, false, true, true]);
    let is_left = |name: &str| folders.maps.join(name).exists();
    assert_eq!(others.map(is_left), [true, false, true, true], "only maps and what killed processes left are removed");
    // One that alone is too large is not kept.
    let small = folders.open(FILE_BYTES - 1);
    small.save(&map(5, 9));
    assert!(!is_there(&small, 5));
}

#[test]
fn writers_at_once_leave_whole_maps() {
    let folders = Folders::new();
    let folders = &folders;
    std::thread::scope(|scope| {
        for writer in 0..4u64 {
            let folder = folders.open(1 << 20);
            scope.spawn(move || {
                for round in 0..25 {
                    folder.save(&map(7, 9 + writer));
                    assert!(is_there(&folder, 7), "writer {writer}, round {round}");
                }
                assert_eq!(folder.stats().failed + folder.stats().refused, 0);
            });
        }
    });
    assert_eq!(folders.names().len(), 1);
}

#[test]
fn folders_that_cannot_be_written_do_no_harm_and_data_is_never_written_to() {
    let folders = Folders::new();
    fs::create_dir_all(folders.maps.parent().unwrap()).unwrap();
    fs::write(&folders.maps, b"a file where the folder should be").unwrap();
    let folder = folders.open(1 << 20);
    for state in [1, 2] {
        folder.save(&map(state, 9));
        assert!(!is_there(&folder, state));
    }
    assert_eq!(folder.stats().failed, 2);
    let data = folders.maps.parent().unwrap().parent().unwrap().join("data");
    for inside in [data.clone(), data.join("zone_maps"), data.join("a/b")] {
        assert!(ZoneMapFolder::new(&inside, 1 << 20, &folders.catalog).is_none(), "{}", inside.display());
    }
    assert!(ZoneMapFolder::new(&folders.maps, 0, &folders.catalog).is_none());
}
