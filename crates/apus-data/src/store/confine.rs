//! Opens files below a folder, safe against concurrent changes to the folder.
//!
//! A checked path may lead elsewhere by the time it is opened. So the caller first resolves links and checks the result; then each
//! path component below the mount's folder is opened separately, relative to the previous one, refusing links. What is opened is
//! what was checked, or nothing.

use std::{fs, io, os::fd::OwnedFd, path::Path};

use rustix::fs::{CWD, Mode, OFlags, openat};

/// Opens the regular file at `inner` (no links in it) below the folder `root`.
///
/// Errors: [`io::ErrorKind::NotFound`] also for anything but a regular file.
pub(crate) fn open_file(root: &Path, inner: &str) -> io::Result<fs::File> {
    let (folder, name) = match inner.rsplit_once('/') {
        Some((folder, name)) => (folder, name),
        None => ("", inner),
    };
    let folder = open_folder(root, folder)?;
    // NONBLOCK: opening a named pipe must not wait for a writer.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = fs::File::from(openat(&folder, name, flags, Mode::empty())?);
    if !file.metadata()?.is_file() {
        return Err(io::ErrorKind::NotFound.into());
    }
    Ok(file)
}

/// Opens the folder at `inner` (no links in it) below the folder `root`.
pub(crate) fn open_folder(root: &Path, inner: &str) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let mut folder = openat(CWD, root, flags, Mode::empty())?;
    for name in inner.split('/').filter(|name| !name.is_empty()) {
        folder = openat(&folder, name, flags | OFlags::NOFOLLOW, Mode::empty())?;
    }
    Ok(folder)
}
