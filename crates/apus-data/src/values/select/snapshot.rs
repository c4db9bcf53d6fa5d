//! The HDF5 form: a snapshot of the selected rows, as SWIFT would have written it.

use std::{sync::Arc, vec};

use apus_h5::write::{self, Step};
use apus_swift::{Subset, SubsetGroup, WantedRows};
use bytes::Bytes;

use super::{
    plan::Plan,
    values::{FieldEvent, FieldValues},
};
use crate::{Error, Result, values::Content};

/// The most bytes of metadata that are put together in memory.
const LIMIT_BYTES: u64 = 128 << 20;

/// The values as a snapshot, of known length.
pub(super) fn snapshot_content(plan: &Plan, wanted: &[Arc<WantedRows>]) -> Result<Content> {
    let groups = plan.groups.iter().zip(wanted);
    let groups: Vec<SubsetGroup<'_>> =
        groups.map(|(group, rows)| SubsetGroup { selection: &group.selection, rows }).collect();
    let provenance = [
        ("Source file", plan.file.path().as_str().to_owned()),
        ("Selection", plan.query.text()),
        ("Apus version", env!("CARGO_PKG_VERSION").to_owned()),
    ];
    let subset = Subset::new(&plan.output, &groups, &provenance, LIMIT_BYTES)?;
    let file = write::Plan::new(subset.tree)?;
    let size_bytes = Some(file.size_bytes());
    let mut fields = Vec::new();
    for step in file.steps() {
        let Step::Data { object, size_bytes } = step else { continue };
        let place = subset.fields.iter().find(|field| field.object == *object);
        let found = place.and_then(|place| {
            let field = plan.groups.get(place.group)?.fields.get(place.field)?.clone();
            Some((field, Arc::clone(wanted.get(place.group)?)))
        });
        let (field, rows) = found.ok_or_else(|| Error::internal("a dataset that nobody asked for"))?;
        if field.row_bytes.checked_mul(rows.n_rows()) != Some(*size_bytes) {
            return Err(Error::internal(format!("{}: another size than planned", field.asked)));
        }
        fields.push((field, rows));
    }
    let values = FieldValues::new(fields, plan.read_options());
    let block_bytes = plan.pinned.archive().limits.block_bytes;
    let steps = file.into_steps().into_iter();
    let blocks = FileBlocks { steps, values, ready: Bytes::new(), block_bytes, is_in_values: false };
    Ok(Content::stream(plan.pinned.clone(), blocks, size_bytes))
}

struct FileBlocks {
    steps: vec::IntoIter<Step>,
    values: FieldValues,
    /// Bytes that are still to leave.
    ready: Bytes,
    block_bytes: usize,
    /// Whether the values of a field are next.
    is_in_values: bool,
}

impl FileBlocks {
    fn step(&mut self) -> Result<Option<Bytes>> {
        loop {
            if !self.ready.is_empty() {
                let n_bytes = self.ready.len().min(self.block_bytes);
                return Ok(Some(self.ready.split_to(n_bytes)));
            }
            if self.is_in_values {
                match self.values.next()? {
                    Some(FieldEvent::Values(values)) => self.ready = values,
                    Some(FieldEvent::Start) => {}
                    Some(FieldEvent::End) | None => self.is_in_values = false,
                }
                continue;
            }
            match self.steps.next() {
                Some(Step::Bytes(bytes)) => self.ready = bytes.into(),
                Some(Step::Data { .. }) => self.is_in_values = true,
                None => return Ok(None),
            }
        }
    }
}

impl Iterator for FileBlocks {
    type Item = Result<Bytes>;

    fn next(&mut self) -> Option<Self::Item> {
        self.step().transpose()
    }
}
