//! Learning ahead of time, so that no request has to wait for it.

use apus_swift::{BoundsSource, LearningScan, Output, ParticleGroup, RegionRequest, SelectionRequest, Shape};

use super::{MapKey, Subject, ZoneMap};
use crate::{
    Error, Fault, Result,
    store::{Roles, VPath},
    values::{Archive, Cancelled, Pinned},
};

/// What is to be learned of each file.
#[derive(Clone, Debug, Default)]
pub struct IndexRequest {
    /// Files, or folders with files at any depth.
    pub paths: Vec<VPath>,
    /// Fields of which the least and greatest values of each chunk are learned, beside the bounds of cells: `gas.masses`.
    pub fields: Vec<String>,
}

/// How far it is.
#[derive(Clone, Debug)]
pub struct IndexProgress<'a> {
    /// The file that is read.
    pub path: &'a VPath,
    /// The dataset that is read.
    pub object: &'a str,
    /// The bytes of values that were read so far, of all files.
    pub done_bytes: u64,
    /// The bytes of values that are to be read, of all files.
    pub total_bytes: u64,
}

/// What was learned.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IndexReport {
    /// The HDF5 files that were looked at.
    pub n_files: u64,
    /// The groups whose positions were read, for the bounds of their cells.
    pub n_positions: u64,
    /// The columns that were read.
    pub n_columns: u64,
    /// The bytes of values that were read.
    pub size_bytes: u64,
    /// What could not be read, and why.
    pub failures: Vec<String>,
}

/// More files than a run has.
const MAX_FILES: usize = 1_000_000;
/// Of fields with more columns than this, each must be named.
const MAX_COLUMNS: u64 = 64;

