//! Random samples that are the same every time.

use serde::Serialize;

use crate::{Error, Result};

/// A fraction of rows, chosen by their ids: the same particles in every snapshot, and all of a smaller sample in a larger one.
///
/// A row is in the sample where `mix(id) >> 11 < fraction * 2**53`, with `mix` the finaliser of splitmix64 (`z = id +
/// 0x9e3779b97f4a7c15; z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9; z = (z ^ z >> 27) * 0x94d049bb133111eb; z ^ z >> 31`, modulo 2**64). Rows
/// without ids are chosen by their number.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Sample {
    fraction: f64,
}

impl Sample {
    /// A sample of about that fraction.
    ///
    /// Errors: [`Error::BadSelection`] for what is not between 0 and 1.
    pub fn new(fraction: f64) -> Result<Self> {
        if (0.0..=1.0).contains(&fraction) {
            return Ok(Self { fraction });
        }
        Err(Error::BadSelection { reason: format!("a sample is a fraction between 0 and 1, not {fraction}") })
    }

    /// The fraction.
    pub fn fraction(self) -> f64 {
        self.fraction
    }

    /// Whether a row with that id belongs to it.
    pub fn contains(self, id: u64) -> bool {
        #[expect(clippy::cast_precision_loss, reason = "53 bits")]
        let place = (mix(id) >> 11) as f64;
        place < self.fraction * 9_007_199_254_740_992.0
    }
}

fn mix(id: u64) -> u64 {
    let z = id.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ z >> 31
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mixing_is_that_of_splitmix64() {
        // The first outputs of the published generator with the seeds 0 and 1234567.
        assert_eq!(mix(0), 0xe220_a839_7b1d_cdaf);
        assert_eq!(mix(1_234_567), 6_457_827_717_110_365_317);
    }

    #[test]
    fn samples_have_their_size_and_nest() {
        let [tenth, half] = [0.1, 0.5].map(|f| Sample::new(f).unwrap());
        let n = |sample: Sample| (0..100_000).filter(|id| sample.contains(*id)).count();
        assert!((9_700..10_300).contains(&n(tenth)), "{}", n(tenth));
        assert!((49_500..50_500).contains(&n(half)), "{}", n(half));
        assert!((0..100_000).all(|id| !tenth.contains(id) || half.contains(id)));
        let [none, all] = [0.0, 1.0].map(|f| Sample::new(f).unwrap());
        assert!([0, 1, u64::MAX].iter().all(|id| !none.contains(*id) && all.contains(*id)));
        for nonsense in [-0.1, 1.1, f64::NAN, f64::INFINITY] {
            assert!(Sample::new(nonsense).is_err());
        }
    }
}
