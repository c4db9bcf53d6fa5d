//! Half-precision floats, which Rust has no stable type for.

/// The value of an IEEE binary16; the payload of a NaN is kept.
pub fn half_to_f64(bits: u16) -> f64 {
    let (sign, exponent, mantissa) = (u64::from(bits >> 15), u64::from(bits >> 10 & 31), u64::from(bits & 0x3ff));
    match exponent {
        0 => {
            let magnitude = f64::from(bits & 0x3ff) * 2f64.powi(-24);
            if sign == 0 { magnitude } else { -magnitude }
        }
        31 => f64::from_bits(sign << 63 | 0x7ff << 52 | mantissa << 42),
        _ => f64::from_bits(sign << 63 | (exponent + 1023 - 15) << 52 | mantissa << 42),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_those_of_numpy() {
        // numpy.array(bits, "u2").view("f2").astype("f8")
        let expected = [
            (0x0000, 0.0),
            (0x0001, 5.960_464_477_539_063e-8),
            (0x03ff, 6.097_555_160_522_461e-5),
            (0x0400, 6.103_515_625e-5),
            (0x3555, 0.333_251_953_125),
            (0x3c00, 1.0),
            (0xc000, -2.0),
            (0x7bff, 65504.0),
            (0x7c00, f64::INFINITY),
            (0xfc00, f64::NEG_INFINITY),
        ];
        for (bits, value) in expected {
            assert_eq!(half_to_f64(bits).to_bits(), f64::to_bits(value), "{bits:#06x}");
        }
        assert!(half_to_f64(0x8000).is_sign_negative());
        assert!(half_to_f64(0x7e01).is_nan());
    }
}
