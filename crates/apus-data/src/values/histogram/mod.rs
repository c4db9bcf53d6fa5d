//! Histograms and profiles: rows counted, or weights summed, in bins of one or two axes.
//!
//! A [`HistogramRequest`] says what is counted; [`Histogram::new`] finds out what that means for the file. Where an axis has no range, the
//! rows are read twice: once for what its values lie between.

mod forms;
mod request;

use apus_swift::{Bins, BoundFormula, Dimensions, Frame};

pub use self::request::{AxisRequest, HistogramForm, HistogramRequest, Radial};
use super::{
    Content, EntityTag, Pinned,
    image::{default_weight, in_unit},
    select::FormulaRows,
};
use crate::{Error, Result, store::VPath};

/// The most bins of an axis.
pub const MAX_BINS: usize = 4096;

/// A histogram of a file, planned.
pub struct Histogram {
    pinned: Pinned,
    request: HistogramRequest,
    rows: FormulaRows,
    axes: Vec<Axis>,
    /// What is summed instead of counting: where its values come.
    weight: Option<usize>,
    /// What a profile is of.
    profile: Option<Profile>,
    /// The unit of counts, or of the profile; `None` where the file does not say.
    unit: Option<String>,
}

/// An axis that is bound.
struct Axis {
    /// Where its values come; `None` for the distance from the centre.
    place: Option<usize>,
    unit: Option<String>,
    range: Option<[f64; 2]>,
    n_bins: usize,
    is_log: bool,
}

/// A profile about a centre.
struct Profile {
    centre: [f64; 3],
    box_size: [f64; 3],
    /// What distances in the file's length are multiplied by.
    factor: f64,
    weight: usize,
    /// What the mean is of; `None` for the density of the weight.
    field: Option<usize>,
}

/// What a histogram answers with.
#[derive(Debug)]
pub struct HistogramContent {
    /// The bytes.
    pub content: Content,
    /// Their media type.
    pub media_type: &'static str,
    /// The unit of the counts, or of the profile.
    pub unit: Option<String>,
    /// The unit of each axis.
    pub axis_units: Vec<Option<String>>,
}

/// What was counted.
struct Counted {
    bins: Vec<Bins>,
    /// The number of rows in each bin, the last axis fastest.
    counts: Vec<u64>,
    /// The sums of the weight, where there is one.
    sums: Option<Vec<f64>>,
    profile: Option<Vec<f64>>,
    n_rows: u64,
}

impl Histogram {
    /// Finds out which rows may be counted and which datasets are read.
    ///
    /// Errors: those of the selection and of the formulas; [`Error::Invalid`] for axes that do not fit together; those of reading.
    pub fn new(pinned: &Pinned, path: &VPath, request: HistogramRequest) -> Result<Self> {
        let is_radial = request.radial.is_some();
        let mut rows = FormulaRows::new(pinned, path, &request.particle_type, request.select.clone(), is_radial)?;
        let a = rows.output().unit_context().scale_factor;
        let in_frame = |parameter: &str, formula: BoundFormula| {
            let Some(frame) = request.frame else { return Ok(formula) };
            let only =
                || Error::invalid(format!("{parameter}: it exists as a physical value only; leave out frame=comoving"));
            formula.in_frame(frame, a).ok_or_else(only)
        };
        let mut axes = Vec::new();
        for (name, axis) in ["x", "y"].into_iter().zip(&request.axes) {
            let (place, unit) = match &axis.formula {
                Some(formula) => {
                    let bound = in_frame(name, rows.bind(name, formula)?)?;
                    let (factor, unit) =
                        in_unit(rows.output(), &format!("{name}_unit"), bound.dimensions, axis.unit.as_deref())?;
                    (Some(rows.add(bound.times(factor))?), unit)
                }
                None => (None, in_unit(rows.output(), "x_unit", Some(Dimensions::LENGTH), axis.unit.as_deref())?.1),
            };
            let &AxisRequest { range, n_bins, is_log, .. } = axis;
            axes.push(Axis { place, unit, range, n_bins, is_log });
        }
        let (mut weight, mut profile) = (None, None);
        let unit;
        if let Some(radial) = request.radial {
            let (centre, box_size) = centre(&rows, radial)?;
            let length_factor = match request.frame {
                Some(Frame::Physical) => a,
                _ => 1.0,
            };
            let x_unit = request.axes.first().and_then(|axis| axis.unit.as_deref());
            let (factor, _) = in_unit(rows.output(), "x_unit", Some(Dimensions::LENGTH), x_unit)?;
            let formula = match &request.weight {
                Some(weight) => rows.bind("weight", weight)?,
                None => rows.bind("weight", &default_weight(&rows)?)?,
            };
            let mut bound_weight = formula;
            let field = match &request.field {
                None => {
                    let frame = request.frame.unwrap_or(Frame::Comoving);
                    let only = || Error::invalid("weight: it exists as a physical value only; add frame=physical");
                    bound_weight = bound_weight.in_frame(frame, a).ok_or_else(only)?;
                    let dimensions = bound_weight.dimensions.map(|d| d.times(Dimensions::LENGTH.power(-3.0)));
                    let (to_unit, name) = in_unit(rows.output(), "unit", dimensions, request.unit.as_deref())?;
                    // Volumes are of the axis' unit.
                    bound_weight = bound_weight.times(to_unit * factor.powi(3));
                    unit = name;
                    None
                }
                Some(field) => {
                    let bound = in_frame("field", rows.bind("field", field)?)?;
                    let (to_unit, name) = in_unit(rows.output(), "unit", bound.dimensions, request.unit.as_deref())?;
                    unit = name;
                    Some(rows.add(bound.times(to_unit))?)
                }
            };
            let weight = rows.add(bound_weight)?;
            profile = Some(Profile { centre, box_size, factor: factor * length_factor, weight, field });
        } else if let Some(formula) = &request.weight {
            let bound = in_frame("weight", rows.bind("weight", formula)?)?;
            let (factor, name) = in_unit(rows.output(), "unit", bound.dimensions, request.unit.as_deref())?;
            unit = name;
            weight = Some(rows.add(bound.times(factor))?);
        } else {
            if request.unit.is_some() {
                return Err(Error::invalid(
                    "unit is of the sums of weight, and there is none: say weight, or leave unit out",
                ));
            }
            unit = Some("1".to_owned());
        }
        Ok(Self { pinned: pinned.clone(), request, rows, axes, weight, profile, unit })
    }

