//! Which part of a plane a picture shows, and in which pixels.

/// A picture's pixels in its plane. Lengths in it are divided by the longer side, as swiftsimio divides them, so that pixels come out as
/// swiftsimio's do.
#[derive(Clone, Debug, PartialEq)]
pub struct PictureGrid {
    /// The least x and y. Units: the file's length.
    lower: [f64; 2],
    /// The longer side. Units: the file's length.
    scale: f64,
    /// The side lengths of the periodic box; `None` where there are no copies.
    period: Option<[f64; 2]>,
    /// The number of pixels along x and y.
    n_pixels: [usize; 2],
    /// The sides of a pixel, in longer sides.
    pub(super) pixel: [f64; 2],
    /// The centres of the pixels along x and y, in longer sides.
    pub(super) centres: [Vec<f64>; 2],
}

impl PictureGrid {
    /// With `n_pixels` along the longer side, and as many of the same square pixels along the other as cover it.
    pub fn square(extent: [[f64; 2]; 2], n_pixels: usize, period: Option<[f64; 2]>) -> Self {
        let sides = extent.map(|[lower, upper]| upper - lower);
        let scale = sides[0].max(sides[1]);
        #[expect(clippy::cast_precision_loss, reason = "pictures have a few thousand pixels on a side")]
        let n = n_pixels as f64;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 1 and n_pixels")]
        // A side that is a whole number of pixels but for rounding is just that.
        let covered = sides.map(|side| ((n * (side / scale) - 1e-9).ceil().clamp(1.0, n)) as usize);
        Self::new(extent, scale, [1.0 / n; 2], covered, period)
    }

    /// With so many pixels along each side, which need not be squares.
    pub fn stretched(extent: [[f64; 2]; 2], n_pixels: [usize; 2], period: Option<[f64; 2]>) -> Self {
        let sides = extent.map(|[lower, upper]| upper - lower);
        let scale = sides[0].max(sides[1]);
        #[expect(clippy::cast_precision_loss, reason = "pictures have a few thousand pixels on a side")]
        let pixel = [0, 1].map(|i| sides[i] / scale / n_pixels[i] as f64);
        Self::new(extent, scale, pixel, n_pixels, period)
    }

    fn new(extent: [[f64; 2]; 2], scale: f64, pixel: [f64; 2], n_pixels: [usize; 2], period: Option<[f64; 2]>) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "pictures have a few thousand pixels on a side")]
        let centres = [0, 1].map(|i| (0..n_pixels[i]).map(|cell| (cell as f64 + 0.5) * pixel[i]).collect());
        Self { lower: extent.map(|[lower, _]| lower), scale, period, n_pixels, pixel, centres }
    }

    /// The number of pixels along x and y.
    pub fn n_pixels(&self) -> [usize; 2] {
        self.n_pixels
    }

    /// The sides of a pixel. Units: the file's length.
    pub fn pixel(&self) -> [f64; 2] {
        self.pixel.map(|side| side * self.scale)
    }

    /// What the pixels cover along x and y. Units: the file's length.
    pub fn extent(&self) -> [[f64; 2]; 2] {
        #[expect(clippy::cast_precision_loss, reason = "pictures have a few thousand pixels on a side")]
        [0, 1].map(|i| [self.lower[i], self.lower[i] + self.pixel[i] * self.n_pixels[i] as f64 * self.scale])
    }

    /// The longer side, squared: what sums over pixels are divided by for a density.
    pub(super) fn scale_area(&self) -> f64 {
        self.scale * self.scale
    }

    /// A length, in longer sides.
    pub(super) fn scaled(&self, length: f64) -> f64 {
        length / self.scale
    }

    /// The places, in longer sides from the lower corner, of the periodic copies that come within `reach` pixels and a half of the picture.
    ///
    /// Source: swiftsimio 12, `visualisation/projection.py` and `projection_backends/fast.py`, for the order of the operations.
    pub(super) fn each_copy(&self, place: [f64; 2], reach: [f64; 2], mut visit: impl FnMut([f64; 2])) {
        let (xs, ys) = (self.copies(0, place[0], reach[0]), self.copies(1, place[1], reach[1]));
        for x in xs.into_iter().flatten() {
            for y in ys.into_iter().flatten() {
                visit([x, y]);
            }
        }
    }

    /// The same along one axis; at most three copies reach a picture that is no larger than the box.
    fn copies(&self, axis: usize, place: f64, reach: f64) -> [Option<f64>; 3] {
        #[expect(clippy::cast_precision_loss, reason = "pictures have a few thousand pixels on a side")]
        let side = self.pixel[axis] * self.n_pixels[axis] as f64;
        let reach = (reach + 1.5) * self.pixel[axis];
        let reaches = |at: &f64| *at >= -reach && *at <= side + reach;
        match self.period {
            None => [None, Some((place - self.lower[axis]) / self.scale), None].map(|at| at.filter(reaches)),
            Some(period) => {
                let period_scaled = period[axis] / self.scale;
                let place = place.rem_euclid(period[axis]);
                let first = ((place - self.lower[axis]) / self.scale).rem_euclid(period_scaled);
                [-1.0, 0.0, 1.0].map(|copy| Some(first + copy * period_scaled).filter(reaches))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longer_side_has_the_pixels() {
        let grid = PictureGrid::square([[1.0, 3.0], [0.0, 1.0]], 100, None);
        assert_eq!((grid.n_pixels(), grid.extent()), ([100, 50], [[1.0, 3.0], [0.0, 1.0]]));
        let grid = PictureGrid::square([[0.0, 0.3], [0.0, 1.0]], 16, None);
        assert_eq!((grid.n_pixels(), grid.extent()), ([5, 16], [[0.0, 0.3125], [0.0, 1.0]]));
        let grid = PictureGrid::stretched([[0.0, 4.0], [0.0, 1.0]], [8, 8], None);
        assert_eq!((grid.pixel(), grid.extent()), ([0.5, 0.125], [[0.0, 4.0], [0.0, 1.0]]));
    }

    #[test]
    fn copies_are_those_that_reach_the_picture() {
        let check = |place: [f64; 2], expected: &[[f64; 2]]| {
            let grid = PictureGrid::square([[-1.0, 3.0], [4.0, 8.0]], 4, Some([8.0; 2]));
            let mut found = Vec::new();
            grid.each_copy(place, [0.0; 2], |at| found.push(at));
            assert_eq!(found, expected, "{place:?}");
        };
        check([0.0, 5.0], &[[0.25, 0.25]]);
        check([7.5, 5.0], &[[0.125, 0.25]]);
        check([4.0, 3.0], &[[1.25, -0.25]]);
        check([0.0, 7.0], &[[0.25, 0.75]]);
        check([5.0, 5.0], &[]);
    }
}
