//! Virtual datasets: elements that are in other datasets.
//!
//! A mapping says which elements of the virtual dataset are which of a source, each side in row-major order. Most mappings put
//! whole rows of a source, next to each other, into rows of the virtual dataset ([`rows`]): then a source is read like any other
//! dataset, by a [`Reader`](crate::Reader) of its own, and its blocks are passed on. All others are matched element by element ([`general`]).
//! What no source covers, or what is mapped to a source that is not there, is the fill value; of several sources for one
//! element the last one counts. All of this is what libhdf5 does.

mod boxes;
mod cast;
mod comb;
mod elements;
mod general;
mod part;
mod rows;
mod sources;

use std::sync::Arc;

pub(crate) use part::{extent, files};
pub(crate) use sources::resolve_sources;

use self::{
    general::GeneralReader,
    part::{Part, VirtualObject},
    rows::RowsReader,
};
use super::{Block, ReadOptions, Selection, buffers::Buffer, place::fill_with, wanted::Wanted};
use crate::{Dataset, Datatype, Error, Indices, Result, dtype::Converter, format::message::LayoutMessage};

/// What the parts of a reader share.
#[derive(Debug)]
struct VirtualContext {
    object: VirtualObject,
    shape: Vec<u64>,
    native: Datatype,
    element_bytes: usize,
    /// One native element.
    fill: Vec<u8>,
    parts: Vec<Part>,
    options: ReadOptions,
    depth: usize,
}

/// Yields the blocks of one answer.
#[derive(Debug)]
pub(super) struct VirtualReader {
    context: Arc<VirtualContext>,
    way: Way,
}

#[derive(Debug)]
enum Way {
    Rows(RowsReader),
    General(GeneralReader),
}

impl VirtualReader {
    /// Plans the reading of a selection, whose indices on the axes after the first are also given as they came.
    pub(super) fn new(
        dataset: &Dataset,
        wanted: Wanted,
        inner: Vec<Indices>,
        options: &ReadOptions,
        depth: usize,
    ) -> Result<Self> {
        let object = VirtualObject::of(dataset);
        let about = dataset.description();
        let LayoutMessage::Virtual(id) = &about.layout else {
            return Err(object.damaged("not a virtual dataset"));
        };
        object.check_depth(depth)?;
        let native = about.native_type.clone();
        let at = |error: crate::filter::FilterError| error.at(object.file.name(), &object.path);
        let converter = Converter::new(&about.stored_type, &native).map_err(at)?;
        let element_bytes = converter.native_size();
        let mut fill = vec![0; element_bytes];
        if let Some(value) = &about.fill_value.value {
            converter.convert(value, &mut fill);
        }
        let shape = shape_of(dataset);
        let parts = part::parts(&object, object.mappings(*id)?, &shape)?;
        let options = options.clone();
        let context = Arc::new(VirtualContext { object, shape, native, element_bytes, fill, parts, options, depth });
        let way = match rows::row_parts(&context) {
            Some(parts) => Way::Rows(RowsReader::new(&context, parts, wanted, inner)?),
            None => Way::General(GeneralReader::new(&context, wanted)?),
        };
        Ok(Self { context, way })
    }

    /// Starts what may be done ahead.
    pub(super) fn start(&mut self) {
        if let Way::Rows(reader) = &mut self.way {
            reader.start(&self.context);
        }
    }

    pub(super) fn next(&mut self) -> Option<Result<Block>> {
        match &mut self.way {
            Way::Rows(reader) => reader.next(&self.context),
            Way::General(reader) => reader.next(&self.context),
        }
    }
}

/// The shape that mappings speak of: a dataset without axes has one element.
fn shape_of(dataset: &Dataset) -> Vec<u64> {
    let shape = dataset.shape();
    if shape.is_empty() { vec![1] } else { shape.to_vec() }
}

impl VirtualContext {
    /// The most bytes of a block, whole elements.
    fn block_bytes(&self) -> usize {
        (self.options.block_bytes / self.element_bytes).max(1) * self.element_bytes
    }

    /// The options for a source whose elements are so large.
    fn source_options(&self, source_bytes: usize) -> ReadOptions {
        // Blocks of the source become blocks of the answer one by one.
        let n_elements = (self.options.block_bytes / self.element_bytes.max(source_bytes)).max(1);
        ReadOptions { block_bytes: n_elements * source_bytes, ..self.options.clone() }
    }

    fn wanted(&self, selection: Selection) -> Result<Wanted> {
        Wanted::new(selection, &self.shape).map_err(|reason| Error::BadSelection {
            file: self.object.file.name().to_owned(),
            object: self.object.path.clone(),
            reason,
        })
    }

    /// A buffer of `len` bytes, full of fill values.
    fn filled(&self, mut buffer: Buffer) -> Buffer {
        fill_with(&self.fill, buffer.bytes_mut());
        buffer
    }
}
