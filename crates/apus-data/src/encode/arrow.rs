//! The Arrow formats: a stream of record batches, one for each block of rows, or a file of them, whose footer says where each one is.
//! Units, scale-factor exponents and frames are in the fields' metadata; what is common to all fields is in the schema's.
//!
//! Source: Apache Arrow columnar format 1.5, "IPC Streaming Format" and "IPC File Format"; the latter is also called Feather, version 2.

use arrow_ipc::writer::{FileWriter, StreamWriter};

use super::columns::{Column, Table, TableError, Values};

/// The media type of a stream.
pub const STREAM_CONTENT_TYPE: &str = "application/vnd.apache.arrow.stream";
/// The ending of names of files that hold a stream.
pub const STREAM_ENDING: &str = "arrows";
/// The media type of a file.
pub const FILE_CONTENT_TYPE: &str = "application/vnd.apache.arrow.file";
/// The ending of names of files.
pub const FILE_ENDING: &str = "arrow";

/// Turns blocks of rows into record batches.
pub struct ArrowEncoder {
    table: Table,
    writer: Writer,
}

enum Writer {
    Stream(StreamWriter<Vec<u8>>),
    File(FileWriter<Vec<u8>>),
}

impl ArrowEncoder {
    /// An encoder of a stream of these columns, with the schema's metadata.
    ///
    /// Errors: types that Arrow lacks.
    pub fn stream(columns: Vec<Column>, metadata: Vec<(String, String)>) -> Result<Self, TableError> {
        let table = Table::new(columns, metadata, "arrow")?;
        let writer = StreamWriter::try_new(Vec::new(), table.schema()).map_err(|error| table.failed(&error))?;
        Ok(Self { table, writer: Writer::Stream(writer) })
    }

    /// An encoder of a file of these columns, with the schema's metadata.
    ///
    /// Errors: types that Arrow lacks.
    pub fn file(columns: Vec<Column>, metadata: Vec<(String, String)>) -> Result<Self, TableError> {
        let table = Table::new(columns, metadata, "feather")?;
        let writer = FileWriter::try_new(Vec::new(), table.schema()).map_err(|error| table.failed(&error))?;
        Ok(Self { table, writer: Writer::File(writer) })
    }

    /// Writes the next rows: `n_rows` values of each column, in order. The first call writes the schema too.
    ///
    /// Errors: wrong lengths, text that is not UTF-8.
    pub fn write(&mut self, n_rows: u64, values: &[Values<'_>], out: &mut Vec<u8>) -> Result<(), TableError> {
        let batch = self.table.batch(n_rows, values)?;
        let written = match &mut self.writer {
            Writer::Stream(writer) => writer.write(&batch),
            Writer::File(writer) => writer.write(&batch),
        };
        written.map_err(|error| self.table.failed(&error))?;
        out.append(self.buffer());
        Ok(())
    }

    /// Writes the end, after all rows.
    pub fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), TableError> {
        let finished = match &mut self.writer {
            Writer::Stream(writer) => writer.finish(),
            Writer::File(writer) => writer.finish(),
        };
        finished.map_err(|error| self.table.failed(&error))?;
        out.append(self.buffer());
        Ok(())
    }

    /// What was written and is still to be taken.
    fn buffer(&mut self) -> &mut Vec<u8> {
        match &mut self.writer {
            Writer::Stream(writer) => writer.get_mut(),
            Writer::File(writer) => writer.get_mut(),
        }
    }
}
