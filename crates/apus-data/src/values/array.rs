//! The values of one dataset, all or a selection, in a form.

use std::ops::Range;

use apus_h5::{Data, Dataset, Dataspace, Datatype, Reader, RowRanges, Selection};
use bytes::Bytes;
use serde::{Serialize, Serializer};

use super::{
    Blocks, Content, ElementForm, EntityTag, Pinned,
    element_form::Elements,
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
        savetxt::SavetxtEncoder,
        tiff,
    },
};

/// A selection of a dataset, checked against its extent.
#[derive(Debug)]
pub struct ArrayRequest {
    pinned: Pinned,
    dataset: Dataset,
    selection: Selection,
    /// The axes of which one index was taken out, and which are gone then; in rising order.
    dropped_axes: Vec<usize>,
    /// Whether the answer has one axis, whatever the dataset has.
    is_flat: bool,
    form: ElementForm,
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
    dropped_axes: &'a [usize],
    is_flat: bool,
    elements: String,
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
    /// The selected elements of a dataset that a file of this request led to. The `dropped_axes`, of each of which one index is selected,
    /// are not in the answer.
    ///
    /// Errors: those of finding out which files the elements lie in.
    pub fn new(pinned: &Pinned, dataset: Dataset, selection: Selection, dropped_axes: Vec<usize>) -> Result<Self> {
        dataset.resolve_sources(selection.rows.as_ref())?;
        let (is_flat, form) = (false, ElementForm::Native);
        Ok(Self { pinned: pinned.clone(), dataset, selection, dropped_axes, is_flat, form })
    }

    /// All along one axis.
    #[must_use]
    pub fn flat(self) -> Self {
        Self { is_flat: true, ..self }
    }

    /// With the elements in that form, which must be one of their type's.
    #[must_use]
    pub fn in_form(self, form: ElementForm) -> Self {
        Self { form, ..self }
    }

    pub(super) fn pinned(&self) -> &Pinned {
        &self.pinned
    }

    pub(super) fn selection(&self) -> &Selection {
        &self.selection
    }

    /// The form of the elements.
    pub fn form(&self) -> &ElementForm {
        &self.form
    }

