//! Parts of datasets, streamed.

use std::ops::Range;

use apus_h5::{Block, Dataset, Dataspace, Indices, Object, Reader, Selection};
use bytes::Bytes;

use super::{
    MSGPACK,
    error::{Error, Stage},
    held::Held,
    slices::Slices,
};
use crate::{
    app::App,
    catalog::{OpenFile, TagBuilder},
    encode::msgpack::{ArrayHead, Bins, ElementType, shape_of, write_array},
    error::{ApiError, ApiResult},
    read_task::{Answer, AnswerBody},
};

/// Answers of at most so many bytes are sent in one piece.
const WHOLE_BYTES: u64 = 64 << 10;

/// A part of a dataset, checked but not yet read.
pub(super) struct Part {
    dataset: Dataset,
    element: ElementType,
    selection: Selection,
    held: Held,
}

impl Part {
    /// The slices of the dataset at `path`.
    ///
    /// Errors: those that clients take as a missing object.
    pub(super) fn open(file: &OpenFile, path: &str, slices: Slices, mut held: Held) -> Result<Self, Error> {
        let object = file.h5.get(path).map_err(|error| Error::at(Stage::OpenSlice, error))?;
        let Object::Dataset(dataset) = object else {
            return Err(Error::at(Stage::OpenSlice, ApiError::not_found(format!("{path} is not a dataset"))));
        };
        let element = ElementType::of(dataset.dtype()).ok_or_else(|| Error::at(Stage::Read, unsupported(&dataset)))?;
        let selection = select(&dataset, &element, slices)
            .map_err(|why| Error::at(Stage::Read, ApiError::bad_request(format!("{path}: {why}"))))?;
        let n_ranges = selection.rows.as_ref().map_or(0, |rows| rows.as_slice().len());
        held.shrink((n_ranges * size_of::<Range<u64>>()) as u64);
        Ok(Self { dataset, element, selection, held })
    }

    /// What tells the answer from others: the files that the values lie in, the dataset and what is wanted of it. Weak, as
    /// those of descriptions are.
    pub(super) fn entity_tag(&self, file: &OpenFile) -> ApiResult<String> {
        let mut tag = TagBuilder::new();
        for identity in file.identities_of(&self.dataset)? {
            tag.add([u8::from(identity.is_some())]);
            if let Some(identity) = identity {
                identity.write_to(&mut tag);
            }
        }
        tag.add("hdfstream slices");
        tag.add(self.dataset.path());
        if let Some(rows) = &self.selection.rows {
            for range in rows.as_slice() {
                tag.add(range.start.to_le_bytes());
                tag.add(range.end.to_le_bytes());
            }
        }
        tag.add(format!("{:?}", self.selection.inner));
        Ok(format!("W/{}", tag.finish()))
    }

    /// The elements, joined along the first dimension.
    ///
    /// Errors: those that clients take as a missing object.
    pub(super) fn read(self, app: &App) -> Result<Answer, Error> {
        let Self { dataset, element, selection, held } = self;
        let failed = |error: apus_h5::Error| Error::at(Stage::Read, error);
        let is_null = *dataset.space() == Dataspace::Null;
        if element.variable || is_null {
            let selection = if is_null { Selection::default() } else { selection };
            let array = dataset.read(selection, app.config.limits.held_bytes).map_err(failed)?;
            let mut body = Vec::new();
            write_array(&mut body, &array).ok_or_else(|| Error::at(Stage::Read, unsupported(&dataset)))?;
            return Ok(Answer::new(MSGPACK, AnswerBody::Whole(body.into())));
        }
        let reader = dataset.reader(selection, &app.read_options()).map_err(failed)?;
        if reader.size_bytes() > app.config.limits.answer_bytes {
            return Err(Error::from(ApiError::too_large(format!(
                "{}: the slices take {} bytes, the most of one answer is {}",
                dataset.path(),
                reader.size_bytes(),
                app.config.limits.answer_bytes
            ))));
        }
        let head = ArrayHead::new(&element, reader.shape(), reader.size_bytes());
        let size_bytes = head.total_bytes();
        let mut blocks = ArrayBlocks::new(reader, head, held);
        // What fails at once can still be said by the status.
        blocks.fetch().map_err(|error| Error::at(Stage::Read, error))?;
        if size_bytes <= WHOLE_BYTES {
            let body = blocks.try_fold(Vec::new(), |mut body, block| {
                body.extend_from_slice(&block.map_err(|error| Error::at(Stage::Read, error))?);
                Ok::<_, Error>(body)
            })?;
            return Ok(Answer::new(MSGPACK, AnswerBody::Whole(body.into())));
        }
        Ok(Answer::new(MSGPACK, AnswerBody::Blocks { blocks: Box::new(blocks), size_bytes: Some(size_bytes) }))
    }
}

