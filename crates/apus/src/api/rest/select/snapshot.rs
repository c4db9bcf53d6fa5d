//! The HDF5 form: a snapshot of the selected rows, as SWIFT would have written it.

use std::{sync::Arc, vec};

use apus_h5::write::{self, Step};
use apus_swift::{Subset, SubsetGroup, WantedRows};
use bytes::Bytes;

use super::{
    plan::Plan,
    values::{FieldValues, Piece},
};
use crate::{
    error::{ApiError, ApiResult},
    read_task::{Answer, AnswerBody},
};

const CONTENT_TYPE: &str = "application/x-hdf5";
/// The most bytes of metadata that are put together in memory.
const LIMIT_BYTES: u64 = 128 << 20;

/// The answer as a snapshot, of known length.
pub(super) fn snapshot_answer(plan: Arc<Plan>, wanted: &[Arc<WantedRows>]) -> ApiResult<Answer> {
    let groups = plan.groups.iter().zip(wanted);
    let groups: Vec<SubsetGroup<'_>> =
        groups.map(|(group, rows)| SubsetGroup { selection: &group.selection, rows }).collect();
    let provenance = [
        ("Source file", plan.file.bytes.path.as_str().to_owned()),
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
        let (field, rows) = found.ok_or_else(|| ApiError::internal("a dataset that nobody asked for"))?;
        if field.row_bytes.checked_mul(rows.n_rows()) != Some(*size_bytes) {
            return Err(ApiError::internal(format!("{}: another size than planned", field.asked)));
        }
        fields.push((field, rows));
    }
    let values = FieldValues::new(fields, plan.read_options());
    let block_bytes = plan.app.config.limits.block_bytes;
    let steps = file.into_steps().into_iter();
    let blocks = Box::new(FileBlocks { plan, steps, values, ready: Bytes::new(), block_bytes, state: State::Steps });
    Ok(Answer::new(CONTENT_TYPE, AnswerBody::Blocks { blocks, size_bytes }))
}

struct FileBlocks {
    plan: Arc<Plan>,
    steps: vec::IntoIter<Step>,
    values: FieldValues,
    /// Bytes that are still to leave.
    ready: Bytes,
    block_bytes: usize,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Steps,
    Values,
    /// All has left that was promised, but for what is ready.
    Last,
    Over,
}

impl FileBlocks {
    fn step(&mut self) -> ApiResult<Option<Bytes>> {
        loop {
            if !self.ready.is_empty() {
                let n_bytes = self.ready.len().min(self.block_bytes);
                return Ok(Some(self.ready.split_to(n_bytes)));
            }
            match self.state {
                State::Steps => match self.steps.next() {
                    Some(Step::Bytes(bytes)) => self.ready = bytes.into(),
                    Some(Step::Data { .. }) => self.state = State::Values,
                    None => self.state = State::Last,
                },
                State::Values => match self.values.next()? {
                    Some(Piece::Values(values)) => self.ready = values,
                    Some(Piece::Start) => {}
                    Some(Piece::End) | None => self.state = State::Steps,
                },
                State::Last | State::Over => return Ok(None),
            }
            // The check comes before the last bytes leave: after them the client has all that it was promised.
            if self.steps.len() == 0 && (self.state == State::Steps || self.values.is_all_read()) {
                self.plan.check_unchanged()?;
            }
        }
    }
}

impl Iterator for FileBlocks {
    type Item = ApiResult<Bytes>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.state == State::Over {
            return None;
        }
        let step = self.step().transpose();
        if !matches!(step, Some(Ok(_))) {
            self.state = State::Over;
        }
        step
    }
}
