//! Blocks of an answer, one after another.

use std::{ops::Range, sync::Arc};

use super::{
    ReadOptions, Selection,
    buffers::Buffer,
    storage::{Representation, Storage},
    stored::StoredReader,
    virtual_dataset::VirtualReader,
    wanted::Wanted,
};
use crate::{Dataset, Datatype, Error, Layout, Result, format::grid::product};

/// A piece of the answer: whole elements, native, little-endian, following those of the block before.
#[derive(Debug)]
pub struct Block {
    buffer: Arc<Buffer>,
    range: Range<usize>,
}

impl Block {
    pub(super) fn new(buffer: Arc<Buffer>, range: Range<usize>) -> Self {
        Self { buffer, range }
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.buffer.bytes()[self.range.clone()]
    }
}

impl AsRef<[u8]> for Block {
    fn as_ref(&self) -> &[u8] {
        self.bytes()
    }
}

/// Yields the selected elements as [`Block`]s. Nothing is done between two calls of `next` but what was started ahead, so a
/// reader that nobody asks costs neither a thread nor a lock; dropping it stops its work. After an error it ends.
#[derive(Debug)]
pub struct Reader {
    dtype: Datatype,
    shape: Vec<u64>,
    size_bytes: u64,
    inner: Inner,
}

#[derive(Debug)]
enum Inner {
    Done,
    Stored(Box<StoredReader>),
    Virtual(Box<VirtualReader>),
}

impl Reader {
    /// Plans the reading of a selection.
    pub(crate) fn new(
        dataset: &Dataset,
        selection: Selection,
        options: &ReadOptions,
        representation: Representation,
        depth: usize,
    ) -> Result<Self> {
        let shape = dataset.shape();
        let (file, object) = (dataset.file().name(), dataset.path());
        let inner = if dataset.layout() == Layout::Virtual { selection.inner.clone() } else { Vec::new() };
        let wanted = Wanted::new(selection, shape).map_err(|reason| Error::BadSelection {
            file: file.to_owned(),
            object: object.to_owned(),
            reason,
        })?;
        let dtype = dataset.dtype().clone();
        let element_bytes = match representation {
            Representation::Native => dtype.size_bytes(),
            Representation::Stored => dataset.stored_type().size_bytes(),
        };
        let is_null = matches!(dataset.space(), crate::Dataspace::Null);
        let n_elements = if is_null { Some(0) } else { product(wanted.shape()) };
        let size_bytes = n_elements.and_then(|n| n.checked_mul(element_bytes)).ok_or_else(|| Error::BadSelection {
            file: file.to_owned(),
            object: object.to_owned(),
            reason: format!("{:?} elements of {element_bytes} bytes do not fit 64 bits", wanted.shape()),
        })?;
        let shape = wanted.shape().to_vec();
        let is_empty = size_bytes == 0;
        let inner = if dataset.layout() == Layout::Virtual {
            if representation == Representation::Stored {
                let feature = "a virtual dataset of variable-length elements".to_owned();
                return Err(Error::Unsupported { file: file.to_owned(), object: object.to_owned(), feature });
            }
            if is_empty {
                Inner::Done
            } else {
                Inner::Virtual(Box::new(VirtualReader::new(dataset, wanted, inner, options, depth)?))
            }
        } else {
            // The storage is checked even where nothing is wanted of it.
            let storage = Storage::new(dataset, representation)?;
            if is_empty { Inner::Done } else { Inner::Stored(Box::new(StoredReader::new(storage, wanted, options)?)) }
        };
        Ok(Self { dtype, shape, size_bytes, inner })
    }

    /// The type of the elements, native.
    pub fn dtype(&self) -> &Datatype {
        &self.dtype
    }

    /// The shape of the answer.
    pub fn shape(&self) -> &[u64] {
        &self.shape
    }

    /// The bytes of all blocks together.
    pub fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// Starts what may be done ahead of the first call of `next`, without waiting for it.
    pub(super) fn start(&mut self) {
        match &mut self.inner {
            Inner::Done => {}
            Inner::Stored(reader) => reader.start(),
            Inner::Virtual(reader) => reader.start(),
        }
    }

    /// Whether nothing is left to be started.
    pub(super) fn is_all_started(&self) -> bool {
        match &self.inner {
            Inner::Done => true,
            Inner::Stored(reader) => reader.is_all_started(),
            Inner::Virtual(_) => false,
        }
    }
}

impl Iterator for Reader {
    type Item = Result<Block>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = match &mut self.inner {
            Inner::Done => return None,
            Inner::Stored(reader) => reader.next(),
            Inner::Virtual(reader) => reader.next(),
        };
        if !matches!(next, Some(Ok(_))) {
            self.inner = Inner::Done;
        }
        next
    }
}
