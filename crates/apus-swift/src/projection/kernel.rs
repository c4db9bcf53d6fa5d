//! How a particle is spread over pixels.
//!
//! The kernel is Wendland's C2 in two dimensions, as swiftsimio takes it: `W(r) = 7/pi / H**2 (1 - r/H)**4 (1 + 4 r/H)` within
//! `H = 1.897367 h`, evaluated at the centres of pixels; a particle whose `H` is less than a pixel lies in its pixel. Distances, kernel
//! widths and the kernel's values are rounded to 32-bit floats where swiftsimio's `fast` has them so, for pixels that agree with it.
//!
//! Source: swiftsimio 12, `visualisation/projection_backends/{fast,kernels,renormalised}.py`; Dehnen & Aly 2012.

use std::ops::Range;

use serde::Serialize;

use super::PictureGrid;

/// The radius of the kernel in smoothing lengths, `H / h`.
pub const KERNEL_GAMMA: f64 = 1.897_367_f32 as f64;
const KERNEL_CONSTANT: f64 = 2.228_171_f32 as f64;
/// With a radius of more pixels, the kernel's values at the pixels sum to 1 to more than six digits.
const MAX_RENORMALISED_PIXELS: f64 = 64.0;
/// So many weights are calculated before they are added.
const STRIP: usize = 128;

/// How particles are spread over pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Smoothing {
    /// With the kernel of their smoothing length, evaluated at the centres of pixels.
    Kernel,
    /// The same; values are then multiplied so that they sum to the particle's, which narrow kernels do not by themselves.
    Renormalised,
    /// Without a smoothing length, cloud-in-cell: over the four nearest pixels, by the overlap with a cloud of a pixel's size.
    Cloud,
    /// Each in its pixel.
    Nearest,
}

/// A particle on a picture: one of its periodic copies.
#[derive(Clone, Debug)]
pub(super) struct Splat {
    /// Where it is, in longer sides from the lower corner.
    pub(super) at: [f64; 2],
    /// The kernel's radius, in longer sides.
    pub(super) width: f64,
    /// What the kernel is multiplied by.
    pub(super) factor: f64,
    /// What is spread, one for each channel.
    pub(super) values: [f64; 2],
}

/// How a splat touches pixels.
enum Footprint {
    /// The pixel at that column and row.
    Pixel(i64, i64),
    /// Pixels from that column and row on, two each, with the weights of the second.
    Four(i64, i64, [f64; 2]),
    /// All within so many of that column and row.
    Kernel(i64, i64, [i64; 2]),
}

impl Smoothing {
    /// Whether smoothing lengths matter.
    pub fn has_kernel(self) -> bool {
        matches!(self, Self::Kernel | Self::Renormalised)
    }

    /// How many pixels along x and y a kernel of that radius, in longer sides, reaches beyond the particle's own.
    pub(super) fn reach(self, grid: &PictureGrid, width: f64) -> [f64; 2] {
        match self {
            Self::Kernel | Self::Renormalised => grid.pixel.map(|pixel| (1.0 + width / pixel).floor()),
            Self::Cloud => [1.0; 2],
            Self::Nearest => [0.0; 2],
        }
    }

    fn footprint(self, grid: &PictureGrid, splat: &Splat) -> Footprint {
        let [x, y] = [0, 1].map(|i| splat.at[i] / grid.pixel[i]);
        match self {
            Self::Kernel | Self::Renormalised if splat.width >= grid.pixel[0].max(grid.pixel[1]) => {
                let reach = self.reach(grid, splat.width);
                Footprint::Kernel(whole(x), whole(y), reach.map(whole))
            }
            Self::Cloud => {
                let (x, y) = (x - 0.5, y - 0.5);
                Footprint::Four(whole(x), whole(y), [x - x.floor(), y - y.floor()])
            }
            _ => Footprint::Pixel(whole(x), whole(y)),
        }
    }

    /// The rows that a splat touches, of those of the grid.
    pub(super) fn rows(self, grid: &PictureGrid, splat: &Splat) -> Range<usize> {
        let (lower, upper) = match self.footprint(grid, splat) {
            Footprint::Pixel(_, y) => (y, y),
            Footprint::Four(_, y, _) => (y, y.saturating_add(1)),
            Footprint::Kernel(_, y, [_, reach]) => (y.saturating_sub(reach), y.saturating_add(reach)),
        };
        clipped(lower, upper, grid.n_pixels()[1])
    }

    /// About how many pixels a splat is added to.
    pub(super) fn n_operations(self, grid: &PictureGrid, splat: &Splat) -> u64 {
        let Footprint::Kernel(x, y, [reach_x, reach_y]) = self.footprint(grid, splat) else { return 4 };
        let n =
            |at: i64, reach: i64, n: usize| clipped(at.saturating_sub(reach), at.saturating_add(reach), n).len() as u64;
        let [width, height] = grid.n_pixels();
        n(x, reach_x, width) * n(y, reach_y, height) + 16
    }

    /// What the kernel is to be multiplied by.
    pub(super) fn factor(self, grid: &PictureGrid, splat: &Splat) -> f64 {
        let Footprint::Kernel(x, y, reach) = self.footprint(grid, splat) else { return 1.0 };
        let n_wide = (splat.width / grid.pixel[0]) * (splat.width / grid.pixel[1]);
        if self != Self::Renormalised || n_wide > MAX_RENORMALISED_PIXELS * MAX_RENORMALISED_PIXELS {
            return 1.0;
        }
        let kernel = Kernel::of(splat);
        let centre = |at: i64, axis: usize| {
            #[expect(clippy::cast_precision_loss, reason = "pictures have a few thousand pixels on a side")]
            let centre = (at as f64 + 0.5) * grid.pixel[axis];
            centre
        };
        let mut sum = 0.0;
        for row in y - reach[1]..=y + reach[1] {
            let dy = centre(row, 1) - kernel.y;
            for column in x - reach[0]..=x + reach[0] {
                sum += kernel.value(centre(column, 0) - kernel.x, dy * dy);
            }
        }
        if sum > 0.0 { 1.0 / (sum * grid.pixel[0] * grid.pixel[1]) } else { 1.0 }
    }

