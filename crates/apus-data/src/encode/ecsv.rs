//! The ECSV format: CSV after a header of comments that gives types, units and descriptions, as astropy's tables read it. Rows of several
//! elements are one cell: a JSON list.
//!
//! Source: Astropy Proposal for Enhancement 6, version 1.0.

use serde_json::{Value, json};

use super::{
    EncodeError,
    cells::{CellColumn, describe, text, write_number},
    columns::Column,
    csv::write_quoted,
    scalar::Scalar,
};

/// The media type: there is none of its own.
pub const CONTENT_TYPE: &str = "text/csv; charset=utf-8; header=present";

/// What stands in the metadata as JSON, or as a number.
const JSON_METADATA: [&str; 6] = ["box_size", "scale_factor", "redshift", "units", "cosmology", "padding"];

/// Turns rows of several columns into lines. The header comes with the first piece.
#[derive(Debug)]
pub struct EcsvEncoder {
    columns: Vec<CellColumn>,
    /// Empty once it is written.
    header: Vec<u8>,
    scratch: Vec<u8>,
}

impl EcsvEncoder {
    /// An encoder for these columns, with what is told of all.
    ///
    /// Errors: records and opaque bytes, rows that are too long.
    pub fn new(columns: &[Column], metadata: &[(String, String)]) -> Result<Self, EncodeError> {
        let cells = columns.iter().map(|column| CellColumn::of(column, "ecsv")).collect::<Result<Vec<_>, _>>()?;
        let mut header = b"# %ECSV 1.0\n# ---\n# delimiter: ','\n# datatype:\n".to_vec();
        for (column, cell) in columns.iter().zip(&cells) {
            header.extend_from_slice(format!("# - {}\n", column_header(column, cell, metadata)).as_bytes());
        }
        header.extend_from_slice(format!("# meta: {}\n# schema: astropy-2.0\n", meta(metadata)).as_bytes());
        for (i, cell) in cells.iter().enumerate() {
            if i > 0 {
                header.push(b',');
            }
            write_quoted(cell.name.as_bytes(), &mut header);
        }
        header.push(b'\n');
        Ok(Self { columns: cells, header, scratch: Vec::new() })
    }

    /// Writes the next rows: `n_rows` values of each column, in order.
    pub fn write_rows(&mut self, n_rows: u64, values: &[&[u8]], out: &mut Vec<u8>) {
        out.append(&mut self.header);
        for row in 0..usize::try_from(n_rows).unwrap_or(usize::MAX) {
            for (i, (column, values)) in self.columns.iter().zip(values).enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                write_cell(column, column.row(values, row), &mut self.scratch, out);
            }
            out.push(b'\n');
        }
    }

    /// Writes the end, after all rows.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        out.append(&mut self.header);
    }
}

/// What the header says of a column: YAML, which JSON is.
fn column_header(column: &Column, cell: &CellColumn, metadata: &[(String, String)]) -> Value {
    let element = type_name(&cell.scalar);
    let mut header = json!({"name": column.name, "datatype": element, "description": describe(column, metadata)});
    if !cell.dims.is_empty() {
        let dims: Vec<String> = cell.dims.iter().map(u64::to_string).collect();
        header["datatype"] = "string".into();
        header["subtype"] = format!("{element}[{}]", dims.join(",")).into();
    }
    let mut meta = serde_json::Map::new();
    for (key, value) in &column.metadata {
        match key.as_str() {
            // astropy takes no unit for a pure number, and "1" for a unit of its own.
            "unit" if value.is_empty() || value == "1" => {}
            "unit" => header["unit"] = value.clone().into(),
            "description" => {}
            "a_exponent" => drop(meta.insert(key.clone(), as_json(value))),
            _ => drop(meta.insert(key.clone(), value.clone().into())),
        }
    }
    header["meta"] = meta.into();
    header
}

fn meta(metadata: &[(String, String)]) -> Value {
    let value = |(key, value): &(String, String)| {
        let value = if JSON_METADATA.contains(&key.as_str()) { as_json(value) } else { value.clone().into() };
        (key.clone(), value)
    };
    Value::Object(metadata.iter().map(value).collect())
}

fn as_json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| text.into())
}

fn type_name(scalar: &Scalar) -> String {
    match scalar {
        Scalar::Integer { size, signed } => format!("{}int{}", if *signed { "" } else { "u" }, 8 * size),
        Scalar::F16 => "float16".to_owned(),
        Scalar::F32 => "float32".to_owned(),
        Scalar::F64 => "float64".to_owned(),
        Scalar::Boolean => "bool".to_owned(),
        _ => "string".to_owned(),
    }
}

fn write_cell(column: &CellColumn, bytes: &[u8], scratch: &mut Vec<u8>, out: &mut Vec<u8>) {
    if column.dims.is_empty() {
        match &column.scalar {
            Scalar::Boolean => {
                out.extend_from_slice(if bytes.first() == Some(&0) { b"False" } else { b"True" });
            }
            Scalar::Text { .. } => write_quoted(String::from_utf8_lossy(text(bytes)).as_bytes(), out),
            number => write_number(number, bytes, ["nan", "inf", "-inf"], scratch, out),
        }
        return;
    }
    let mut list = Vec::new();
    write_list(column, &column.dims, bytes, scratch, &mut list);
    write_quoted(&list, out);
}

/// Nested lists, as Python's `json` reads them.
fn write_list(column: &CellColumn, dims: &[u64], bytes: &[u8], scratch: &mut Vec<u8>, out: &mut Vec<u8>) {
    let Some((_, inner)) = dims.split_first() else {
        return write_number(&column.scalar, bytes, ["NaN", "Infinity", "-Infinity"], scratch, out);
    };
    let n_inner: u64 = inner.iter().product();
    let size = usize::try_from(n_inner).unwrap_or(usize::MAX).saturating_mul(column.scalar.size());
    out.push(b'[');
    for (i, part) in bytes.chunks_exact(size.max(1)).enumerate() {
        if i > 0 {
            out.push(b',');
        }
        write_list(column, inner, part, scratch, out);
    }
    out.push(b']');
}
