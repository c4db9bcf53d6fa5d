//! `apus check`.

use std::{
    collections::HashSet,
    fs::{self, File},
    io,
    num::NonZero,
    path::{Path, PathBuf},
    process::ExitCode,
    thread,
};

use apus_data::{encode::dtype::Dtype, values::PinnedFile};
use apus_h5::{Dataset, DecodePool, Error, Group, LinkTarget, Object, ReadOptions, Selection};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use crate::{
    local,
    terminal::{note, print},
};

/// The most bytes of a dataset of variable-length elements, which is read into memory whole.
const HELD_BYTES: u64 = 256 << 20;
/// The exit status where a file was not checked.
const NOT_CHECKED: u8 = 2;

/// Decode files completely and verify all checksums
///
/// Reads every attribute and every value, virtual datasets through their sources, and reports the first damaged chunk of each
/// dataset. The exit status is 1 if anything is damaged, or if a part of a virtual file is missing; otherwise 2 if a file is not
/// there or cannot be opened. Damage to data without a checksum goes unnoticed if they still decode.
#[derive(Args)]
#[command(after_help = "Example:\n  apus check snapshot_*.hdf5")]
pub(crate) struct Check {
    /// The files to check
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
}

impl Check {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let n_threads = thread::available_parallelism().map_or(2, NonZero::get);
        let options = ReadOptions {
            pool: DecodePool::new(n_threads)?,
            block_bytes: 1 << 20,
            work_ahead_bytes: 16 << 20,
            ..ReadOptions::default()
        };
        let style = ProgressStyle::with_template("{msg} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec}")?;
        let (mut is_sound, mut is_complete) = (true, true);
        for path in &self.files {
            if let Some(why) = missing(path) {
                is_complete = false;
                note(format_args!("apus: {}: {why}", path.display()));
                continue;
            }
            let bar = ProgressBar::new(0).with_style(style.clone()).with_message(path.display().to_string());
            let mut walk =
                Walk { options: &options, bar, seen: HashSet::new(), datasets: Vec::new(), report: Report::default() };
            walk.check(path);
            walk.bar.finish_and_clear();
            is_sound &= walk.report.faults.is_empty();
            print_report(path, &walk.report)?;
        }
        Ok(match (is_sound, is_complete) {
            (false, _) => ExitCode::FAILURE,
            (true, false) => ExitCode::from(NOT_CHECKED),
            (true, true) => ExitCode::SUCCESS,
        })
    }
}

/// Why there is no file to check at that path; `None` where there is one.
fn missing(path: &Path) -> Option<String> {
    let opened = fs::metadata(path)
        .and_then(|metadata| if metadata.is_file() { File::open(path)?.metadata() } else { Ok(metadata) });
    match opened {
        Ok(metadata) if metadata.is_file() => None,
        Ok(metadata) if metadata.is_dir() => Some("a folder; name the files in it".to_owned()),
        Ok(_) => Some("not a file".to_owned()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Some("not found".to_owned()),
        Err(error) => Some(format!("cannot be opened: {error}")),
    }
}

/// The result for one file.
#[derive(Default)]
struct Report {
    n_datasets: usize,
    size_bytes: u64,
    faults: Vec<String>,
    /// What could not be checked, because it is unsupported or over a limit.
    unread: Vec<String>,
}

fn print_report(path: &Path, report: &Report) -> anyhow::Result<()> {
    let verdict = if report.faults.is_empty() { "sound" } else { "DAMAGED" };
    let (n, size) = (report.n_datasets, report.size_bytes);
    print(format_args!("{}: {verdict}: {n} datasets, {size} bytes decoded", path.display()))?;
    for fault in &report.faults {
        print(format_args!("  {fault}"))?;
    }
    for unread in &report.unread {
        print(format_args!("  not checked: {unread}"))?;
    }
    Ok(())
}

struct Walk<'a> {
    options: &'a ReadOptions,
    bar: ProgressBar,
    /// The addresses of objects seen so far: each is visited once.
    seen: HashSet<u64>,
    datasets: Vec<Dataset>,
    report: Report,
}

impl Walk<'_> {
    fn check(&mut self, path: &Path) {
        let file = match local::open(path) {
            Ok(file) => file,
            Err(error) => return self.report.faults.push(format!("{error:#}")),
        };
        match file.h5().root() {
            Ok(root) => self.collect(root),
            Err(error) => self.fault(error),
        }
        let datasets = std::mem::take(&mut self.datasets);
        let size_bytes = datasets.iter().map(size_bytes).fold(0, u64::saturating_add);
        self.bar.set_length(size_bytes);
        for dataset in datasets {
            self.dataset(&file, &dataset);
        }
        if let Err(error) = file.pinned().check_unchanged() {
            self.report.faults.push(error.to_string());
        }
    }

    /// Finds all datasets, and reads all attributes on the way.
    fn collect(&mut self, root: Group) {
        self.seen.insert(root.address());
        let mut waiting = vec![root];
        while let Some(group) = waiting.pop() {
            if let Err(error) = group.attributes() {
                self.fault(error);
            }
            let links = match group.links() {
                Ok(links) => links,
                Err(error) => {
                    self.fault(error);
                    continue;
                }
            };
            for link in links {
                // Soft links lead to objects that are visited anyway, or nowhere; external links to other files.
                let LinkTarget::Hard { address } = link.target else { continue };
                if !self.seen.insert(address) {
                    continue;
                }
                match group.get(&link.name) {
                    Ok(Object::Group(group)) => waiting.push(group),
                    Ok(Object::Dataset(dataset)) => self.datasets.push(dataset),
                    Ok(_) => {}
                    Err(error) => self.fault(error),
                }
            }
        }
    }

    fn dataset(&mut self, file: &PinnedFile, dataset: &Dataset) {
        self.report.n_datasets += 1;
        if let Err(error) = dataset.attributes() {
            self.fault(error);
        }
        match file.pinned().missing_sources(dataset) {
            Ok(missing) if missing.is_empty() => {}
            Ok(missing) => {
                let files = missing.join(", ");
                self.report.faults.push(format!("{}: missing source files: {files}", dataset.path()));
            }
            Err(error) => self.report.faults.push(format!("{}: {error}", dataset.path())),
        }
        if let Err(error) = self.values(dataset) {
            self.fault(error);
        }
    }

    fn values(&mut self, dataset: &Dataset) -> apus_h5::Result<()> {
        let is_fixed = Dtype::of(dataset.dtype()).is_some_and(|(dtype, _)| dtype.is_fixed());
        if !is_fixed {
            dataset.read_all(HELD_BYTES)?;
            self.report.size_bytes += size_bytes(dataset);
            return Ok(());
        }
        for block in dataset.reader(Selection::default(), self.options)? {
            let n_bytes = block?.bytes().len() as u64;
            self.report.size_bytes += n_bytes;
            self.bar.inc(n_bytes);
        }
        Ok(())
    }

    fn fault(&mut self, error: Error) {
        match error {
            Error::Unsupported { .. } | Error::OverLimit { .. } => self.report.unread.push(error.to_string()),
            damage => self.report.faults.push(damage.to_string()),
        }
    }
}

fn size_bytes(dataset: &Dataset) -> u64 {
    dataset.space().n_elements().unwrap_or(u64::MAX).saturating_mul(dataset.dtype().size_bytes())
}
