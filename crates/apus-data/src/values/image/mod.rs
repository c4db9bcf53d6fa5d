//! Pictures: particles projected onto a plane.
//!
//! An [`ImageRequest`] says what is pictured of which rows, and in which form it leaves. [`Image::new`] finds out what that means for the
//! file: which part of which plane (`scene`), and which rows can reach it. [`Image::content`] projects them, block by block, with the
//! mathematics of `apus_swift`'s projection, and encodes the picture (`forms`).

mod forms;
mod request;
mod scene;

use apus_swift::{BoundFormula, Canvas, Dimensions, Formula, Frame, Output, Region, Smoothing};
use bytes::Bytes;

pub use self::request::{Backend, ImageForm, ImageRequest, Pixels, ViewRequest};
use self::scene::Scene;
use super::{Content, EntityTag, Pinned, memory::Held, raster::png_blocks, select::FormulaRows};
use crate::{Error, Result, store::VPath};

/// The longest side of a picture.
pub const MAX_PIXELS: usize = 4096;

/// A picture of a file, planned.
pub struct Image {
    pinned: Pinned,
    request: ImageRequest,
    scene: Scene,
    /// Rows that are pictured; those of a part but for those in a region, where there is one.
    parts: Vec<(FormulaRows, Option<Region>)>,
    smoothing: Smoothing,
    /// Whether there is a mean to be taken: then the second formula is what the mean is of.
    is_mean: bool,
    unit: Option<String>,
    frame: Frame,
    redshift: Option<f64>,
}

/// What a picture answers with.
#[derive(Debug)]
pub struct ImageContent {
    /// The bytes.
    pub content: Content,
    /// Their media type.
    pub media_type: &'static str,
    /// The unit of the values; `None` where the file does not say.
    pub unit: Option<String>,
    /// Their frame.
    pub frame: Frame,
    /// What the pixels cover: `xmin,xmax,ymin,ymax` in the file's comoving length.
    pub extent: [f64; 4],
    /// The values of the first and the last colour, of a form with colours.
    pub range: Option<[f64; 2]>,
}

/// A picture's values.
struct Picture {
    /// Row by row from the lowest y on.
    values: Vec<f64>,
    n_pixels: [usize; 2],
    extent: [f64; 4],
    /// Particles that reached it, counting periodic copies once.
    n_particles: u64,
    held: Held,
}

impl Image {
    /// Finds out which rows may be pictured and which datasets are read.
    ///
    /// Errors: those of the selection and of the formulas; [`Error::Invalid`] where there is nothing to be pictured; those of reading.
    pub fn new(pinned: &Pinned, path: &VPath, request: ImageRequest) -> Result<Self> {
        let rows = FormulaRows::new(pinned, path, &request.particle_type, request.select.clone(), true)?;
        let smoothing_name = scene::smoothing_field(&rows, request.backend)?;
        let smoothing = match (request.backend, &smoothing_name) {
            (Backend::Histogram, _) => Smoothing::Nearest,
            (_, None) => Smoothing::Cloud,
            (Backend::Fast, _) => Smoothing::Kernel,
            (Backend::Renormalised, _) => Smoothing::Renormalised,
        };
        let scene = Scene::new(&rows, request.view, request.pixels)?;
        let lengths = smoothing_name.as_deref().map(|name| lengths_formula(&rows, name)).transpose()?;
        let Pictured { weight, field, unit, frame } = Pictured::of(&rows, &request)?;
        let redshift = rows.output().header().and_then(|header| header.redshift);
        let mut parts =
            scene.parts(pinned, path, &request, rows, smoothing_name.as_deref().filter(|_| smoothing.has_kernel()))?;
        for (part, _) in &mut parts {
            part.add(weight.clone())?;
            if let Some(field) = &field {
                part.add(field.clone())?;
            }
            if let Some(lengths) = lengths.as_ref().filter(|_| smoothing.has_kernel()) {
                part.add(lengths.clone())?;
            }
        }
        let is_mean = field.is_some();
        Ok(Self { pinned: pinned.clone(), request, scene, parts, smoothing, is_mean, unit, frame, redshift })
    }

