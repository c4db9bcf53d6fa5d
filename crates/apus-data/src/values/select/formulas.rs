//! Formulas of the wanted rows of one group: what pictures, histograms and statistics are made of.

use apus_h5::{Dataset, Datatype};
use apus_swift::{BoundFormula, ColumnBlock, Formula, Output, ParticleGroup};

use super::{
    SelectRequest,
    batches::{Batches, USUAL_CHUNK_ROWS},
    plan::{Plan, PlannedGroup},
};
use crate::{Error, Result, store::VPath, values::Pinned};

/// About how many rows are looked at together.
const BATCH_ROWS: u64 = 1 << 16;

/// The wanted rows of one group, planned, with the columns that formulas need.
pub(in crate::values) struct FormulaRows {
    plan: Plan,
    columns: Vec<Column>,
    /// The column with the positions, where they are needed.
    positions: Option<usize>,
    /// Each with where its columns are.
    formulas: Vec<(BoundFormula, Vec<usize>)>,
}

struct Column {
    dataset: Dataset,
    index: Option<u64>,
    dtype: Datatype,
}

/// Some of the rows.
#[derive(Debug, Default)]
pub(in crate::values) struct RowBatch {
    /// Their number.
    pub(in crate::values) n_rows: usize,
    /// Their positions, where those are needed.
    pub(in crate::values) positions: Vec<[f64; 3]>,
    /// Their values, one list for each formula.
    pub(in crate::values) values: Vec<Vec<f64>>,
}

impl FormulaRows {
    /// Plans to look at the wanted rows of the group called `name`. `request` says which those are, whatever its fields.
    ///
    /// Errors: those of the selection; [`Error::NotFound`] for a group that the file does not have; those of reading.
    pub(in crate::values) fn new(
        pinned: &Pinned,
        path: &VPath,
        name: &str,
        mut request: SelectRequest,
        needs_positions: bool,
    ) -> Result<Self> {
        let output = pinned.open(path)?.output()?;
        let group = group_named(&output, name)?;
        let usable = |field: &&apus_swift::Field| field.shape.first() == Some(&group.n_rows);
        let field = if needs_positions {
            group.positions().ok_or_else(|| Error::invalid(format!("{} has no positions", group.name)))?
        } else {
            let first = group.fields.iter().find(usable);
            first.ok_or_else(|| Error::not_found(format!("type: {} has no fields", group.name)))?
        };
        request.request.fields = vec![format!("{}.{}", group.name, field.name)];
        let plan = Plan::new(pinned, path, request)?;
        let mut rows = Self { plan, columns: Vec::new(), positions: None, formulas: Vec::new() };
        if needs_positions {
            rows.positions = Some(rows.column(&field.path, None, field.dtype.clone())?);
        }
        Ok(rows)
    }

    /// The file.
    pub(in crate::values) fn output(&self) -> &Output {
        &self.plan.output
    }

    /// The request, its halos looked up.
    pub(in crate::values) fn request(&self) -> &SelectRequest {
        &self.plan.query
    }

    /// The group.
    ///
    /// Errors: none of a group that was planned for; the type is the look-up's.
    pub(in crate::values) fn group(&self) -> Result<&ParticleGroup> {
        let group = self.plan.output.group(&self.planned()?.selection.group)?;
        group.ok_or_else(|| Error::internal("a group that was planned for is gone"))
    }

    /// The most rows that can be wanted.
    pub(in crate::values) fn most_rows(&self) -> u64 {
        self.plan.groups.iter().map(PlannedGroup::most_rows).sum()
    }

    /// What a formula means here; `parameter` is what messages call it.
    ///
    /// Errors: [`Error::Invalid`], which says where in the formula.
    pub(in crate::values) fn bind(&self, parameter: &str, formula: &Formula) -> Result<BoundFormula> {
        let frame = self.plan.query.request.frame;
        let bound = formula.bind(&self.plan.output.unit_context(), self.group()?, frame);
        bound.map_err(|error| Error::of_formula(parameter, error))
    }

    /// Has a formula calculated as well: its values come where this says.
    ///
    /// Errors: those of opening its columns.
    pub(in crate::values) fn add(&mut self, formula: BoundFormula) -> Result<usize> {
        let columns = formula.columns().iter().map(|c| (c.path.clone(), c.index, c.dtype.clone())).collect::<Vec<_>>();
        let places = columns.into_iter().map(|(path, index, dtype)| self.column(&path, index, dtype));
        let places = places.collect::<Result<Vec<_>>>()?;
        self.formulas.push((formula, places));
        Ok(self.formulas.len() - 1)
    }

