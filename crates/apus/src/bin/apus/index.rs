//! `apus index`.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, ensure};
use apus::{
    app,
    config::{Config, Flags},
};
use apus_data::{
    store::{Mount, MountSource, Roles},
    values::{Cancelled, IndexRequest, index_files},
};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use crate::terminal::{note, print};

/// Build zone maps ahead of time, so that selections read only the cells and chunks they need
///
/// SWIFT files from before April 2022 do not store the bounds of the positions in each cell. The service learns them from the first
/// request for a region; this command learns them beforehand. With --field it also learns the minimum and maximum of each chunk of
/// a field, for conditions. Zone maps are kept in the state folder and are valid until the file changes; they can be deleted at any time.
#[derive(Args)]
#[command(after_help = "Examples:\n  apus index /data/snapshots\n  \
                        apus index snapshot_0023.hdf5 --field gas.temperatures --field gas.densities")]
pub(crate) struct Index {
    /// Files, or folders with files at any depth
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,
    /// A field to index for conditions; may be given several times
    #[arg(long = "field", value_name = "FIELD")]
    fields: Vec<String>,
    /// The state folder of the service [default: apus in the user's data directory]
    #[arg(long, value_name = "DIR", env = "APUS_STATE")]
    state: Option<PathBuf>,
    /// The configuration file of the service [default: apus.toml in the working directory, if it exists]
    #[arg(long, value_name = "FILE", env = "APUS_CONFIG")]
    config: Option<PathBuf>,
}

impl Index {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let flags = Flags { state: self.state, config: self.config, ..Flags::default() };
        let mut config = Config::new(flags)?;
        let real_path = |path: &PathBuf| path.canonicalize().with_context(|| path.display().to_string());
        let paths = self.paths.iter().map(real_path).collect::<anyhow::Result<Vec<_>>>()?;
        paths.iter().try_for_each(|path| mount(&mut config, path))?;
        ensure!(config.caches.zone_map_bytes > 0, "caches.zone_map_bytes is 0: zone maps cannot be kept");
        if let Some(folder) = &config.zone_maps {
            note(format_args!("zone maps: {}", folder.display()));
        }
        let archive = app::open_archive(&config)?;
        let virtual_path = |path: &PathBuf| {
            archive.catalog.virtual_path(path).with_context(|| format!("{}: cannot be served", path.display()))
        };
        let request =
            IndexRequest { paths: paths.iter().map(virtual_path).collect::<anyhow::Result<_>>()?, fields: self.fields };
        let style = ProgressStyle::with_template("{msg} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta}")?;
        let bar = ProgressBar::new(0).with_style(style);
        let report = index_files(&archive, &all_roles(&config), &request, &Cancelled::default(), &mut |progress| {
            bar.set_length(progress.total_bytes);
            bar.set_position(progress.done_bytes);
            bar.set_message(format!("{} {}", progress.path, progress.object));
        })?;
        bar.finish_and_clear();
        print(format_args!(
            "{} HDF5 files: learned the positions of {} groups and {} columns, {} bytes read",
            report.n_files, report.n_positions, report.n_columns, report.size_bytes
        ))?;
        for failure in &report.failures {
            print(format_args!("  not indexed: {failure}"))?;
        }
        let n_failed = archive.statistics.folder_stats().map_or(0, |stats| stats.failed);
        ensure!(
            n_failed == 0,
            "{n_failed} zone maps could not be written: check the state folder's permissions and free space"
        );
        Ok(if report.failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

/// Mounts the folder of a path, unless a mount already contains it.
fn mount(config: &mut Config, path: &Path) -> anyhow::Result<()> {
    let folder = if path.is_dir() { Some(path) } else { path.parent() };
    let folder = folder.with_context(|| path.display().to_string())?;
    let is_held = config.mounts.iter().any(|mount| match &mount.source {
        MountSource::Folder(root) => root.canonicalize().is_ok_and(|root| folder.starts_with(root)),
        _ => false,
    });
    if !is_held {
        let taken: BTreeSet<&str> = config.mounts.iter().map(|mount| mount.name.as_str()).collect();
        let name = (0..=taken.len())
            .map(|n| format!("indexed-{n}"))
            .find(|name| !taken.contains(name.as_str()))
            .unwrap_or_default();
        config.mounts.push(Mount::new(name, MountSource::Folder(folder.to_owned())));
    }
    Ok(())
}

/// All roles: who runs the command may read the files.
fn all_roles(config: &Config) -> Roles {
    let of_mount = |mount: &Mount| {
        mount.folders.iter().flat_map(|(_, roles)| roles.clone()).chain(mount.roles.clone()).collect::<Vec<_>>()
    };
    config.mounts.iter().flat_map(of_mount).collect()
}
