//! What a selection means for a file: which rows may be wanted, and which datasets are read.

use std::sync::Arc;

use apus_h5::{Dataset, Datatype, ReadOptions, RowRanges};
use apus_swift::{Conversion, Frame, GroupSelection, Output, ParticleGroup, RowScan, Statistics, WantedRows};

use super::{
    cancel::Cancelled,
    query::{Format, SelectQuery},
};
use crate::{
    app::App,
    catalog::{Identity, OpenFile, TagBuilder},
    error::{ApiError, ApiResult},
};

/// All that is known before values are read.
pub(super) struct Plan {
    pub(super) app: App,
    pub(super) file: Arc<OpenFile>,
    /// The catalogue that halos were looked up in.
    catalogue: Option<Arc<OpenFile>>,
    pub(super) output: Arc<Output>,
    pub(super) query: SelectQuery,
    pub(super) groups: Vec<PlannedGroup>,
    identities: Vec<Option<Identity>>,
    /// One turn at the decode threads for all that is read.
    options: ReadOptions,
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
    /// Errors: those of the selection, told as 400 or 404; those of reading.
    pub(super) fn new(
        app: &App,
        file: &Arc<OpenFile>,
        catalogue: Option<Arc<OpenFile>>,
        mut query: SelectQuery,
    ) -> ApiResult<Self> {
        let output = file.output()?;
        let options = app.read_options();
        if let Some(halos) = &query.halos {
            let catalogue = catalogue.as_ref().map(|file| file.output()).transpose()?;
            let halos = halos.request.resolve(&output, catalogue.as_deref(), &options)?;
            query.request.halos = Some(Arc::new(halos));
        }
        let groups = plan_groups(&output, &query, &options)?;
        let (app, file) = (app.clone(), Arc::clone(file));
        let mut plan = Self { app, file, catalogue, output, query, groups, identities: Vec::new(), options };
        plan.identities = plan.identities_now()?;
        // After that, so that statistics of a file that is replaced meanwhile are found out in the end.
        for group in &mut plan.groups {
            group.rule_out(&plan.app, &plan.file, &plan.output)?;
        }
        Ok(plan)
    }

    /// The entity tag of the answer.
    pub(super) fn tag(&self) -> String {
        let mut tag = TagBuilder::new();
        for identity in &self.identities {
            match identity {
                Some(identity) => identity.write_to(&mut tag),
                None => tag.add("missing"),
            }
        }
        self.query.write_to(&mut tag);
        tag.finish()
    }

    /// Fails where a file that values lie in was changed since the plan was made.
    pub(super) fn check_unchanged(&self) -> ApiResult<()> {
        self.file.bytes.check_unchanged()?;
        if let Some(catalogue) = &self.catalogue {
            catalogue.bytes.check_unchanged()?;
        }
        if self.identities.len() == 1 || self.identities_now()? == self.identities {
            return Ok(());
        }
        Err(ApiError::Unreadable {
            code: "changed",
            detail: format!(
                "{}: a file that it draws on was changed while it was read; ask again",
                self.file.bytes.path
            )
            .into(),
        })
    }

    /// The files that the answer rests on, each once: the file, the catalogue, and what their datasets draw on.
    fn identities_now(&self) -> ApiResult<Vec<Option<Identity>>> {
        let mut identities = vec![Some(self.file.bytes.identity)];
        let mut add = |file: &OpenFile, dataset: &Dataset| -> ApiResult<()> {
            for identity in file.identities_of(dataset)? {
                if !identities.contains(&identity) {
                    identities.push(identity);
                }
            }
            Ok(())
        };
        if let (Some(catalogue), Some(halos)) = (&self.catalogue, &self.query.request.halos) {
            for path in halos.catalogue_fields() {
                add(catalogue, &catalogue.h5.dataset(path)?)?;
            }
        }
        for group in &self.groups {
            let filter = group.selection.filter();
            let looked_at = filter.columns().iter().map(|column| self.output.file().dataset(&column.path));
            let looked_at = looked_at.collect::<Result<Vec<_>, _>>()?;
            for dataset in group.fields.iter().map(|field| &field.dataset).chain(&looked_at) {
                add(&self.file, dataset)?;
            }
        }
        Ok(identities)
    }

    /// How values are read.
    pub(super) fn read_options(&self) -> ReadOptions {
        self.options.clone()
    }

    /// The scan of a group's candidates.
    pub(super) fn scan(&self, group: &PlannedGroup) -> ApiResult<RowScan> {
        let candidates = group.candidates.clone();
        Ok(RowScan::new(&self.output, &group.selection, candidates, &group.statistics, &self.options)?)
    }

    /// Refuses an answer that is too large, as far as that can be known without looking at values.
    pub(super) fn check_known_size(&self) -> ApiResult<()> {
        if self.groups.iter().all(PlannedGroup::is_exact) {
            let n_rows: Vec<u64> = self.groups.iter().map(PlannedGroup::most_rows).collect();
            self.check_size(&n_rows)?;
        }
        Ok(())
    }