fn unsupported(dataset: &Dataset) -> ApiError {
    ApiError::Unreadable {
        code: "unsupported",
        detail: format!("{}: this protocol has no form for elements of its type", dataset.path()).into(),
    }
}

/// Elements that are arrays themselves show as further dimensions, of which slices must take all.
fn select(dataset: &Dataset, element: &ElementType, slices: Slices) -> Result<Selection, String> {
    let own_shape = shape_of(dataset.space());
    let n_own = own_shape.len();
    let element_shape = element.element_shape.iter().map(|&extent| u64::from(extent));
    let shape: Vec<u64> = own_shape.iter().copied().chain(element_shape).collect();
    let mut selection = slices.select(&shape)?;
    let of_element = selection.inner.split_off(selection.inner.len().min(n_own.saturating_sub(1)));
    let whole = |(indices, extent): (&Indices, &u64)| *indices == Indices::Range(0, *extent);
    let element_extents = shape.get(n_own..).unwrap_or_default();
    if n_own > 0 && !of_element.iter().zip(element_extents).all(whole) {
        return Err("elements that are arrays can only be read whole".to_owned());
    }
    Ok(selection)
}

/// The body: the head, and the blocks of the reader cut into binaries.
struct ArrayBlocks {
    reader: Reader,
    bins: Bins,
    /// What stands before the next bytes of the array.
    head: Vec<u8>,
    /// What is still missing from the binary that was announced.
    left_bytes: u64,
    block: Bytes,
    /// The memory that the reader's ranges take.
    _held: Held,
}

impl ArrayBlocks {
    fn new(reader: Reader, head: ArrayHead, held: Held) -> Self {
        Self { reader, bins: head.bins(), head: head.bytes, left_bytes: 0, block: Bytes::new(), _held: held }
    }

    /// Makes sure that there is a block, unless all were had.
    fn fetch(&mut self) -> ApiResult<()> {
        while self.block.is_empty()
            && let Some(block) = self.reader.next()
        {
            self.block = into_bytes(block?);
        }
        Ok(())
    }
}

impl Iterator for ArrayBlocks {
    type Item = ApiResult<Bytes>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.left_bytes == 0
            && let Some((head, n_bytes)) = self.bins.next()
        {
            self.head.extend_from_slice(&head);
            self.left_bytes = n_bytes;
        }
        if !self.head.is_empty() {
            return Some(Ok(std::mem::take(&mut self.head).into()));
        }
        if let Err(error) = self.fetch() {
            return Some(Err(error));
        }
        let n_bytes = usize::try_from(self.left_bytes).unwrap_or(usize::MAX).min(self.block.len());
        self.left_bytes -= n_bytes as u64;
        (n_bytes > 0).then(|| Ok(self.block.split_to(n_bytes)))
    }
}

/// A block as it is, without a copy; its buffer goes back when the socket has taken it.
fn into_bytes(block: Block) -> Bytes {
    Bytes::from_owner(block)
}
