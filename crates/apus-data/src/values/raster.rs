//! Values of pixels as colours.

use bytes::Bytes;
use serde::Serialize;

use super::{Content, Pinned};
use crate::{
    Error, Result,
    encode::{
        colours::{ColourMap, ColourScale},
        png::PngEncoder,
    },
};

/// So many values are drawn at once.
const STEP_VALUES: usize = 1 << 15;

/// How a picture with colours looks.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Drawing {
    /// Its colours.
    pub colour_map: ColourMap,
    /// Whether colours go by the logarithm.
    pub is_log: bool,
    /// The value of the first colour; the least (positive) one where there is none.
    pub lower: Option<f64>,
    /// The value of the last colour; the greatest where there is none.
    pub upper: Option<f64>,
}

impl Drawing {
    /// The values of the first and last colour. Where there are none to go by, 0 (or 1, by logarithms) to the next power of ten.
    ///
    /// Errors: [`Error::Invalid`] for values that are none for such a scale.
    pub(super) fn range(&self, values: &[f64]) -> Result<[f64; 2]> {
        let range = Range::of(values);
        let found = if self.is_log { range.least_positive } else { range.least };
        let lower = self.lower.or(found).unwrap_or(if self.is_log { 1.0 } else { 0.0 });
        let upper = self.upper.or(range.greatest).unwrap_or(10.0 * lower.max(0.1));
        if self.is_log && (lower <= 0.0 || self.upper.is_some_and(|upper| upper <= 0.0)) {
            return Err(Error::invalid(
                "vmin and vmax must be above 0 with scale=log; take scale=linear for other values",
            ));
        }
        match (self.lower, self.upper) {
            (Some(lower), Some(upper)) if lower >= upper => {
                Err(Error::invalid(format!("vmin={lower} must be below vmax={upper}")))
            }
            _ => Ok([lower, upper]),
        }
    }

    /// The colours of values between those two.
    pub(super) fn scale(&self, range: [f64; 2]) -> ColourScale {
        ColourScale::new(self.colour_map, self.is_log, range)
    }
}

/// What values lie between, but for those that are no numbers.
pub(super) struct Range {
    pub(super) least: Option<f64>,
    pub(super) greatest: Option<f64>,
    pub(super) least_positive: Option<f64>,
    pub(super) sum: f64,
    pub(super) n: u64,
}

impl Range {
    pub(super) fn of(values: &[f64]) -> Self {
        let mut range = Self { least: None, greatest: None, least_positive: None, sum: 0.0, n: 0 };
        for value in values.iter().copied().filter(|value| value.is_finite()) {
            range.least = Some(range.least.map_or(value, |least| least.min(value)));
            range.greatest = Some(range.greatest.map_or(value, |greatest| greatest.max(value)));
            if value > 0.0 {
                range.least_positive = Some(range.least_positive.map_or(value, |least| least.min(value)));
            }
            range.sum += value;
            range.n += 1;
        }
        range
    }
}

/// A PNG of values that lie row by row from below.
pub(super) fn png_content(
    pinned: &Pinned,
    values: Vec<f64>,
    n_pixels: [usize; 2],
    scale: ColourScale,
) -> Result<Content> {
    Ok(Content::stream(pinned.clone(), png_blocks(values, n_pixels, scale)?, None))
}

/// Its blocks.
pub(super) fn png_blocks(
    values: Vec<f64>,
    [width, height]: [usize; 2],
    scale: ColourScale,
) -> Result<impl Iterator<Item = Result<Bytes>> + Send + 'static> {
    let side = |n: usize| u32::try_from(n).map_err(Error::internal);
    let mut encoder = Some(PngEncoder::new(side(width)?, side(height)?));
    // The first row is the uppermost.
    let mut rows_left = height;
    let mut step = move || -> Result<Option<Bytes>> {
        let mut out = Vec::new();
        let Some(png) = encoder.as_mut() else { return Ok(None) };
        if rows_left == height {
            png.start(&mut out);
        }
        for _ in 0..(STEP_VALUES / width.max(1)).max(1) {
            let Some(row) = rows_left.checked_sub(1) else { break };
            rows_left = row;
            let row = values.get(row * width..(row + 1) * width).unwrap_or_default();
            let colours: Vec<[u8; 3]> = row.iter().map(|value| scale.colour(*value)).collect();
            png.write_row(&colours, &mut out)?;
        }
        if rows_left == 0
            && let Some(png) = encoder.take()
        {
            png.finish(&mut out)?;
        }
        Ok(Some(out.into()))
    };
    Ok(std::iter::from_fn(move || step().transpose()))
}
