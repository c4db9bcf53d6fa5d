//! Archives over folders of files, and requests of them.

use std::{collections::BTreeMap, path::Path};

use apus_data::{
    catalog::{Catalog, CatalogOptions},
    store::{Mount, MountSource, Roles, VPath},
    values::{
        Archive, ArchiveParts, Body, Cancelled, Limits, PictureMemory, StatisticsCache, TileCache, ZoneMapFolder,
        select::{Format, SelectRequest, Selected},
    },
};
use apus_h5::{Caches, DecodePool};
use apus_swift::{RegionRequest, SelectionRequest, Shape};
use serde_json::Value;

/// The files of a folder; what is learned lasts in `maps`, where that is given.
pub(crate) fn open(folder: &Path, maps: Option<&Path>) -> Archive {
    let catalog = Catalog::new(CatalogOptions {
        mounts: vec![Mount::new("", MountSource::Folder(folder.to_owned()))],
        aliases: BTreeMap::new(),
        open_files: 16,
        metadata_bytes: 16 << 20,
        max_chunk_bytes: 64 << 20,
        // What is read again is counted again.
        caches: Caches::new(0, 0),
    });
    let catalog = catalog.unwrap();
    let maps = maps.map(|path| ZoneMapFolder::new(path, 64 << 20, &catalog).expect("outside of the data"));
    Archive::new(ArchiveParts {
        catalog,
        pool: DecodePool::new(2).unwrap(),
        limits: Limits {
            block_bytes: 1 << 20,
            work_ahead_bytes: 4 << 20,
            row_ranges: 1 << 20,
            conditions: 256,
            condition_bytes: 64 << 10,
            answer_bytes: 1 << 30,
            held_bytes: 64 << 20,
            picture_operations: 1 << 36,
        },
        statistics: StatisticsCache::with_folder(64 << 20, maps),
        pictures: PictureMemory::new(1 << 30),
        tiles: TileCache::new(1 << 20),
    })
}

/// A request for one field as JSON.
pub(crate) fn request(field: &str, shapes: Vec<Shape>) -> SelectRequest {
    let shapes = shapes.into_iter().map(Into::into).collect();
    let region = RegionRequest { shapes, ..RegionRequest::default() };
    SelectRequest {
        request: SelectionRequest { fields: vec![field.to_owned()], region, ..SelectionRequest::default() },
        halos: None,
        format: Format::Json,
        explain: false,
    }
}

/// The values of the only field.
pub(crate) fn select(archive: &Archive, path: &str, request: &SelectRequest) -> Value {
    let path = VPath::parse(path).unwrap();
    let selected = Selected::new(&pin(archive), &path, request.clone()).unwrap();
    selected.tag().unwrap();
    let content = selected.content().unwrap().content;
    let mut json = Vec::new();
    match content.into_body().unwrap() {
        Body::Whole(bytes) => json.extend_from_slice(&bytes),
        Body::Blocks(blocks) => blocks.for_each(|block| json.extend_from_slice(&block.unwrap())),
    }
    let mut values: Value = serde_json::from_slice(&json).unwrap();
    values[&request.request.fields[0]].take()
}

/// What is told of the only group before values are read.
pub(crate) fn explain(archive: &Archive, path: &str, request: &SelectRequest) -> Value {
    let request = SelectRequest { explain: true, ..request.clone() };
    let selected = Selected::new(&pin(archive), &VPath::parse(path).unwrap(), request).unwrap();
    let mut explained: Value = serde_json::from_slice(&selected.explain().unwrap()).unwrap();
    explained["groups"][0].take()
}

fn pin(archive: &Archive) -> apus_data::values::Pinned {
    archive.pin(&Roles::new(), Cancelled::default())
}
