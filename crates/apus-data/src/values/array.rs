//! The values of one dataset, all or a selection, in a form.

use std::ops::Range;

use apus_h5::{Dataset, Dataspace, Datatype, Reader, RowRanges, Selection};
use bytes::Bytes;
use serde::{Serialize, Serializer};

use super::{
    Blocks, Content, EntityTag, Pinned,
    stream::{Frame, FramedBlocks, TextBlocks},
};
use crate::{
    Error, Result,
    encode::{
        EncodeError,
        csv::{self, CsvColumn, CsvEncoder},
        dtype::{self, Dtype},
        json::{self, JsonEncoder},
        msgpack::{self, ArrayHead, ElementType},
        npy,
        number::Notation,
    },
};

/// A selection of a dataset, checked against its extent.
#[derive(Debug)]
pub struct ArrayRequest {
    pinned: Pinned,
    dataset: Dataset,
    selection: Selection,
    /// Whether one index was taken out of the second axis, which is gone then.
    drops_column: bool,
}

/// What npy and raw say beside the values.
#[derive(Debug)]
pub struct ArrayType {
    /// The type of the elements.
    pub dtype: Dtype,
    /// The shape, in which elements that are arrays have axes of their own.
    pub shape: Vec<u64>,
}

/// All that an answer depends on beside files, for its tag.
#[derive(Serialize)]
struct Canonical<'a, F> {
    object: &'a str,
    rows: Option<Rows<'a>>,
    inner: String,
    drops_column: bool,
    form: F,
}

/// Ranges of rows: there may be millions.
struct Rows<'a>(&'a [Range<u64>]);

impl Serialize for Rows<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|range| (range.start, range.end)))
    }
}

impl ArrayRequest {
    /// The selected elements of a dataset that a file of this request led to. With `drops_column` the second axis, of which one index is
    /// selected, is not in the answer.
    ///
    /// Errors: those of finding out which files the elements lie in.
    pub fn new(pinned: &Pinned, dataset: Dataset, selection: Selection, drops_column: bool) -> Result<Self> {
        dataset.resolve_sources(selection.rows.as_ref())?;
        Ok(Self { pinned: pinned.clone(), dataset, selection, drops_column })
    }

    /// The dataset.
    pub fn dataset(&self) -> &Dataset {
        &self.dataset
    }

    /// The tag of the answer in this form, whose serialised value says all about it.
    ///
    /// Errors: a form that cannot be serialised.
    pub fn tag(&self, form: impl Serialize) -> Result<EntityTag> {
        self.pinned.tag(&Canonical {
            object: self.dataset.path(),
            rows: self.selection.rows.as_ref().map(|rows| Rows(rows.as_slice())),
            inner: format!("{:?}", self.selection.inner),
            drops_column: self.drops_column,
            form,
        })
    }

    /// As `numpy.save` writes it, with its type and shape.
    ///
    /// Errors: [`Error::Invalid`] for elements without such a form; [`Error::TooLarge`]; those of reading.
    pub fn npy(self) -> Result<(Content, ArrayType)> {
        self.fixed("npy", |array| npy::header(&array.dtype, &array.shape))
    }

    /// The elements alone: little-endian, in C order, with their type and shape.
    ///
    /// Errors: as [`npy`](Self::npy).
    pub fn raw(self) -> Result<(Content, ArrayType)> {
        self.fixed("raw", |_| Some(Vec::new()))
    }

    /// Nested arrays, between `head` and `tail`.
    ///
    /// Errors: elements without a form; [`Error::TooLarge`]; those of reading.
    pub fn json(mut self, notation: Notation, head: Vec<u8>, mut tail: Vec<u8>) -> Result<Content> {
        if let Some(limit_bytes) = self.held_whole() {
            let array = self.dataset.read(self.selection.clone(), limit_bytes)?;
            let mut out = head;
            if array.space == Dataspace::Null {
                json::write_array(&array, &mut out)?;
            } else {
                json::write_elements(&array, &self.shape(array.space.shape()), notation, &mut out)?;
            }
            out.append(&mut tail);
            return Ok(Content::whole(self.pinned, out));
        }
        let selection = std::mem::take(&mut self.selection);
        let reader = self.reader(selection)?;
        let encoder = JsonEncoder::new(reader.dtype(), &self.shape(reader.shape()), notation)?;
        let n_rows = n_rows_of(&reader);
        Ok(Content::stream(self.pinned, TextBlocks::new(reader, encoder, head, tail), None).with_rows(n_rows))
    }

