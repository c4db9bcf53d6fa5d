//! What a selection would take, found without reading a value of a particle.

use std::collections::BTreeMap;

use apus_h5::{Dataset, RowRanges};
use apus_swift::{BoundsSource, Halo};
use serde::Serialize;

use super::{
    metadata::frame_name,
    plan::{Plan, PlannedField, PlannedGroup},
};
use crate::{Error, Result};

#[derive(Serialize)]
struct Explanation<'a> {
    path: &'a str,
    format: &'a str,
    /// The halos as they were looked up; left out where none are asked for.
    #[serde(skip_serializing_if = "<[HaloExplanation]>::is_empty")]
    halos: Vec<HaloExplanation>,
    /// The conditions, which are limited in number and length; left out where there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    conditions: Option<ConditionsExplanation>,
    groups: Vec<GroupExplanation<'a>>,
    /// The most bytes of values in the answer.
    size_bytes_at_most: u64,
    /// The most bytes of values that are allowed.
    limit_bytes: u64,
    is_allowed: bool,
}

#[derive(Serialize)]
struct ConditionsExplanation {
    n: usize,
    limit: usize,
    size_bytes: usize,
    limit_bytes: usize,
}

/// Units: the file's length, comoving.
#[derive(Serialize)]
struct HaloExplanation {
    id: u64,
    centre: Option<[f64; 3]>,
    radius: Option<f64>,
}

#[derive(Serialize)]
struct GroupExplanation<'a> {
    group: &'a str,
    name: &'a str,
    /// The rows of the group.
    n_rows: u64,
    /// The rows that are looked at.
    n_candidates: u64,
    /// Those that are not, since what earlier conditions have seen of their chunks rules them out.
    n_ruled_out: u64,
    /// The most rows that can be wanted.
    n_rows_at_most: u64,
    /// Comparisons and calculations that the conditions make of the rows that are looked at, at most.
    n_operations_at_most: u64,
    /// Whether just so many are wanted.
    is_exact: bool,
    cells: Option<Cells>,
    /// Where the bounds are from by which the region leaves cells out: `stored` in the file, `learned` from earlier reads, `padded` cells, or
    /// `none`, where all rows are looked at; `null` without a region.
    bounds: Option<BoundsSource>,
    /// By how much of a cell cells are widened, where they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    padding: Option<f64>,
    /// What is read to find the wanted rows.
    looked_at: Vec<Read>,
    fields: Vec<FieldExplanation<'a>>,
}

#[derive(Serialize)]
struct Cells {
    total: usize,
    touched: usize,
}

#[derive(Serialize)]
struct FieldExplanation<'a> {
    name: &'a str,
    unit: Option<&'a str>,
    frame: &'static str,
    row_bytes: u64,
    size_bytes_at_most: u64,
    #[serde(flatten)]
    read: Read,
}

#[derive(Serialize)]
struct Read {
    path: String,
    /// `null` where values are not in chunks of the file itself.
    chunks: Option<Chunks>,
}

#[derive(Serialize)]
struct Chunks {
    total: u64,
    /// At most so many are decoded.
    touched: u64,
    skipped: u64,
    /// Of those that are skipped, so many for what earlier conditions have seen.
    ruled_out: u64,
}

impl ConditionsExplanation {
    fn of(plan: &Plan) -> Option<Self> {
        let (conditions, limits) = (&plan.query.request.conditions, &plan.pinned.archive().limits);
        (!conditions.is_empty()).then(|| Self {
            n: conditions.len(),
            limit: limits.conditions,
            size_bytes: conditions.iter().map(|condition| condition.as_str().len()).sum(),
            limit_bytes: limits.condition_bytes,
        })
    }
}

impl HaloExplanation {
    fn of(halo: &Halo) -> Self {
        let sphere = halo.aperture;
        Self { id: halo.id, centre: sphere.map(|sphere| sphere.centre), radius: sphere.map(|sphere| sphere.radius) }
    }
}

/// The explanation, as JSON.
pub(super) fn explain(plan: &Plan) -> Result<Vec<u8>> {
    let groups = plan.groups.iter().map(|group| explain_group(plan, group)).collect::<Result<Vec<_>>>()?;
    let size_bytes = plan
        .groups
        .iter()
        .fold(0u64, |total, group| total.saturating_add(group.row_bytes.saturating_mul(group.most_rows())));
    let limit_bytes = plan.pinned.archive().limits.answer_bytes;
    serde_json::to_vec(&Explanation {
        path: plan.file.path().as_str(),
        format: plan.query.format.name(),
        halos: plan.query.request.halos.iter().flat_map(|halos| halos.as_slice()).map(HaloExplanation::of).collect(),
        conditions: ConditionsExplanation::of(plan),
        groups,
        size_bytes_at_most: size_bytes,
        limit_bytes,
        is_allowed: size_bytes <= limit_bytes,
    })
    .map_err(Error::internal)
}

