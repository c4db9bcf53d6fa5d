//! The CSV format (RFC 4180): a line of names, then a line for each row. NaN is `NaN`, the infinities are `inf` and `-inf`, as
//! pandas and numpy read them.

use apus_h5::{Array, Data, Datatype};

use super::{EncodeError, TextEncoder, dtype::name_of, number::Notation, scalar::Scalar};

/// The media type.
pub const CONTENT_TYPE: &str = "text/csv; charset=utf-8; header=present";
/// The most columns: wider arrays need another format.
const MAX_COLUMNS: u64 = 10_000;

/// A column of a table. If its rows have several elements, each element gets a column of its own in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CsvColumn {
    /// Its name; empty if the names of the elements suffice.
    pub name: String,
    /// The type of its elements: native, of fixed size.
    pub dtype: Datatype,
    /// The shape of a row: empty for single elements.
    pub row_shape: Vec<u64>,
    /// Appended to the name, one for each element of a row; if their number differs, indices are used, as in `name_0_1`.
    pub suffixes: Vec<String>,
}

/// Turns rows of one or several columns into lines, piece by piece. The line of names comes with the first piece.
#[derive(Debug)]
pub struct CsvEncoder {
    columns: Vec<EncodedColumn>,
    /// Empty once the line of names is written.
    names: Vec<String>,
    /// Elements already written in the current line.
    written: usize,
    json: Vec<u8>,
}

#[derive(Debug)]
struct EncodedColumn {
    cells: Vec<Cell>,
    element_bytes: usize,
    elements_per_row: usize,
}

/// A single value of an element: its offset, and how to write it.
#[derive(Debug)]
struct Cell {
    offset: usize,
    scalar: Scalar,
}

impl CsvColumn {
    /// The rows of a dataset of that type and shape. `indices` are the selected columns of its second axis.
    pub fn of_dataset(name: &str, dtype: &Datatype, shape: &[u64], indices: Option<&[String]>) -> Self {
        let row_shape = shape.get(1..).unwrap_or_default().to_vec();
        // The fields of records have names of their own.
        let is_named = row_shape.is_empty() && matches!(dtype, Datatype::Compound { .. } | Datatype::Array { .. });
        let name = if is_named { String::new() } else { name.to_owned() };
        let suffixes = indices.unwrap_or_default().iter().map(|index| format!("_{index}")).collect();
        Self { name, dtype: dtype.clone(), row_shape, suffixes }
    }
}

impl CsvEncoder {
    /// An encoder for these columns.
    ///
    /// Errors: types without a text form, too many columns.
    pub fn new(columns: &[CsvColumn]) -> Result<Self, EncodeError> {
        let mut encoded = Vec::with_capacity(columns.len());
        let mut names = Vec::new();
        for column in columns {
            encoded.push(EncodedColumn::new(column, &mut names)?);
        }
        Ok(Self { columns: encoded, names, written: 0, json: Vec::new() })
    }

    /// Writes the next rows: `n_rows` values of each column, in order.
    pub fn write_rows(&mut self, n_rows: u64, values: &[&[u8]], out: &mut Vec<u8>) {
        self.start(out);
        for row in 0..usize::try_from(n_rows).unwrap_or(usize::MAX) {
            let mut separator: &[u8] = b"";
            for (column, values) in self.columns.iter().zip(values) {
                let row_bytes = column.element_bytes.saturating_mul(column.elements_per_row);
                let start = row.saturating_mul(row_bytes);
                let values = values.get(start..start.saturating_add(row_bytes)).unwrap_or_default();
                for element in values.chunks_exact(column.element_bytes.max(1)) {
                    for cell in &column.cells {
                        out.extend_from_slice(separator);
                        separator = b",";
                        write_cell(cell, element, &mut self.json, out);
                    }
                }
            }
            out.extend_from_slice(b"\r\n");
        }
    }

    fn start(&mut self, out: &mut Vec<u8>) {
        let names = std::mem::take(&mut self.names);
        if !names.is_empty() {
            write_line(names.iter().map(String::as_bytes), out);
        }
    }
}

/// Writes elements of the first column; a piece may end within a row.
impl TextEncoder for CsvEncoder {
    fn element_bytes(&self) -> usize {
        self.columns.first().map_or(0, |column| column.element_bytes)
    }

    fn write(&mut self, elements: &[u8], out: &mut Vec<u8>) {
        self.start(out);
        let Some(column) = self.columns.first() else { return };
        for element in elements.chunks_exact(column.element_bytes.max(1)) {
            for (i, cell) in column.cells.iter().enumerate() {
                if self.written > 0 || i > 0 {
                    out.push(b',');
                }
                write_cell(cell, element, &mut self.json, out);
            }
            self.written += 1;
            if self.written >= column.elements_per_row {
                self.written = 0;
                out.extend_from_slice(b"\r\n");
            }
        }
    }

    fn finish(&mut self, out: &mut Vec<u8>) {
        self.start(out);
    }
}