    /// A line of names, and a line for each row. `columns` are the numbers of those that were selected.
    ///
    /// Errors: as [`json`](Self::json).
    pub fn csv(mut self, columns: Option<&[String]>) -> Result<Content> {
        let name = last_name(self.dataset.path());
        if let Some(limit_bytes) = self.held_whole() {
            let mut text = Vec::new();
            csv::write_array(&self.dataset.read(self.selection.clone(), limit_bytes)?, name, &mut text)?;
            return Ok(Content::whole(self.pinned, text));
        }
        let selection = std::mem::take(&mut self.selection);
        let reader = self.reader(selection)?;
        let column = CsvColumn::of_dataset(name, reader.dtype(), &self.shape(reader.shape()), columns);
        let encoder = CsvEncoder::new(&[column])?;
        let n_rows = n_rows_of(&reader);
        let blocks = TextBlocks::new(reader, encoder, Vec::new(), Vec::new());
        Ok(Content::stream(self.pinned, blocks, None).with_rows(n_rows))
    }

    /// The map that the Python module `hdfstream` reads as an array.
    ///
    /// Errors: as [`json`](Self::json).
    pub fn msgpack(mut self) -> Result<Content> {
        let no_form =
            || Error::unsupported(format!("{}: MessagePack has no form for elements of its type", self.dataset.path()));
        let element = ElementType::of(self.dataset.dtype()).ok_or_else(no_form)?;
        if let Some(limit_bytes) = self.held_whole() {
            let selection =
                if *self.dataset.space() == Dataspace::Null { Selection::default() } else { self.selection.clone() };
            let mut out = Vec::new();
            msgpack::write_array(&mut out, &self.dataset.read(selection, limit_bytes)?).ok_or_else(no_form)?;
            return Ok(Content::whole(self.pinned, out));
        }
        let selection = std::mem::take(&mut self.selection);
        let reader = self.reader(selection)?;
        let head = ArrayHead::new(&element, reader.shape(), reader.size_bytes());
        let size_bytes = head.total_bytes();
        let bins = head.bins().map(|(head, values_bytes)| Frame { head: Bytes::copy_from_slice(&head), values_bytes });
        let frames: Vec<Frame> =
            std::iter::once(Frame { head: head.bytes.into(), values_bytes: 0 }).chain(bins).collect();
        let n_rows = n_rows_of(&reader);
        Ok(Content::stream(self.pinned, FramedBlocks::new(reader, frames), Some(size_bytes)).with_rows(n_rows))
    }

    fn fixed(
        self,
        form: &'static str,
        head: impl FnOnce(&ArrayType) -> Option<Vec<u8>>,
    ) -> Result<(Content, ArrayType)> {
        let no_form = || no_form(self.dataset.dtype(), form);
        if *self.dataset.space() == Dataspace::Null {
            let object = self.dataset.path();
            return Err(Error::invalid(format!("{object} has no elements and no shape: only format=json can say so")));
        }
        if is_variable(&self.dataset) {
            return Err(no_form().into());
        }
        let reader = self.reader(self.selection.clone())?;
        let (dtype, element_shape) = Dtype::of(reader.dtype()).ok_or_else(no_form)?;
        let mut shape = self.shape(reader.shape());
        shape.extend(element_shape.into_iter().map(u64::from));
        let array = ArrayType { dtype, shape };
        let head = Bytes::from(head(&array).ok_or_else(no_form)?);
        let size_bytes = reader.size_bytes().saturating_add(head.len() as u64);
        let n_rows = n_rows_of(&reader);
        let pinned = self.pinned.clone();
        let content = Content::seekable(pinned, size_bytes, move |part| self.start(reader, head, part));
        Ok((content.with_rows(n_rows), array))
    }

