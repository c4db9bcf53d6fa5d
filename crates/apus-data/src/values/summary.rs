//! Statistics of fields over a selection: counts, sums, means, extremes and quantiles.

use std::collections::BTreeMap;

use apus_swift::{BoundFormula, Formula, Frame, QuantileFinder};
use serde::Serialize;

use super::{
    Content, EntityTag, Pinned,
    select::{FormulaRows, SelectRequest, frame_name},
};
use crate::{Error, Result, store::VPath};

/// The most fields of a request.
pub const MAX_SUMMARISED: usize = 16;
/// The most quantiles of a request.
pub const MAX_QUANTILES: usize = 32;

/// What is asked for. Serialised it says all that the answer depends on, but for the files.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SummaryRequest {
    /// Which rows. Its fields, units and format do not matter.
    pub select: SelectRequest,
    /// The particle type: `gas`, or `PartType0`.
    pub particle_type: String,
    /// What is summarised.
    pub fields: Vec<Formula>,
    /// What means are weighted by as well.
    pub weight: Option<Formula>,
    /// Numbers from 0 to 1.
    pub quantiles: Vec<f64>,
    /// Units, each for the fields of its dimensions.
    pub units: Vec<String>,
    /// The frame of the values; as stored where there is none.
    pub frame: Option<Frame>,
}

/// Statistics of fields, planned.
pub struct Summary {
    pinned: Pinned,
    request: SummaryRequest,
    rows: FormulaRows,
    /// The unit and the frame of each field.
    fields: Vec<(Option<String>, Frame)>,
}

#[derive(Serialize)]
struct Answer<'a> {
    r#type: &'a str,
    n_rows: u64,
    statistics: serde_json::Map<String, serde_json::Value>,
}

#[derive(Serialize)]
struct Described<'a> {
    unit: Option<&'a str>,
    frame: &'static str,
    /// Rows whose value is a number; all that follows is of those.
    count: u64,
    n_nan: u64,
    sum: f64,
    mean: Option<f64>,
    /// Divided by the count.
    std: Option<f64>,
    min: Option<f64>,
    max: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    weighted_mean: Option<f64>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    quantiles: BTreeMap<String, Option<f64>>,
}

/// The moments of a field.
#[derive(Clone, Debug)]
struct Moments {
    count: u64,
    n_nan: u64,
    sum: f64,
    /// What was rounded off the sum.
    rest: f64,
    mean: f64,
    /// The sum of squares of differences from the mean.
    squares: f64,
    least: f64,
    greatest: f64,
    weights: f64,
    products: f64,
}

impl Summary {
    /// Finds out which rows may be looked at and which datasets are read.
    ///
    /// Errors: those of the selection and of the formulas; those of reading.
    pub fn new(pinned: &Pinned, path: &VPath, request: SummaryRequest) -> Result<Self> {
        let mut rows = FormulaRows::new(pinned, path, &request.particle_type, request.select.clone(), false)?;
        let context = rows.output().unit_context();
        let mut fields = Vec::new();
        for unit in &request.units {
            context.parse(unit).map_err(|error| Error::of_formula("unit", error))?;
        }
        for formula in &request.fields {
            let mut bound = rows.bind("fields", formula)?;
            if let Some(frame) = request.frame {
                let only = || Error::invalid(format!("{}: it exists as a physical value only", formula.as_str()));
                bound = bound.in_frame(frame, context.scale_factor).ok_or_else(only)?;
            }
            let (factor, unit) = unit_among(&rows, &bound, &request.units)?;
            fields.push((unit, bound.frame));
            rows.add(bound.times(factor))?;
        }
        if let Some(weight) = &request.weight {
            let bound = rows.bind("weight", weight)?;
            rows.add(bound)?;
        }
        Ok(Self { pinned: pinned.clone(), request, rows, fields })
    }

    /// The tag of the answer.
    ///
    /// Errors: none that such a request gives; the type is the tag's.
    pub fn tag(&self) -> Result<EntityTag> {
        self.pinned.tag(&("summary", &self.request))
    }

