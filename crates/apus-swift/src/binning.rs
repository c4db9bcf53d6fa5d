//! Bins: which of them a value lies in, as numpy's histograms have it.

/// Bins that follow each other. Each holds what is at its lower edge and above, and below the upper one; the last one its upper edge too.
#[derive(Clone, Debug, PartialEq)]
pub struct Bins {
    edges: Vec<f64>,
    /// Turns a value into a place among the edges, but for rounding.
    first: f64,
    per_unit: f64,
    is_log: bool,
}

impl Bins {
    /// So many (at least one) from `lower` to `upper`, which is above it: with the edges of `numpy.linspace`, or of equal ratios where they
    /// are logarithmic, for which `lower` is above 0. `None` for other bounds, and where edges would fall together.
    pub fn new([lower, upper]: [f64; 2], n_bins: usize, is_log: bool) -> Option<Self> {
        if !(lower.is_finite() && upper.is_finite() && lower < upper && n_bins > 0 && (!is_log || lower > 0.0)) {
            return None;
        }
        let scale = |value: f64| if is_log { value.log10() } else { value };
        let (first, last) = (scale(lower), scale(upper));
        #[expect(clippy::cast_precision_loss, reason = "a few thousand bins")]
        let n = n_bins as f64;
        let step = (last - first) / n;
        #[expect(clippy::cast_precision_loss, reason = "a few thousand bins")]
        let edge = |i: usize| {
            let edge = i as f64 * step + first;
            if is_log { 10f64.powf(edge) } else { edge }
        };
        let mut edges: Vec<f64> = (0..=n_bins).map(edge).collect();
        *edges.first_mut()? = lower;
        *edges.last_mut()? = upper;
        let rises = edges.windows(2).all(|pair| pair[0] < pair[1]);
        (rises && step.is_finite()).then(|| Self { edges, first, per_unit: n / (last - first), is_log })
    }

    /// The edges: one more than bins.
    pub fn edges(&self) -> &[f64] {
        &self.edges
    }

    /// The number of bins.
    pub fn n_bins(&self) -> usize {
        self.edges.len() - 1
    }

    /// The bin of a value; `None` outside, and for what is no number.
    pub fn find(&self, value: f64) -> Option<usize> {
        let n_bins = self.n_bins();
        if !(value >= self.edges[0] && value <= self.edges[n_bins]) {
            return None;
        }
        let place = (if self.is_log { value.log10() } else { value } - self.first) * self.per_unit;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates, and is clipped")]
        let mut bin = (place as usize).min(n_bins - 1);
        // The edges decide, whatever rounding has made of the place.
        while value < self.edges[bin] {
            bin -= 1;
        }
        while bin + 1 < n_bins && value >= self.edges[bin + 1] {
            bin += 1;
        }
        Some(bin)
    }
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "the very edges are wanted")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn edges_are_those_of_linspace() {
        let bins = Bins::new([0.0, 1.0], 10, false).unwrap();
        // numpy.linspace(0, 1, 11)
        let expected = [0.0, 0.1, 0.2, 0.300_000_000_000_000_04, 0.4, 0.5, 0.600_000_000_000_000_1];
        assert_eq!(&bins.edges()[..7], expected);
        assert_eq!(bins.edges()[10], 1.0);
        let bins = Bins::new([1e-2, 1e3], 5, true).unwrap();
        assert!(bins.edges().windows(2).all(|pair| (pair[1] / pair[0] - 10.0).abs() < 1e-12));
        assert_eq!((bins.edges()[0], bins.edges()[5]), (1e-2, 1e3));
    }

    #[test]
    fn bounds_that_are_none_are_refused() {
        for (bounds, n, is_log) in [
            ([1.0, 1.0], 1, false),
            ([2.0, 1.0], 1, false),
            ([0.0, f64::NAN], 1, false),
            ([f64::NEG_INFINITY, 1.0], 1, false),
            ([0.0, 1.0], 1, true),
            ([0.0, 1.0], 0, false),
            ([1.0, 1.0 + f64::EPSILON], 10, false),
            ([f64::MIN, f64::MAX], 2, false),
        ] {
            assert_eq!(Bins::new(bounds, n, is_log), None, "{bounds:?}, {n}, {is_log}");
        }
    }

    proptest! {
        #[test]
        fn a_value_is_between_the_edges_of_its_bin(
            lower in 1e-6f64..1e6, width in 1e-6f64..1e9, n in 1usize..300, place in -0.1f64..1.1, is_log: bool,
        ) {
            let bins = Bins::new([lower, lower + width], n, is_log);
            prop_assume!(bins.is_some());
            let bins = bins.unwrap();
            let random = lower + place * width;
            for value in bins.edges().iter().copied().chain([random]) {
                let expected = match bins.edges().iter().rposition(|edge| *edge <= value) {
                    Some(bin) if bin < n => Some(bin),
                    Some(_) if value == bins.edges()[n] => Some(n - 1),
                    _ => None,
                };
                prop_assert_eq!(bins.find(value), expected);
            }
        }
    }
}
