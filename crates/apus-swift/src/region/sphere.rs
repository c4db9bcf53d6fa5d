//! Spheres.

use super::{AXES, axis::ROUNDING, check_coordinate};
use crate::{Error, Result};

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Sphere {
    centre: [f64; 3],
    radius: f64,
}

impl Sphere {
    pub(super) fn new(centre: [f64; 3], radius: f64, box_size: [f64; 3]) -> Result<Self> {
        for i in 0..3 {
            check_coordinate("centre", AXES[i], centre[i], box_size[i])?;
        }
        if !(radius.is_finite() && radius >= 0.0) {
            return Err(Error::BadRegion { reason: format!("the radius is {radius}, not a length") });
        }
        Ok(Self { centre, radius })
    }

    pub(super) fn contains(&self, position: [f64; 3], box_size: [f64; 3]) -> bool {
        let [x, y, z] = [0, 1, 2].map(|i| {
            let d = position[i] - self.centre[i];
            d - box_size[i] * (d / box_size[i]).round_ties_even()
        });
        // The order of numpy's sum.
        x * x + y * y + z * z <= self.radius * self.radius
    }

    /// Whether a particle up to `allowance` outside these bounds can be inside; bounds that are no numbers count as "can".
    pub(super) fn may_contain(&self, lower: [f64; 3], upper: [f64; 3], box_size: [f64; 3], allowance: f64) -> bool {
        let [x, y, z] = [0, 1, 2].map(|i| {
            let nearest = [-2.0, -1.0, 0.0, 1.0, 2.0].into_iter().map(|copy| {
                let shift = copy * box_size[i];
                (lower[i] + shift - self.centre[i]).max(self.centre[i] - upper[i] - shift).max(0.0)
            });
            (nearest.fold(f64::INFINITY, f64::min) - allowance - ROUNDING * box_size[i]).max(0.0)
        });
        let reach = self.radius * (1.0 + ROUNDING);
        let is_out_of_reach = x * x + y * y + z * z > reach * reach;
        !is_out_of_reach
    }
}
