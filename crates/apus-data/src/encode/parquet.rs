//! The Parquet form: a file of row groups, for those who keep what they fetched. The Arrow schema is embedded, so that
//! readers that know it get lists of fixed size and all metadata back.
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

/// A row group is closed when its encoded form has about this size: it is held until then.
const ROW_GROUP_BYTES: usize = 16 << 20;

/// Turns blocks of rows into row groups.
pub struct ParquetEncoder {
    table: Table,
    /// None when the file is finished.
    writer: Option<ArrowWriter<Vec<u8>>>,
}

impl ParquetEncoder {
    /// For these columns, with the file's metadata.
    ///
    /// Errors: types that Parquet lacks.
    pub fn new(columns: Vec<Column>, metadata: Vec<(String, String)>) -> Result<Self, TableError> {
        let table = Table::new(columns, metadata, "parquet")?;
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            // Measured values hardly repeat; looking for repetitions costs time and memory.
            .set_dictionary_enabled(false)
            .set_statistics_enabled(EnabledStatistics::Chunk)
            .set_created_by(concat!("apus ", env!("CARGO_PKG_VERSION")).to_owned())
            .build();
        let writer = ArrowWriter::try_new(Vec::new(), Arc::clone(table.schema()), Some(properties));
        let writer = writer.map_err(|error| table.failed(&error))?;
        Ok(Self { table, writer: Some(writer) })
    }

    /// Writes the next rows: of each column, in order, as many. Bytes come when a row group is full.
    ///
    /// Errors: lengths that do not fit, text that is no UTF-8.
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

    /// Writes what is left when all rows are written.
    pub fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), TableError> {
        let Some(writer) = self.writer.take() else { return Ok(()) };
        let mut rest = writer.into_inner().map_err(|error| self.table.failed(&error))?;
        out.append(&mut rest);
        Ok(())
    }
}
