//! What files are said to be and to hold.

use std::path::Path;

use apus_swift::{Distribution, Error, Output, OutputKind};
use serde_json::{Value, json};

use crate::reference::{made_file, run, swift_files};

fn open(path: &Path) -> Output {
    Output::open(&apus_h5::File::open(path).unwrap()).unwrap()
}

/// Compares the descriptions of these files with swiftsimio's; gives the number of things compared and the refused files.
fn compare(paths: &[impl AsRef<Path>]) -> (u64, Vec<String>) {
    let mut input = String::new();
    for path in paths {
        let output = open(path.as_ref());
        let case = json!({ "path": path.as_ref(), "description": output.describe().unwrap() });
        input.push_str(&case.to_string());
        input.push('\n');
    }
    let answer: Value = serde_json::from_str(&run("check_descriptions.py", &[], &input)).unwrap();
    let differences = answer["differences"].as_array().unwrap();
    assert!(
        differences.is_empty(),
        "{} differences: {:#?}",
        differences.len(),
        &differences[..differences.len().min(40)]
    );
    let refused = answer["refused"].as_object().unwrap().keys().cloned().collect();
    (answer["n_compared"].as_u64().unwrap(), refused)
}

#[test]
fn descriptions_agree_with_swiftsimio() {
    let files = swift_files();
    let (n_compared, refused) = compare(&files);
    println!("{n_compared} values compared in {} files, {} refused by swiftsimio", files.len(), refused.len());
    assert_eq!(refused, ["snipshot_subsampled.hdf5"]);
    assert!(n_compared > 300 * files.len() as u64, "only {n_compared} values compared");
}

#[test]
fn catalogues_and_old_snapshots_agree_with_swiftsimio() {
    let (n_compared, refused) = compare(&[made_file("soap.hdf5"), made_file("old_snapshot.hdf5")]);
    assert!(n_compared > 200, "only {n_compared} values compared");
    assert!(refused.is_empty(), "{refused:?}");
}

#[test]
fn kinds_are_told_apart() {
    for path in swift_files() {
        let name = path.file_name().unwrap().to_str().unwrap();
        let output = open(&path);
        let expected = match name {
            _ if name.starts_with("fof_") => OutputKind::FofCatalogue,
            _ if name.starts_with("los") => OutputKind::LineOfSight,
            _ if name.starts_with("snipshot") => OutputKind::Subsampled,
            _ => OutputKind::Snapshot,
        };
        assert_eq!(*output.kind(), expected, "{name}");
        let expected = match name {
            _ if name.contains("_0001.0.") => Distribution::Part { index: 0, n_files: 2 },
            _ if name.contains("_0001.1.") => Distribution::Part { index: 1, n_files: 2 },
            _ if name.contains("virtual") => Distribution::Virtual,
            _ => Distribution::Single,
        };
        assert_eq!(output.distribution(), expected, "{name}");
    }
    for name in ["not_swift.hdf5", "gadget.hdf5"] {
        let output = open(&made_file(name));
        assert_eq!(*output.kind(), OutputKind::NotSwift, "{name}");
        assert!(output.groups().unwrap().is_empty());
        assert!(output.header().is_none());
    }
    assert_eq!(*open(&made_file("soap.hdf5")).kind(), OutputKind::SoapCatalogue);
}

#[test]
fn a_header_without_a_box_is_refused_by_name() {
    let file = apus_h5::File::open(made_file("no_box.hdf5")).unwrap();
    let error = Output::open(&file).unwrap_err();
    assert!(matches!(error, Error::Malformed { .. }));
    assert!(error.to_string().contains("/Header@BoxSize"), "{error}");
}

#[test]
fn a_type_that_was_switched_off_is_absent_but_counted() {
    let path = swift_files().into_iter().find(|p| p.ends_with("snipshot_subsampled.hdf5")).unwrap();
    let output = open(&path);
    let black_holes = output.group("black_holes").unwrap().unwrap();
    assert!(!black_holes.present);
    assert_eq!((black_holes.n_rows, black_holes.n_rows_total), (0, Some(12)));
    assert!(black_holes.fields.is_empty());
    let stars = output.group("PartType4").unwrap().unwrap();
    assert_eq!((stars.name.as_str(), stars.n_rows), ("stars", 1046));
    let fractions = output.header().unwrap().subsample_fractions.clone().unwrap();
    assert_eq!(fractions, [1.0, f64::from(0.1_f32), 1.0, 1.0, 0.25, 1.0, 1.0]);
}

#[test]
fn soap_groups_are_found_without_a_list() {
    let names =
        |name| -> Vec<String> { open(&made_file(name)).groups().unwrap().iter().map(|g| g.group.clone()).collect() };
    assert_eq!(names("soap_without_types.hdf5"), names("soap.hdf5"));
}
