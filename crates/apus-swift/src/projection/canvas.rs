//! Pictures being made: particles are added block by block, on several threads, with the same result on any number of them.

use std::{ops::Range, sync::Arc};

use apus_h5::DecodePool;

use super::{
    PictureGrid, Smoothing,
    kernel::{KERNEL_GAMMA, Splat},
};

/// A picture being made: sums of one or two channels over the pixels of a grid.
///
/// Its rows lie in bands. Each band is the work of one thread at a time, and adds particles in the order in which they came.
#[derive(Debug)]
pub struct Canvas {
    grid: Arc<PictureGrid>,
    smoothing: Smoothing,
    bands: Vec<Band>,
    band_rows: usize,
    /// What is still to be added.
    waiting: Vec<Splat>,
    n_waiting_operations: u64,
    n_operations: u64,
}

#[derive(Debug)]
struct Band {
    rows: Range<usize>,
    channels: Vec<Vec<f64>>,
}

/// So many bands for each thread, for pictures that are not alike everywhere.
const BANDS_PER_THREAD: usize = 8;
/// So many particles are added together.
const MAX_WAITING: usize = 1 << 16;
/// Or so many additions to pixels: some ten milliseconds' work, after which whoever waits may be gone.
const MAX_WAITING_OPERATIONS: u64 = 1 << 24;

impl Canvas {
    /// An empty picture of so many channels (one or two).
    pub fn new(grid: PictureGrid, smoothing: Smoothing, n_channels: usize, pool: &DecodePool) -> Self {
        let [n_columns, n_rows] = grid.n_pixels();
        let band_rows = n_rows.div_ceil(pool.n_threads().max(1) * BANDS_PER_THREAD).max(1);
        let band = |start: usize| {
            let rows = start..n_rows.min(start + band_rows);
            let channels = vec![vec![0.0; rows.len() * n_columns]; n_channels.clamp(1, 2)];
            Band { rows, channels }
        };
        let bands = (0..n_rows).step_by(band_rows).map(band).collect();
        Self {
            grid: Arc::new(grid),
            smoothing,
            bands,
            band_rows,
            waiting: Vec::new(),
            n_waiting_operations: 0,
            n_operations: 0,
        }
    }

    /// The bytes that a picture of so many channels takes on a grid of so many pixels.
    pub fn size_bytes([width, height]: [usize; 2], n_channels: usize) -> u64 {
        (width as u64).saturating_mul(height as u64).saturating_mul(8 * n_channels as u64)
    }

    /// The pixels.
    pub fn grid(&self) -> &PictureGrid {
        &self.grid
    }

    /// Takes a particle at that place of the plane, with its smoothing length (whatever it is where there is no kernel), both in the file's
    /// length, and what is spread of it: one value for each channel. Places that are no numbers are nowhere. Whether it reaches the picture.
    pub fn take(&mut self, place: [f64; 2], smoothing_length: f64, values: [f64; 2]) -> bool {
        if !(place[0].is_finite() && place[1].is_finite()) {
            return false;
        }
        let width = KERNEL_GAMMA * self.grid.scaled(smoothing_length);
        // Nothing, a negative number or no number at all is no width.
        let width = if width > 0.0 { width.min(1e6) } else { 0.0 };
        let (grid, smoothing) = (&self.grid, self.smoothing);
        let (waiting, mut n_operations) = (&mut self.waiting, 0u64);
        grid.each_copy(place, smoothing.reach(grid, width), |at| {
            let splat = Splat { at, width, factor: 1.0, values };
            if !smoothing.rows(grid, &splat).is_empty() {
                n_operations += smoothing.n_operations(grid, &splat);
                waiting.push(splat);
            }
        });
        self.n_waiting_operations += n_operations;
        self.n_operations += n_operations;
        n_operations > 0
    }

    /// How often a pixel was added to, by all that was taken.
    pub fn n_operations(&self) -> u64 {
        self.n_operations
    }

    /// Whether enough was taken that it should be added.
    pub fn is_full(&self) -> bool {
        self.waiting.len() >= MAX_WAITING || self.n_waiting_operations >= MAX_WAITING_OPERATIONS
    }

    /// Adds what was taken, on the threads of the pool. `None` where one of them failed.
    #[must_use]
    pub fn add(&mut self, pool: &DecodePool) -> Option<()> {
        let mut splats = std::mem::take(&mut self.waiting);
        let n_operations = std::mem::take(&mut self.n_waiting_operations);
        if splats.is_empty() {
            return Some(());
        }
        if self.smoothing == Smoothing::Renormalised {
            splats = renormalised(&splats, &self.grid, n_operations, pool)?;
        }
        let mut touched: Vec<Vec<u32>> = vec![Vec::new(); self.bands.len()];
        for (number, splat) in (0u32..).zip(&splats) {
            let rows = self.smoothing.rows(&self.grid, splat);
            if let Some(last) = rows.end.checked_sub(1).filter(|last| *last >= rows.start) {
                let bands = touched.get_mut(rows.start / self.band_rows..=last / self.band_rows)?;
                bands.iter_mut().for_each(|band| band.push(number));
            }
        }
        let splats = Arc::new(splats);
        let smoothing = self.smoothing;
        let cost = usize::try_from(n_operations).unwrap_or(usize::MAX) / self.bands.len().max(1);
        let jobs = std::mem::take(&mut self.bands).into_iter().zip(touched).map(|(mut band, touched)| {
            let (splats, grid) = (Arc::clone(&splats), Arc::clone(&self.grid));
            move || {
                for splat in touched.iter().filter_map(|number| splats.get(*number as usize)) {
                    smoothing.lay(&grid, splat, &band.rows, &mut band.channels);
                }
                band
            }
        });
        self.bands = pool.run_all(cost, jobs)?;
        Some(())
    }

