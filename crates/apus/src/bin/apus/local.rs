//! Files that a command is given: opened as the service would, with their folder as the only mount.

use std::{ops::Deref, path::Path, sync::Arc};

use anyhow::Context;
use apus::{
    auth::Caller,
    catalog::{Catalog, OpenFile, VPath},
    config::{Config, Mount, MountSource},
};

/// An open file. Its links are resolved by the catalogue, which lives as long as it does.
pub(crate) struct LocalFile {
    file: Arc<OpenFile>,
    _catalog: Catalog,
}

impl Deref for LocalFile {
    type Target = OpenFile;

    fn deref(&self) -> &OpenFile {
        &self.file
    }
}

/// Opens an HDF5 file. Its links reach what lies in its folder and below.
pub(crate) fn open(path: &Path) -> anyhow::Result<LocalFile> {
    let shown = path.display();
    let real = path.canonicalize().with_context(|| shown.to_string())?;
    let name = real.file_name().and_then(|name| name.to_str()).with_context(|| format!("{shown}: is no file"))?;
    let folder = real.parent().with_context(|| format!("{shown}: is no file"))?;
    anyhow::ensure!(real.is_file(), "{shown}: is no file");
    let mount = Mount::new("", MountSource::Folder(folder.to_owned()));
    let catalog = Catalog::new(&Config::of_mounts(vec![mount]))?;
    let file = catalog.open(&Caller::anonymous(), &VPath::parse(name)?).with_context(|| shown.to_string())?;
    Ok(LocalFile { file, _catalog: catalog })
}
