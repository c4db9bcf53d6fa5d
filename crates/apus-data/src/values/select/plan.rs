//! What a selection means for a file: which rows may be wanted, and which datasets are read.

use std::sync::Arc;

use apus_h5::{Dataset, Datatype, ReadOptions, RowRanges};
use apus_swift::{
    BoundsSource, CellGrid, Conversion, FoundCells, Frame, Granularity, GroupSelection, Output, Padding, ParticleGroup,
    RowScan, Statistics, WantedRows, ZoneBounds,
};

use super::{SelectRequest, scan::Scan};
use crate::{
    Error, Result,
    store::VPath,
    values::{Pinned, PinnedFile, zone_maps::ZoneMap},
};

/// All that is known before values are read.
pub(super) struct Plan {
    pub(super) pinned: Pinned,
    pub(super) file: PinnedFile,
    pub(super) output: Output,
    pub(super) query: SelectRequest,
    pub(super) groups: Vec<PlannedGroup>,
}

/// What is read of one group.
pub(super) struct PlannedGroup {
    pub(super) selection: Arc<GroupSelection>,
    /// Rows among which the wanted ones are.
    pub(super) candidates: RowRanges,
    /// The same before statistics ruled any out.
    pub(super) all_candidates: RowRanges,
    /// What is known of the columns of its filter.
    statistics: Statistics,
    /// Where the bounds are from by which the region leaves rows out; `None` without a region.
    pub(super) bounds: Option<BoundsSource>,
    /// What its scans learn the bounds of, where they look at positions.
    zones: Option<Arc<ZoneBounds>>,
    /// All that its scans learn.
    maps: Vec<Arc<ZoneMap>>,
    /// Cells of the group, and those that the region touches, to be told by an explanation; `None` where cells were not asked.
    pub(super) cells: Option<(usize, usize)>,
    pub(super) fields: Vec<PlannedField>,
    /// The bytes of a row of all fields.
    pub(super) row_bytes: u64,
}

/// A field that leaves.
#[derive(Clone, Debug)]
pub(super) struct PlannedField {
    pub(super) asked: String,
    pub(super) field: apus_swift::Field,
    pub(super) dataset: Dataset,
    pub(super) column: Option<u64>,
    /// The shape of a row.
    pub(super) row_shape: Vec<u64>,
    pub(super) row_bytes: u64,
    pub(super) conversion: Option<Conversion>,
}

impl Plan {
    /// Finds out what the request means for the file, and meets all files that its values lie in.
    ///
    /// Errors: those of the selection; those of reading.
    pub(super) fn new(pinned: &Pinned, path: &VPath, mut query: SelectRequest) -> Result<Self> {
        let file = pinned.open(path)?;
        let output = file.output()?;
        let options = pinned.read_options();
        if let Some(halos) = &query.halos {
            let catalogue = halos.catalogue.as_ref().map(|path| pinned.open(path)).transpose()?;
            let catalogue = catalogue.as_ref().map(PinnedFile::output).transpose()?;
            let halos = halos.request.resolve(&output, catalogue.as_ref(), &options)?;
            query.request.halos = Some(Arc::new(halos));
        }
        let groups = plan_groups(pinned, &output, &query, &options)?;
        let mut plan = Self { pinned: pinned.clone(), file, output, query, groups };
        plan.meet_files()?;
        for group in &mut plan.groups {
            group.rule_out(&plan.pinned, &plan.output)?;
        }
        Ok(plan)
    }

    /// Follows all links to the files that values lie in.
    fn meet_files(&self) -> Result<()> {
        for group in &self.groups {
            for field in &group.fields {
                field.dataset.resolve_sources(None)?;
            }
            for column in group.selection.filter().columns() {
                self.output.file().dataset(&column.path)?.resolve_sources(None)?;
            }
        }
        Ok(())
    }

    /// How values are read.
    pub(super) fn read_options(&self) -> ReadOptions {
        self.pinned.read_options()
    }

    /// The scan of a group's candidates.
    pub(super) fn scan(&self, group: &PlannedGroup) -> Result<Scan> {
        let candidates = group.candidates.clone();
        let mut scan =
            RowScan::new(&self.output, &group.selection, candidates, &group.statistics, &self.read_options())?;
        if let Some(zones) = &group.zones {
            scan = scan.with_bounds(zones);
        }
        Ok(Scan::new(scan, self.pinned.clone(), group.maps.clone()))
    }

    /// Refuses an answer that is too large, as far as that can be known without looking at values.
    pub(super) fn check_known_size(&self) -> Result<()> {
        if self.groups.iter().all(PlannedGroup::is_exact) {
            let n_rows: Vec<u64> = self.groups.iter().map(PlannedGroup::most_rows).collect();
            self.check_size(&n_rows)?;
        }
        Ok(())
    }

