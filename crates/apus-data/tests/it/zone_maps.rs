//! Regions of files without bounds: the same as numpy finds, whatever was learned, and for no more reading than with bounds.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::OnceLock,
};

use apus_data::{
    Error,
    store::{Roles, VPath},
    values::{Archive, Cancelled, IndexReport, IndexRequest, Waiting, index_files, select::SelectRequest},
};
use apus_swift::{Granularity, Padding, Shape};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    archive::{explain, open, request, select},
    python::run,
};

/// The files that `make_zone_files.py` makes, anew for each run of the tests; never changed.
fn files() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("zone_files");
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data");
        run("main", "make_zone_files.py", &[folder.to_str().unwrap(), data.to_str().unwrap()]);
        folder
    })
}

/// A folder with copies of some of them, and a place beside it for maps.
struct Scratch {
    root: tempfile::TempDir,
}

impl Scratch {
    fn new(names: &[&str]) -> Self {
        let scratch = Self { root: tempfile::tempdir().unwrap() };
        fs::create_dir(scratch.data()).unwrap();
        names.iter().for_each(|name| scratch.put(name, name));
        scratch
    }

    fn data(&self) -> PathBuf {
        self.root.path().join("data")
    }

    fn maps(&self) -> PathBuf {
        self.root.path().join("zone_maps")
    }

    /// Puts one of the files there under a name; the file that had it is another one.
    fn put(&self, name: &str, file: &str) {
        let path = self.data().join(name);
        let new = self.data().join("new");
        fs::copy(files().join(file), &new).unwrap();
        fs::rename(new, path).unwrap();
    }

    fn open(&self) -> Archive {
        open(&self.data(), Some(&self.maps()))
    }

    fn map_files(&self) -> Vec<PathBuf> {
        fs::read_dir(self.maps()).unwrap().map(|entry| entry.unwrap().path()).collect()
    }
}

/// What `brute_force.py` writes.
#[derive(Deserialize)]
struct Truth {
    regions: Vec<TrueRegion>,
    positions: Vec<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum TrueRegion {
    Box([[f64; 2]; 3]),
    Sphere([f64; 4]),
}

impl TrueRegion {
    fn shape(&self) -> Shape {
        match *self {
            Self::Box(bounds) => Shape::Box(bounds.map(|axis| axis.map(Some))),
            Self::Sphere([x, y, z, radius]) => Shape::Sphere { centre: [x, y, z], radius },
        }
    }
}

fn truth(path: &Path, n_regions: u32) -> Truth {
    serde_json::from_str(&run("main", "brute_force.py", &[path.to_str().unwrap(), &n_regions.to_string()])).unwrap()
}

fn field_of(name: &str) -> &'static str {
    if name.starts_with("fof") { "fof_groups.centres" } else { "gas.coordinates" }
}

/// Compares all regions of a file with the truth, in their order; gives where bounds were from for each.
fn check(archive: &Archive, name: &str, truth: &Truth, what: &str) -> Vec<String> {
    let mut sources = Vec::new();
    for (region, expected) in truth.regions.iter().zip(&truth.positions) {
        let request = request(field_of(name), vec![region.shape()]);
        sources.push(explain(archive, name, &request)["bounds"].as_str().unwrap().to_owned());
        assert_eq!(select(archive, name, &request), *expected, "{name}, {what}: {:?}", region.shape());
    }
    sources
}

/// A sphere of about a thousandth of the box, in the files that are not SWIFT's own.
fn small_sphere(field: &str) -> SelectRequest {
    request(field, vec![Shape::Sphere { centre: [31.0, 52.0, 77.0], radius: 4.0 }])
}

#[test]
fn regions_are_what_numpy_finds_before_and_after_learning_and_after_a_restart() {
    let names = [
        "without-bounds.hdf5",
        "hostile.hdf5",
        "outside-cells.hdf5",
        "no-cells.hdf5",
        "outer.hdf5",
        "cosmo_box_many_chunks.hdf5",
        "cosmo_box_gzip_v1.0.0.hdf5",
        "cosmo_box_virtual_lossy_0001.hdf5",
        "fof_catalogue.hdf5",
    ];
    let scratch = tempfile::tempdir().unwrap();
    for name in names {
        let truth = truth(&files().join(name), 12);
        assert!(truth.positions.iter().any(|rows| rows.as_array().is_some_and(|rows| !rows.is_empty())), "{name}");
        let maps = scratch.path().join(name);
        let archive = open(files(), Some(&maps));
        let sources = check(&archive, name, &truth, "learning");
        assert_eq!((sources[0].as_str(), sources[1].as_str()), ("none", "learned"), "{name}");
        check(&archive, name, &truth, "learned");
        assert_eq!(archive.statistics.folder_stats().unwrap().saved, 1, "{name}");
        let again = open(files(), Some(&maps));
        let sources = check(&again, name, &truth, "restarted");
        assert!(sources.iter().all(|source| source == "learned"), "{name}: {sources:?}");
        assert_eq!(again.statistics.folder_stats().unwrap().loaded, 1, "{name}");
        let nothing_kept = open(files(), None);
        check(&nothing_kept, name, &truth, "without a folder");
    }
    let truth = truth(&files().join("with-bounds.hdf5"), 12);
    let archive = open(files(), Some(&scratch.path().join("with-bounds")));
    assert!(check(&archive, "with-bounds.hdf5", &truth, "stored").iter().all(|source| source == "stored"));
}