    /// The tag of the answer.
    ///
    /// Errors: none that such a request gives; the type is the tag's.
    pub fn tag(&self) -> Result<EntityTag> {
        self.pinned.tag(&("histogram", &self.request))
    }

    /// The histogram.
    ///
    /// Errors: those of reading; [`Error::Invalid`] for ranges without bins; [`Error::Busy`]; [`Error::Gone`].
    pub fn content(self) -> Result<HistogramContent> {
        let n_bins: u64 = self.axes.iter().map(|axis| axis.n_bins as u64).product();
        let held = self.pinned.archive().pictures.take(n_bins.saturating_mul(24))?;
        let counted = self.counted()?;
        let (content, media_type) = forms::content(&self, &counted)?;
        let axis_units = self.axes.into_iter().map(|axis| axis.unit).collect();
        Ok(HistogramContent { content: content.holding(held), media_type, unit: self.unit, axis_units })
    }

    fn counted(&self) -> Result<Counted> {
        let bins = self.bins()?;
        let n_bins = bins.iter().map(Bins::n_bins).product();
        let mut counts = vec![0u64; n_bins];
        let is_summed = self.weight.is_some() || self.profile.is_some();
        let mut sums = if is_summed { vec![0.0; n_bins] } else { Vec::new() };
        let mut products =
            if self.profile.as_ref().is_some_and(|p| p.field.is_some()) { vec![0.0; n_bins] } else { Vec::new() };
        let weight = self.weight.or(self.profile.as_ref().map(|profile| profile.weight));
        let field = self.profile.as_ref().and_then(|profile| profile.field);
        let mut n_rows = 0u64;
        let mut distances = Vec::new();
        self.rows.each(|rows| {
            self.distances(&rows.positions, &mut distances);
            let axes: Vec<&[f64]> = self.axes.iter().map(|axis| list(&rows.values, axis.place, &distances)).collect();
            let weights = weight.and_then(|place| rows.values.get(place));
            let fields = field.and_then(|place| rows.values.get(place));
            for row in 0..rows.n_rows {
                let mut bin = 0;
                let found = axes.iter().zip(&bins).all(|(values, bins)| {
                    let found = values.get(row).and_then(|value| bins.find(*value));
                    bin = bin * bins.n_bins() + found.unwrap_or(0);
                    found.is_some()
                });
                if !found {
                    continue;
                }
                counts[bin] += 1;
                if let Some(weight) = weights.and_then(|weights| weights.get(row)) {
                    sums[bin] += weight;
                    if let Some(field) = fields.and_then(|fields| fields.get(row)) {
                        products[bin] += weight * field;
                    }
                }
            }
            n_rows += rows.n_rows as u64;
            Ok(())
        })?;
        let profile = self.profile.as_ref().map(|profile| match profile.field {
            Some(_) => products.iter().zip(&sums).map(|(product, sum)| product / sum).collect(),
            None => densities(&sums, bins.first().map_or(&[], Bins::edges)),
        });
        let sums = self.weight.map(|_| sums);
        Ok(Counted { bins, counts, sums, profile, n_rows })
    }