    /// Refuses an answer of so many rows of each group if it is too large.
    pub(super) fn check_size(&self, n_rows: &[u64]) -> Result<()> {
        let limit = self.pinned.archive().limits.answer_bytes;
        let size_bytes = self
            .groups
            .iter()
            .zip(n_rows)
            .fold(0u64, |total, (group, n_rows)| total.saturating_add(group.row_bytes.saturating_mul(*n_rows)));
        if size_bytes <= limit {
            return Ok(());
        }
        let counted: Vec<String> = self
            .groups
            .iter()
            .zip(n_rows)
            .map(|(group, n_rows)| {
                format!("{n_rows} rows of {} at {} bytes each", group.selection.name, group.row_bytes)
            })
            .collect();
        Err(Error::too_large(format!(
            "the selection has {}: {size_bytes} bytes, over the limit of {limit}. Ask for fewer fields, a smaller box or sphere, \
             a stricter where, or add sample, stride or limit; explain=true tells what a selection takes",
            counted.join(", ")
        )))
    }

    /// Finds the wanted rows of a group: looks at what its conditions are about.
    ///
    /// Errors: those of reading; [`Error::TooLarge`] where they cannot be kept.
    pub(super) fn wanted_rows(&self, group: &PlannedGroup) -> Result<WantedRows> {
        if group.selection.filter().keeps_all() {
            return Ok(WantedRows::all(group.candidates.as_slice().to_vec()));
        }
        let mut wanted = WantedRows::default();
        let limit_bytes = self.pinned.archive().limits.held_bytes;
        for window in self.scan(group)? {
            wanted.push(&window?);
            self.pinned.check_waiting()?;
            if wanted.held_bytes() > limit_bytes {
                return Err(Error::too_large(format!(
                    "{}: after {} wanted rows, to remember them takes more than {limit_bytes} bytes, and format={} needs their number \
                     before the first value: narrow the box or sphere, or take format=arrow, parquet or csv, which need not remember",
                    group.selection.name,
                    wanted.n_rows(),
                    self.query.format.name()
                )));
            }
        }
        Ok(wanted)
    }

    /// Refuses an answer whose rows must be counted to know that it is too large, where it could be.
    pub(super) fn check_size_by_counting(&self, group: &PlannedGroup) -> Result<()> {
        if group.row_bytes.saturating_mul(group.most_rows()) <= self.pinned.archive().limits.answer_bytes {
            return Ok(());
        }
        let mut n_rows = 0u64;
        for window in self.scan(group)? {
            let window = window?;
            n_rows = n_rows.saturating_add(window.n_wanted());
            self.pinned.check_waiting()?;
            self.check_size(&[n_rows])?;
        }
        Ok(())
    }
}

impl PlannedGroup {
    /// Takes from the candidates what cannot satisfy the conditions, by what earlier scans have seen.
    fn rule_out(&mut self, pinned: &Pinned, output: &Output) -> Result<()> {
        let filter = self.selection.filter();
        for (index, column) in filter.columns().iter().enumerate() {
            let known = if filter.is_of_condition(index) {
                pinned.archive().statistics.of_column(pinned, &output.file().dataset(&column.path)?, column.index)?
            } else {
                None
            };
            self.statistics.push(known.as_ref().and_then(|map| map.column().cloned()));
            self.maps.extend(known);
        }
        if self.statistics.iter().any(Option::is_some) {
            self.candidates = filter.rows_that_may_match(&self.all_candidates, &self.statistics)?;
        }
        Ok(())
    }

    /// Whether the candidates are the wanted rows.
    pub(super) fn is_exact(&self) -> bool {
        self.selection.filter().keeps_all()
    }

    /// By how much its cells were widened, where they were instead of looking at all rows.
    pub(super) fn padding(&self) -> Option<f64> {
        let is_padded = self.bounds == Some(BoundsSource::Padded);
        self.selection.padding.filter(|_| is_padded).map(Padding::fraction)
    }

    /// The most rows that can be wanted.
    pub(super) fn most_rows(&self) -> u64 {
        let n_candidates = self.candidates.n_rows().unwrap_or(u64::MAX);
        let stride = self.selection.stride.map_or(1, u64::from);
        n_candidates.div_ceil(stride).min(self.selection.limit.unwrap_or(u64::MAX))
    }
}

impl PlannedField {
    /// The type of the elements as they leave.
    pub(super) fn dtype(&self) -> &Datatype {
        self.dataset.dtype()
    }

    /// The unit of the values as they leave.
    pub(super) fn unit(&self) -> Option<&str> {
        match &self.conversion {
            Some(conversion) => conversion.unit.as_deref(),
            None => self.field.unit.as_ref().map(|unit| unit.name.as_str()),
        }
    }

    /// The frame of the values as they leave.
    pub(super) fn frame(&self) -> Frame {
        self.conversion.as_ref().map_or(self.field.frame, |conversion| conversion.frame)
    }
}

