//! Halos of catalogues, on what SWIFT wrote.

use std::{path::Path, sync::Arc};

use apus_h5::{DecodePool, ReadOptions};
use apus_swift::{Error, HaloRequest, MAX_HALOS, Output, RowScan, SelectionRequest, Statistics, read_rows};

use crate::reference::swift_files;

fn file(name: &str) -> Output {
    let path = swift_files().into_iter().find(|path| path.ends_with(name)).unwrap();
    open(&path)
}

fn open(path: &Path) -> Output {
    Output::open(&apus_h5::File::open(path).unwrap()).unwrap()
}

fn options() -> ReadOptions {
    ReadOptions {
        pool: DecodePool::new(1).unwrap(),
        block_bytes: 1 << 20,
        work_ahead_bytes: 1 << 20,
        ..ReadOptions::default()
    }
}

fn members(ids: &[u64]) -> HaloRequest {
    HaloRequest { ids: ids.to_vec(), aperture: None, members: true }
}

fn within(ids: &[u64], aperture: &str) -> HaloRequest {
    HaloRequest { ids: ids.to_vec(), aperture: Some(aperture.parse().unwrap()), members: false }
}

/// How many rows of all types a request for halos gives.
fn count(output: &Output, catalogue: &Output, request: &HaloRequest) -> u64 {
    let halos = Arc::new(request.resolve(output, Some(catalogue), &options()).unwrap());
    let groups = output.groups().unwrap().iter().filter(|group| group.present && group.n_rows > 0);
    groups
        .map(|group| {
            let fields = vec![format!("{}.particle_ids", group.name)];
            let request = SelectionRequest { fields, halos: Some(Arc::clone(&halos)), ..SelectionRequest::default() };
            let [selection] = <[_; 1]>::try_from(request.resolve(output).unwrap()).unwrap();
            let grid = output.cells().unwrap();
            let (candidates, _) = selection.candidate_rows(output, grid.as_ref().map(|grid| (grid, group))).unwrap();
            let scan = RowScan::new(output, &Arc::new(selection), candidates, &Statistics::new(), &options()).unwrap();
            scan.map(|window| window.unwrap().n_wanted()).sum::<u64>()
        })
        .sum()
}

#[test]
fn members_are_as_many_as_swift_counted() {
    let pairs = [
        ("cosmo_box_gzip_v1.0.0.hdf5", "fof_catalogue_v1.0.0.hdf5"),
        ("cosmic_web_0002.hdf5", "fof_cosmic_web_0002.hdf5"),
    ];
    for (snapshot, catalogue) in pairs {
        let (snapshot, catalogue) = (file(snapshot), file(catalogue));
        let column = |path: &str| -> Vec<u64> {
            let dataset = catalogue.file().dataset(path).unwrap();
            let rows = std::iter::once(0..dataset.shape()[0]).collect();
            let mut bytes = Vec::new();
            read_rows(&dataset, rows, None, &options(), &mut bytes).unwrap();
            bytes.as_chunks::<8>().0.iter().map(|b| u64::try_from(i64::from_le_bytes(*b)).unwrap()).collect()
        };
        let (ids, sizes) = (column("/Groups/GroupIDs"), column("/Groups/Sizes"));
        for (id, size) in ids.iter().zip(&sizes).take(5) {
            assert_eq!(count(&snapshot, &catalogue, &members(&[*id])), *size);
        }
        // Asked for twice, in any order: each member once.
        let all: Vec<u64> = ids.iter().rev().chain(&ids).copied().collect();
        assert_eq!(count(&snapshot, &catalogue, &members(&all)), sizes.iter().sum::<u64>());
        let everything = count(&snapshot, &catalogue, &within(&ids, "1000 Gpc"));
        let n_rows: u64 = snapshot.groups().unwrap().iter().map(|group| group.n_rows).sum();
        assert_eq!(everything, n_rows);
    }
}

#[test]
fn what_cannot_be_looked_up_is_told() {
    let (snapshot, catalogue) = (file("cosmo_box_gzip_v1.0.0.hdf5"), file("fof_catalogue_v1.0.0.hdf5"));
    let check = |request: &HaloRequest, catalogue: Option<&Output>, expected: &str| {
        let error = request.resolve(&snapshot, catalogue, &options()).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
        error
    };
    let unknown = check(&members(&[1, 9, 8]), Some(&catalogue), "halo 8, 9: ");
    assert!(matches!(unknown, Error::UnknownHalo { .. }));
    let many: Vec<u64> = (0..=MAX_HALOS as u64).collect();
    check(&members(&many), Some(&catalogue), &format!("{} halos are more than {MAX_HALOS}", many.len()));
    check(&members(&[]), Some(&catalogue), "no halo");
    check(&within(&[1], "2 Mpc"), None, "catalogue=PATH");
    check(&within(&[1], "r200c"), Some(&catalogue), "no radius \"r200c\"");
    check(&within(&[1], "2 kg"), Some(&catalogue), "length");
    check(&members(&[1]), Some(&snapshot), "not a FOF or SOAP catalogue");
    check(&members(&[1]), Some(&file("fof_cosmic_web_0002.hdf5")), "not of the same simulation");
}
