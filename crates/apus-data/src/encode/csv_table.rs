//! CSV of several columns side by side: see [`csv`](super::csv).

use apus_h5::Datatype;

use super::{
    EncodeError,
    csv::{Cell, MAX_COLUMNS, flatten, inner_indices, write_cell, write_quoted},
    dtype::name_of,
    scalar::Scalar,
};

/// Turns rows of several columns into lines, in as many pieces as they come.
#[derive(Debug)]
pub struct CsvTableEncoder {
    columns: Vec<EncodedColumn>,
    names: Vec<String>,
    is_started: bool,
    json: Vec<u8>,
}

/// A column of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CsvColumn {
    /// Its name.
    pub name: String,
    /// The type of its elements: native, of fixed size.
    pub dtype: Datatype,
    /// The shape of a row: empty for single elements.
    pub row_shape: Vec<u64>,
    /// The names of the elements of a row, as many as there are; else they are called by their numbers.
    pub parts: Vec<String>,
}

#[derive(Debug)]
struct EncodedColumn {
    cells: Vec<Cell>,
    element_bytes: usize,
    row_bytes: usize,
}

impl CsvTableEncoder {
    /// For these columns. The elements of a row are columns of their own: `name.x` where they have names, `name_0` where not.
    ///
    /// Errors: types without text, too many columns.
    pub fn new(columns: &[CsvColumn]) -> Result<Self, EncodeError> {
        let mut encoded = Vec::with_capacity(columns.len());
        let mut names = Vec::new();
        for column in columns {
            let no_form = || EncodeError::NoForm { what: name_of(&column.dtype), form: "csv", instead: "npz" };
            let scalar =
                Scalar::of(&column.dtype).ok_or_else(|| EncodeError::NoFormAtAll { what: name_of(&column.dtype) })?;
            let element_bytes = scalar.size();
            let (mut cells, mut suffixes) = (Vec::new(), Vec::new());
            flatten(&scalar, 0, String::new(), &mut cells, &mut suffixes).ok_or_else(no_form)?;
            let per_row = column.row_shape.iter().try_fold(1u64, |n, extent| n.checked_mul(*extent));
            let n_cells = per_row.and_then(|n| n.checked_mul(cells.len() as u64));
            let n_cells = n_cells.and_then(|n| n.checked_add(names.len() as u64));
            if n_cells.is_none_or(|n| n > MAX_COLUMNS) {
                let what = format!("a table of more than {MAX_COLUMNS} columns");
                return Err(EncodeError::NoForm { what, form: "csv", instead: "npz" });
            }
            let indices = inner_indices(&column.row_shape);
            let row_bytes = element_bytes.checked_mul(indices.len()).ok_or_else(no_form)?;
            for (i, index) in indices.iter().enumerate() {
                let part = match column.parts.get(i) {
                    Some(part) if column.parts.len() == indices.len() => format!(".{part}"),
                    _ => index.iter().map(|i| format!("_{i}")).collect(),
                };
                names.extend(suffixes.iter().map(|suffix| format!("{}{part}{suffix}", column.name)));
            }
            encoded.push(EncodedColumn { cells, element_bytes, row_bytes });
        }
        Ok(Self { columns: encoded, names, is_started: false, json: Vec::new() })
    }

    /// Writes the next rows: of each column, in order, as many. The line of names comes with the first.
    pub fn write(&mut self, n_rows: u64, values: &[&[u8]], out: &mut Vec<u8>) {
        self.start(out);
        for row in 0..usize::try_from(n_rows).unwrap_or(usize::MAX) {
            let mut separator: &[u8] = b"";
            for (column, values) in self.columns.iter().zip(values) {
                let start = row.saturating_mul(column.row_bytes);
                let values = values.get(start..start.saturating_add(column.row_bytes)).unwrap_or_default();
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

    /// Writes what is left when all rows are written: nothing, or the line of names.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        self.start(out);
    }

    fn start(&mut self, out: &mut Vec<u8>) {
        if std::mem::replace(&mut self.is_started, true) {
            return;
        }
        for (i, name) in self.names.iter().enumerate() {
            out.extend_from_slice(if i == 0 { b"" } else { b"," });
            write_quoted(name.as_bytes(), out);
        }
        out.extend_from_slice(b"\r\n");
    }
}

#[cfg(test)]
mod tests {
    use apus_h5::write::Number;

    use super::*;

    #[test]
    fn columns_stand_side_by_side() {
        let column = |name: &str, dtype: Datatype, row_shape: &[u64], parts: &[&str]| CsvColumn {
            name: name.to_owned(),
            dtype,
            row_shape: row_shape.to_vec(),
            parts: parts.iter().map(|part| (*part).to_owned()).collect(),
        };
        let columns = [
            column("id", u64::DTYPE, &[], &[]),
            column("v", f32::DTYPE, &[2], &["x", "y"]),
            column("t", i8::DTYPE, &[2, 1], &[]),
        ];
        let mut encoder = CsvTableEncoder::new(&columns).unwrap();
        let mut out = Vec::new();
        let ids: Vec<u8> = [u64::MAX, 0].iter().flat_map(|id| id.to_le_bytes()).collect();
        let v: Vec<u8> = [0.1f32, f32::NAN, 1.0, 2.0].iter().flat_map(|v| v.to_le_bytes()).collect();
        encoder.write(2, &[&ids, &v, &[1, 2, 3, 0xff]], &mut out);
        encoder.finish(&mut out);
        let expected = "id,v.x,v.y,t_0_0,t_1_0\r\n18446744073709551615,0.1,NaN,1,2\r\n0,1.0,2.0,3,-1\r\n";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
        assert!(CsvTableEncoder::new(&[column("x", u8::DTYPE, &[10_001], &[])]).is_err());
    }
}
