//! Opens files from the command line as the service does, with their folder as the only mount.

use std::path::Path;

use anyhow::Context;
use apus::{app, config::Config};
use apus_data::{
    store::{Mount, MountSource, Roles, VPath},
    values::{Cancelled, PinnedFile},
};

/// Opens an HDF5 file. Its links may lead to files in its folder and below.
pub(crate) fn open(path: &Path) -> anyhow::Result<PinnedFile> {
    let shown = path.display();
    let real = path.canonicalize().with_context(|| shown.to_string())?;
    let name = real.file_name().and_then(|name| name.to_str()).with_context(|| format!("{shown}: not a file"))?;
    let folder = real.parent().with_context(|| format!("{shown}: not a file"))?;
    anyhow::ensure!(!real.is_dir(), "{shown}: a folder; name a file in it");
    anyhow::ensure!(real.is_file(), "{shown}: not a file");
    let mount = Mount::new("", MountSource::Folder(folder.to_owned()));
    let archive = app::open_archive(&Config::of_mounts(vec![mount]))?;
    let pinned = archive.pin(&Roles::new(), Cancelled::default());
    pinned.open(&VPath::parse(name)?).with_context(|| shown.to_string())
}