#[test]
fn the_second_region_reads_as_little_as_with_bounds() {
    let scratch = Scratch::new(&["with-bounds.hdf5", "without-bounds.hdf5"]);
    let read_bytes = |archive: &Archive, name: &str| {
        let before = archive.catalog.read_bytes();
        let rows = select(archive, name, &small_sphere("gas.particle_ids"));
        assert!(!rows.as_array().unwrap().is_empty());
        archive.catalog.read_bytes() - before
    };
    let archive = scratch.open();
    let with_bounds = read_bytes(&archive, "with-bounds.hdf5");
    let with_bounds_again = read_bytes(&archive, "with-bounds.hdf5");
    let first = read_bytes(&archive, "without-bounds.hdf5");
    let second = read_bytes(&archive, "without-bounds.hdf5");
    assert!(first > 4 * with_bounds, "{first} and {with_bounds}");
    assert!(second <= with_bounds_again, "{second} and {with_bounds_again}");
    let restarted = read_bytes(&scratch.open(), "without-bounds.hdf5");
    assert!(restarted <= with_bounds, "{restarted} and {with_bounds}");
}

#[test]
fn damaged_and_foreign_maps_are_made_again() {
    let scratch = Scratch::new(&["without-bounds.hdf5", "other.hdf5"]);
    let truths = ["without-bounds.hdf5", "other.hdf5"].map(|name| (name, truth(&files().join(name), 4)));
    let check_all =
        |archive: &Archive, what: &str| truths.each_ref().map(|(name, t)| check(archive, name, t, what)[0].clone());
    check_all(&scratch.open(), "learning");
    let maps = scratch.map_files();
    assert_eq!(maps.len(), 2);
    let sound = maps.iter().map(|path| fs::read(path).unwrap()).collect::<Vec<_>>();
    let mut flipped = sound[0].clone();
    flipped[5000] ^= 1;
    let other_version = [&sound[0][..8], &2u32.to_le_bytes(), &sound[0][12..]].concat();
    for (what, bytes) in [
        ("flipped", flipped),
        ("cut short", sound[0][..sound[0].len() / 2].to_vec()),
        ("empty", Vec::new()),
        ("of the other file", sound[1].clone()),
        ("of another version", other_version),
    ] {
        fs::write(&maps[0], bytes).unwrap();
        let archive = scratch.open();
        let mut sources = check_all(&archive, what);
        sources.sort();
        assert_eq!(sources, ["learned", "none"], "{what}");
        let stats = archive.statistics.folder_stats().unwrap();
        assert_eq!((stats.refused, stats.saved, stats.loaded), (1, 1, 1), "{what}");
        assert_eq!(check_all(&scratch.open(), "made again"), ["learned", "learned"], "{what}");
    }
    fs::remove_dir_all(scratch.maps()).unwrap();
    assert_eq!(check_all(&scratch.open(), "deleted"), ["none", "none"]);
}

#[test]
fn a_file_that_is_replaced_is_learned_anew() {
    let scratch = Scratch::new(&["without-bounds.hdf5"]);
    let name = "without-bounds.hdf5";
    let [old, new] = [name, "other.hdf5"].map(|file| truth(&files().join(file), 6));
    let archive = scratch.open();
    check(&archive, name, &old, "old");
    scratch.put(name, "other.hdf5");
    assert_eq!(check(&archive, name, &new, "new")[..2], ["none", "learned"]);
    assert_eq!(check(&scratch.open(), name, &new, "new, restarted")[0], "learned");
}