fn explain_group<'a>(plan: &Plan, group: &'a PlannedGroup) -> Result<GroupExplanation<'a>> {
    let rows = [group.candidates.sorted_and_merged(), group.all_candidates.sorted_and_merged()];
    let [n_candidates, n_all] = rows.each_ref().map(|rows| rows.n_rows().unwrap_or(u64::MAX));
    let filter = group.selection.filter();
    // A dataset of which several columns are looked at stands there once.
    let mut looked_at = BTreeMap::new();
    for column in filter.columns() {
        let dataset = plan.output.file().dataset(&column.path)?;
        let n_columns: &mut Vec<Option<u64>> =
            &mut looked_at.entry(column.path.clone()).or_insert((dataset, Vec::new())).1;
        n_columns.push(column.index);
    }
    let looked_at = looked_at
        .into_iter()
        .map(|(path, (dataset, columns))| Read { chunks: chunks(&dataset, &rows, &columns), path });
    let field = |field: &'a PlannedField| FieldExplanation {
        name: &field.asked,
        unit: field.unit(),
        frame: frame_name(field.frame()),
        row_bytes: field.row_bytes,
        size_bytes_at_most: field.row_bytes.saturating_mul(group.most_rows()),
        read: Read { path: field.field.path.clone(), chunks: chunks(&field.dataset, &rows, &[field.column]) },
    };
    Ok(GroupExplanation {
        group: &group.selection.group,
        name: &group.selection.name,
        n_rows: group.selection.n_rows,
        n_candidates,
        n_ruled_out: n_all.saturating_sub(n_candidates),
        n_rows_at_most: group.most_rows(),
        n_operations_at_most: group
            .selection
            .conditions
            .iter()
            .fold(0u64, |n, condition| n.saturating_add(condition.n_operations()))
            .saturating_mul(n_candidates),
        is_exact: group.is_exact(),
        cells: group.cells.map(|(total, touched)| Cells { total, touched }),
        bounds: group.bounds,
        padding: group.padding(),
        looked_at: looked_at.collect(),
        fields: group.fields.iter().map(field).collect(),
    })
}

/// The chunks of a dataset that hold these rows (those that are looked at, and all that could be), of some columns (`None` for all).
fn chunks(dataset: &Dataset, rows: &[RowRanges; 2], columns: &[Option<u64>]) -> Option<Chunks> {
    let (shape, chunk_shape) = (dataset.shape(), dataset.chunk_shape()?);
    let (chunk_rows, inner) = chunk_shape.split_first()?;
    let n_bands = shape.first()?.div_ceil((*chunk_rows).max(1));
    let per_band = shape
        .iter()
        .skip(1)
        .zip(inner)
        .try_fold(1u64, |n, (extent, chunk)| n.checked_mul(extent.div_ceil((*chunk).max(1))))?;
    let touched_per_band = match (columns.iter().copied().collect::<Option<Vec<u64>>>(), inner) {
        (Some(mut columns), [chunk]) if !columns.is_empty() => {
            columns.iter_mut().for_each(|column| *column /= (*chunk).max(1));
            columns.sort_unstable();
            columns.dedup();
            columns.len() as u64
        }
        _ => per_band,
    };
    let total = n_bands.checked_mul(per_band)?;
    let touched = |rows| n_bands_touched(rows, *chunk_rows)?.checked_mul(touched_per_band);
    let (touched, touched_at_first) = (touched(&rows[0])?, touched(&rows[1])?);
    let (skipped, ruled_out) = (total.saturating_sub(touched), touched_at_first.saturating_sub(touched));
    Some(Chunks { total, touched, skipped, ruled_out })
}

/// How many times `chunk_rows` rows these rows, which rise, are in.
fn n_bands_touched(rows: &RowRanges, chunk_rows: u64) -> Option<u64> {
    let band = |row: u64| row.checked_div(chunk_rows);
    let mut n_touched = 0u64;
    let mut next_band = 0u64;
    for range in rows.as_slice() {
        let (first, last) = (band(range.start)?.max(next_band), band(range.end.checked_sub(1)?)?);
        if last >= first {
            n_touched += last - first + 1;
            next_band = last + 1;
        }
    }
    Some(n_touched)
}