    /// The tag of the answer.
    ///
    /// Errors: none that such a request gives; the type is the tag's.
    pub fn tag(&self) -> Result<EntityTag> {
        self.tag_as("image")
    }

    /// The same, of an answer of another kind.
    pub(super) fn tag_as(&self, what: &str) -> Result<EntityTag> {
        self.pinned.tag(&(what, &self.request))
    }

    /// The values of the first and the last colour.
    ///
    /// Errors: as [`content`](Self::content).
    pub(super) fn drawn_range(&self) -> Result<[f64; 2]> {
        self.request.drawing.range(&self.picture()?.values)
    }

    /// The picture as a PNG, with colours for values between those two, or between its own.
    ///
    /// Errors: as [`content`](Self::content).
    pub(super) fn drawn(&self, range: Option<[f64; 2]>) -> Result<Bytes> {
        let Picture { values, n_pixels, .. } = self.picture()?;
        let drawing = &self.request.drawing;
        let range = range.map_or_else(|| drawing.range(&values), Ok)?;
        let blocks = png_blocks(values, n_pixels, drawing.scale(range))?.collect::<Result<Vec<_>>>()?;
        Ok(blocks.concat().into())
    }

    /// The picture.
    ///
    /// Errors: those of reading; [`Error::TooLarge`] where it takes too much work; [`Error::Busy`]; [`Error::Gone`].
    pub fn content(self) -> Result<ImageContent> {
        let picture = self.picture()?;
        forms::content(&self, picture)
    }

    fn picture(&self) -> Result<Picture> {
        let n_channels = if self.is_mean { 2 } else { 1 };
        let grid = self.scene.grid();
        let n_pixels = grid.n_pixels();
        // What is drawn takes its turn beside the sums.
        let held = self.pinned.archive().pictures.take(Canvas::size_bytes(n_pixels, n_channels + 1))?;
        let pool = self.pinned.read_options().pool;
        let mut canvas = Canvas::new(grid, self.smoothing, n_channels, &pool);
        let [x, y] = canvas.grid().extent();
        let add = |canvas: &mut Canvas| {
            let added = canvas.add(&pool);
            self.pinned.check_waiting()?;
            added.ok_or_else(|| Error::internal("a part of a picture failed"))
        };
        let mut n_particles = 0u64;
        for (part, but_for) in &self.parts {
            part.each(|rows| {
                let mut lists = rows.values.iter();
                let weights = lists.next();
                let fields = if self.is_mean { lists.next() } else { None };
                let lengths = lists.next();
                let value = |list: Option<&Vec<f64>>, row: usize| list.and_then(|list| list.get(row)).copied();
                for (row, position) in rows.positions.iter().enumerate() {
                    if but_for.as_ref().is_some_and(|region| region.contains(*position)) {
                        continue;
                    }
                    let weight = value(weights, row).unwrap_or(0.0);
                    let field = value(fields, row).unwrap_or(0.0);
                    let length = value(lengths, row).unwrap_or(0.0);
                    let reached = canvas.take(self.scene.place(*position), length, [weight, weight * field]);
                    n_particles += u64::from(reached);
                    if canvas.is_full() {
                        self.check_cost(&canvas, n_particles)?;
                        add(&mut canvas)?;
                    }
                }
                Ok(())
            })?;
        }
        add(&mut canvas)?;
        let mut channels = canvas.densities().into_iter();
        let mut values = channels.next().unwrap_or_default();
        if let Some(sums) = channels.next().filter(|_| self.is_mean) {
            values.iter_mut().zip(&sums).for_each(|(weight, sum)| *weight = sum / *weight);
        }
        Ok(Picture { values, n_pixels, extent: [x[0], x[1], y[0], y[1]], n_particles, held })
    }

