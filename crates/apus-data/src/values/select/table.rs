//! The forms that hold the fields of one group side by side: Arrow, Parquet, CSV, ECSV and `VOTable`. Rows leave as soon as they are found.

use std::ops::Range;

use apus_h5::ReadOptions;
use bytes::Bytes;

use super::{
    Format,
    batches::{Batches, USUAL_CHUNK_ROWS},
    metadata::{field_metadata, file_metadata},
    plan::{Plan, PlannedField, PlannedGroup},
};
use crate::{
    Error, Result,
    encode::{
        TextEncoder,
        arrow::ArrowEncoder,
        columns::{Column, Values},
        csv::{CsvColumn, CsvEncoder},
        ecsv::EcsvEncoder,
        parquet::ParquetEncoder,
        votable::VotableEncoder,
    },
    values::Content,
};

/// About how many bytes of values are read and encoded together: an answer holds them, and as many encoded, while its client does not read.
const BATCH_BYTES: u64 = 1 << 20;
/// The same of Parquet, whose row groups are slow to read where they are small.
const ROW_GROUP_BYTES: u64 = 4 << 20;
/// The most rows of a batch.
const MAX_BATCH_ROWS: u64 = 1 << 18;
/// The fewest rows of a batch, unless there are no more or rows are very long.
const MIN_BATCH_ROWS: u64 = 1 << 12;
/// So many bytes of a batch are turned into text at once.
const TEXT_STEP_BYTES: u64 = 64 << 10;

/// The values as a table of the only group.
pub(super) fn table_content(plan: &Plan) -> Result<Content> {
    let [group] = plan.groups.as_slice() else {
        return Err(Error::internal("a table is of one group"));
    };
    let encoder: Box<dyn TableEncoder> = match plan.query.format {
        Format::Csv => Box::new(csv_encoder(group)?),
        Format::Parquet => Box::new(ParquetEncoder::new(columns(group), file_metadata(plan, group)?)?),
        Format::Ecsv => Box::new(EcsvEncoder::new(&columns(group), &file_metadata(plan, group)?)?),
        Format::Votable => {
            let context = plan.output.unit_context();
            let unit = |field: &PlannedField| field.unit().and_then(|unit| context.vo_unit(unit).ok());
            let units: Vec<Option<String>> = group.fields.iter().map(unit).collect();
            let (columns, metadata) = (columns(group), file_metadata(plan, group)?);
            Box::new(VotableEncoder::new(&group.selection.name, &columns, &units, &metadata)?)
        }
        Format::Feather => Box::new(ArrowEncoder::file(columns(group), file_metadata(plan, group)?)?),
        _ => Box::new(ArrowEncoder::stream(columns(group), file_metadata(plan, group)?)?),
    };
    let batch_bytes = if plan.query.format == Format::Parquet { ROW_GROUP_BYTES } else { BATCH_BYTES };
    let by_row = batch_bytes / group.row_bytes.max(1);
    let fields = group.fields.clone();
    let align = fields.first().and_then(|field| field.dataset.chunk_shape()?.first().copied());
    let blocks = TableBlocks {
        batches: Batches::new(
            plan.scan(group)?,
            by_row.clamp(MIN_BATCH_ROWS.min(by_row.max(1)), MAX_BATCH_ROWS),
            align.unwrap_or(USUAL_CHUNK_ROWS),
        ),
        options: plan.read_options(),
        step_rows: (TEXT_STEP_BYTES / group.row_bytes.max(1)).max(1),
        is_text: matches!(plan.query.format, Format::Csv | Format::Ecsv | Format::Votable),
        fields,
        encoder,
        batch: Batch::default(),
        ready: Bytes::new(),
        phase: Phase::Reading,
    };
    Ok(Content::stream(plan.pinned.clone(), blocks, None))
}

fn columns(group: &PlannedGroup) -> Vec<Column> {
    let column = |field: &PlannedField| Column {
        name: field.asked.clone(),
        dtype: field.dtype().clone(),
        row_shape: field.row_shape.clone(),
        metadata: field_metadata(field),
    };
    group.fields.iter().map(column).collect()
}

fn csv_encoder(group: &PlannedGroup) -> Result<CsvEncoder> {
    let column = |field: &PlannedField| CsvColumn {
        name: field.asked.clone(),
        dtype: field.dtype().clone(),
        row_shape: field.row_shape.clone(),
        suffixes: match (&field.field.named_columns, field.row_shape.as_slice()) {
            (Some(columns), [n]) if columns.names.len() as u64 == *n => {
                columns.names.iter().map(|name| format!(".{name}")).collect()
            }
            (_, [3]) => [".x", ".y", ".z"].map(str::to_owned).to_vec(),
            _ => Vec::new(),
        },
    };
    let columns: Vec<CsvColumn> = group.fields.iter().map(column).collect();
    Ok(CsvEncoder::new(&columns)?)
}

/// Takes rows of all columns.
trait TableEncoder: Send {
    fn write(&mut self, n_rows: u64, values: &[&[u8]], out: &mut Vec<u8>) -> Result<()>;
    fn finish(&mut self, out: &mut Vec<u8>) -> Result<()>;
}

