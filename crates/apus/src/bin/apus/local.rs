//! Files that a command is given: opened as the service would, with their folder as the only mount.

use std::{path::Path, sync::Arc};

use anyhow::Context;
use apus::{
    auth::Caller,
    catalog::{Catalog, OpenFile, VPath},
    config::{Config, Mount, MountSource},
};

/// Opens an HDF5 file. Its links reach what lies in its folder and below.
pub(crate) fn open(path: &Path) -> anyhow::Result<Arc<OpenFile>> {
    let shown = path.display();
    let real = path.canonicalize().with_context(|| shown.to_string())?;
    let name = real.file_name().and_then(|name| name.to_str()).with_context(|| format!("{shown}: is no file"))?;
    let folder = real.parent().with_context(|| format!("{shown}: is no file"))?;
    anyhow::ensure!(real.is_file(), "{shown}: is no file");
    let mount = Mount::new("", MountSource::Folder(folder.to_owned()));
    let catalog = Catalog::new(&Config::of_mounts(vec![mount]))?;
    let file = catalog.open(&Caller::anonymous(), &VPath::parse(name)?).with_context(|| shown.to_string())?;
    // Links are resolved by the catalogue, which must live as long as the file: commands end with the file.
    std::mem::forget(catalog);
    Ok(file)
}
