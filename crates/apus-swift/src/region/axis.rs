//! One axis of a box.

use super::check_coordinate;
use crate::Result;

/// The interval that a box has on one axis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Axis {
    /// Wider than the periodic box: no restriction.
    All,
    /// From `lower` to `upper`, `lower <= upper`, both within half a box around the box.
    Interval { lower: f64, upper: f64 },
}

impl Axis {
    /// From bounds; an open side is the side of the box.
    ///
    /// Source: swiftsimio 12, `masks.py`, `_generate_cell_mask`, for what an upper bound below the lower one means.
    pub(super) fn new([lower, upper]: [Option<f64>; 2], box_size: f64, axis: char) -> Result<Self> {
        let (mut lower, mut upper) = (lower.unwrap_or(0.0), upper.unwrap_or(box_size));
        check_coordinate("lower bound", axis, lower, box_size)?;
        check_coordinate("upper bound", axis, upper, box_size)?;
        if (upper - lower).abs() > box_size {
            return Ok(Self::All);
        }
        if upper < lower {
            if lower > box_size / 2.0 {
                lower -= box_size;
            } else if upper < box_size / 2.0 {
                // Not both, which would be the whole box.
                upper += box_size;
            }
        }
        Ok(Self::Interval { lower, upper })
    }

    /// Its bounds; `None` where there is no restriction.
    pub(super) fn interval(self) -> Option<[f64; 2]> {
        match self {
            Self::All => None,
            Self::Interval { lower, upper } => Some([lower, upper]),
        }
    }

    pub(super) fn contains(self, x: f64, box_size: f64) -> bool {
        match self {
            Self::All => !x.is_nan(),
            Self::Interval { lower, upper } => {
                let x = wrap(x, box_size);
                [x, x - box_size, x + box_size].into_iter().any(|x| lower <= x && x < upper)
            }
        }
    }

    /// As swiftsimio compares: strictly, with three copies.
    pub(super) fn touches(self, cell_lower: f64, cell_upper: f64, box_size: f64) -> bool {
        match self {
            Self::All => true,
            Self::Interval { lower, upper } => [-1.0, 0.0, 1.0].into_iter().any(|copy| {
                let shift = copy * box_size;
                cell_upper + shift > lower && cell_lower + shift < upper
            }),
        }
    }

    /// Written so that bounds that are no numbers count as "may".
    pub(super) fn may_contain(self, cell_lower: f64, cell_upper: f64, box_size: f64, allowance: f64) -> bool {
        match self {
            Self::All => true,
            // Positions hardly leave the box, bounds hardly leave it either: two copies on each side are enough.
            Self::Interval { lower, upper } => [-2.0, -1.0, 0.0, 1.0, 2.0].into_iter().any(|copy| {
                let shift = copy * box_size;
                let allowance = allowance + ROUNDING * box_size;
                !(cell_upper + shift + allowance < lower || cell_lower + shift - allowance > upper)
            }),
        }
    }
}

/// More than what adding a multiple of the box can round off, relative to the box.
pub(super) const ROUNDING: f64 = 1e-14;

/// The image in the box, as `np.mod` gives it.
pub(super) fn wrap(x: f64, box_size: f64) -> f64 {
    if (0.0..box_size).contains(&x) { x } else { x.rem_euclid(box_size) }
}
