//! Which part of which plane is pictured, and which rows can reach it.

use apus_swift::{Condition, Granularity, KERNEL_GAMMA, PictureGrid, Region, RegionRequest, Shape, View};

use super::{Backend, ImageRequest, Pixels, ViewRequest};
use crate::{
    Error, Result,
    store::VPath,
    values::{Pinned, select::FormulaRows},
};

/// What a picture shows. Units: the file's length, comoving.
pub(super) struct Scene {
    view: View,
    /// What it covers along x and y, and in depth.
    extent: [[f64; 2]; 3],
    pixels: Pixels,
    /// The side lengths of the box along x and y; `None` where it is rotated.
    period: Option<[f64; 2]>,
    /// The only box, where the region is one box of particles: then those that reach in from its sides count.
    window: Option<[[Option<f64>; 2]; 3]>,
    box_size: [f64; 3],
}

impl Scene {
    /// Takes what the region covers, or the whole box.
    ///
    /// Errors: [`Error::Invalid`] for a region without a size, and for directions that are none.
    pub(super) fn new(rows: &FormulaRows, view: ViewRequest, pixels: Pixels) -> Result<Self> {
        let header =
            rows.output().header().ok_or_else(|| Error::invalid("the file has no box that could be pictured"))?;
        let box_size = header.box_size;
        let request = &rows.request().request;
        let mut shapes: Vec<Shape> = request
            .halos
            .iter()
            .flat_map(|halos| halos.as_slice())
            .filter_map(|halo| halo.aperture)
            .map(apus_swift::HaloSphere::shape)
            .collect();
        if shapes.is_empty() && !request.region.shapes.is_empty() {
            shapes = request.region.shapes_in(rows.output())?.0;
        }
        let covered = covered(&shapes, box_size)?;
        let counts_reach = request.granularity == Granularity::Particles
            && request.padding.is_none()
            && request.stride.is_none()
            && request.limit.is_none();
        let (view, extent, period, window) = match view {
            ViewRequest::Axis(axis) => {
                let view = View::Axis(axis);
                let [x, y, depth] = [(axis + 1) % 3, (axis + 2) % 3, axis % 3];
                let window = match shapes.as_slice() {
                    [Shape::Box(_)] if counts_reach => Some(covered.map(|[lower, upper]| [Some(lower), Some(upper)])),
                    _ => None,
                };
                (view, [covered[x], covered[y], covered[depth]], Some([box_size[x], box_size[y]]), window)
            }
            ViewRequest::Along(direction) => {
                let centre = covered.map(|[lower, upper]| f64::midpoint(lower, upper));
                let view = View::along(direction, centre, box_size).ok_or_else(|| {
                    Error::invalid("along: expected the three numbers of a direction, not all of them 0")
                })?;
                (view, covered, None, None)
            }
        };
        for (name, [lower, upper]) in ["x", "y"].into_iter().zip(extent) {
            if upper - lower <= 0.0 {
                return Err(Error::invalid(format!(
                    "the region has no size along the picture's {name}: from {lower} to {upper}"
                )));
            }
        }
        Ok(Self { view, extent, pixels, period, window, box_size })
    }

    /// The pixels.
    pub(super) fn grid(&self) -> PictureGrid {
        let [x, y, _] = self.extent;
        match self.pixels {
            Pixels::Longer(n) => PictureGrid::square([x, y], n, self.period),
            Pixels::Sides(sides) => PictureGrid::stretched([x, y], sides, self.period),
        }
    }

    /// The place of a position in the plane.
    pub(super) fn place(&self, position: [f64; 3]) -> [f64; 2] {
        self.view.place(position)
    }