    /// The sums over each pixel divided by its area, row by row from the lowest y on, one picture for each channel. Units: those of the
    /// values over the square of the file's length.
    pub fn densities(self) -> Vec<Vec<f64>> {
        let factor = 1.0 / self.grid.scale_area();
        let mut channels: Vec<Vec<f64>> = Vec::new();
        for band in self.bands {
            channels.resize_with(band.channels.len(), Vec::new);
            for (all, part) in channels.iter_mut().zip(band.channels) {
                all.extend(part.into_iter().map(|sum| sum * factor));
            }
        }
        channels
    }
}

/// The splats with the factors that make their kernels sum to one.
fn renormalised(splats: &[Splat], grid: &Arc<PictureGrid>, n_operations: u64, pool: &DecodePool) -> Option<Vec<Splat>> {
    let n_parts = pool.n_threads().max(1) * BANDS_PER_THREAD;
    let part_splats = splats.len().div_ceil(n_parts).max(1);
    let parts: Vec<Vec<Splat>> = splats.chunks(part_splats).map(<[Splat]>::to_vec).collect();
    let cost = usize::try_from(n_operations).unwrap_or(usize::MAX) / n_parts;
    let jobs = parts.into_iter().map(|mut part| {
        let grid = Arc::clone(grid);
        move || {
            for splat in &mut part {
                splat.factor = Smoothing::Renormalised.factor(&grid, splat);
            }
            part
        }
    });
    Some(pool.run_all(cost, jobs)?.concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Some places in the unit square, each with a smoothing length.
    fn particles(n: usize) -> Vec<([f64; 2], f64)> {
        let mut state = 7u64;
        let mut random = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            f64::from(u32::try_from(state >> 33).unwrap()) / f64::from(1u32 << 31)
        };
        (0..n).map(|_| ([random(), random()], 0.2 * random() * random())).collect()
    }

    fn picture(smoothing: Smoothing, extent: [[f64; 2]; 2], n_pixels: usize, n_threads: usize) -> Vec<f64> {
        let pool = DecodePool::new(n_threads).unwrap();
        let mut canvas = Canvas::new(PictureGrid::square(extent, n_pixels, Some([1.0; 2])), smoothing, 1, &pool);
        for (place, h) in particles(2000) {
            canvas.take(place, h, [1.0, 0.0]);
        }
        canvas.add(&pool).unwrap();
        canvas.densities().remove(0)
    }

    const WHOLE: [[f64; 2]; 2] = [[0.0, 1.0], [0.0, 1.0]];

    #[test]
    fn what_is_spread_is_kept() {
        for (smoothing, tolerance) in
            [(Smoothing::Renormalised, 1e-6), (Smoothing::Cloud, 1e-12), (Smoothing::Nearest, 1e-12)]
        {
            for n_pixels in [1, 7, 64, 200] {
                let picture = picture(smoothing, WHOLE, n_pixels, 2);
                let sum = picture.iter().sum::<f64>() / f64::from(u32::try_from(picture.len()).unwrap());
                assert!((sum / 2000.0 - 1.0).abs() < tolerance, "{smoothing:?}, {n_pixels}: {sum}");
            }
        }
    }

    #[test]
    fn a_picture_is_the_same_on_any_number_of_threads() {
        for smoothing in [Smoothing::Kernel, Smoothing::Renormalised, Smoothing::Cloud] {
            assert_eq!(picture(smoothing, WHOLE, 50, 1), picture(smoothing, WHOLE, 50, 5));
        }
    }

    #[test]
    fn a_picture_that_crosses_the_boundary_is_the_whole_shifted() {
        let whole = picture(Smoothing::Nearest, WHOLE, 40, 1);
        let shifted = picture(Smoothing::Nearest, [[-0.25, 0.75], [0.5, 1.5]], 40, 1);
        for (y, row) in shifted.chunks(40).enumerate() {
            for (x, pixel) in row.iter().enumerate() {
                let other = whole[(y + 20) % 40 * 40 + (x + 30) % 40];
                assert!((pixel - other).abs() < 1e-9, "{x}, {y}");
            }
        }
    }

    #[test]
    fn kernels_of_any_width_are_bounded() {
        let pool = DecodePool::none();
        let mut canvas = Canvas::new(PictureGrid::square(WHOLE, 8, Some([1.0; 2])), Smoothing::Kernel, 1, &pool);
        for h in [f64::INFINITY, 1e300, f64::NAN, -1.0, 0.0] {
            canvas.take([0.5, 0.5], h, [1.0, 0.0]);
        }
        canvas.take([f64::NAN, 0.5], 0.1, [1.0, 0.0]);
        canvas.take([0.5, f64::INFINITY], 0.1, [1.0, 0.0]);
        assert!(canvas.n_operations() < 2000, "{}", canvas.n_operations());
        canvas.add(&pool).unwrap();
        assert!(canvas.densities().remove(0).iter().all(|pixel| pixel.is_finite()));
    }
}
