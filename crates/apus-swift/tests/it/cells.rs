//! Which rows cells give, against swiftsimio's masks.

use std::path::PathBuf;

use apus_h5::{DecodePool, ReadOptions};
use apus_swift::{CellTest, Error, Output, Region, Shape};
use serde::Deserialize;

use crate::reference::{made_file, run, swift_files};

/// One line of `mask_cells.py`.
#[derive(Deserialize)]
struct Masks {
    path: PathBuf,
    refused: Option<String>,
    #[serde(default)]
    boxes: Vec<[Option<[f64; 2]>; 3]>,
    #[serde(default)]
    rows: std::collections::BTreeMap<String, Vec<Option<Vec<u64>>>>,
}

fn masks(n_boxes: u32, paths: &[PathBuf]) -> Vec<Masks> {
    let n_boxes = n_boxes.to_string();
    let arguments: Vec<&str> =
        std::iter::once(n_boxes.as_str()).chain(paths.iter().map(|p| p.to_str().unwrap())).collect();
    let answer = run("mask_cells.py", &arguments, "");
    answer.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn region(bounds: &[Option<[f64; 2]>; 3], box_size: [f64; 3]) -> apus_swift::Result<Region> {
    let shape = Shape::Box(bounds.map(|axis| axis.map_or([None, None], |b| b.map(Some))));
    Region::new(&[shape], box_size)
}

/// Compares all boxes of all files; gives the number of selections compared and the names of the refused files.
fn compare(n_boxes: u32, paths: &[PathBuf]) -> (usize, Vec<String>) {
    let mut n_compared = 0;
    let mut refused = Vec::new();
    for masks in masks(n_boxes, paths) {
        let name = masks.path.file_name().unwrap().to_str().unwrap().to_owned();
        if masks.refused.is_some() {
            refused.push(name);
            continue;
        }
        let output = Output::open(&apus_h5::File::open(&masks.path).unwrap()).unwrap();
        let box_size = output.header().unwrap().box_size;
        let grid = output.cells().unwrap().expect("swiftsimio found cells");
        for (group, expected) in &masks.rows {
            let table = grid.table(&output, output.group(group).unwrap().unwrap()).unwrap().unwrap();
            let options = ReadOptions {
                pool: DecodePool::new(1).unwrap(),
                block_bytes: 1 << 20,
                work_ahead_bytes: 1 << 20,
                ..ReadOptions::default()
            };
            let on_pool = output.cells_read_with(Some(&options)).unwrap().unwrap();
            let everywhere = CellTest::MayContain { allowance: 0.0 };
            for grid in [&grid, &on_pool] {
                let found =
                    grid.find(&output, output.group(group).unwrap().unwrap(), &Region::everywhere(), everywhere);
                assert_eq!(found.unwrap(), Some(table.find(&Region::everywhere(), everywhere)), "{name}: {group}");
            }
            for (i, (bounds, expected)) in masks.boxes.iter().zip(expected).enumerate() {
                n_compared += 1;
                match (region(bounds, box_size), expected) {
                    (Ok(region), Some(expected)) => {
                        let found = table.find(&region, CellTest::Touches);
                        let rows: Vec<u64> = found.rows.as_slice().iter().flat_map(|r| [r.start, r.end]).collect();
                        assert_eq!(rows, *expected, "{name}: {group} in {bounds:?}");
                        // Each table is of the cells that pass by, which takes longer.
                        if i % 50 == 0 {
                            let passing = on_pool.find(
                                &output,
                                output.group(group).unwrap().unwrap(),
                                &region,
                                CellTest::Touches,
                            );
                            assert_eq!(passing.unwrap(), Some(found), "{name}: {group} in {bounds:?}");
                        }
                    }
                    (Err(Error::BadRegion { .. }), None) => {}
                    (ours, theirs) => {
                        assert_eq!(format!("{ours:?}"), format!("{theirs:?}"), "{name}: {group} in {bounds:?}");
                    }
                }
            }
        }
    }
    (n_compared, refused)
}

#[test]
fn cells_give_the_rows_of_swiftsimios_masks() {
    let files: Vec<PathBuf> = swift_files();
    let (n_compared, refused) = compare(1000, &files);
    println!("{n_compared} selections compared in {} files, {} refused by swiftsimio", files.len(), refused.len());
    assert!(refused.iter().all(|name| {
        ["fof_", "los", "snipshot"].iter().any(|kind| name.starts_with(kind))
            || name.contains("_0001.0.")
            || name.contains("_0001.1.")
    }));
    assert!(n_compared >= 20_000, "only {n_compared} selections compared");
}

#[test]
fn old_and_shared_cells_give_the_rows_of_swiftsimios_masks() {
    let (n_compared, refused) = compare(1000, &[made_file("old_snapshot.hdf5"), made_file("soap.hdf5")]);
    assert_eq!(n_compared, 8000);
    assert!(refused.is_empty(), "{refused:?}");
}

#[test]
fn parts_of_a_distributed_output_have_their_own_rows() {
    let parts: Vec<PathBuf> = swift_files()
        .into_iter()
        .filter(|p| ["_0001.0.hdf5", "_0001.1.hdf5"].iter().any(|end| p.to_str().unwrap().ends_with(end)))
        .collect();
    assert!(parts.len() >= 2);
    for path in parts {
        let output = Output::open(&apus_h5::File::open(&path).unwrap()).unwrap();
        let grid = output.cells().unwrap().unwrap();
        for group in output.groups().unwrap().iter().filter(|g| g.present) {
            let table = grid.table(&output, group).unwrap().unwrap();
            assert!(table.holds_all_rows(), "{}: {}", path.display(), group.name);
        }
    }
}