    /// Refuses an answer of so many rows of each group if it is too large.
    pub(super) fn check_size(&self, n_rows: &[u64]) -> ApiResult<()> {
        let limit = self.app.config.limits.answer_bytes;
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
        Err(ApiError::too_large(format!(
            "the selection has {}: {size_bytes} bytes, over the limit of {limit}. Ask for fewer fields, a smaller box or sphere, \
             a stricter where, or add sample, stride or limit; explain=true tells what a selection takes",
            counted.join(", ")
        )))
    }

    /// Finds the wanted rows of a group: looks at what its conditions are about.
    ///
    /// Errors: those of reading; 413 where they cannot be kept.
    pub(super) fn wanted_rows(&self, group: &PlannedGroup, cancelled: &Cancelled) -> ApiResult<WantedRows> {
        if group.selection.filter().keeps_all() {
            return Ok(WantedRows::all(group.candidates.as_slice().to_vec()));
        }
        let mut wanted = WantedRows::default();
        let limit_bytes = self.app.config.limits.held_bytes;
        for window in self.scan(group)? {
            wanted.push(&window?);
            cancelled.check()?;
            if wanted.held_bytes() > limit_bytes {
                return Err(ApiError::too_large(format!(
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
    pub(super) fn check_size_by_counting(&self, group: &PlannedGroup, cancelled: &Cancelled) -> ApiResult<()> {
        if group.row_bytes.saturating_mul(group.most_rows()) <= self.app.config.limits.answer_bytes {
            return Ok(());
        }
        let mut n_rows = 0u64;
        for window in self.scan(group)? {
            let window = window?;
            n_rows = n_rows.saturating_add(window.n_wanted());
            cancelled.check()?;
            self.check_size(&[n_rows])?;
        }
        Ok(())
    }
}

impl PlannedGroup {
    /// Takes from the candidates what cannot satisfy the conditions, by what earlier scans have seen.
    fn rule_out(&mut self, app: &App, file: &OpenFile, output: &Output) -> ApiResult<()> {
        let filter = self.selection.filter();
        for (index, column) in filter.columns().iter().enumerate() {
            let known = if filter.is_of_condition(index) {
                app.statistics.of_column(file, &output.file().dataset(&column.path)?, column.index)?
            } else {
                None
            };
            self.statistics.push(known);
        }
        if self.statistics.iter().any(Option::is_some) {
            self.candidates = filter.rows_that_may_match(&self.all_candidates, &self.statistics);
        }
        Ok(())
    }

    /// Whether the candidates are the wanted rows.
    pub(super) fn is_exact(&self) -> bool {
        self.selection.filter().keeps_all()
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

fn plan_groups(output: &Output, query: &SelectQuery, options: &ReadOptions) -> ApiResult<Vec<PlannedGroup>> {
    let selections = query.request.resolve(output)?;
    if selections.len() > 1 && query.format.is_table() && !query.explain {
        let names: Vec<&str> = selections.iter().map(|selection| selection.name.as_str()).collect();
        return Err(ApiError::bad_request(format!(
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
        let (candidates, cells) = selection.candidate_rows(output, grid.as_ref().zip(described))?;
        let fields = plan_fields(output, &selection, described)?;
        let row_bytes = fields.iter().fold(0u64, |n, field| n.saturating_add(field.row_bytes));
        groups.push(PlannedGroup {
            selection: Arc::new(selection),
            all_candidates: candidates.clone(),
            candidates,
            statistics: Statistics::new(),
            cells: cells.map(|found| (found.n_cells, found.n_found)),
            fields,
            row_bytes,
        });
    }
    Ok(groups)
}

fn plan_fields(
    output: &Output,
    selection: &GroupSelection,
    group: Option<&ParticleGroup>,
) -> ApiResult<Vec<PlannedField>> {
    let n_rows = group.map_or(0, |group| group.n_rows);
    let mut fields = Vec::with_capacity(selection.fields.len());
    for selected in &selection.fields {
        let dataset = output.file().dataset(&selected.field.path)?;
        // Where the file changed under us, its description is of another state.
        if dataset.shape() != selected.field.shape || dataset.shape().first() != Some(&n_rows) {
            return Err(ApiError::Unreadable {
                code: "changed",
                detail: format!("{}: is not what it was; ask again", selected.field.path).into(),
            });
        }
        let row_shape = match selected.column {
            Some(_) => Vec::new(),
            None => dataset.shape().get(1..).unwrap_or_default().to_vec(),
        };
        let n_elements = row_shape.iter().try_fold(1u64, |n, extent| n.checked_mul(*extent));
        let row_bytes = n_elements.and_then(|n| n.checked_mul(dataset.dtype().size_bytes()));
        let row_bytes = row_bytes.ok_or_else(|| {
            ApiError::too_large(format!("{}: a row of shape {row_shape:?} is too large", selected.asked))
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

impl Format {
    /// Whether it holds the rows of one group, side by side.
    pub(super) fn is_table(self) -> bool {
        matches!(self, Self::Arrow | Self::Parquet | Self::Csv)
    }
}
