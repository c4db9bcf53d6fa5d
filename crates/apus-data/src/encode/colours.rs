//! Colour maps: from numbers to colours.
//!
//! Source: matplotlib's listed colour maps, which are in the public domain; `scripts/colour-maps` writes their tables.

use serde::Serialize;

/// A colour map of 256 colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum ColourMap {
    /// Dark blue over green to yellow.
    Viridis,
    /// Black over purple to white.
    Magma,
    /// Black over red to yellow.
    Inferno,
    /// Blue to yellow, alike for the colour-blind.
    Cividis,
    /// Cyclic, white at both ends.
    Twilight,
}

/// Which colour stands for which number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ColourScale {
    map: ColourMap,
    is_log: bool,
    lower: f64,
    upper: f64,
}

impl ColourMap {
    /// All of them, by name.
    pub const ALL: [(&'static str, Self); 5] = [
        ("viridis", Self::Viridis),
        ("magma", Self::Magma),
        ("inferno", Self::Inferno),
        ("cividis", Self::Cividis),
        ("twilight", Self::Twilight),
    ];

    /// The colour of that number.
    pub fn colour(self, number: u8) -> [u8; 3] {
        self.table().as_chunks::<3>().0.get(usize::from(number)).copied().unwrap_or_default()
    }

    fn table(self) -> &'static [u8; 768] {
        match self {
            Self::Viridis => include_bytes!("colours/viridis.rgb"),
            Self::Magma => include_bytes!("colours/magma.rgb"),
            Self::Inferno => include_bytes!("colours/inferno.rgb"),
            Self::Cividis => include_bytes!("colours/cividis.rgb"),
            Self::Twilight => include_bytes!("colours/twilight.rgb"),
        }
    }
}

impl ColourScale {
    /// From `lower` to `upper`, by the numbers or by their logarithms.
    pub fn new(map: ColourMap, is_log: bool, [lower, upper]: [f64; 2]) -> Self {
        let place = |value: f64| if is_log { value.log10() } else { value };
        Self { map, is_log, lower: place(lower), upper: place(upper) }
    }

    /// The colour of a value, as matplotlib's `Normalize` or `LogNorm` and its colour map give it. What is below, and what is no number or
    /// has no logarithm, has the first colour.
    pub fn colour(&self, value: f64) -> [u8; 3] {
        let value = if self.is_log { value.log10() } else { value };
        let place = (value - self.lower) / (self.upper - self.lower) * 256.0;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates; NaN is 0")]
        self.map.colour(place.clamp(0.0, 255.0) as u8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `matplotlib.colormaps["viridis"](Normalize(2, 4)(v), bytes=True)`, matplotlib 3.11; likewise `LogNorm(1, 1e4)` and magma.
    #[test]
    fn colours_are_those_of_matplotlib() {
        let linear = ColourScale::new(ColourMap::Viridis, false, [2.0, 4.0]);
        assert_eq!([2.0, 3.0, 4.0].map(|v| linear.colour(v)), [[68, 1, 84], [32, 144, 140], [253, 231, 36]]);
        assert_eq!([-1.0, f64::NAN, 9.0].map(|v| linear.colour(v)), [[68, 1, 84], [68, 1, 84], [253, 231, 36]]);
        let log = ColourScale::new(ColourMap::Magma, true, [1.0, 1e4]);
        assert_eq!([1.0, 1e2, 1e4].map(|v| log.colour(v)), [[0, 0, 3], [182, 54, 121], [251, 252, 191]]);
        assert_eq!([0.0, -1.0].map(|v| log.colour(v)), [[0, 0, 3]; 2]);
    }
}