/// B2: statistics of a virtual dataset of virtual datasets rest on all files, however deep.
#[test]
fn nothing_is_remembered_of_a_nested_file_that_changed() {
    let scratch = Scratch::new(&["inner.hdf5", "middle.hdf5", "outer.hdf5"]);
    let [old, new] = ["inner.hdf5", "inner-other.hdf5"].map(|file| truth(&files().join(file), 6));
    assert_ne!(old.positions, new.positions);
    let mut heavy = request("gas.masses", Vec::new());
    heavy.request.conditions = vec!["gas.masses > 0.9".parse().unwrap()];
    let archive = scratch.open();
    check(&archive, "outer.hdf5", &old, "old");
    let masses = select(&archive, "outer.hdf5", &heavy);
    assert_ne!(explain(&archive, "outer.hdf5", &heavy)["n_ruled_out"], json!(0));
    scratch.put("inner.hdf5", "inner-other.hdf5");
    let restarted = scratch.open();
    for archive in [&archive, &restarted] {
        assert_eq!(explain(archive, "outer.hdf5", &heavy)["n_ruled_out"], json!(0));
    }
    let inner = open(&scratch.data(), None);
    let new_masses = select(&inner, "inner.hdf5", &heavy);
    assert_ne!(masses, new_masses);
    assert_eq!(select(&archive, "outer.hdf5", &heavy), new_masses);
    assert_eq!(check(&archive, "outer.hdf5", &new, "new")[0], "none");
    // The restarted service finds what the other has just learned.
    assert_eq!(check(&restarted, "outer.hdf5", &new, "new, restarted")[0], "learned");
    scratch.put("inner.hdf5", "inner.hdf5");
    assert_eq!(check(&archive, "outer.hdf5", &old, "old again")[0], "none", "a copy is another file");
}

/// What `padded_rows.py` writes.
#[derive(Deserialize)]
struct Padded {
    boxes: Vec<[[f64; 2]; 3]>,
    positions: Vec<Value>,
    inside: Vec<Value>,
}

#[test]
fn padding_takes_the_cells_that_swiftsimio_takes() {
    // Of the older release, which wrote no bounds of its own.
    let name = "cosmo_box_many_chunks.hdf5";
    for (padding, is_shown) in [(0.0, "0"), (0.1, "0.1"), (0.5, "0.5")] {
        let archive = open(files(), None);
        let path = files().join(name);
        let padded: Padded =
            serde_json::from_str(&run("main", "padded_rows.py", &[path.to_str().unwrap(), &padding.to_string()]))
                .unwrap();
        for ((bounds, rows), inside) in padded.boxes.iter().zip(&padded.positions).zip(&padded.inside) {
            let mut request = request("gas.coordinates", vec![TrueRegion::Box(*bounds).shape()]);
            request.request.padding = Some(Padding::new(padding).unwrap());
            assert!(request.text().contains(&format!("padding={is_shown}")));
            for learned in ["nothing learned", "all learned"] {
                let explained = explain(&archive, name, &request);
                assert_eq!((&explained["bounds"], &explained["padding"]), (&json!("padded"), &json!(padding)));
                // Cells are in another order than their rows: those that numpy trims are.
                assert_eq!(select(&archive, name, &request), *inside, "{learned}");
                let mut exact = request.clone();
                exact.request.padding = None;
                select(&archive, name, &exact);
            }
            request.request.granularity = Granularity::Cells;
            assert_eq!(select(&archive, name, &request), *rows);
        }
    }
}

#[test]
fn padding_reads_little_and_counts_only_where_there_are_no_bounds() {
    let scratch = Scratch::new(&["with-bounds.hdf5", "without-bounds.hdf5"]);
    let archive = scratch.open();
    let mut padded = small_sphere("gas.coordinates");
    padded.request.padding = Some(Padding::new(0.1).unwrap());
    let before = archive.catalog.read_bytes();
    let rows = select(&archive, "without-bounds.hdf5", &padded);
    let read_bytes = archive.catalog.read_bytes() - before;
    let exact = select(&archive, "without-bounds.hdf5", &small_sphere("gas.coordinates"));
    let first_bytes = archive.catalog.read_bytes() - before - read_bytes;
    assert!(read_bytes < first_bytes / 2, "{read_bytes} of {first_bytes}");
    let [rows, exact] = [&rows, &exact].map(|rows| rows.as_array().unwrap());
    assert!(rows.iter().all(|row| exact.contains(row)) && rows.len() * 100 > exact.len() * 99);
    let explained = explain(&archive, "with-bounds.hdf5", &padded);
    assert_eq!((&explained["bounds"], &explained["padding"]), (&json!("stored"), &Value::Null));
    padded.request.region.shapes.clear();
    let refused = apus_data::values::select::Selected::new(
        &archive.pin(&Roles::new(), Cancelled::default()),
        &VPath::parse("with-bounds.hdf5").unwrap(),
        padded,
    );
    assert!(matches!(refused, Err(Error::Invalid(_))));
}