/// Learns the bounds of cells where files do not have them, and what the chunks of some fields lie between, of all HDF5 files under some
/// paths, and keeps it in the archive's folder of zone maps. What is there already is not read again. Streams, in little memory.
///
/// A file that cannot be read is told in the report. Links of files lead where these roles reach: so must those who are to profit.
///
/// Errors: a path that is not there; an archive without a folder; [`Error::Gone`] where it was cancelled: what was learned by then is kept.
pub fn index_files(
    archive: &Archive,
    roles: &Roles,
    request: &IndexRequest,
    cancelled: &Cancelled,
    progress: &mut dyn FnMut(IndexProgress<'_>),
) -> Result<IndexReport> {
    if archive.statistics.folder_stats().is_none() {
        return Err(Error::invalid("there is no folder to keep zone maps in: give a state folder outside of the data"));
    }
    let mut report = IndexReport::default();
    let mut files = Vec::new();
    for path in &request.paths {
        if archive.catalog.is_folder(roles, path)? {
            files.extend(archive.catalog.tree(roles, path, MAX_FILES)?.into_iter().map(|file| file.path));
        } else {
            files.push(path.clone());
        }
    }
    // What it all takes is known first.
    let (mut total_bytes, mut wanted) = (0u64, Vec::new());
    for path in files {
        check(cancelled)?;
        match Lesson::all_of(archive, roles, &path, &request.fields, cancelled) {
            Ok(None) => {}
            Ok(Some(lessons)) => {
                report.n_files += 1;
                let size_bytes = lessons.iter().fold(0u64, |n, lesson| n.saturating_add(lesson.scan.size_bytes()));
                total_bytes = total_bytes.saturating_add(size_bytes);
                if size_bytes > 0 {
                    wanted.push(path);
                }
            }
            Err(Error::Gone) => return Err(Error::Gone),
            Err(error) => report.failures.push(format!("{path}: {error}")),
        }
    }
    for path in &wanted {
        let learned = learn_file(archive, roles, path, request, cancelled, &mut report, &mut |object, done_bytes| {
            progress(IndexProgress { path, object, done_bytes, total_bytes });
        });
        match learned {
            Err(Error::Gone) => return Err(Error::Gone),
            Err(error) => report.failures.push(format!("{path}: {error}")),
            Ok(()) => {}
        }
    }
    Ok(report)
}

fn check(cancelled: &Cancelled) -> Result<()> {
    if cancelled.is_cancelled() { Err(Error::Gone) } else { Ok(()) }
}

fn learn_file(
    archive: &Archive,
    roles: &Roles,
    path: &VPath,
    request: &IndexRequest,
    cancelled: &Cancelled,
    report: &mut IndexReport,
    progress: &mut dyn FnMut(&str, u64),
) -> Result<()> {
    for lesson in Lesson::all_of(archive, roles, path, &request.fields, cancelled)?.unwrap_or_default() {
        if lesson.scan.size_bytes() == 0 {
            continue;
        }
        let Lesson { pinned, map, mut scan, object } = lesson;
        let mut learn = || -> Result<()> {
            loop {
                progress(&object, report.size_bytes);
                check(cancelled)?;
                let Some(read_bytes) = scan.next().transpose()? else { return Ok(()) };
                report.size_bytes = report.size_bytes.saturating_add(read_bytes);
                archive.statistics.keep(&pinned, &map);
            }
        };
        let learned = learn();
        // Of what was cancelled too.
        archive.statistics.save(&pinned, &map);
        learned?;
        pinned.check_unchanged()?;
        match map.key.subject {
            Subject::Positions => report.n_positions += 1,
            Subject::Column(_) => report.n_columns += 1,
        }
    }
    Ok(())
}

/// What is to be learned of one dataset.
struct Lesson {
    pinned: Pinned,
    map: ZoneMap,
    scan: LearningScan,
    object: String,
}

impl Lesson {
    /// All that is to be learned of a file; `None` where it is no HDF5.
    fn all_of(
        archive: &Archive,
        roles: &Roles,
        path: &VPath,
        fields: &[String],
        cancelled: &Cancelled,
    ) -> Result<Option<Vec<Self>>> {
        let pinned = archive.pin(roles, cancelled.clone());
        let file = match pinned.open(path) {
            Err(Error::Unreadable { fault: Fault::NotHdf5, .. }) => return Ok(None),
            file => file?,
        };
        let output = file.output()?;
        let mut lessons = Vec::new();
        for group in output.groups()?.iter().filter(|group| group.present && group.n_rows > 0) {
            lessons.extend(Self::of_positions(&pinned, &output, group)?);
        }
        for field in fields {
            let request = SelectionRequest { fields: vec![field.clone()], ..SelectionRequest::default() };
            let selections = match request.resolve(&output) {
                // Not each file has each field.
                Err(apus_swift::Error::UnknownField { .. }) => continue,
                selections => selections?,
            };
            for field in selections.into_iter().flat_map(|selection| selection.fields) {
                let columns = match (field.column, field.field.shape.as_slice()) {
                    (None, [_, n_columns]) if *n_columns <= MAX_COLUMNS => (0..*n_columns).map(Some).collect(),
                    (column, _) => vec![column],
                };
                for column in columns {
                    lessons.push(Self::of_column(&pinned, &output, &field.field.path, column)?);
                }
            }
        }
        Ok(Some(lessons))
    }

    /// Those of the positions of a group; `None` where it has none, or where the file has the bounds of its cells.
    fn of_positions(pinned: &Pinned, output: &Output, group: &ParticleGroup) -> Result<Option<Self>> {
        let Some(positions) = group.positions() else { return Ok(None) };
        // Asks as a request would: what it takes from the file need not be learned.
        let request = SelectionRequest {
            fields: vec![format!("{}.{}", group.name, positions.name)],
            region: RegionRequest {
                shapes: vec![Shape::Sphere { centre: [0.0; 3], radius: 0.0 }.into()],
                ..RegionRequest::default()
            },
            ..SelectionRequest::default()
        };
        let grid = output.cells_read_with(Some(&pinned.read_options()))?;
        let grid = grid.as_ref().map(|grid| (grid, group));
        for selection in request.resolve(output)? {
            let (_, found) = selection.candidate_rows(output, grid)?;
            if found.is_some_and(|found| found.source == BoundsSource::Stored) {
                return Ok(None);
            }
        }
        let dataset = output.file().dataset(&positions.path)?;
        let cells = || {
            let rows = grid.map(|(grid, group)| grid.rows(output, group)).transpose()?;
            Ok(rows.flatten().unwrap_or_default())
        };
        let key = MapKey::new(pinned, &dataset, Subject::Positions)?;
        let map = pinned.archive().statistics.positions_map(key, &dataset, cells)?;
        let Some(zones) = map.positions() else { return Ok(None) };
        let scan = LearningScan::of_positions(dataset, zones, &pinned.read_options())?;
        Ok(Some(Self { pinned: pinned.clone(), map, scan, object: positions.path.clone() }))
    }

    fn of_column(pinned: &Pinned, output: &Output, path: &str, column: Option<u64>) -> Result<Self> {
        let dataset = output.file().dataset(path)?;
        let key = MapKey::new(pinned, &dataset, Subject::Column(column))?;
        let map = pinned.archive().statistics.column_map(key, &dataset);
        let statistics = map.column().ok_or_else(|| Error::internal("a column has statistics"))?;
        let scan = LearningScan::of_column(dataset, column, statistics, &pinned.read_options())?;
        Ok(Self { pinned: pinned.clone(), map, scan, object: path.to_owned() })
    }
}
