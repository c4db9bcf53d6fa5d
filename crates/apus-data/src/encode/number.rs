//! Numbers as text: the shortest that reads back to the same bits.

use apus_h5::half_to_f64;

/// How a text form writes what JSON has no word for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notation {
    /// Strict JSON: numbers in the stored precision, NaN and the infinities as the strings `"NaN"`, `"Infinity"` and
    /// `"-Infinity"`, records as objects, bytes that are not text as `{"hex": "00ff"}`.
    Strict,
    /// As Python's `json` writes `ndarray.tolist()`: floats as `repr` of the value widened to 64 bits, NaN and the infinities
    /// as the tokens `NaN`, `Infinity` and `-Infinity`, records as lists, U+FFFD in text that is not UTF-8.
    Python,
    /// As orjson writes a numpy array: numbers in the stored precision (half precision as single), null for NaN and the infinities,
    /// records as lists, references by their kind, U+FFFD in text that is not UTF-8.
    Orjson,
    /// As [`Orjson`](Self::Orjson), for what reaches it as Python's lists, as records do: floats widened to 64 bits.
    OrjsonList,
}

/// Writes a half-precision number, given by its bits.
pub(super) fn write_f16(bits: u16, notation: Notation, out: &mut Vec<u8>) {
    let value = half_to_f64(bits);
    let short = match notation {
        // Five digits distinguish all half-precision numbers.
        Notation::Strict if value.is_finite() => (0..5).find_map(|n_digits| {
            let back: f64 = format!("{value:.n_digits$e}").parse().ok()?;
            (nearest_half(back) == bits).then_some(back)
        }),
        #[expect(clippy::cast_possible_truncation, reason = "every half-precision number is a single-precision one")]
        Notation::Orjson => return write_f32(value as f32, notation, out),
        _ => None,
    };
    write_f64(short.unwrap_or(value), notation, out);
}

/// Writes a single-precision number.
pub(super) fn write_f32(value: f32, notation: Notation, out: &mut Vec<u8>) {
    match notation {
        Notation::Strict | Notation::Orjson if value.is_finite() => {
            out.extend_from_slice(zmij::Buffer::new().format_finite(value).as_bytes());
        }
        _ => write_f64(value.into(), notation, out),
    }
}

/// Writes a double-precision number.
pub(super) fn write_f64(value: f64, notation: Notation, out: &mut Vec<u8>) {
    if !value.is_finite() {
        out.extend_from_slice(match (notation, value) {
            (Notation::Orjson | Notation::OrjsonList, _) => b"null".as_slice(),
            (Notation::Strict, _) if value.is_nan() => b"\"NaN\"",
            (Notation::Python, _) if value.is_nan() => b"NaN",
            (Notation::Strict, f64::INFINITY) => b"\"Infinity\"",
            (Notation::Python, f64::INFINITY) => b"Infinity",
            (Notation::Strict, _) => b"\"-Infinity\"",
            (Notation::Python, _) => b"-Infinity",
        });
        return;
    }
    let mut buffer = zmij::Buffer::new();
    let text = buffer.format_finite(value).as_bytes();
    let magnitude = value.abs();
    // Within these bounds Python writes the same as the library: digits with a point and no exponent.
    if notation != Notation::Python || (1e-4..1e16).contains(&magnitude) || magnitude == 0.0 {
        out.extend_from_slice(text);
    } else {
        write_with_python_exponent(text, out);
    }
}

/// Rewrites a number as Python writes it: with an exponent below 0.0001, which has at least two digits.
fn write_with_python_exponent(text: &[u8], out: &mut Vec<u8>) {
    let (sign, text) = match text.strip_prefix(b"-") {
        Some(rest) => (b"-".as_slice(), rest),
        None => (b"".as_slice(), text),
    };
    out.extend_from_slice(sign);
    if let Some(digits) = text.strip_prefix(b"0.0000") {
        // 0.000012 becomes 1.2e-05.
        let (first, rest) = digits.split_at(digits.len().min(1));
        out.extend_from_slice(first);
        if !rest.is_empty() {
            out.push(b'.');
            out.extend_from_slice(rest);
        }
        out.extend_from_slice(b"e-05");
        return;
    }
    match text {
        [mantissa @ .., b'e', sign, digit] => {
            out.extend_from_slice(mantissa);
            out.extend_from_slice(&[b'e', *sign, b'0', *digit]);
        }
        _ => out.extend_from_slice(text),
    }
}

/// Python's `repr` of a float.
pub fn python_float(value: f64) -> String {
    let mut out = Vec::new();
    write_f64(value, Notation::Python, &mut out);
    String::from_utf8(out).unwrap_or_default()
}

/// The nearest half-precision number, ties to even, as bits; for finite values.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the values are below 2048")]
pub(crate) fn nearest_half(value: f64) -> u16 {
    let sign = if value.is_sign_negative() { 0x8000 } else { 0 };
    let magnitude = value.abs();
    let exponent = if magnitude == 0.0 { -14 } else { (magnitude.log2().floor() as i32).clamp(-14, 15) };
    // One step of the grid at this exponent; rounding up may carry into the next exponent, which the bits follow.
    let steps = (magnitude / 2f64.powi(exponent - 10)).round_ties_even() as u16;
    let bits = if exponent == -14 { steps } else { (((exponent + 15) as u16) << 10) + (steps - 1024) };
    sign | bits
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Expected: Python's `repr(x)`.
    #[test]
    fn floats_as_python_writes_them() {
        for (x, expect) in [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.0, "1.0"),
            (f64::from(0.1f32), "0.10000000149011612"),
            (1e-5, "1e-05"),
            (1.25e-5, "1.25e-05"),
            (-9.999e-5, "-9.999e-05"),
            (1e-4, "0.0001"),
            (0.000_123, "0.000123"),
            (1e-7, "1e-07"),
            (1.5e-9, "1.5e-09"),
            (1e-10, "1e-10"),
            (1e15, "1000000000000000.0"),
            (9_999_999_999_999_998.0, "9999999999999998.0"),
            (1e16, "1e+16"),
            (1.234e17, "1.234e+17"),
            (5e-324, "5e-324"),
            (f64::MAX, "1.7976931348623157e+308"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "Infinity"),
            (f64::NEG_INFINITY, "-Infinity"),
        ] {
            assert_eq!(python_float(x), expect);
        }
    }

    #[test]
    fn half_precision_goes_there_and_back() {
        for bits in (0..=u16::MAX).filter(|&bits| half_to_f64(bits).is_finite()) {
            assert_eq!(nearest_half(half_to_f64(bits)), bits);
            let mut out = Vec::new();
            write_f16(bits, Notation::Strict, &mut out);
            let back: f64 = String::from_utf8(out).unwrap().parse().unwrap();
            assert_eq!(nearest_half(back), bits);
        }
    }

    proptest! {
        #[test]
        fn every_float_reads_back(bits: u64) {
            let x = f64::from_bits(bits);
            prop_assume!(x.is_finite());
            prop_assert_eq!(python_float(x).parse::<f64>().unwrap().to_bits(), bits);
        }
    }
}
