//! The `VOTable` format of the Virtual Observatory, as TOPCAT, STILTS and astropy read it: rows as text (TABLEDATA), which every reader
//! supports and which needs no length before the first row.
//!
//! Source: IVOA `VOTable` 1.4; units as in IVOA `VOUnits` 1.0.

use std::fmt::Write;

use super::{
    EncodeError,
    cells::{CellColumn, describe, text, write_number},
    columns::Column,
    scalar::Scalar,
};

/// The media type.
pub const CONTENT_TYPE: &str = "application/x-votable+xml";
/// The ending of names of files.
pub const ENDING: &str = "vot";

/// Turns rows of several columns into rows of a table. The header comes with the first piece.
#[derive(Debug)]
pub struct VotableEncoder {
    columns: Vec<CellColumn>,
    /// Empty once it is written.
    header: Vec<u8>,
    scratch: Vec<u8>,
}

impl VotableEncoder {
    /// An encoder for these columns, with their units as `VOUnits` writes them, and with what is told of all.
    ///
    /// Errors: records, opaque bytes and arrays of text; rows that are too long.
    pub fn new(
        name: &str,
        columns: &[Column],
        units: &[Option<String>],
        metadata: &[(String, String)],
    ) -> Result<Self, EncodeError> {
        let cells = columns.iter().map(|column| CellColumn::of(column, "votable")).collect::<Result<Vec<_>, _>>()?;
        if let Some(texts) = cells.iter().find(|cell| cell.is_text() && !cell.dims.is_empty()) {
            let what = format!("{}, an array of text,", texts.name);
            return Err(EncodeError::NoForm { what, form: "votable", instead: "ecsv" });
        }
        let mut header = String::from(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
             <VOTABLE version=\"1.4\" xmlns=\"http://www.ivoa.net/xml/VOTable/v1.3\">\n<RESOURCE type=\"results\">\n",
        );
        for (key, value) in metadata {
            let _ = writeln!(header, "<INFO name=\"{}\" value=\"{}\"/>", escaped(key), escaped(value));
        }
        let _ = writeln!(header, "<TABLE name=\"{}\">", escaped(name));
        for ((column, cell), unit) in columns.iter().zip(&cells).zip(units) {
            header.push_str(&field(column, cell, unit.as_deref(), metadata));
        }
        header.push_str("<DATA>\n<TABLEDATA>\n");
        Ok(Self { columns: cells, header: header.into_bytes(), scratch: Vec::new() })
    }

    /// Writes the next rows: `n_rows` values of each column, in order.
    ///
    /// Errors: unsigned numbers over the greatest signed one, which the format lacks.
    pub fn write_rows(&mut self, n_rows: u64, values: &[&[u8]], out: &mut Vec<u8>) -> Result<(), EncodeError> {
        out.append(&mut self.header);
        for (column, values) in self.columns.iter().zip(values) {
            check_range(column, values)?;
        }
        for row in 0..usize::try_from(n_rows).unwrap_or(usize::MAX) {
            out.extend_from_slice(b"<TR>");
            for (column, values) in self.columns.iter().zip(values) {
                out.extend_from_slice(b"<TD>");
                write_cell(column, column.row(values, row), &mut self.scratch, out);
                out.extend_from_slice(b"</TD>");
            }
            out.extend_from_slice(b"</TR>\n");
        }
        Ok(())
    }

    /// Writes the end, after all rows.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        out.append(&mut self.header);
        out.extend_from_slice(b"</TABLEDATA>\n</DATA>\n</TABLE>\n</RESOURCE>\n</VOTABLE>\n");
    }
}

fn field(column: &Column, cell: &CellColumn, unit: Option<&str>, metadata: &[(String, String)]) -> String {
    let mut text = format!("<FIELD name=\"{}\" datatype=\"{}\"", escaped(&column.name), type_name(&cell.scalar));
    if cell.is_text() {
        text.push_str(" arraysize=\"*\"");
    } else if !cell.dims.is_empty() {
        // The first axis is the one that varies fastest.
        let dims: Vec<String> = cell.dims.iter().rev().map(u64::to_string).collect();
        let _ = write!(text, " arraysize=\"{}\"", dims.join("x"));
    }
    if let Some(unit) = unit.filter(|unit| !unit.is_empty()) {
        let _ = write!(text, " unit=\"{}\"", escaped(unit));
    }
    format!("{text}><DESCRIPTION>{}</DESCRIPTION></FIELD>\n", escaped(&describe(column, metadata)))
}

/// The narrowest type that holds all values: unsigned numbers are there of 8 bits alone, signed ones from 16 bits on.
fn type_name(scalar: &Scalar) -> &'static str {
    match scalar {
        Scalar::Integer { size: 1, signed: false } => "unsignedByte",
        Scalar::Integer { size: 1, .. } | Scalar::Integer { size: 2, signed: true } => "short",
        Scalar::Integer { size: 2 | 3, .. } | Scalar::Integer { size: 4, signed: true } => "int",
        Scalar::Integer { .. } => "long",
        Scalar::F16 | Scalar::F32 => "float",
        Scalar::F64 => "double",
        Scalar::Boolean => "boolean",
        _ => "unicodeChar",
    }
}

fn check_range(column: &CellColumn, values: &[u8]) -> Result<(), EncodeError> {
    let Scalar::Integer { size: 8, signed: false } = column.scalar else { return Ok(()) };
    let numbers = values.as_chunks::<8>().0.iter().map(|bytes| u64::from_le_bytes(*bytes));
    match numbers.filter(|number| i64::try_from(*number).is_err()).max() {
        None => Ok(()),
        Some(value) => Err(EncodeError::OutOfRange {
            column: column.name.clone(),
            value,
            limit: i64::MAX,
            form: "votable",
            instead: "ecsv",
        }),
    }
}

fn write_cell(column: &CellColumn, bytes: &[u8], scratch: &mut Vec<u8>, out: &mut Vec<u8>) {
    if column.is_text() {
        return out.extend_from_slice(escaped(&String::from_utf8_lossy(text(bytes))).as_bytes());
    }
    for (i, element) in bytes.chunks_exact(column.scalar.size().max(1)).enumerate() {
        if i > 0 {
            out.push(b' ');
        }
        match &column.scalar {
            Scalar::Boolean => out.push(if element.first() == Some(&0) { b'F' } else { b'T' }),
            number => write_number(number, element, ["NaN", "+Inf", "-Inf"], scratch, out),
        }
    }
}

/// Text in XML 1.0, which has no form at all for most control characters.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\t' | '\n' | '\r' => out.push(' '),
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}
