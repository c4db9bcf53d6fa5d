//! Reads the gas particles in spheres of a snapshot, one after the other, and prints what each took: for `bench/zone_maps.py`.
//!
//!     region FOLDER FILE MAPS X,Y,Z,RADIUS...
//!     region FOLDER FILE MAPS index

#![expect(clippy::print_stdout, reason = "it is what it is for")]

use std::{collections::BTreeMap, error::Error, path::PathBuf, time::Instant};

use apus_data::{
    catalog::{Catalog, CatalogOptions},
    store::{Mount, MountSource, Roles, VPath},
    values::{
        Archive, ArchiveParts, Body, Cancelled, IndexRequest, Limits, PictureMemory, StatisticsCache, TileCache,
        ZoneMapFolder, index_files,
        select::{Format, SelectRequest, Selected},
    },
};
use apus_h5::{Caches, DecodePool};
use apus_swift::{RegionRequest, SelectionRequest, Shape};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, file, maps, what @ ..] = arguments.as_slice() else {
        return Err("region FOLDER FILE MAPS index|X,Y,Z,RADIUS...".into());
    };
    let catalog = Catalog::new(CatalogOptions {
        mounts: vec![Mount::new("", MountSource::Folder(PathBuf::from(folder)))],
        aliases: BTreeMap::new(),
        open_files: 16,
        metadata_bytes: 16 << 20,
        max_chunk_bytes: 64 << 20,
        caches: Caches::new(64 << 20, 64 << 20),
    })?;
    let maps = ZoneMapFolder::new(maps, 1 << 30, &catalog);
    let archive = Archive::new(ArchiveParts {
        catalog,
        pool: DecodePool::new(2)?,
        limits: Limits {
            block_bytes: 1 << 20,
            work_ahead_bytes: 8 << 20,
            row_ranges: 1 << 20,
            conditions: 256,
            condition_bytes: 64 << 10,
            answer_bytes: 1 << 40,
            held_bytes: 64 << 20,
            picture_operations: 1 << 36,
        },
        statistics: StatisticsCache::with_folder(64 << 20, maps),
        pictures: PictureMemory::new(1 << 30),
        tiles: TileCache::new(1 << 20),
    });
    let path = VPath::parse(file)?;
    for what in what {
        let (before, started) = (archive.catalog.read_bytes(), Instant::now());
        let cpu_before = cpu_s();
        let n_bytes = if what == "index" {
            let request = IndexRequest { paths: vec![path.clone()], fields: Vec::new() };
            index_files(&archive, &Roles::new(), &request, &Cancelled::default(), &mut |_| {})?.size_bytes
        } else {
            select(&archive, &path, what)?
        };
        println!(
            "{{\"wall_s\": {:.4}, \"cpu_s\": {:.4}, \"read_bytes\": {}, \"answer_bytes\": {n_bytes}}}",
            started.elapsed().as_secs_f64(),
            cpu_s() - cpu_before,
            archive.catalog.read_bytes() - before,
        );
    }
    Ok(())
}

/// The bytes of an answer in Arrow.
fn select(archive: &Archive, path: &VPath, sphere: &str) -> Result<u64, Box<dyn Error>> {
    let numbers: Vec<f64> = sphere.split(',').map(str::parse).collect::<Result<_, _>>()?;
    let [x, y, z, radius] = numbers.as_slice() else { return Err("a sphere is four numbers".into()) };
    let shapes = vec![Shape::Sphere { centre: [*x, *y, *z], radius: *radius }.into()];
    let request = SelectRequest {
        request: SelectionRequest {
            fields: ["gas.coordinates", "gas.masses"].map(str::to_owned).to_vec(),
            region: RegionRequest { shapes, ..RegionRequest::default() },
            ..SelectionRequest::default()
        },
        halos: None,
        format: Format::Arrow,
        explain: false,
    };
    let selected = Selected::new(&archive.pin(&Roles::new(), Cancelled::default()), path, request)?;
    Ok(match selected.content()?.content.into_body()? {
        Body::Whole(bytes) => bytes.len() as u64,
        Body::Blocks(blocks) => {
            blocks.map(|block| Ok::<_, Box<dyn Error>>(block?.len() as u64)).sum::<Result<_, _>>()?
        }
    })
}

/// The processor's seconds that the threads of this process have taken.
fn cpu_s() -> f64 {
    let threads = std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let taken_ns = threads.filter_map(|thread| {
        let stat = std::fs::read_to_string(thread.path().join("schedstat")).ok()?;
        stat.split_whitespace().next()?.parse::<f64>().ok()
    });
    taken_ns.sum::<f64>() / 1e9
}