impl EncodedColumn {
    /// Adds the names of its cells to those of the columns before it.
    fn new(column: &CsvColumn, names: &mut Vec<String>) -> Result<Self, EncodeError> {
        let what = || name_of(&column.dtype);
        let no_form = || EncodeError::NoForm { what: what(), form: "csv", instead: "npz" };
        let scalar = Scalar::of(&column.dtype).ok_or_else(|| EncodeError::NoFormAtAll { what: what() })?;
        let (mut cells, mut suffixes) = (Vec::new(), Vec::new());
        flatten(&scalar, 0, String::new(), &mut cells, &mut suffixes).ok_or_else(no_form)?;
        let per_row = column.row_shape.iter().try_fold(1u64, |n, extent| n.checked_mul(*extent));
        let n_cells = per_row.and_then(|n| n.checked_mul(cells.len() as u64));
        let n_cells = n_cells.and_then(|n| n.checked_add(names.len() as u64));
        if n_cells.is_none_or(|n| n > MAX_COLUMNS) {
            let what = format!("rows of more than {MAX_COLUMNS} columns");
            return Err(EncodeError::NoForm { what, form: "csv", instead: "npz" });
        }
        let indices = inner_indices(&column.row_shape);
        for (i, index) in indices.iter().enumerate() {
            let of_element = match column.suffixes.get(i) {
                Some(suffix) if column.suffixes.len() == indices.len() => suffix.clone(),
                _ => index.iter().map(|i| format!("_{i}")).collect(),
            };
            names.extend(suffixes.iter().map(|suffix| {
                let name = format!("{}{of_element}{suffix}", column.name);
                if column.name.is_empty() { name.trim_start_matches('_').to_owned() } else { name }
            }));
        }
        Ok(Self { cells, element_bytes: scalar.size(), elements_per_row: indices.len() })
    }
}

/// Writes a whole array.
///
/// Errors: [`EncodeError::NoForm`] for sequences of variable length; as [`CsvEncoder::new`].
pub fn write_array(array: &Array, name: &str, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    match (&array.data, &array.dtype) {
        (Data::Fixed(bytes), dtype) => {
            let mut encoder = CsvEncoder::new(&[CsvColumn::of_dataset(name, dtype, array.space.shape(), None)])?;
            encoder.write(bytes, out);
            encoder.finish(out);
        }
        (Data::Variable(strings), Datatype::VariableString { .. }) => {
            let indices = inner_indices(array.space.shape().get(1..).unwrap_or_default());
            let suffix = |index: &Vec<u64>| index.iter().map(|i| format!("_{i}")).collect::<String>();
            let names: Vec<String> = indices.iter().map(|index| format!("{name}{}", suffix(index))).collect();
            write_line(names.iter().map(String::as_bytes), out);
            for line in strings.chunks(indices.len().max(1)) {
                write_line(line.iter().map(Vec::as_slice), out);
            }
        }
        (Data::Variable(_), dtype) => {
            return Err(EncodeError::NoForm { what: name_of(dtype), form: "csv", instead: "json" });
        }
    }
    Ok(())
}

/// Collects the single values of an element, in their order.
fn flatten(
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

/// All indices of the axes after the first, in the order of the elements; one empty index if there are none.
fn inner_indices(dims: &[u64]) -> Vec<Vec<u64>> {
    dims.iter().fold(vec![Vec::new()], |indices, &dim| {
        indices.iter().flat_map(|index| (0..dim).map(|i| index.iter().copied().chain([i]).collect())).collect()
    })
}

/// Writes one value of an element.
fn write_cell(cell: &Cell, element: &[u8], json: &mut Vec<u8>, out: &mut Vec<u8>) {
    let scalar = &cell.scalar;
    let bytes = element.get(cell.offset..cell.offset + scalar.size()).unwrap_or_default();
    match scalar {
        Scalar::Text { .. } => {
            let end = bytes.iter().rposition(|&b| b != 0).map_or(0, |last| last + 1);
            write_quoted(bytes.get(..end).unwrap_or_default(), out);
        }
        Scalar::Bytes { .. } | Scalar::Reference { .. } => {
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

/// Writes a line of text.
fn write_line<'t>(texts: impl Iterator<Item = &'t [u8]>, out: &mut Vec<u8>) {
    for (i, text) in texts.enumerate() {
        if i > 0 {
            out.push(b',');
        }
        write_quoted(text, out);
    }
    out.extend_from_slice(b"\r\n");
}

/// Writes a cell of text, in quotes if needed.
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
    use apus_h5::{ByteOrder, Dataspace, FloatFormat, write::Number};

    use super::*;

    const F4: Datatype =
        Datatype::Float { size: 4, order: ByteOrder::Little, bit_offset: 0, precision: 32, format: FloatFormat::F32 };

    fn text(shape: &[u64], columns: Option<&[String]>, values: &[f32]) -> String {
        let mut encoder = CsvEncoder::new(&[CsvColumn::of_dataset("x", &F4, shape, columns)]).unwrap();
        let mut out = Vec::new();
        encoder.write(&values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<_>>(), &mut out);
        encoder.finish(&mut out);
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

    #[test]
    fn columns_stand_side_by_side() {
        let column = |name: &str, dtype: Datatype, row_shape: &[u64], suffixes: &[&str]| CsvColumn {
            name: name.to_owned(),
            dtype,
            row_shape: row_shape.to_vec(),
            suffixes: suffixes.iter().map(|suffix| (*suffix).to_owned()).collect(),
        };
        let columns = [
            column("id", u64::DTYPE, &[], &[]),
            column("v", f32::DTYPE, &[2], &[".x", ".y"]),
            column("t", i8::DTYPE, &[2, 1], &[]),
        ];
        let mut encoder = CsvEncoder::new(&columns).unwrap();
        let mut out = Vec::new();
        let ids: Vec<u8> = [u64::MAX, 0].iter().flat_map(|id| id.to_le_bytes()).collect();
        let v: Vec<u8> = [0.1f32, f32::NAN, 1.0, 2.0].iter().flat_map(|v| v.to_le_bytes()).collect();
        encoder.write_rows(2, &[&ids, &v, &[1, 2, 3, 0xff]], &mut out);
        encoder.finish(&mut out);
        let expected = "id,v.x,v.y,t_0_0,t_1_0\r\n18446744073709551615,0.1,NaN,1,2\r\n0,1.0,2.0,3,-1\r\n";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
        assert!(CsvEncoder::new(&[column("x", u8::DTYPE, &[10_001], &[])]).is_err());
    }
}