fn index(archive: &Archive, paths: &[&str], fields: &[&str]) -> IndexReport {
    let request = IndexRequest {
        paths: paths.iter().map(|path| VPath::parse(path).unwrap()).collect(),
        fields: fields.iter().map(|&field| field.to_owned()).collect(),
    };
    let mut seen = Vec::new();
    let report = index_files(archive, &Roles::new(), &request, &Cancelled::default(), &mut |progress| {
        seen.push((progress.done_bytes, progress.total_bytes));
    });
    let report = report.unwrap();
    assert!(seen.is_sorted() && seen.iter().all(|(done, total)| done <= total));
    assert_eq!(seen.last().map_or(0, |(done, _)| *done), report.size_bytes);
    assert!(seen.last().is_none_or(|(done, total)| done == total));
    report
}

#[test]
fn what_is_indexed_ahead_of_time_is_there_at_the_first_request() {
    let scratch = Scratch::new(&["with-bounds.hdf5", "without-bounds.hdf5"]);
    fs::write(scratch.data().join("notes.txt"), "no HDF5").unwrap();
    let report = index(&scratch.open(), &[""], &["gas.masses", "stars.masses"]);
    let size_bytes = 150_000 * (3 * 8 + 2 * 4);
    let expected = IndexReport { n_files: 2, n_positions: 1, n_columns: 2, size_bytes, failures: Vec::new() };
    assert_eq!(report, expected);
    let archive = scratch.open();
    let truth = truth(&files().join("without-bounds.hdf5"), 4);
    assert!(check(&archive, "without-bounds.hdf5", &truth, "indexed").iter().all(|source| source == "learned"));
    let mut heavy = request("gas.masses", Vec::new());
    heavy.request.conditions = vec!["gas.masses > 0.9".parse().unwrap()];
    assert_ne!(explain(&archive, "without-bounds.hdf5", &heavy)["n_ruled_out"], json!(0));
    // By another process, while a service knew nothing yet.
    fs::remove_dir_all(scratch.maps()).unwrap();
    let running = scratch.open();
    let sphere = small_sphere("gas.coordinates");
    assert_eq!(explain(&running, "without-bounds.hdf5", &sphere)["bounds"], json!("none"));
    index(&scratch.open(), &[""], &["gas.masses"]);
    assert_eq!(explain(&running, "without-bounds.hdf5", &sphere)["bounds"], json!("learned"));
    let again = index(&archive, &["without-bounds.hdf5", "with-bounds.hdf5"], &["gas.masses"]);
    assert_eq!((again.n_files, again.size_bytes), (2, 0), "what is there is not read again");
}

#[test]
fn indexing_can_be_stopped_and_goes_on_where_it_was() {
    let scratch = Scratch::new(&["without-bounds.hdf5"]);
    let archive = scratch.open();
    let request = IndexRequest {
        paths: vec![VPath::parse("without-bounds.hdf5").unwrap()],
        fields: vec!["gas.masses".to_owned()],
    };
    let mut waiting = Some(Waiting::new());
    let cancelled = waiting.as_ref().unwrap().cancelled();
    let stopped = index_files(&archive, &Roles::new(), &request, &cancelled, &mut |progress| {
        if progress.object.ends_with("Masses") {
            waiting = None;
        }
    });
    assert!(matches!(stopped, Err(Error::Gone)));
    let rest = index(&scratch.open(), &["without-bounds.hdf5"], &["gas.masses"]);
    assert_eq!((rest.n_positions, rest.n_columns), (0, 1));
    let unkept = index_files(&open(&scratch.data(), None), &Roles::new(), &request, &Cancelled::default(), &mut |_| {});
    assert!(matches!(unkept, Err(Error::Invalid(_))));
}

#[test]
fn links_that_lead_out_of_the_mounts_are_another_state() {
    // The same file of links, once with what it draws on and once without.
    let scratch = Scratch::new(&["inner.hdf5", "middle.hdf5"]);
    let truth = truth(&files().join("inner.hdf5"), 2);
    check(&scratch.open(), "middle.hdf5", &truth, "whole");
    fs::rename(scratch.data().join("inner.hdf5"), scratch.root.path().join("inner.hdf5")).unwrap();
    let archive = scratch.open();
    let request = request("gas.coordinates", vec![truth.regions[0].shape()]);
    assert_eq!(explain(&archive, "middle.hdf5", &request)["bounds"], json!("none"));
}