    /// Adds a splat to the rows of a band, of whose channels each has those rows of all columns.
    pub(super) fn lay(self, grid: &PictureGrid, splat: &Splat, rows: &Range<usize>, channels: &mut [Vec<f64>]) {
        let [n_columns, _] = grid.n_pixels();
        let area = grid.pixel[0] * grid.pixel[1];
        let mut add = |x: i64, y: i64, weight: f64| {
            let (Ok(x), Ok(y)) = (usize::try_from(x), usize::try_from(y)) else { return };
            if x < n_columns && rows.contains(&y) {
                let place = (y - rows.start) * n_columns + x;
                for (channel, value) in channels.iter_mut().zip(splat.values) {
                    if let Some(pixel) = channel.get_mut(place) {
                        *pixel += value * weight / area;
                    }
                }
            }
        };
        match self.footprint(grid, splat) {
            Footprint::Pixel(x, y) => add(x, y, 1.0),
            Footprint::Four(x, y, [right, upper]) => {
                add(x, y, (1.0 - right) * (1.0 - upper));
                add(x.saturating_add(1), y, right * (1.0 - upper));
                add(x, y.saturating_add(1), (1.0 - right) * upper);
                add(x.saturating_add(1), y.saturating_add(1), right * upper);
            }
            Footprint::Kernel(x, y, reach) => lay_kernel(grid, splat, rows, channels, [x, y], reach),
        }
    }
}

/// The kernel of a splat.
struct Kernel {
    x: f64,
    y: f64,
    inverse_width: f64,
    norm: f64,
}

impl Kernel {
    #[expect(clippy::cast_possible_truncation, reason = "rounded to 32 bits where swiftsimio does")]
    fn of(splat: &Splat) -> Self {
        let inverse_width = 1.0 / f64::from(splat.width as f32);
        Self {
            x: f64::from(splat.at[0] as f32),
            y: f64::from(splat.at[1] as f32),
            inverse_width,
            norm: KERNEL_CONSTANT * inverse_width * inverse_width,
        }
    }

    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "rounded to 32 bits where swiftsimio does")]
    fn value(&self, dx: f64, dy_squared: f64) -> f64 {
        let distance = f64::from((dx * dx + dy_squared).sqrt() as f32);
        let ratio = distance * self.inverse_width;
        let rest = 1.0 - ratio;
        let rest = if rest > 0.0 { rest } else { 0.0 };
        let squared = rest * rest;
        f64::from((squared * squared * (1.0 + 4.0 * ratio) * self.norm) as f32)
    }
}

/// Adds a kernel, row by row: of each the columns that are within its radius.
fn lay_kernel(
    grid: &PictureGrid,
    splat: &Splat,
    rows: &Range<usize>,
    channels: &mut [Vec<f64>],
    [x, y]: [i64; 2],
    reach: [i64; 2],
) {
    let [n_columns, n_rows] = grid.n_pixels();
    let columns = clipped(x.saturating_sub(reach[0]), x.saturating_add(reach[0]), n_columns);
    let touched = clipped(y.saturating_sub(reach[1]), y.saturating_add(reach[1]), n_rows);
    let kernel = Kernel::of(splat);
    // Pixels at the very edge get nothing; a little more than the radius misses none by rounding.
    let radius = splat.width * (1.0 + 1e-6);
    let mut strip = [0.0; STRIP];
    for row in touched.start.max(rows.start)..touched.end.min(rows.end) {
        let dy = grid.centres[1][row] - kernel.y;
        let dy_squared = dy * dy;
        let half_chord = radius * radius - dy_squared;
        if half_chord <= 0.0 {
            continue;
        }
        let half_chord = half_chord.sqrt();
        let first = whole(((kernel.x - half_chord) / grid.pixel[0] - 0.5).ceil());
        let last = whole(((kernel.x + half_chord) / grid.pixel[0] - 0.5).floor());
        let within = clipped(first, last, n_columns);
        let within = within.start.max(columns.start)..within.end.min(columns.end);
        let start = (row - rows.start) * n_columns;
        let mut column = within.start;
        while column < within.end {
            let end = within.end.min(column + STRIP);
            let centres = &grid.centres[0][column..end];
            let weights = &mut strip[..end - column];
            for (weight, centre) in weights.iter_mut().zip(centres) {
                *weight = kernel.value(centre - kernel.x, dy_squared);
            }
            for (channel, value) in channels.iter_mut().zip(splat.values) {
                let value = value * splat.factor;
                for (pixel, weight) in channel[start + column..start + end].iter_mut().zip(&*weights) {
                    *pixel += value * weight;
                }
            }
            column = end;
        }
    }
}

/// The whole number below; of what is out of range, the last that there is.
#[expect(clippy::cast_possible_truncation, reason = "saturates, far outside of any picture")]
fn whole(number: f64) -> i64 {
    number.floor().clamp(-1e15, 1e15) as i64
}

/// From `first` to `last`, of `n`.
fn clipped(first: i64, last: i64, n: usize) -> Range<usize> {
    let start = usize::try_from(first.max(0)).unwrap_or(n).min(n);
    let end = usize::try_from(last.saturating_add(1).max(0)).unwrap_or(0).min(n);
    start..end.max(start)
}
