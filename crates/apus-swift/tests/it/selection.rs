//! Selections on real files: what requests mean, and that no wanted row is lost among the candidates.

use std::{ops::Range, path::Path, sync::Arc};

use apus_h5::{DecodePool, ReadOptions, RowRanges};
use apus_swift::{
    Error, Granularity, GroupSelection, Output, RegionRequest, RowScan, Sample, SelectionRequest, Shape, Statistics,
    WantedRows, read_rows,
};

use crate::reference::swift_files;

fn open(path: &Path) -> Output {
    Output::open(&apus_h5::File::open(path).unwrap()).unwrap()
}

fn file(name: &str) -> Output {
    open(swift_files().iter().find(|path| path.ends_with(name)).unwrap())
}

fn options() -> ReadOptions {
    ReadOptions {
        pool: DecodePool::new(1).unwrap(),
        block_bytes: 1 << 20,
        work_ahead_bytes: 1 << 20,
        ..ReadOptions::default()
    }
}

fn request(fields: &[&str]) -> SelectionRequest {
    SelectionRequest { fields: fields.iter().map(|f| (*f).to_owned()).collect(), ..SelectionRequest::default() }
}

fn all_rows(n_rows: u64) -> RowRanges {
    RowRanges::new(std::iter::once(0..n_rows).collect()).unwrap()
}

fn candidates(output: &Output, selection: &GroupSelection) -> RowRanges {
    let group = output.group(&selection.group).unwrap().unwrap();
    let grid = output.cells().unwrap();
    selection.candidate_rows(output, grid.as_ref().map(|grid| (grid, group))).unwrap().0
}

/// The wanted rows, in order, and how many of them were kept.
fn scan(output: &Output, selection: &Arc<GroupSelection>, candidates: RowRanges) -> Vec<Range<u64>> {
    let mut wanted = WantedRows::default();
    let mut rows = Vec::new();
    for window in RowScan::new(output, selection, candidates, &Statistics::new(), &options()).unwrap() {
        let window = window.unwrap();
        assert_eq!(window.n_wanted(), window.rows().iter().map(|r| r.end - r.start).sum::<u64>());
        rows.extend(window.rows());
        wanted.push(&window);
    }
    let kept: Vec<u64> = (0..wanted.n_pieces()).filter_map(|i| wanted.piece(i)).flatten().flatten().collect();
    assert_eq!(kept, rows.iter().cloned().flatten().collect::<Vec<u64>>());
    assert_eq!(wanted.n_rows(), kept.len() as u64);
    rows
}

#[test]
fn no_wanted_row_is_lost_among_the_candidates() {
    let mut n_skipped = 0;
    for path in swift_files() {
        let output = open(&path);
        let Some(header) = output.header() else { continue };
        // Other files are not opened here.
        if header.is_virtual {
            continue;
        }
        let box_size = header.box_size;
        let shapes = [
            Shape::Sphere { centre: [0.0, box_size[1] / 2.0, box_size[2]], radius: box_size[0] / 5.0 },
            Shape::Box([
                [Some(0.9 * box_size[0]), Some(0.2 * box_size[0])],
                [None, Some(0.4 * box_size[1])],
                [None, None],
            ]),
            Shape::Sphere { centre: [0.0; 3], radius: 0.0 },
        ];
        let groups = output.groups().unwrap();
        for group in groups.iter().filter(|g| g.present && g.n_rows > 0 && g.field("coordinates").is_some()) {
            for shape in &shapes {
                let mut request = request(&[&format!("{}.coordinates", group.name)]);
                request.region = RegionRequest { shapes: vec![shape.clone().into()], ..RegionRequest::default() };
                let [selection] = <[_; 1]>::try_from(request.resolve(&output).unwrap()).unwrap();
                let selection = Arc::new(selection);
                let candidates = candidates(&output, &selection);
                n_skipped += group.n_rows - candidates.n_rows().unwrap();
                let mut found: Vec<u64> = scan(&output, &selection, candidates).into_iter().flatten().collect();
                found.sort_unstable();
                let expected: Vec<u64> =
                    scan(&output, &selection, all_rows(group.n_rows)).into_iter().flatten().collect();
                assert_eq!(found, expected, "{}: {} {shape:?}", path.display(), group.name);
            }
        }
    }
    assert!(n_skipped > 10_000, "cells should spare most rows, not {n_skipped}");
}