    fn check_cost(&self, canvas: &Canvas, n_particles: u64) -> Result<()> {
        let limit = self.pinned.archive().limits.picture_operations;
        if canvas.n_operations() <= limit {
            return Ok(());
        }
        let most: u64 = self.parts.iter().map(|(part, _)| part.most_rows()).sum();
        Err(Error::too_large(format!(
            "the first {n_particles} particles, of at most {most}, were added to pixels {} times, over the limit of {limit}: ask for fewer \
             pixels (half as many on each side take a quarter), for a part of the particles (sample=0.1), or for a thinner box",
            canvas.n_operations()
        )))
    }
}

/// What is pictured.
struct Pictured {
    weight: BoundFormula,
    /// What the mean is of; `None` for the surface density of the weight.
    field: Option<BoundFormula>,
    unit: Option<String>,
    frame: Frame,
}

impl Pictured {
    fn of(rows: &FormulaRows, request: &ImageRequest) -> Result<Self> {
        let (output, a) = (rows.output(), rows.output().unit_context().scale_factor);
        let weight = match &request.weight {
            Some(weight) => rows.bind("weight", weight)?,
            None => rows.bind("weight", &default_weight(rows)?)?,
        };
        let Some(field) = &request.field else {
            let frame = request.frame.unwrap_or(Frame::Comoving);
            let physical_only = || Error::invalid("weight: it exists as a physical value only; add frame=physical");
            let weight = weight.in_frame(frame, a).ok_or_else(physical_only)?;
            let dimensions = weight.dimensions.map(|weight| weight.times(Dimensions::LENGTH.power(-2.0)));
            let area_factor = if frame == Frame::Physical { a.powf(-2.0) } else { 1.0 };
            let (factor, unit) = in_unit(output, "unit", dimensions, request.unit.as_deref())?;
            let weight = weight.times(factor * area_factor * request.sample_factor);
            return Ok(Self { weight, field: None, unit, frame });
        };
        let field = rows.bind("field", field)?;
        let frame = request.frame.unwrap_or(field.frame);
        let physical_only = || Error::invalid("field: it exists as a physical value only; leave out frame=comoving");
        let field = field.in_frame(frame, a).ok_or_else(physical_only)?;
        let (factor, unit) = in_unit(output, "unit", field.dimensions, request.unit.as_deref())?;
        Ok(Self { weight, field: Some(field.times(factor)), unit, frame })
    }
}

/// The factor to values of these dimensions in that unit, or the file's, and its name; `parameter` is where it was said.
pub(super) fn in_unit(
    output: &Output,
    parameter: &str,
    dimensions: Option<Dimensions>,
    unit: Option<&str>,
) -> Result<(f64, Option<String>)> {
    let context = output.unit_context();
    match (unit, dimensions) {
        (None, dimensions) => Ok((1.0, output.units().zip(dimensions).map(|(units, d)| units.unit_string(d)))),
        (Some(_), None) => {
            Err(Error::invalid(format!("{parameter}: the file does not say in which unit the values are")))
        }
        (Some(unit), Some(dimensions)) => {
            let worth =
                context.factor(parameter, unit, dimensions).map_err(|error| Error::of_formula(parameter, error))?;
            Ok((1.0 / worth, Some(context.respell(unit)?)))
        }
    }
}

/// What is taken for the mass of a particle.
pub(super) fn default_weight(rows: &FormulaRows) -> Result<Formula> {
    let group = rows.group()?;
    let name = ["masses", "dynamical_masses"].into_iter().find(|name| group.field(name).is_some());
    let name = name.ok_or_else(|| {
        Error::invalid(format!("weight: {} has no masses; say weight=FIELD, or weight=1 for a number", group.name))
    })?;
    Ok(name.parse::<Formula>()?)
}

/// Smoothing lengths, comoving.
fn lengths_formula(rows: &FormulaRows, name: &str) -> Result<BoundFormula> {
    let bound = rows.bind("smoothing lengths", &name.parse::<Formula>()?)?;
    let a = rows.output().unit_context().scale_factor;
    bound.in_frame(Frame::Comoving, a).ok_or_else(|| Error::invalid("smoothing lengths exist as physical values only"))
}