    /// The blocks of those bytes of the head and the values, with what comes first that is not among them. Only the rows that they touch are
    /// read.
    fn start(self, reader: Reader, head: Bytes, part: Range<u64>) -> Result<(Blocks, u64)> {
        let head_bytes = head.len() as u64;
        let values = part.start.saturating_sub(head_bytes)..part.end.saturating_sub(head_bytes);
        let n_rows = n_rows_of(&reader);
        let row_bytes = reader.size_bytes().checked_div(n_rows).unwrap_or(0);
        let is_whole = values == (0..reader.size_bytes());
        let (reader, before) = if is_whole || row_bytes == 0 {
            (reader, 0)
        } else {
            let (first, end) = (values.start / row_bytes, values.end.div_ceil(row_bytes));
            let rows = rows_of_answer(&self.dataset, &self.selection, first, end);
            (self.dataset.reader(rows, &self.pinned.read_options())?, first * row_bytes)
        };
        let values_bytes = reader.size_bytes();
        // A part that begins behind the head needs none of it.
        let (head, skip) =
            if part.start >= head_bytes { (Bytes::new(), values.start - before) } else { (head, part.start) };
        Ok((Box::new(FramedBlocks::new(reader, [Frame { head, values_bytes }])), skip))
    }

    /// Plans the reading of the selected elements.
    fn reader(&self, selection: Selection) -> Result<Reader> {
        let reader = self.dataset.reader(selection, &self.pinned.read_options())?;
        let (found, limit) = (reader.size_bytes(), self.pinned.archive().limits.answer_bytes);
        if found > limit {
            return Err(Error::too_large(format!(
                "{}: the selection has {found} bytes, over the limit of {limit}; ask for fewer rows at once",
                self.dataset.path()
            )));
        }
        Ok(reader)
    }

    /// The most bytes, for what must be held in memory whole: elements of variable length, and no element at all.
    fn held_whole(&self) -> Option<u64> {
        let is_whole = is_variable(&self.dataset) || *self.dataset.space() == Dataspace::Null;
        is_whole.then_some(self.pinned.archive().limits.held_bytes)
    }

    /// The shape of the answer.
    fn shape(&self, read: &[u64]) -> Vec<u64> {
        let mut shape = read.to_vec();
        if self.drops_column && shape.len() > 1 {
            shape.remove(1);
        }
        shape
    }
}

/// Records that hold elements of variable length are for the reader to refuse.
fn is_variable(dataset: &Dataset) -> bool {
    matches!(dataset.dtype(), Datatype::VariableString { .. } | Datatype::VariableSequence(_))
}

fn n_rows_of(reader: &Reader) -> u64 {
    reader.shape().first().copied().unwrap_or(1)
}

/// The selection of rows `[start, end)` of the answer alone.
fn rows_of_answer(dataset: &Dataset, selection: &Selection, start: u64, end: u64) -> Selection {
    let mut left = end.saturating_sub(start);
    let mut skip = start;
    let whole = std::slice::from_ref(&(0..dataset.shape().first().copied().unwrap_or(0))).to_vec();
    let ranges = selection.rows.as_ref().map_or(whole, |rows| rows.as_slice().to_vec());
    let mut cut = Vec::new();
    for range in ranges {
        let n_rows = range.end - range.start;
        let n_skipped = skip.min(n_rows);
        skip -= n_skipped;
        let n_taken = left.min(n_rows - n_skipped);
        left -= n_taken;
        if n_taken > 0 {
            let first = range.start + n_skipped;
            cut.push(first..first + n_taken);
        }
    }
    Selection { rows: RowRanges::new(cut), inner: selection.inner.clone() }
}

fn no_form(dtype: &Datatype, form: &'static str) -> EncodeError {
    let what = dtype::name_of(dtype);
    match Dtype::of(dtype) {
        Some(_) => EncodeError::NoForm { what, form, instead: "json" },
        None => EncodeError::NoFormAtAll { what },
    }
}

/// The last part of a path in a file.
pub fn last_name(object: &str) -> &str {
    object.rsplit('/').find(|name| !name.is_empty()).unwrap_or("data")
}
