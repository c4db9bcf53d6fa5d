//! The Parquet format: a file of row groups, for data to be kept. The Arrow schema is embedded, so that readers that support it
//! restore fixed-size lists and all metadata. For those that do not, all metadata stand as plain key-values too, those of a field under
//! `unit:NAME`, and pandas finds them in `DataFrame.attrs`.
//!
//! Source: Apache Parquet format 2.

use std::sync::Arc;

use parquet::{
    arrow::ArrowWriter,
    basic::Compression,
    file::{
        metadata::KeyValue,
        properties::{EnabledStatistics, WriterProperties},
    },
};
use serde_json::{Map, Value};

use super::columns::{Column, Table, TableError, Values};

/// The media type.
pub const CONTENT_TYPE: &str = "application/vnd.apache.parquet";

/// A row group is closed when its encoded size reaches about this: it is held in memory until then.
const ROW_GROUP_BYTES: usize = 16 << 20;
/// The key of what pandas puts into `DataFrame.attrs`.
const PANDAS_ATTRS: &str = "PANDAS_ATTRS";

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
    pub fn new(columns: Vec<Column>, mut metadata: Vec<(String, String)>) -> Result<Self, TableError> {
        // pandas takes its attributes from the Arrow schema.
        metadata.push((PANDAS_ATTRS.to_owned(), pandas_attrs(&columns, &metadata)));
        let key_values = key_values(&columns, &metadata);
        let table = Table::new(columns, metadata, "parquet")?;
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            // Simulation values hardly repeat; a dictionary would cost time and memory.
            .set_dictionary_enabled(false)
            .set_statistics_enabled(EnabledStatistics::Chunk)
            .set_key_value_metadata(Some(key_values))
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

/// The metadata as the file's footer holds them, those of a column under its name.
fn key_values(columns: &[Column], metadata: &[(String, String)]) -> Vec<KeyValue> {
    let of_file = metadata.iter().map(|(key, value)| KeyValue::new(key.clone(), value.clone()));
    let of_columns = columns.iter().flat_map(|column| {
        let key_value =
            |(key, value): &(String, String)| KeyValue::new(format!("{key}:{}", column.name), value.clone());
        column.metadata.iter().map(key_value)
    });
    of_file.chain(of_columns).collect()
}

/// The metadata of the file, and the units of its columns by name, as JSON.
fn pandas_attrs(columns: &[Column], metadata: &[(String, String)]) -> String {
    let mut attrs: Map<String, Value> =
        metadata.iter().map(|(key, value)| (key.clone(), value.clone().into())).collect();
    let unit = |column: &Column| {
        let (_, unit) = column.metadata.iter().find(|(key, _)| key == "unit")?;
        Some((column.name.clone(), unit.clone().into()))
    };
    attrs.insert("units".to_owned(), Value::Object(columns.iter().filter_map(unit).collect()));
    Value::Object(attrs).to_string()
}