    /// The rows that can reach the picture: `rows`, or where it is of one box, those of that depth whose kernel reaches in as well, as in
    /// swiftsimio: all that are near, and of those farther away the ones with a long smoothing length. The latter are few, and what was
    /// seen of smoothing lengths rules most chunks out.
    ///
    /// Errors: those of planning.
    pub(super) fn parts(
        &self,
        pinned: &Pinned,
        path: &VPath,
        request: &ImageRequest,
        rows: FormulaRows,
        smoothing_name: Option<&str>,
    ) -> Result<Vec<(FormulaRows, Option<Region>)>> {
        let (Some(window), Some(axes)) = (self.window, self.view.axes()) else { return Ok(vec![(rows, None)]) };
        let plane = [axes[0], axes[1]];
        let pixel = self.grid().pixel().into_iter().fold(0.0, f64::max);
        let longer = plane.map(|axis| self.side(axis)).into_iter().fold(0.0, f64::max);
        let reach = 2.0 * pixel + if smoothing_name.is_some() { longer / 2.0 } else { 0.0 };
        let mut near = window;
        let mut slab = window;
        for axis in plane {
            near[axis] = self.widened(window[axis], axis, reach);
            slab[axis] = [None; 2];
        }
        let part = |bounds: [[Option<f64>; 2]; 3], condition: Option<Condition>| {
            let mut select = request.select.clone();
            let shapes = if bounds == [[None; 2]; 3] { Vec::new() } else { vec![Shape::Box(bounds)] };
            select.request.region =
                RegionRequest { shapes: shapes.into_iter().map(Into::into).collect(), unit: None, frame: None };
            select.request.conditions.extend(condition);
            FormulaRows::new(pinned, path, &request.particle_type, select, true)
        };
        let is_all_near = near == slab;
        let Some(name) = smoothing_name.filter(|_| !is_all_near) else { return Ok(vec![(part(near, None)?, None)]) };
        let Some(units) = rows.output().units() else { return Ok(vec![(part(slab, None)?, None)]) };
        // A little less than what could reach in, for what rounding makes of it.
        let long_cm = (longer / 2.0 / KERNEL_GAMMA) * (1.0 - 1e-4) * units.length_cgs;
        let is_long = format!("{}.{name} > {long_cm:e} cm comoving", rows.group()?.name).parse::<Condition>()?;
        let region = Region::new(&[Shape::Box(near)], self.box_size)?;
        Ok(vec![(part(near, None)?, None), (part(slab, Some(is_long))?, Some(region))])
    }

    fn side(&self, axis: usize) -> f64 {
        self.window.map_or(0.0, |window| match window[axis] {
            [Some(lower), Some(upper)] => upper - lower,
            _ => self.box_size[axis],
        })
    }

    /// Bounds that are wider on both sides; open where that is the whole box.
    fn widened(&self, bounds: [Option<f64>; 2], axis: usize, reach: f64) -> [Option<f64>; 2] {
        let side = self.box_size[axis];
        let [Some(lower), Some(upper)] = bounds else { return [None; 2] };
        let (mut lower, mut upper) = (lower - reach, upper + reach);
        if upper - lower >= side {
            return [None; 2];
        }
        // Bounds may lie half a box outside of it, at most.
        if lower < -side / 2.0 {
            (lower, upper) = (lower + side, upper + side);
        } else if upper > 1.5 * side {
            (lower, upper) = (lower - side, upper - side);
        }
        [Some(lower), Some(upper)]
    }
}

/// What the shapes cover together on each axis, which is no more than the box; all of it where there are none.
fn covered(shapes: &[Shape], box_size: [f64; 3]) -> Result<[[f64; 2]; 3]> {
    let whole = box_size.map(|side| [0.0, side]);
    let mut extents = shapes.iter().map(|shape| shape.extent(box_size));
    let Some(first) = extents.next() else { return Ok(whole) };
    let mut all = first?;
    for extent in extents {
        for (axis, [lower, upper]) in extent?.into_iter().enumerate() {
            all[axis] = [all[axis][0].min(lower), all[axis][1].max(upper)];
        }
    }
    Ok([0, 1, 2].map(|axis| if all[axis][1] - all[axis][0] > box_size[axis] { whole[axis] } else { all[axis] }))
}

/// The name of the smoothing lengths, where particles have them and they matter.
pub(super) fn smoothing_field(rows: &FormulaRows, backend: Backend) -> Result<Option<String>> {
    if backend == Backend::Histogram {
        return Ok(None);
    }
    let group = rows.group()?;
    let name = ["smoothing_lengths", "smoothing_length"].into_iter().find(|name| group.field(name).is_some());
    match (name, backend) {
        (None, Backend::Renormalised) => Err(Error::invalid(format!(
            "backend=renormalised: {} has no smoothing lengths; backend=fast is cloud-in-cell here, which needs no renormalising",
            group.name
        ))),
        (name, _) => Ok(name.map(str::to_owned)),
    }
}
