//! The forms that hold each field as an array of its own: npz and JSON.

use std::sync::Arc;

use apus_swift::WantedRows;
use bytes::Bytes;

use super::{
    plan::{Plan, PlannedField},
    values::{FieldEvent, FieldValues},
};
use crate::{
    Error, Result,
    encode::{
        EncodeError, TextEncoder,
        dtype::{Dtype, name_of},
        json::JsonEncoder,
        npy,
        npz::{NpzArray, NpzEncoder},
        number::Notation,
    },
    values::Content,
};

/// So many bytes of elements are turned into text at once; the longest text of an element is some ten times its bytes.
const TEXT_STEP_BYTES: usize = 64 << 10;

/// The values as an archive of npy files, called as the fields were asked for.
pub(super) fn npz_content(plan: &Plan, wanted: &[Arc<WantedRows>]) -> Result<Content> {
    let fields = fields_of(plan, wanted);
    let arrays = fields.iter().map(|(field, wanted)| {
        let no_form = || EncodeError::NoForm { what: name_of(field.dtype()), form: "npz", instead: "json" };
        let (dtype, element_shape) = Dtype::of(field.dtype()).filter(|(d, _)| d.is_fixed()).ok_or_else(no_form)?;
        let mut shape = shape_of(field, wanted);
        shape.extend(element_shape.into_iter().map(u64::from));
        let npy_header = npy::header(&dtype, &shape).ok_or_else(no_form)?;
        let data_bytes = field.row_bytes.saturating_mul(wanted.n_rows());
        Ok(NpzArray { name: field.asked.clone(), npy_header, data_bytes })
    });
    let encoder = NpzEncoder::new(arrays.collect::<Result<Vec<_>>>()?)?;
    let size_bytes = Some(encoder.size_bytes());
    let values = FieldValues::new(fields, plan.read_options());
    Ok(Content::stream(plan.pinned.clone(), NpzBlocks { values, encoder, held: None, is_over: false }, size_bytes))
}

/// The values as one JSON object with an array for each field.
pub(super) fn json_content(plan: &Plan, wanted: &[Arc<WantedRows>]) -> Result<Content> {
    let fields = fields_of(plan, wanted);
    let encoders = fields.iter().map(|(field, wanted)| {
        let name = serde_json::to_vec(&field.asked).map_err(Error::internal)?;
        Ok((name, JsonEncoder::new(field.dtype(), &shape_of(field, wanted), Notation::Strict)?))
    });
    let encoders = encoders.collect::<Result<Vec<_>>>()?.into_iter();
    let mut options = plan.read_options();
    options.block_bytes = options.block_bytes.min(TEXT_STEP_BYTES);
    let values = FieldValues::new(fields, options);
    let blocks = JsonBlocks { values, encoders, current: None, is_started: false, is_over: false };
    Ok(Content::stream(plan.pinned.clone(), blocks, None))
}

/// All fields with their wanted rows, in the order in which groups and fields were asked for.
fn fields_of(plan: &Plan, wanted: &[Arc<WantedRows>]) -> Vec<(PlannedField, Arc<WantedRows>)> {
    let groups = plan.groups.iter().zip(wanted);
    groups.flat_map(|(group, wanted)| group.fields.iter().map(|field| (field.clone(), Arc::clone(wanted)))).collect()
}

fn shape_of(field: &PlannedField, wanted: &WantedRows) -> Vec<u64> {
    let mut shape = vec![wanted.n_rows()];
    shape.extend(&field.row_shape);
    shape
}

struct NpzBlocks {
    values: FieldValues,
    encoder: NpzEncoder,
    /// Values that leave after what comes before them.
    held: Option<Bytes>,
    is_over: bool,
}

impl NpzBlocks {
    /// The next bytes: what frames the members, or values.
    fn step(&mut self) -> Result<Bytes> {
        if let Some(values) = self.held.take() {
            return Ok(values);
        }
        let mut frame = Vec::new();
        loop {
            match self.values.next()? {
                Some(FieldEvent::Start) => self.encoder.start_member(&mut frame),
                Some(FieldEvent::End) => self.encoder.end_member(&mut frame)?,
                Some(FieldEvent::Values(values)) => {
                    self.encoder.pass(&values)?;
                    if frame.is_empty() {
                        return Ok(values);
                    }
                    self.held = Some(values);
                    return Ok(frame.into());
                }
                None => {
                    self.is_over = true;
                    self.encoder.finish(&mut frame)?;
                    return Ok(frame.into());
                }
            }
        }
    }
}

impl Iterator for NpzBlocks {
    type Item = Result<Bytes>;

    fn next(&mut self) -> Option<Self::Item> {
        (!self.is_over).then(|| self.step())
    }
}

struct JsonBlocks {
    values: FieldValues,
    /// Those of the fields that are still to come, with their names.
    encoders: std::vec::IntoIter<(Vec<u8>, JsonEncoder)>,
    current: Option<JsonEncoder>,
    is_started: bool,
    is_over: bool,
}

impl JsonBlocks {
    fn step(&mut self) -> Result<Bytes> {
        let mut out = Vec::new();
        loop {
            match self.values.next()? {
                Some(FieldEvent::Start) => {
                    let (name, encoder) =
                        self.encoders.next().ok_or_else(|| Error::internal("more fields than were planned"))?;
                    out.push(if self.is_started { b',' } else { b'{' });
                    self.is_started = true;
                    out.extend_from_slice(&name);
                    out.push(b':');
                    self.current = Some(encoder);
                }
                Some(FieldEvent::Values(values)) => {
                    if let Some(encoder) = &mut self.current {
                        encoder.write(&values, &mut out);
                    }
                    return Ok(out.into());
                }
                Some(FieldEvent::End) => {
                    if let Some(mut encoder) = self.current.take() {
                        encoder.finish(&mut out);
                    }
                }
                None => {
                    self.is_over = true;
                    out.push(b'}');
                    return Ok(out.into());
                }
            }
        }
    }
}

impl Iterator for JsonBlocks {
    type Item = Result<Bytes>;

    fn next(&mut self) -> Option<Self::Item> {
        (!self.is_over).then(|| self.step())
    }
}
