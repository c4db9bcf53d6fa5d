//! The Parquet format: a file of row groups, for data to be kept. The Arrow schema is embedded, so that readers that support it
//! restore fixed-size lists and all metadata.
//!
//! Source: Apache Parquet format 2.

use std::sync::Arc;

use parquet::{
    arrow::ArrowWriter,
    basic::Compression,
    file::properties::{EnabledStatistics, WriterProperties},
};

use super::columns::{Column, Table, TableError, Values};

/// The media type.
pub const CONTENT_TYPE: &str = "application/vnd.apache.parquet";

/// A row group is closed when its encoded size reaches about this: it is held in memory until then.
const ROW_GROUP_BYTES: usize = 16 << 20;

/// Turns blocks of rows into row groups.
pub struct ParquetEncoder {
    table: Table,
    /// `None` when the file is finished.
    writer: Option<ArrowWriter<Vec<u8>>>,
}

impl ParquetEncoder {
    /// An encoder for these columns, with the file's metadata.
    ///
    /// Errors: types that Parquet lacks.
    pub fn new(columns: Vec<Column>, metadata: Vec<(String, String)>) -> Result<Self, TableError> {
        let table = Table::new(columns, metadata, "parquet")?;
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            // Simulation values hardly repeat; a dictionary would cost time and memory.
            .set_dictionary_enabled(false)
            .set_statistics_enabled(EnabledStatistics::Chunk)
            .set_created_by(concat!("apus ", env!("CARGO_PKG_VERSION")).to_owned())
            .build();
        let writer = ArrowWriter::try_new(Vec::new(), Arc::clone(table.schema()), Some(properties));
        let writer = writer.map_err(|error| table.failed(&error))?;
        Ok(Self { table, writer: Some(writer) })
    }

    /// Writes the next rows: `n_rows` values of each column, in order. Bytes come when a row group is full.
    ///
    /// Errors: wrong lengths, text that is not UTF-8.
    pub fn write(&mut self, n_rows: u64, values: &[Values<'_>], out: &mut Vec<u8>) -> Result<(), TableError> {
        let Some(writer) = &mut self.writer else { return Ok(()) };
        let batch = self.table.batch(n_rows, values)?;
        writer.write(&batch).map_err(|error| self.table.failed(&error))?;
        if writer.in_progress_size() >= ROW_GROUP_BYTES {
            writer.flush().map_err(|error| self.table.failed(&error))?;
        }
        out.append(writer.inner_mut());
        Ok(())
    }

    /// Writes the rest of the file, after all rows.
    pub fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), TableError> {
        let Some(writer) = self.writer.take() else { return Ok(()) };
        let mut rest = writer.into_inner().map_err(|error| self.table.failed(&error))?;
        out.append(&mut rest);
        Ok(())
    }
}