    /// The type of the elements as they leave.
    pub fn dtype(&self) -> Datatype {
        self.form.dtype(self.dataset.dtype())
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
            dropped_axes: &self.dropped_axes,
            is_flat: self.is_flat,
            elements: format!("{:?}", self.form),
            form,
        })
    }

    /// As `numpy.save` writes it, with its type and shape.
    ///
    /// Errors: [`Error::Invalid`] for elements without such a form; [`Error::TooLarge`]; those of reading.
    pub fn npy(self) -> Result<(Content, ArrayType)> {
        self.fixed("npy", |array| npy::header(&array.dtype, &array.shape))
    }

    /// As [`npy`](Self::npy), with the type that the caller has for the elements.
    ///
    /// Errors: as [`npy`](Self::npy).
    pub fn npy_as(self, dtype: &Dtype) -> Result<Content> {
        Ok(self.fixed("npy", |array| npy::header(dtype, &array.shape))?.0)
    }

    /// As a picture.
    ///
    /// Errors: [`Error::Invalid`] for arrays that do not have two dimensions, and elements that are no numbers; as [`npy`](Self::npy).
    pub fn tiff(self) -> Result<Content> {
        let dtype = self.dtype();
        let (base, _) = leaves(&dtype);
        Ok(self.fixed("tiff", |array| tiff::header(base, &array.shape))?.0)
    }

    /// Lines of numbers as `numpy.savetxt` writes them.
    ///
    /// Errors: as [`tiff`](Self::tiff), for arrays of more than two dimensions.
    pub fn savetxt(mut self) -> Result<Content> {
        let reader = self.take_reader()?;
        let dtype = self.dtype();
        let (base, _) = leaves(&dtype);
        let encoder =
            SavetxtEncoder::new(base, &self.full_shape(reader.shape())).ok_or_else(|| no_form(&dtype, "csv"))?;
        let n_rows = n_rows_of(&reader);
        let pace = self.pinned.read_options().pace;
        let blocks = TextBlocks::new(Elements::new(reader, self.form), pace, encoder, Vec::new(), Vec::new());
        Ok(Content::stream(self.pinned, blocks, None).with_rows(n_rows))
    }

    /// The elements alone: little-endian, in C order, with their type and shape.
    ///
    /// Errors: as [`npy`](Self::npy).
    pub fn raw(self) -> Result<(Content, ArrayType)> {
        self.fixed("raw", |_| Some(Vec::new()))
    }

    /// The bytes of the only element, which is a string, as `shown` makes them.
    ///
    /// Errors: as [`raw`](Self::raw).
    pub fn bytes_of_one(self, shown: impl FnOnce(Vec<u8>) -> Vec<u8>) -> Result<Content> {
        let limit_bytes = self.pinned.archive().limits.held_bytes;
        let bytes = match self.dataset.read(self.selection, limit_bytes)?.data {
            Data::Fixed(bytes) => bytes,
            Data::Variable(strings) => strings.into_iter().next().unwrap_or_default(),
        };
        Ok(Content::whole(self.pinned, shown(bytes)))
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
                json::write_elements(&array, &self.json_shape(array.space.shape()), notation, &mut out)?;
            }
            out.append(&mut tail);
            return Ok(Content::whole(self.pinned, out));
        }
        let reader = self.take_reader()?;
        let dtype = self.dtype();
        let item = if self.is_flat { leaves(&dtype).0 } else { &dtype };
        let encoder = JsonEncoder::new(item, &self.json_shape(reader.shape()), notation)?;
        let n_rows = n_rows_of(&reader);
        let pace = self.pinned.read_options().pace;
        let blocks = TextBlocks::new(Elements::new(reader, self.form), pace, encoder, head, tail);
        Ok(Content::stream(self.pinned, blocks, None).with_rows(n_rows))
    }

    /// A line of names, and a line for each row. `columns` are the numbers of those that were selected.
    ///
    /// Errors: as [`json`](Self::json).
    pub fn csv(mut self, columns: Option<&[String]>) -> Result<Content> {
        let name = &last_name(self.dataset.path()).to_owned();
        if let Some(limit_bytes) = self.held_whole() {
            let mut text = Vec::new();
            csv::write_array(&self.dataset.read(self.selection.clone(), limit_bytes)?, name, &mut text)?;
            return Ok(Content::whole(self.pinned, text));
        }
        let reader = self.take_reader()?;
        let column = CsvColumn::of_dataset(name, reader.dtype(), &self.shape(reader.shape()), columns);
        let encoder = CsvEncoder::new(&[column])?;
        let n_rows = n_rows_of(&reader);
        let blocks = TextBlocks::new(reader, self.pinned.read_options().pace, encoder, Vec::new(), Vec::new());
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
        let reader = self.take_reader()?;
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
        let (dtype, _) = Dtype::of(&self.dtype()).ok_or_else(no_form)?;
        let array = ArrayType { dtype, shape: self.full_shape(reader.shape()) };
        let head = Bytes::from(head(&array).ok_or_else(no_form)?);
        let size_bytes = self.form.size_bytes(reader.size_bytes()).saturating_add(head.len() as u64);
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
        let size_bytes = self.form.size_bytes(reader.size_bytes());
        let row_bytes = size_bytes.checked_div(n_rows).unwrap_or(0);
        // A single value has no rows to choose among.
        let is_whole = values == (0..size_bytes) || self.dataset.shape().is_empty();
        let (reader, before) = if is_whole || row_bytes == 0 {
            (reader, 0)
        } else {
            let (first, end) = (values.start / row_bytes, values.end.div_ceil(row_bytes));
            let rows = rows_of_answer(&self.dataset, &self.selection, first, end);
            (self.dataset.reader(rows, &self.pinned.read_options())?, first * row_bytes)
        };
        let values_bytes = self.form.size_bytes(reader.size_bytes());
        // A part that begins behind the head needs none of it.
        let (head, skip) =
            if part.start >= head_bytes { (Bytes::new(), values.start - before) } else { (head, part.start) };
        let elements = Elements::new(reader, self.form);
        Ok((Box::new(FramedBlocks::new(elements, [Frame { head, values_bytes }])), skip))
    }

    /// As [`reader`](Self::reader), for all that is selected.
    fn take_reader(&mut self) -> Result<Reader> {
        let selection = std::mem::take(&mut self.selection);
        self.reader(selection)
    }

    /// Plans the reading of the selected elements.
    pub(super) fn reader(&self, selection: Selection) -> Result<Reader> {
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
        let kept = read.iter().enumerate().filter(|(axis, _)| !self.dropped_axes.contains(axis));
        kept.map(|(_, &extent)| extent).collect()
    }

    /// The same, where elements that are arrays have axes of their own.
    fn full_shape(&self, read: &[u64]) -> Vec<u64> {
        let mut shape = self.shape(read);
        shape.extend(leaves(self.dataset.dtype()).1);
        if self.is_flat && !shape.is_empty() {
            return vec![shape.iter().fold(1, |n, &extent| n.saturating_mul(extent))];
        }
        shape
    }

    /// The shape of the lists, of which elements that are arrays are not part.
    fn json_shape(&self, read: &[u64]) -> Vec<u64> {
        if self.is_flat { self.full_shape(read) } else { self.shape(read) }
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

/// The type of what elements hold that are arrays, and the extents of an element.
fn leaves(dtype: &Datatype) -> (&Datatype, Vec<u64>) {
    let Datatype::Array { base, dims } = dtype else { return (dtype, Vec::new()) };
    let (leaf, inner) = leaves(base);
    (leaf, dims.iter().copied().map(u64::from).chain(inner).collect())
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