    /// The statistics, as JSON.
    ///
    /// Errors: those of reading; [`Error::Gone`].
    pub fn content(self) -> Result<Content> {
        let n_fields = self.fields.len();
        let _held = self.pinned.archive().pictures.take(self.memory_bytes())?;
        let mut moments = vec![Moments::none(); n_fields];
        let mut n_rows = 0u64;
        self.rows.each(|rows| {
            n_rows += rows.n_rows as u64;
            let weights = rows.values.get(n_fields).map(Vec::as_slice);
            moments.iter_mut().zip(&rows.values).for_each(|(moments, values)| moments.see(values, weights));
            Ok(())
        })?;
        let quantiles = self.quantiles(&moments)?;
        let mut statistics = serde_json::Map::new();
        for (((formula, (unit, frame)), moments), quantiles) in
            self.request.fields.iter().zip(&self.fields).zip(&moments).zip(quantiles)
        {
            let has = |value: f64| (moments.count > 0).then_some(value);
            let names = self.request.quantiles.iter().map(f64::to_string);
            let described = Described {
                unit: unit.as_deref(),
                frame: frame_name(*frame),
                count: moments.count,
                n_nan: moments.n_nan,
                sum: moments.sum + moments.rest,
                mean: has(moments.mean()),
                std: has(moments.variance().sqrt()),
                min: has(moments.least),
                max: has(moments.greatest),
                weighted_mean: self.request.weight.as_ref().map(|_| moments.products / moments.weights),
                quantiles: names.zip(quantiles).collect(),
            };
            let described = serde_json::to_value(described).map_err(Error::internal)?;
            statistics.insert(formula.as_str().to_owned(), described);
        }
        let answer = Answer { r#type: &self.rows.group()?.name, n_rows, statistics };
        let bytes = serde_json::to_vec(&answer).map_err(Error::internal)?;
        Ok(Content::whole(self.pinned.clone(), bytes).with_rows(n_rows))
    }

    /// What finding quantiles takes: two ranks for each, of each field.
    fn memory_bytes(&self) -> u64 {
        let n_ranks = 2 * self.request.quantiles.len() as u64;
        (self.fields.len() as u64).saturating_mul(n_ranks * QuantileFinder::RANK_BYTES + 1024)
    }

    fn quantiles(&self, moments: &[Moments]) -> Result<Vec<Vec<Option<f64>>>> {
        let wanted = &self.request.quantiles;
        let mut finders: Vec<QuantileFinder> =
            moments.iter().map(|moments| QuantileFinder::new(wanted, moments.count)).collect();
        if !wanted.is_empty() {
            for _ in 0..QuantileFinder::N_PASSES {
                self.rows.each(|rows| {
                    finders.iter_mut().zip(&rows.values).for_each(|(finder, values)| finder.see(values));
                    Ok(())
                })?;
                finders.iter_mut().for_each(QuantileFinder::end_pass);
            }
        }
        Ok(finders.iter().map(QuantileFinder::quantiles).collect())
    }
}

/// The factor to whichever of the units has the dimensions of a formula, and the unit of the values then.
fn unit_among(rows: &FormulaRows, formula: &BoundFormula, units: &[String]) -> Result<(f64, Option<String>)> {
    let output = rows.output();
    let context = output.unit_context();
    for unit in units {
        let (parsed, worth) = context.parse(unit)?;
        if formula.dimensions.is_some_and(|dimensions| parsed.dimensions.agrees_with(dimensions)) {
            return Ok((1.0 / worth, Some(context.respell(unit)?)));
        }
    }
    Ok((1.0, output.units().zip(formula.dimensions).map(|(units, d)| units.unit_string(d))))
}

#[expect(clippy::cast_precision_loss, reason = "counts of rows, as numpy has them")]
impl Moments {
    fn none() -> Self {
        Self {
            count: 0,
            n_nan: 0,
            sum: 0.0,
            rest: 0.0,
            mean: 0.0,
            squares: 0.0,
            least: f64::INFINITY,
            greatest: f64::NEG_INFINITY,
            weights: 0.0,
            products: 0.0,
        }
    }

    fn see(&mut self, values: &[f64], weights: Option<&[f64]>) {
        let (mut count, mut sum) = (0u64, 0.0);
        for (row, value) in values.iter().copied().enumerate() {
            if value.is_nan() {
                self.n_nan += 1;
                continue;
            }
            count += 1;
            sum += value;
            self.add(value);
            self.least = self.least.min(value);
            self.greatest = self.greatest.max(value);
            if let Some(weight) = weights.and_then(|weights| weights.get(row)) {
                self.weights += weight;
                self.products += weight * value;
            }
        }
        if count == 0 {
            return;
        }
        // The squares of a part about its own mean, joined with those before: nothing large cancels.
        let mean = sum / count as f64;
        let squares: f64 = values.iter().filter(|v| !v.is_nan()).map(|v| (v - mean) * (v - mean)).sum();
        let (before, all) = (self.count as f64, (self.count + count) as f64);
        let difference = mean - self.mean;
        self.squares += squares + difference * difference * before * (count as f64 / all);
        self.mean += difference * (count as f64 / all);
        self.count += count;
    }

    /// Neumaier's sum.
    fn add(&mut self, value: f64) {
        let sum = self.sum + value;
        if sum.is_finite() {
            self.rest +=
                if self.sum.abs() >= value.abs() { (self.sum - sum) + value } else { (value - sum) + self.sum };
        }
        self.sum = sum;
    }

    fn mean(&self) -> f64 {
        (self.sum + self.rest) / self.count as f64
    }

    fn variance(&self) -> f64 {
        self.squares / self.count as f64
    }
}
