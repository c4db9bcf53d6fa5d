//! Quantiles of values that are looked at several times but never kept.

use std::collections::BTreeMap;

/// So many bits of a value are found in each pass.
const DIGIT_BITS: u32 = 13;
/// Enough for all 64.
const N_PASSES: u32 = 5;

/// Finds quantiles exactly, as `numpy.quantile` defines them by default, in [`N_PASSES`](Self::N_PASSES) passes over the same values.
///
/// Each pass counts, for each rank that is wanted, the values that begin with the bits that are known of the value of that rank, by their
/// next bits. Memory: 64 KiB for each rank.
#[derive(Clone, Debug)]
pub struct QuantileFinder {
    quantiles: Vec<f64>,
    n_values: u64,
    /// For each rank the bits that are known, and how many values with those bits come before it.
    ranks: BTreeMap<u64, (u64, u64)>,
    /// The passes that are over.
    n_passes: u32,
    /// Counts of the next digit, by what is known.
    counts: BTreeMap<u64, Vec<u64>>,
}

impl QuantileFinder {
    /// How often the values are to be seen.
    pub const N_PASSES: u32 = N_PASSES;
    /// The memory that a rank takes. A quantile has two.
    pub const RANK_BYTES: u64 = 8 << DIGIT_BITS;

    /// For quantiles from 0 to 1, of so many values that are numbers.
    pub fn new(quantiles: &[f64], n_values: u64) -> Self {
        let ranks = quantiles.iter().filter_map(|q| place(*q, n_values)).flat_map(|(lower, _)| {
            let last = n_values.saturating_sub(1);
            [lower.min(last), lower.saturating_add(1).min(last)]
        });
        let ranks: BTreeMap<u64, (u64, u64)> = ranks.map(|rank| (rank, (0, rank))).collect();
        let mut finder = Self { quantiles: quantiles.to_vec(), n_values, ranks, n_passes: 0, counts: BTreeMap::new() };
        finder.prepare();
        finder
    }

    /// Sees values of the pass; those that are no numbers do not count.
    pub fn see(&mut self, values: &[f64]) {
        let (known_shift, digit_shift) = shifts(self.n_passes);
        for value in values.iter().filter(|value| !value.is_nan()) {
            let key = key(*value);
            let known = key.checked_shr(known_shift).unwrap_or(0);
            if let Some(counts) = self.counts.get_mut(&known) {
                let digit = (key >> digit_shift) & ((1 << (known_shift - digit_shift)) - 1);
                if let Some(count) = usize::try_from(digit).ok().and_then(|digit| counts.get_mut(digit)) {
                    *count += 1;
                }
            }
        }
    }

    /// Ends a pass.
    pub fn end_pass(&mut self) {
        let (known_shift, digit_shift) = shifts(self.n_passes);
        for (known, before) in self.ranks.values_mut() {
            let Some(counts) = self.counts.get(known) else { continue };
            let mut digit = 0u64;
            for count in counts {
                if *before < *count {
                    break;
                }
                *before -= count;
                digit += 1;
            }
            // Where there were fewer values than were told, the last one stands.
            digit = digit.min((1 << (known_shift - digit_shift)) - 1);
            *known = *known << (known_shift - digit_shift) | digit;
        }
        self.n_passes += 1;
        self.prepare();
    }

    /// The quantiles, after all passes; `None` where there are no values.
    pub fn quantiles(&self) -> Vec<Option<f64>> {
        let value = |rank: u64| self.ranks.get(&rank).map(|(key, _)| value_of(*key));
        let last = self.n_values.saturating_sub(1);
        let quantile = |q: &f64| {
            let (lower, fraction) = place(*q, self.n_values)?;
            let (a, b) = (value(lower.min(last))?, value(lower.saturating_add(1).min(last))?);
            Some(between(a, b, fraction))
        };
        self.quantiles.iter().map(quantile).collect()
    }

