//! Columns of formats that know plain numbers, text and arrays of them: ECSV and `VOTable`.

use super::{EncodeError, columns::Column, dtype::name_of, number::Notation, scalar::Scalar};

/// The most elements of a row of one column.
const MAX_ELEMENTS: u64 = 1 << 20;

/// A column as such a format sees it.
#[derive(Clone, Debug)]
pub(super) struct CellColumn {
    pub(super) name: String,
    /// One element: a number, a boolean or text.
    pub(super) scalar: Scalar,
    /// The shape of a row, axes within elements included; empty for single elements.
    pub(super) dims: Vec<u64>,
    pub(super) row_bytes: usize,
}

impl CellColumn {
    /// Errors: records, bytes, and rows that are too long.
    pub(super) fn of(column: &Column, form: &'static str) -> Result<Self, EncodeError> {
        let no_form = |what: String| EncodeError::NoForm { what, form, instead: "npz" };
        let what = || format!("{}, {},", column.name, name_of(&column.dtype));
        let scalar = Scalar::of(&column.dtype).ok_or_else(|| EncodeError::NoFormAtAll { what: what() })?;
        let mut dims = column.row_shape.clone();
        let scalar = element(scalar, &mut dims).ok_or_else(|| no_form(what()))?;
        let n_elements = dims.iter().try_fold(1u64, |n, dim| n.checked_mul(*dim)).filter(|n| *n <= MAX_ELEMENTS);
        let row_bytes = n_elements.and_then(|n| usize::try_from(n).ok()?.checked_mul(scalar.size()));
        let too_long = || no_form(format!("{}, with more than {MAX_ELEMENTS} elements in a row,", column.name));
        Ok(Self { name: column.name.clone(), row_bytes: row_bytes.ok_or_else(too_long)?, scalar, dims })
    }

    /// Whether it holds text.
    pub(super) fn is_text(&self) -> bool {
        matches!(self.scalar, Scalar::Text { .. })
    }

    /// The values of a row.
    pub(super) fn row<'v>(&self, values: &'v [u8], row: usize) -> &'v [u8] {
        let start = row.saturating_mul(self.row_bytes);
        values.get(start..start.saturating_add(self.row_bytes)).unwrap_or_default()
    }
}

/// The single values within elements of that type, whose extents are appended to `dims`; `None` where there is no form for them.
fn element(scalar: Scalar, dims: &mut Vec<u64>) -> Option<Scalar> {
    match scalar {
        Scalar::Array { base, dims: inner } => {
            dims.extend(inner.iter().map(|dim| *dim as u64));
            element(*base, dims)
        }
        Scalar::Record { .. } | Scalar::Bytes { .. } => None,
        single => Some(single),
    }
}

/// The bytes of text, without trailing NULs.
pub(super) fn text(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().rposition(|&b| b != 0).map_or(0, |last| last + 1);
    bytes.get(..end).unwrap_or_default()
}

/// Writes a number; NaN and the infinities as these words.
pub(super) fn write_number(
    scalar: &Scalar,
    element: &[u8],
    [nan, infinity, minus_infinity]: [&str; 3],
    scratch: &mut Vec<u8>,
    out: &mut Vec<u8>,
) {
    if !matches!(scalar, Scalar::F16 | Scalar::F32 | Scalar::F64) {
        return scalar.write(element, Notation::Strict, out);
    }
    scratch.clear();
    scalar.write(element, Notation::Strict, scratch);
    out.extend_from_slice(match scratch.as_slice() {
        b"\"NaN\"" => nan.as_bytes(),
        b"\"Infinity\"" => infinity.as_bytes(),
        b"\"-Infinity\"" => minus_infinity.as_bytes(),
        number => number,
    });
}

/// What is told of a column in words: its description, and how its values follow the scale factor.
pub(super) fn describe(column: &Column, metadata: &[(String, String)]) -> String {
    let of = |list: &[(String, String)], name: &str| list.iter().find(|(key, _)| key == name).map(|(_, v)| v.clone());
    let description = of(&column.metadata, "description");
    let exponent = of(&column.metadata, "a_exponent").filter(|exponent| exponent != "0");
    let frame = of(&column.metadata, "frame");
    let note = match (frame.as_deref(), exponent, of(metadata, "scale_factor")) {
        (Some("comoving"), Some(exponent), Some(a)) => format!("comoving: physical = value * a**{exponent}, a = {a}"),
        (Some("physical"), Some(exponent), Some(a)) => format!("physical: comoving = value / a**{exponent}, a = {a}"),
        // Comoving and physical values are the same.
        (None, ..) | (Some(_), None, _) => return description.unwrap_or_default(),
        (Some(frame), ..) => frame.to_owned(),
    };
    match description {
        Some(description) => format!("{} ({note})", description.trim_end_matches('.')),
        None => note,
    }
}
