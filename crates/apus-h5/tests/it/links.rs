//! The way from a path to an object, along links of every kind.

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
    sync::LazyLock,
};

use apus_h5::{Error, File, Object};
use serde_json::{Map, Value};

use crate::{folder, python};

/// Made once: the tests run side by side.
fn files() -> &'static Path {
    static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
        let folder = python::scratch("links");
        python::run("main", "make_metadata_files.py", &[&folder, Path::new("links")]);
        folder
    });
    &FOLDER
}

fn kind(object: &Object) -> &'static str {
    match object {
        Object::Group(_) => "group",
        Object::Dataset(_) => "dataset",
        _ => "named type",
    }
}

#[test]
fn paths_lead_where_h5py_finds_them_to_lead() {
    let path = files().join("chains.h5");
    let paths = [
        "/",
        "data",
        "/data",
        "//data/",
        "/./data/.",
        "/data/x",
        "16/0",
        "16/16",
        "17/0",
        "17/1",
        "17/17",
        "cycle",
        "cycle2",
        "cycle/x",
        "out",
        "out/x",
        "out/y",
        "out_and_back",
        "missing_file",
        "missing_path",
        "g",
        "g/up",
        "/g/h/../h/data",
        "g/h/data",
        "soft_out",
        "nothing",
        ".",
        "g/.",
        "g//h///data",
        "type",
        "type/x",
    ];
    let mut arguments = vec![path.as_path()];
    arguments.extend(paths.iter().map(Path::new));
    let expected: Map<String, Value> =
        serde_json::from_str(&python::run("main", "follow_links.py", &arguments)).unwrap();
    let file = folder::open(&path);
    let mut differences = String::new();
    for (path, expected) in &expected {
        // A path and its form relative to the root group lead to the same.
        for found in [file.get(path), file.root().unwrap().get(path)] {
            let agrees = match (&found, expected.as_str()) {
                (Ok(object), Some(expected)) => kind(object) == expected,
                // A chain that is too long, or endless, is not the same as nothing at its end.
                (Err(Error::Unsupported { feature, .. }), None) => feature.contains("more than 16"),
                (Err(Error::NotFound { .. }), None) => !path.starts_with("17") && !path.starts_with("cycle"),
                _ => false,
            };
            if !agrees {
                writeln!(differences, "{path}: {expected} expected, {found:?} found").unwrap();
            }
        }
    }
    assert_eq!(expected.len(), paths.len());
    assert!(differences.is_empty(), "{differences}");
}

#[test]
fn objects_know_by_which_path_and_in_which_file_they_were_reached() {
    let path = files().join("chains.h5");
    let file = folder::open(&path);
    for (asked, file_name, reached) in [
        ("//g/./up", "chains.h5", "/g/up"),
        ("/16/0", "chains.h5", "/16/0"),
        ("/out/x", "other file.h5", "/päth/x"),
        ("/soft_out", "other file.h5", "/päth/x"),
        ("/out_and_back", "chains.h5", "/data"),
    ] {
        let dataset = file.dataset(asked).unwrap();
        let name = Path::new(dataset.file().name()).file_name().unwrap();
        assert_eq!((name.to_str().unwrap(), dataset.path()), (file_name, reached), "{asked}");
    }
    assert_eq!(file.dataset("g/up").unwrap().address(), file.dataset("data").unwrap().address());
    assert_eq!(file.group("g").unwrap().get("h/data").unwrap().kind(), "dataset");
    assert_eq!(file.group("g").unwrap().get("/data").unwrap().kind(), "dataset");
}

#[test]
fn without_a_resolver_no_other_file_is_reached() {
    let file = File::open(files().join("chains.h5")).unwrap();
    for path in ["out", "out/x", "out_and_back", "missing_file", "soft_out"] {
        let error = file.get(path).unwrap_err();
        assert!(matches!(error, Error::Refused { .. }), "{path}: {error}");
    }
    assert!(matches!(file.dataset("g").unwrap_err(), Error::WrongKind { expected: "dataset", found: "group", .. }));
    assert!(matches!(file.group("data").unwrap_err(), Error::WrongKind { expected: "group", found: "dataset", .. }));
}
