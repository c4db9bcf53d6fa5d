//! What lossy filters did to values.

use apus_h5::Datatype;

use crate::Field;

impl Field {
    /// By how much a stored value of a size up to `greatest` may be off the value that the code had; `None` where the file names a
    /// filter that is not known here. Units: the file's unit of the field.
    ///
    /// Source: SWIFT's documentation, "Lossy compression filters".
    pub fn rounding(&self, greatest: f64) -> Option<f64> {
        let of_type = match self.dtype {
            Datatype::Float { size: 2, .. } => greatest * 2f64.powi(-11),
            Datatype::Float { size: 4, .. } => greatest * 2f64.powi(-24),
            _ => 0.0,
        };
        let Some(filter) = self.lossy_filter.as_deref() else { return Some(of_type) };
        let bits = |name: &str| filter.strip_prefix(name)?.parse::<i32>().ok().filter(|bits| (1..=60).contains(bits));
        // Twice what rounding to nearest leaves, since filters may cut instead.
        let of_filter = if let Some(digits) = bits("DScale") {
            10f64.powi(-digits)
        } else if let Some(mantissa) = bits("FMantissa").or_else(|| bits("DMantissa")) {
            greatest * 2f64.powi(-mantissa)
        } else if filter == "HalfFloat" {
            greatest * 2f64.powi(-10) + 2f64.powi(-24)
        } else if filter == "BFloat16" {
            greatest * 2f64.powi(-7)
        } else if bits("Nbit").is_some() {
            0.0
        } else {
            return None;
        };
        Some(of_filter + of_type)
    }
}

#[cfg(test)]
mod tests {
    use apus_h5::{ByteOrder, FloatFormat};

    use crate::{Field, Frame};

    fn field(size: u32, filter: Option<&str>) -> Field {
        let format = if size == 4 { FloatFormat::F32 } else { FloatFormat::F64 };
        let dtype = super::Datatype::Float { size, order: ByteOrder::Little, bit_offset: 0, precision: 32, format };
        Field {
            path: String::new(),
            name: String::new(),
            dtype,
            shape: vec![],
            unit: None,
            a_exponent: 0.0,
            h_exponent: 0.0,
            frame: Frame::Comoving,
            convertible: true,
            description: None,
            expression: None,
            lossy_filter: filter.map(str::to_owned),
            named_columns: None,
            mask: None,
        }
    }

    #[test]
    fn filters_leave_what_they_say() {
        let check = |filter: Option<&str>, expected: Option<f64>| {
            assert_eq!(field(8, filter).rounding(8.0), expected, "{filter:?}");
        };
        check(None, Some(0.0));
        check(Some("DScale4"), Some(1e-4));
        check(Some("DMantissa13"), Some(8.0 / 8192.0));
        check(Some("FMantissa9"), Some(8.0 / 512.0));
        check(Some("BFloat16"), Some(8.0 / 128.0));
        check(Some("Nbit40"), Some(0.0));
        check(Some("Unheard"), None);
        check(Some("DScale"), None);
        assert_eq!(field(4, None).rounding(8.0), Some(8.0 / 16_777_216.0));
    }
}
