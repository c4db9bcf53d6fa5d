//! The CSV form (RFC 4180): a line of names, then a line for each row. NaN is `NaN`, the infinities are `inf` and `-inf`, as
//! pandas and numpy read them.

use apus_h5::{Array, Data, Datatype};

use super::{EncodeError, TextEncoder, dtype::name_of, number::Notation, scalar::Scalar};

/// The media type.
pub const CONTENT_TYPE: &str = "text/csv; charset=utf-8; header=present";
/// The most columns: a wider array is better had in another form.
pub(super) const MAX_COLUMNS: u64 = 10_000;

/// Turns native elements into lines, in as many pieces as they come.
#[derive(Debug)]
pub struct CsvEncoder {
    /// The columns of one element: where they are in it, and how they are written.
    cells: Vec<Cell>,
    element_bytes: usize,
    /// Elements on a line.
    per_line: u64,
    /// Elements of the line that were written already.
    written: u64,
    names: Vec<String>,
    json: Vec<u8>,
}

/// A single value of an element.
#[derive(Debug)]
pub(super) struct Cell {
    offset: usize,
    scalar: Scalar,
}

impl CsvEncoder {
    /// For elements of `dtype`, native and of fixed size, in an array of `shape`, each row a line. Columns are called after
    /// `name`, or after the fields of a record; `columns` are the names or numbers of the second axis where it is known.
    pub fn new(dtype: &Datatype, shape: &[u64], name: &str, columns: Option<&[String]>) -> Result<Self, EncodeError> {
        let scalar = Scalar::of(dtype).ok_or_else(|| EncodeError::NoFormAtAll { what: name_of(dtype) })?;
        let element_bytes = scalar.size();
        let mut cells = Vec::new();
        let mut suffixes = Vec::new();
        let no_form = || EncodeError::NoForm { what: name_of(dtype), form: "csv", instead: "npy" };
        flatten(&scalar, 0, String::new(), &mut cells, &mut suffixes).ok_or_else(no_form)?;
        let inner = shape.get(1..).unwrap_or_default();
        let per_line = inner.iter().try_fold(1u64, |n, &dim| n.checked_mul(dim)).ok_or_else(no_form)?;
        if per_line.saturating_mul(cells.len() as u64) > MAX_COLUMNS {
            return Err(EncodeError::NoForm {
                what: format!("rows of more than {MAX_COLUMNS} columns"),
                form: "csv",
                instead: "npy",
            });
        }
        let mut names = Vec::new();
        for index in inner_indices(inner) {
            let index = match (columns, index.as_slice()) {
                (Some(columns), [i]) => usize::try_from(*i).ok().and_then(|i| columns.get(i)).map(|c| format!("_{c}")),
                _ => None,
            }
            .unwrap_or_else(|| index.iter().map(|i| format!("_{i}")).collect());
            names.extend(suffixes.iter().map(|suffix| match (suffix.is_empty(), index.is_empty()) {
                (false, true) => suffix.trim_start_matches('_').to_owned(),
                _ => format!("{name}{index}{suffix}"),
            }));
        }
        Ok(Self { cells, element_bytes, per_line, written: 0, names, json: Vec::new() })
    }

    /// Writes the line of names.
    pub fn write_names(&self, out: &mut Vec<u8>) {
        for (i, name) in self.names.iter().enumerate() {
            if i > 0 {
                out.push(b',');
            }
            write_quoted(name.as_bytes(), out);
        }
        out.extend_from_slice(b"\r\n");
    }
}

impl TextEncoder for CsvEncoder {
    fn element_bytes(&self) -> usize {
        self.element_bytes
    }

    fn write(&mut self, elements: &[u8], out: &mut Vec<u8>) {
        for element in elements.chunks_exact(self.element_bytes.max(1)) {
            for (i, cell) in self.cells.iter().enumerate() {
                if self.written > 0 || i > 0 {
                    out.push(b',');
                }
                write_cell(cell, element, &mut self.json, out);
            }
            self.written += 1;
            if self.written >= self.per_line {
                self.written = 0;
                out.extend_from_slice(b"\r\n");
            }
        }
    }

    fn finish(&mut self, _out: &mut Vec<u8>) {}
}

/// Writes a whole array of strings.
pub fn write_array(array: &Array, name: &str, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    match (&array.data, &array.dtype) {
        (Data::Fixed(bytes), dtype) => {
            let mut encoder = CsvEncoder::new(dtype, array.space.shape(), name, None)?;
            encoder.write_names(out);
            encoder.write(bytes, out);
        }
        (Data::Variable(strings), Datatype::VariableString { .. }) => {
            let inner = array.space.shape().get(1..).unwrap_or_default();
            let indices = inner_indices(inner);
            for (i, index) in indices.iter().enumerate() {
                let suffix: String = index.iter().map(|i| format!("_{i}")).collect();
                out.extend_from_slice(if i == 0 { b"" } else { b"," });
                write_quoted(format!("{name}{suffix}").as_bytes(), out);
            }
            out.extend_from_slice(b"\r\n");
            for line in strings.chunks(indices.len().max(1)) {
                for (i, string) in line.iter().enumerate() {
                    out.extend_from_slice(if i == 0 { b"" } else { b"," });
                    write_quoted(string, out);
                }
                out.extend_from_slice(b"\r\n");
            }
        }
        (Data::Variable(_), dtype) => {
            return Err(EncodeError::NoForm { what: name_of(dtype), form: "csv", instead: "json" });
        }
    }
    Ok(())
}