    /// Reads through the wanted rows, some at a time; `visit` sees each once, in the order of the file.
    ///
    /// Errors: those of reading and of `visit`; [`Error::Gone`] when nobody waits any more.
    pub(in crate::values) fn each(&self, mut visit: impl FnMut(&RowBatch) -> Result<()>) -> Result<()> {
        let group = self.planned()?;
        let align = self.columns.first().and_then(|column| column.dataset.chunk_shape()?.first().copied());
        let mut batches = Batches::new(self.plan.scan(group)?, BATCH_ROWS, align.unwrap_or(USUAL_CHUNK_ROWS));
        let options = self.plan.read_options();
        let mut bytes: Vec<Vec<u8>> = vec![Vec::new(); self.columns.len()];
        let mut rows = RowBatch { values: vec![Vec::new(); self.formulas.len()], ..RowBatch::default() };
        while let Some(ranges) = batches.next()? {
            self.plan.pinned.check_waiting()?;
            if ranges.is_empty() {
                continue;
            }
            for (column, bytes) in self.columns.iter().zip(&mut bytes) {
                bytes.clear();
                apus_swift::read_rows(&column.dataset, ranges.clone(), column.index, &options, bytes)?;
            }
            let n_rows: u64 = ranges.iter().map(|range| range.end - range.start).sum();
            rows.n_rows = usize::try_from(n_rows).map_err(Error::internal)?;
            self.calculate(&bytes, &mut rows)?;
            self.plan.pinned.check_waiting()?;
            visit(&rows)?;
        }
        Ok(())
    }

    fn calculate(&self, bytes: &[Vec<u8>], rows: &mut RowBatch) -> Result<()> {
        let columns = self.columns.iter().zip(bytes).map(|(column, bytes)| ColumnBlock::new(&column.dtype, bytes));
        let columns = columns.collect::<Result<Vec<_>, _>>()?;
        if let Some(positions) = self.positions.and_then(|place| columns.get(place)) {
            let mut flat = Vec::with_capacity(positions.n_rows());
            positions.floats(&mut flat);
            rows.positions.clear();
            rows.positions.extend_from_slice(flat.as_chunks::<3>().0);
            if rows.positions.len() != rows.n_rows {
                return Err(Error::internal("positions are missing"));
            }
        }
        for ((formula, places), values) in self.formulas.iter().zip(&mut rows.values) {
            values.clear();
            let columns: Vec<ColumnBlock<'_>> =
                places.iter().filter_map(|place| columns.get(*place).copied()).collect();
            formula.evaluate(&columns, rows.n_rows, values)?;
        }
        Ok(())
    }

    fn planned(&self) -> Result<&PlannedGroup> {
        self.plan.groups.first().ok_or_else(|| Error::internal("no group was planned for"))
    }

    /// Where a column is, which is read from now on, and whose files this request rests on.
    fn column(&mut self, path: &str, index: Option<u64>, dtype: Datatype) -> Result<usize> {
        let is_same = |c: &Column| c.dataset.path() == path && c.index == index;
        if let Some(place) = self.columns.iter().position(is_same) {
            return Ok(place);
        }
        let dataset = self.plan.output.file().dataset(path)?;
        if dataset.shape().first() != Some(&self.group()?.n_rows) {
            return Err(Error::invalid(format!(
                "{path} has the shape {:?}, and {} has {} rows",
                dataset.shape(),
                self.group()?.name,
                self.group()?.n_rows
            )));
        }
        dataset.resolve_sources(None)?;
        self.columns.push(Column { dataset, index, dtype });
        Ok(self.columns.len() - 1)
    }
}

fn group_named<'o>(output: &'o Output, name: &str) -> Result<&'o ParticleGroup> {
    let groups = output.groups()?;
    let found = groups.iter().find(|group| group.name == name || group.group == name);
    match found {
        Some(group) if group.present => Ok(group),
        Some(group) => Err(Error::not_found(format!("type: the file does not hold {}", group.name))),
        None => {
            let shown: String = name.chars().take(100).collect();
            let names: Vec<&str> = groups.iter().filter(|g| g.present).map(|group| group.name.as_str()).collect();
            Err(Error::not_found(match names.as_slice() {
                [] => format!("type={shown}: the file has no groups of fields"),
                names => format!("type={shown}: the file has no such type; it has {}", names.join(", ")),
            }))
        }
    }
}