fn plan_groups(
    pinned: &Pinned,
    output: &Output,
    query: &SelectRequest,
    options: &ReadOptions,
) -> Result<Vec<PlannedGroup>> {
    let selections = query.request.resolve(output)?;
    if selections.len() > 1 && query.format.is_table() && !query.explain {
        let names: Vec<&str> = selections.iter().map(|selection| selection.name.as_str()).collect();
        return Err(Error::invalid(format!(
            "format={} holds one table, and the fields are of {}: ask for each alone, or take format=npz",
            query.format.name(),
            names.join(" and ")
        )));
    }
    let needs_cells = selections.iter().any(|selection| !selection.region.is_everything());
    let grid = if needs_cells { output.cells_read_with(Some(options))? } else { None };
    let mut groups = Vec::with_capacity(selections.len());
    for selection in selections {
        let described = output.group(&selection.group)?;
        let grid_of_group = grid.as_ref().zip(described);
        let (candidates, cells) = selection.candidate_rows(output, grid_of_group)?;
        let Bounded { candidates, cells, bounds, map } =
            bounded(pinned, output, &selection, grid_of_group, candidates, cells)?;
        let fields = plan_fields(output, &selection, described)?;
        let row_bytes = fields.iter().fold(0u64, |n, field| n.saturating_add(field.row_bytes));
        groups.push(PlannedGroup {
            selection: Arc::new(selection),
            all_candidates: candidates.clone(),
            candidates,
            statistics: Statistics::new(),
            bounds,
            zones: map.as_ref().and_then(|map| map.positions().cloned()),
            maps: map.into_iter().collect(),
            cells,
            fields,
            row_bytes,
        });
    }
    Ok(groups)
}

/// What is left of the candidates, and by which bounds.
struct Bounded {
    candidates: RowRanges,
    /// The number of cells, and of those that the region touches.
    cells: Option<(usize, usize)>,
    bounds: Option<BoundsSource>,
    /// What is learned on the way.
    map: Option<Arc<ZoneMap>>,
}

/// Takes from the candidates of a region what learned bounds rule out, where the file's own do not tell.
fn bounded(
    pinned: &Pinned,
    output: &Output,
    selection: &GroupSelection,
    grid: Option<(&CellGrid, &ParticleGroup)>,
    candidates: RowRanges,
    cells: Option<FoundCells>,
) -> Result<Bounded> {
    let has_region = !selection.region.is_everything();
    let bounds = has_region.then(|| cells.as_ref().map_or(BoundsSource::None, |cells| cells.source));
    let cells = cells.map(|found| (found.n_cells, found.n_found));
    let positions = selection.positions.as_ref().filter(|_| selection.granularity == Granularity::Particles);
    let (Some(positions), Some(BoundsSource::None | BoundsSource::Padded)) = (positions, bounds) else {
        return Ok(Bounded { candidates, cells, bounds, map: None });
    };
    let dataset = output.file().dataset(&positions.path)?;
    let rows_of_cells = || {
        let rows = grid.map(|(grid, group)| grid.rows(output, group)).transpose()?;
        Ok(rows.flatten().unwrap_or_default())
    };
    let map = pinned.archive().statistics.of_positions(pinned, &dataset, rows_of_cells)?;
    let zones = map.as_ref().and_then(|map| map.positions());
    // With padding, the answer is what widened cells hold, whatever was learned.
    let found = zones.filter(|_| bounds == Some(BoundsSource::None)).map(|zones| zones.find(&selection.region));
    let found = found.transpose()?;
    Ok(match found.filter(|found| found.n_known > 0) {
        Some(found) => Bounded {
            candidates: found.rows,
            cells: cells.map(|(n_cells, _)| (n_cells, found.n_found)),
            bounds: Some(BoundsSource::Learned),
            map,
        },
        None => Bounded { candidates, cells, bounds, map },
    })
}

fn plan_fields(
    output: &Output,
    selection: &GroupSelection,
    group: Option<&ParticleGroup>,
) -> Result<Vec<PlannedField>> {
    let n_rows = group.map_or(0, |group| group.n_rows);
    let mut fields = Vec::with_capacity(selection.fields.len());
    for selected in &selection.fields {
        let dataset = output.file().dataset(&selected.field.path)?;
        // Where the file changed under us, its description is of another state.
        if dataset.shape() != selected.field.shape || dataset.shape().first() != Some(&n_rows) {
            return Err(Error::changed(format!("{}: is not what it was; ask again", selected.field.path)));
        }
        let row_shape = match selected.column {
            Some(_) => Vec::new(),
            None => dataset.shape().get(1..).unwrap_or_default().to_vec(),
        };
        let n_elements = row_shape.iter().try_fold(1u64, |n, extent| n.checked_mul(*extent));
        let row_bytes = n_elements.and_then(|n| n.checked_mul(dataset.dtype().size_bytes()));
        let row_bytes = row_bytes.ok_or_else(|| {
            Error::too_large(format!("{}: a row of shape {row_shape:?} is too large", selected.asked))
        })?;
        fields.push(PlannedField {
            asked: selected.asked.clone(),
            field: selected.field.clone(),
            dataset,
            column: selected.column,
            row_shape,
            row_bytes,
            conversion: selected.conversion.clone(),
        });
    }
    Ok(fields)
}