/// The single values of an element, in the order in which they stand in it.
pub(super) fn flatten(
    scalar: &Scalar,
    offset: usize,
    suffix: String,
    cells: &mut Vec<Cell>,
    suffixes: &mut Vec<String>,
) -> Option<()> {
    if cells.len() as u64 > MAX_COLUMNS {
        return None;
    }
    match scalar {
        Scalar::Record { fields, .. } => {
            for field in fields {
                let name: String = serde_json::from_slice(&field.name).ok()?;
                flatten(&field.scalar, offset + field.offset, format!("{suffix}_{name}"), cells, suffixes)?;
            }
        }
        Scalar::Array { base, dims } => {
            let n: usize = dims.iter().try_fold(1usize, |n, &dim| n.checked_mul(dim))?;
            for i in 0..n {
                flatten(base, offset + i * base.size(), format!("{suffix}_{i}"), cells, suffixes)?;
            }
        }
        single => {
            cells.push(Cell { offset, scalar: single.clone() });
            suffixes.push(suffix);
        }
    }
    Some(())
}

/// All indices of the axes behind the first, in the order of the elements; one empty index where there are none.
pub(super) fn inner_indices(dims: &[u64]) -> Vec<Vec<u64>> {
    dims.iter().fold(vec![Vec::new()], |indices, &dim| {
        indices.iter().flat_map(|index| (0..dim).map(|i| index.iter().copied().chain([i]).collect())).collect()
    })
}

/// Writes one value of an element.
pub(super) fn write_cell(cell: &Cell, element: &[u8], json: &mut Vec<u8>, out: &mut Vec<u8>) {
    let scalar = &cell.scalar;
    let bytes = element.get(cell.offset..cell.offset + scalar.size()).unwrap_or_default();
    match scalar {
        Scalar::Text { .. } => {
            let end = bytes.iter().rposition(|&b| b != 0).map_or(0, |last| last + 1);
            write_quoted(bytes.get(..end).unwrap_or_default(), out);
        }
        Scalar::Bytes { .. } => {
            for byte in bytes {
                out.extend_from_slice(format!("{byte:02x}").as_bytes());
            }
        }
        Scalar::F16 | Scalar::F32 | Scalar::F64 => {
            json.clear();
            scalar.write(bytes, Notation::Strict, json);
            out.extend_from_slice(match json.as_slice() {
                b"\"NaN\"" => b"NaN",
                b"\"Infinity\"" => b"inf",
                b"\"-Infinity\"" => b"-inf",
                number => number,
            });
        }
        other => other.write(bytes, Notation::Strict, out),
    }
}

/// A cell of text: in quotes where it needs them.
pub(super) fn write_quoted(text: &[u8], out: &mut Vec<u8>) {
    let needs_quotes = text.iter().any(|b| matches!(b, b',' | b'"' | b'\n' | b'\r'));
    if !needs_quotes {
        out.extend_from_slice(text);
        return;
    }
    out.push(b'"');
    for &byte in text {
        if byte == b'"' {
            out.push(b'"');
        }
        out.push(byte);
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use apus_h5::{ByteOrder, Dataspace, FloatFormat};

    use super::*;

    const F4: Datatype =
        Datatype::Float { size: 4, order: ByteOrder::Little, bit_offset: 0, precision: 32, format: FloatFormat::F32 };

    fn text(shape: &[u64], columns: Option<&[String]>, values: &[f32]) -> String {
        let mut encoder = CsvEncoder::new(&F4, shape, "x", columns).unwrap();
        let mut out = Vec::new();
        encoder.write_names(&mut out);
        encoder.write(&values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<_>>(), &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn rows_are_lines() {
        assert_eq!(text(&[2], None, &[0.1, f32::NAN]), "x\r\n0.1\r\nNaN\r\n");
        assert_eq!(text(&[2, 2], None, &[1.0, 2.0, 3.0, f32::NEG_INFINITY]), "x_0,x_1\r\n1.0,2.0\r\n3.0,-inf\r\n");
        assert_eq!(text(&[1, 2], Some(&["2".to_owned(), "0".to_owned()]), &[1.0, 2.0]), "x_2,x_0\r\n1.0,2.0\r\n");
        assert_eq!(text(&[0], None, &[]), "x\r\n");
        assert_eq!(text(&[], None, &[1.5]), "x\r\n1.5\r\n");
    }

    #[test]
    fn text_is_quoted_where_it_must_be() {
        let array = Array {
            dtype: Datatype::VariableString { character_set: apus_h5::CharacterSet::Utf8 },
            space: Dataspace::Simple { dims: vec![2], max_dims: vec![None] },
            data: Data::Variable(vec![b"plain".to_vec(), b"a, \"b\"".to_vec()]),
        };
        let mut out = Vec::new();
        write_array(&array, "x", &mut out).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "x\r\nplain\r\n\"a, \"\"b\"\"\"\r\n");
    }
}