    fn prepare(&mut self) {
        self.counts.clear();
        if self.n_passes < N_PASSES {
            let (known_shift, digit_shift) = shifts(self.n_passes);
            for (known, _) in self.ranks.values() {
                self.counts.entry(*known).or_insert_with(|| vec![0; 1 << (known_shift - digit_shift)]);
            }
        }
    }
}

/// By how much a key is shifted for what is known of it before a pass, and after it.
fn shifts(n_passes: u32) -> (u32, u32) {
    let left = |n: u32| 64u32.saturating_sub(n * DIGIT_BITS);
    (left(n_passes), left(n_passes + 1))
}

/// Between which ranks a quantile lies: the lower one, and how far it is to the next.
fn place(quantile: f64, n_values: u64) -> Option<(u64, f64)> {
    #[expect(clippy::cast_precision_loss, reason = "as numpy has it")]
    let place = quantile * n_values.checked_sub(1)? as f64;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "not negative; saturates")]
    Some((place.floor() as u64, place - place.floor()))
}

/// Source: numpy 2, `lib/_function_base_impl.py`, `_lerp`.
fn between(a: f64, b: f64, fraction: f64) -> f64 {
    let difference = b - a;
    #[expect(clippy::float_cmp, reason = "also of infinities, whose difference is none")]
    if a == b {
        a
    } else if fraction >= 0.5 {
        b - difference * (1.0 - fraction)
    } else {
        a + difference * fraction
    }
}

/// Bits that are ordered as the numbers are.
fn key(value: f64) -> u64 {
    let bits = (value + 0.0).to_bits();
    if bits >> 63 == 1 { !bits } else { bits | 1 << 63 }
}

fn value_of(key: u64) -> f64 {
    f64::from_bits(if key >> 63 == 1 { key & !(1 << 63) } else { !key })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn quantiles(values: &[f64], quantiles: &[f64]) -> Vec<Option<f64>> {
        let n_values = values.iter().filter(|value| !value.is_nan()).count() as u64;
        let mut finder = QuantileFinder::new(quantiles, n_values);
        for _ in 0..QuantileFinder::N_PASSES {
            values.chunks(3).for_each(|part| finder.see(part));
            finder.end_pass();
        }
        finder.quantiles()
    }

    /// `numpy.quantile`, numpy 2.4.
    #[test]
    fn quantiles_are_those_of_numpy() {
        let values = [3.0, -1.5, 1e300, 0.25, -2e-9, 7.0];
        assert_eq!(quantiles(&values, &[0.0, 0.5, 1.0]), [Some(-1.5), Some(1.625), Some(1e300)]);
        assert_eq!(quantiles(&values, &[0.1, 0.3]), [Some(-0.750_000_001_000_000_1), Some(0.124_999_999)]);
        assert_eq!(quantiles(&[1.0, f64::NAN, 2.0], &[0.5]), [Some(1.5)]);
        assert_eq!(quantiles(&[f64::NAN], &[0.5]), [None]);
        assert_eq!(quantiles(&[5.0], &[0.0, 0.7]), [Some(5.0); 2]);
    }

    proptest! {
        #[test]
        fn the_quantile_of_a_rank_is_the_value_of_that_rank(
            values in proptest::collection::vec(proptest::num::f64::NORMAL | proptest::num::f64::ZERO, 2..40),
        ) {
            let mut sorted = values.clone();
            sorted.sort_by(f64::total_cmp);
            let n = u32::try_from(values.len()).unwrap();
            let ends = quantiles(&values, &[0.0, 1.0]);
            prop_assert_eq!(ends, vec![Some(sorted[0] + 0.0), Some(sorted[values.len() - 1] + 0.0)]);
            let middle = quantiles(&values, &[0.5])[0].unwrap();
            let half = usize::try_from((n - 1) / 2).unwrap();
            prop_assert!(sorted[half] <= middle && middle <= sorted[(half + 1).min(values.len() - 1)]);
        }
    }
}