#[test]
fn names_are_found_in_every_form() {
    let output = file("cosmo_box_lossy_nogzip.hdf5");
    let resolve = |fields: &[&str]| request(fields).resolve(&output);
    let selections =
        resolve(&["gas.masses", "/PartType1/ParticleIDs", "PartType0.Coordinates", "gas.velocities.y"]).unwrap();
    assert_eq!(selections.iter().map(|s| s.name.as_str()).collect::<Vec<_>>(), ["gas", "dark_matter"]);
    let asked = |s: &GroupSelection| s.fields.iter().map(|f| (f.asked.clone(), f.column)).collect::<Vec<_>>();
    let gas = ["gas.masses", "PartType0.Coordinates", "gas.velocities.y"].map(str::to_owned);
    assert_eq!(asked(&selections[0]), gas.into_iter().zip([None, None, Some(1)]).collect::<Vec<_>>());
    let all = resolve(&["gas.*"]).unwrap();
    assert_eq!(all[0].fields.len(), output.group("gas").unwrap().unwrap().fields.len());
    assert!(all[0].fields.iter().all(|f| f.asked == format!("gas.{}", f.field.name)));

    let reason = |fields: &[&str]| resolve(fields).unwrap_err().to_string();
    assert!(reason(&["gas.mass"]).contains("did you mean \"masses\""));
    assert!(reason(&["gass.masses"]).contains("no group of fields is called \"gass\""));
    assert!(reason(&["gas.masses", "gas.masses"]).contains("asked for twice"));
    assert!(reason(&[]).contains("no fields"));
}

#[test]
fn requests_that_make_no_sense_are_refused() {
    let output = file("cosmo_box_lossy_nogzip.hdf5");
    let about_others = SelectionRequest {
        conditions: vec!["dark_matter.particle_ids > 3".parse().unwrap()],
        ..request(&["gas.masses"])
    };
    assert!(
        matches!(about_others.resolve(&output), Err(Error::BadSelection { reason }) if reason.contains("dark_matter"))
    );
    let unknown_unit = SelectionRequest { units: vec!["parsnip".to_owned()], ..request(&["gas.masses"]) };
    assert!(matches!(unknown_unit.resolve(&output), Err(Error::BadUnit { .. })));
    let fof = file("fof_catalogue.hdf5");
    let region = RegionRequest {
        shapes: vec![Shape::Sphere { centre: [1.0; 3], radius: 1.0 }.into()],
        ..RegionRequest::default()
    };
    let in_cells =
        SelectionRequest { region: region.clone(), granularity: Granularity::Cells, ..request(&["fof_groups.masses"]) };
    let [selection] = <[_; 1]>::try_from(in_cells.resolve(&fof).unwrap()).unwrap();
    assert!(matches!(selection.candidate_rows(&output, None), Err(Error::BadSelection { .. })));
    let los = file("los.hdf5");
    let name = format!("{}.masses", los.groups().unwrap()[0].name);
    assert!(SelectionRequest { region, ..request(&[&name]) }.resolve(&los).is_ok());
}

#[test]
fn conditions_ids_samples_and_limits_add_up() {
    let output = file("cosmo_box_many_chunks.hdf5");
    let group = output.group("gas").unwrap().unwrap();
    let read = |path: &str| {
        let mut bytes = Vec::new();
        let rows = all_rows(group.n_rows).into_ranges();
        read_rows(&output.file().dataset(path).unwrap(), rows, None, &options(), &mut bytes).unwrap();
        bytes
    };
    let ids: Vec<u64> =
        read("/PartType0/ParticleIDs").as_chunks::<8>().0.iter().map(|b| u64::from_le_bytes(*b)).collect();
    let mut sorted = ids.clone();
    sorted.sort_unstable();
    let threshold = sorted[sorted.len() / 3];
    let sample = Sample::new(0.25).unwrap();
    let request = SelectionRequest {
        conditions: vec![format!("particle_ids > {threshold}").parse().unwrap()],
        sample: Some(sample),
        limit: Some(1000),
        ..request(&["gas.masses"])
    };
    let [selection] = <[_; 1]>::try_from(request.resolve(&output).unwrap()).unwrap();
    let found = scan(&output, &Arc::new(selection), all_rows(group.n_rows));
    let expected = (0u64..).zip(&ids).filter(|(_, id)| **id > threshold && sample.contains(**id)).map(|(row, _)| row);
    assert_eq!(found.into_iter().flatten().collect::<Vec<u64>>(), expected.take(1000).collect::<Vec<u64>>());
}
