//! The Arrow format: an IPC stream of record batches, one for each block of rows. Units, scale-factor exponents and frames are in
//! the fields' metadata; what is common to all fields is in the schema's.
//!
//! Source: Apache Arrow columnar format 1.5, "IPC Streaming Format".

use arrow_ipc::writer::StreamWriter;

use super::columns::{Column, Table, TableError, Values};

/// The media type.
pub const CONTENT_TYPE: &str = "application/vnd.apache.arrow.stream";

/// Turns blocks of rows into record batches.
pub struct ArrowEncoder {
    table: Table,
    writer: StreamWriter<Vec<u8>>,
}

impl ArrowEncoder {
    /// An encoder for these columns, with the schema's metadata.
    ///
    /// Errors: types that Arrow lacks.
    pub fn new(columns: Vec<Column>, metadata: Vec<(String, String)>) -> Result<Self, TableError> {
        let table = Table::new(columns, metadata, "arrow")?;
        let writer = StreamWriter::try_new(Vec::new(), table.schema()).map_err(|error| table.failed(&error))?;
        Ok(Self { table, writer })
    }

    /// Writes the next rows: `n_rows` values of each column, in order. The first call writes the schema too.
    ///
    /// Errors: wrong lengths, text that is not UTF-8.
    pub fn write(&mut self, n_rows: u64, values: &[Values<'_>], out: &mut Vec<u8>) -> Result<(), TableError> {
        let batch = self.table.batch(n_rows, values)?;
        self.writer.write(&batch).map_err(|error| self.table.failed(&error))?;
        out.append(self.writer.get_mut());
        Ok(())
    }

    /// Writes the end, after all rows.
    pub fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), TableError> {
        self.writer.finish().map_err(|error| self.table.failed(&error))?;
        out.append(self.writer.get_mut());
        Ok(())
    }
}