    /// The bins of each axis; where one has no range, what its values lie between is looked at.
    fn bins(&self) -> Result<Vec<Bins>> {
        let mut ranges: Vec<Option<[f64; 2]>> =
            self.axes.iter().map(|axis| axis.range.or(self.radial_range(axis))).collect();
        if ranges.iter().any(Option::is_none) {
            let mut seen = vec![[f64::INFINITY, f64::NEG_INFINITY]; self.axes.len()];
            let mut distances = Vec::new();
            self.rows.each(|rows| {
                self.distances(&rows.positions, &mut distances);
                for (axis, seen) in self.axes.iter().zip(&mut seen) {
                    for value in list(&rows.values, axis.place, &distances) {
                        if value.is_finite() && (!axis.is_log || *value > 0.0) {
                            *seen = [seen[0].min(*value), seen[1].max(*value)];
                        }
                    }
                }
                Ok(())
            })?;
            for ((axis, range), [lower, upper]) in self.axes.iter().zip(&mut ranges).zip(seen) {
                range.get_or_insert(match (lower > upper, axis.place, axis.is_log) {
                    // None at all: numpy's.
                    (true, _, false) => [0.0, 1.0],
                    (true, _, true) => [1.0, 10.0],
                    (_, None, false) if upper > 0.0 => [0.0, upper],
                    (_, None, true) => [upper / 100.0, upper],
                    _ if lower < upper => [lower, upper],
                    // A single value: numpy's, or half a decade.
                    (_, _, false) => [lower - 0.5, upper + 0.5],
                    (_, _, true) => [lower / 10f64.sqrt(), upper * 10f64.sqrt()],
                });
            }
        }
        let mut all = Vec::new();
        for ((name, axis), range) in ["x", "y"].into_iter().zip(&self.axes).zip(ranges) {
            let range = range.unwrap_or([0.0, 1.0]);
            let bins = Bins::new(range, axis.n_bins, axis.is_log).ok_or_else(|| {
                Error::invalid(format!(
                    "{name}_range: {} bins do not fit between {} and {}",
                    axis.n_bins, range[0], range[1]
                ))
            })?;
            all.push(bins);
        }
        Ok(all)
    }

    /// What the distances of a region's rows lie between.
    fn radial_range(&self, axis: &Axis) -> Option<[f64; 2]> {
        let profile = self.profile.as_ref().filter(|_| axis.place.is_none())?;
        let halos = self.rows.request().request.halos.as_ref()?;
        let [halo] = halos.as_slice() else { return None };
        let radius = halo.aperture?.radius * profile.factor;
        (radius > 0.0).then(|| [if axis.is_log { radius / 100.0 } else { 0.0 }, radius])
    }

    fn distances(&self, positions: &[[f64; 3]], out: &mut Vec<f64>) {
        out.clear();
        let Some(Profile { centre, box_size, factor, .. }) = &self.profile else { return };
        out.extend(positions.iter().map(|position| {
            let square = |axis: usize| {
                let offset = position[axis] - centre[axis];
                let nearest = offset - box_size[axis] * (offset / box_size[axis]).round();
                nearest * nearest
            };
            (square(0) + square(1) + square(2)).sqrt() * factor
        }));
    }
}

/// The values of an axis.
fn list<'v>(values: &'v [Vec<f64>], place: Option<usize>, distances: &'v [f64]) -> &'v [f64] {
    match place {
        Some(place) => values.get(place).map_or(&[], Vec::as_slice),
        None => distances,
    }
}

/// Sums over the volumes of shells with these edges.
fn densities(sums: &[f64], edges: &[f64]) -> Vec<f64> {
    let volume = |pair: &[f64]| 4.0 / 3.0 * std::f64::consts::PI * (pair[1].powi(3) - pair[0].powi(3));
    sums.iter().zip(edges.windows(2)).map(|(sum, pair)| sum / volume(pair)).collect()
}

/// The centre of a profile, in the file's length, and the box.
fn centre(rows: &FormulaRows, radial: Radial) -> Result<([f64; 3], [f64; 3])> {
    let header = rows.output().header().ok_or_else(|| Error::invalid("radial: the file has no box"))?;
    let centre = match radial {
        Radial::Centre(centre) => centre,
        Radial::Halo => {
            let halos = rows.request().request.halos.as_ref();
            let aperture = match halos.map_or(&[][..], |halos| halos.as_slice()) {
                [halo] => halo.aperture,
                _ => None,
            };
            let aperture = aperture.ok_or_else(|| {
                Error::invalid("radial=halo: say which halo, and how far about it: group, catalogue and aperture")
            })?;
            aperture.centre
        }
    };
    Ok((centre, header.box_size))
}
