//! Files that a command is given: opened as the service would, with their folder as the only mount.

use std::path::Path;

use anyhow::Context;
use apus::{app, config::Config};
use apus_data::{
    store::{Mount, MountSource, Roles, VPath},
    values::{Cancelled, PinnedFile},
};

/// Opens an HDF5 file. Its links reach what lies in its folder and below.
pub(crate) fn open(path: &Path) -> anyhow::Result<PinnedFile> {
    let shown = path.display();
    let real = path.canonicalize().with_context(|| shown.to_string())?;
    let name = real.file_name().and_then(|name| name.to_str()).with_context(|| format!("{shown}: is no file"))?;
    let folder = real.parent().with_context(|| format!("{shown}: is no file"))?;
    anyhow::ensure!(real.is_file(), "{shown}: is no file");
    let mount = Mount::new("", MountSource::Folder(folder.to_owned()));
    let archive = app::open_archive(&Config::of_mounts(vec![mount]))?;
    let pinned = archive.pin(&Roles::new(), Cancelled::default());
    pinned.open(&VPath::parse(name)?).with_context(|| shown.to_string())
}