impl TableEncoder for ArrowEncoder {
    fn write(&mut self, n_rows: u64, values: &[&[u8]], out: &mut Vec<u8>) -> Result<()> {
        let values: Vec<Values<'_>> = values.iter().map(|bytes| Values::Fixed(bytes)).collect();
        Ok(Self::write(self, n_rows, &values, out)?)
    }

    fn finish(&mut self, out: &mut Vec<u8>) -> Result<()> {
        Ok(Self::finish(self, out)?)
    }
}

impl TableEncoder for ParquetEncoder {
    fn write(&mut self, n_rows: u64, values: &[&[u8]], out: &mut Vec<u8>) -> Result<()> {
        let values: Vec<Values<'_>> = values.iter().map(|bytes| Values::Fixed(bytes)).collect();
        Ok(Self::write(self, n_rows, &values, out)?)
    }

    fn finish(&mut self, out: &mut Vec<u8>) -> Result<()> {
        Ok(Self::finish(self, out)?)
    }
}

impl TableEncoder for CsvEncoder {
    fn write(&mut self, n_rows: u64, values: &[&[u8]], out: &mut Vec<u8>) -> Result<()> {
        self.write_rows(n_rows, values, out);
        Ok(())
    }

    fn finish(&mut self, out: &mut Vec<u8>) -> Result<()> {
        TextEncoder::finish(self, out);
        Ok(())
    }
}

impl TableEncoder for EcsvEncoder {
    fn write(&mut self, n_rows: u64, values: &[&[u8]], out: &mut Vec<u8>) -> Result<()> {
        self.write_rows(n_rows, values, out);
        Ok(())
    }

    fn finish(&mut self, out: &mut Vec<u8>) -> Result<()> {
        Self::finish(self, out);
        Ok(())
    }
}

impl TableEncoder for VotableEncoder {
    fn write(&mut self, n_rows: u64, values: &[&[u8]], out: &mut Vec<u8>) -> Result<()> {
        Ok(self.write_rows(n_rows, values, out)?)
    }

    fn finish(&mut self, out: &mut Vec<u8>) -> Result<()> {
        Self::finish(self, out);
        Ok(())
    }
}

struct TableBlocks {
    batches: Batches,
    fields: Vec<PlannedField>,
    encoder: Box<dyn TableEncoder>,
    options: ReadOptions,
    step_rows: u64,
    is_text: bool,
    batch: Batch,
    /// Bytes that are still to leave.
    ready: Bytes,
    phase: Phase,
}

/// Values of some rows, being encoded.
#[derive(Default)]
struct Batch {
    n_rows: u64,
    n_encoded: u64,
    columns: Vec<Vec<u8>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Reading,
    /// All rows were read.
    Read,
    /// All was encoded.
    Encoded,
}

impl TableBlocks {
    fn step(&mut self) -> Result<Option<Bytes>> {
        loop {
            if !self.ready.is_empty() {
                let n_bytes = self.ready.len().min(self.options.block_bytes).min(self.options.pace.block_bytes());
                return Ok(Some(self.ready.split_to(n_bytes)));
            }
            if self.batch.n_encoded < self.batch.n_rows {
                self.encode()?;
                continue;
            }
            match self.phase {
                Phase::Reading => match self.batches.next()? {
                    Some(rows) if rows.is_empty() => return Ok(Some(Bytes::new())),
                    Some(rows) => self.read(&rows)?,
                    None => self.phase = Phase::Read,
                },
                Phase::Read => {
                    let mut out = Vec::new();
                    self.encoder.finish(&mut out)?;
                    self.ready = out.into();
                    self.phase = Phase::Encoded;
                }
                Phase::Encoded => return Ok(None),
            }
        }
    }

    fn read(&mut self, rows: &[Range<u64>]) -> Result<()> {
        let n_rows = rows.iter().map(|range| range.end - range.start).sum();
        self.batch.columns.resize_with(self.fields.len(), Vec::new);
        for (field, values) in self.fields.iter().zip(&mut self.batch.columns) {
            values.clear();
            field.read(rows, &self.options, values)?;
        }
        (self.batch.n_rows, self.batch.n_encoded) = (n_rows, 0);
        Ok(())
    }

    /// Encodes the batch, or a part of it where it gets longer by that.
    fn encode(&mut self) -> Result<()> {
        let start = self.batch.n_encoded;
        let left = self.batch.n_rows - start;
        let n_rows = if self.is_text { left.min(self.step_rows) } else { left };
        let part = |bytes: u64| usize::try_from(bytes).unwrap_or(usize::MAX);
        let columns = self.fields.iter().zip(&self.batch.columns).map(|(field, values)| {
            let range = part(start * field.row_bytes)..part((start + n_rows) * field.row_bytes);
            values.get(range).ok_or_else(|| Error::internal(format!("{}: values are missing", field.asked)))
        });
        let columns = columns.collect::<Result<Vec<_>>>()?;
        let mut out = Vec::new();
        self.encoder.write(n_rows, &columns, &mut out)?;
        self.batch.n_encoded += n_rows;
        self.ready = out.into();
        Ok(())
    }
}

impl Iterator for TableBlocks {
    type Item = Result<Bytes>;

    fn next(&mut self) -> Option<Self::Item> {
        let step = self.step().transpose();
        let columns_bytes: usize = self.batch.columns.iter().map(Vec::capacity).sum();
        self.options.pace.set_held_bytes((columns_bytes + self.ready.len()) as u64);
        step
    }
}
