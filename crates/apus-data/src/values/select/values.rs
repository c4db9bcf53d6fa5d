//! The wanted values of several fields, one field after the other.

use std::{ops::Range, sync::Arc};

use apus_h5::{Block, ReadOptions, Reader};
use apus_swift::{WantedRows, rows_reader};
use bytes::Bytes;

use super::plan::PlannedField;
use crate::{Error, Result};

/// What comes next.
pub(super) enum FieldEvent {
    /// The values of the next field begin.
    Start,
    /// Whole elements of it.
    Values(Bytes),
    /// They are over.
    End,
}

/// Reads field after field, each in the order of the wanted rows.
pub(super) struct FieldValues {
    fields: Vec<(PlannedField, Arc<WantedRows>)>,
    options: ReadOptions,
    /// The field that is read, the next piece of its rows, and what is left of it.
    current: usize,
    position: Position,
    left_bytes: u64,
}

enum Position {
    Before,
    Between(usize),
    In(usize, Box<Reader>),
}

impl FieldValues {
    pub(super) fn new(fields: Vec<(PlannedField, Arc<WantedRows>)>, options: ReadOptions) -> Self {
        Self { fields, options, current: 0, position: Position::Before, left_bytes: 0 }
    }

    /// `None` when all fields are over.
    ///
    /// Errors: those of reading.
    pub(super) fn next(&mut self) -> Result<Option<FieldEvent>> {
        let Some((field, wanted)) = self.fields.get(self.current) else { return Ok(None) };
        loop {
            match &mut self.position {
                Position::Before => {
                    self.left_bytes = field.row_bytes.saturating_mul(wanted.n_rows());
                    self.position = Position::Between(0);
                    return Ok(Some(FieldEvent::Start));
                }
                Position::Between(index) => match wanted.piece(*index) {
                    Some(rows) => {
                        let reader = rows_reader(&field.dataset, rows, field.column, &self.options)?;
                        self.position = Position::In(*index + 1, Box::new(reader));
                    }
                    None if self.left_bytes > 0 => {
                        return Err(Error::internal(format!("{}: values are missing", field.asked)));
                    }
                    None => {
                        self.position = Position::Before;
                        self.current += 1;
                        return Ok(Some(FieldEvent::End));
                    }
                },
                Position::In(next, reader) => match reader.next() {
                    Some(block) => {
                        let block = block?;
                        let n_bytes = block.bytes().len() as u64;
                        self.left_bytes = self
                            .left_bytes
                            .checked_sub(n_bytes)
                            .ok_or_else(|| Error::internal(format!("{}: too many values", field.asked)))?;
                        return Ok(Some(FieldEvent::Values(field.converted(block))));
                    }
                    None => self.position = Position::Between(*next),
                },
            }
        }
    }
}

impl PlannedField {
    /// A block as it leaves; without a copy where nothing is converted.
    fn converted(&self, block: Block) -> Bytes {
        match &self.conversion {
            None => Bytes::from_owner(block),
            Some(conversion) => {
                let mut bytes = block.bytes().to_vec();
                conversion.apply(self.dtype(), &mut bytes);
                bytes.into()
            }
        }
    }

    /// The values of those rows, appended.
    pub(super) fn read(&self, rows: &[Range<u64>], options: &ReadOptions, out: &mut Vec<u8>) -> Result<()> {
        let start = out.len();
        apus_swift::read_rows(&self.dataset, rows.to_vec(), self.column, options, out)?;
        if let (Some(conversion), Some(new)) = (&self.conversion, out.get_mut(start..)) {
            conversion.apply(self.dtype(), new);
        }
        Ok(())
    }
}
