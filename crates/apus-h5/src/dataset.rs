//! Datasets.

use crate::{Array, Attribute, Dataspace, Datatype, File, Filter, ReadOptions, Reader, Result, Selection};

/// A dataset. Cheap to clone; its chunk index is built at the first read and kept with the file.
#[derive(Clone, Debug)]
pub struct Dataset {}

/// How a dataset's elements are laid out in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// In the object header.
    Compact,
    /// In one piece.
    Contiguous,
    /// In chunks of equal shape.
    Chunked,
    /// In other datasets.
    Virtual,
}

impl Dataset {
    /// The file that holds the dataset (after an external link: the other file).
    pub fn file(&self) -> &File {
        unimplemented!()
    }

    /// The path by which the dataset was reached, absolute.
    pub fn path(&self) -> &str {
        unimplemented!()
    }

    /// The address of the object header.
    pub fn address(&self) -> u64 {
        unimplemented!()
    }

    /// The extent.
    pub fn space(&self) -> &Dataspace {
        unimplemented!()
    }

    /// The shape as numpy has it.
    pub fn shape(&self) -> &[u64] {
        self.space().shape()
    }

    /// The type of the elements as they leave: little-endian, of a size that a machine has.
    pub fn dtype(&self) -> &Datatype {
        unimplemented!()
    }

    /// The type of the elements as stored.
    pub fn stored_type(&self) -> &Datatype {
        unimplemented!()
    }

    /// How the elements are laid out.
    pub fn layout(&self) -> Layout {
        unimplemented!()
    }

    /// The shape of a chunk, where there are chunks.
    pub fn chunk_shape(&self) -> Option<&[u64]> {
        unimplemented!()
    }

    /// The filters, in the order of writing.
    pub fn filters(&self) -> &[Filter] {
        unimplemented!()
    }

    /// The bytes that the elements take in the file; none for a virtual dataset. Builds the chunk index.
    pub fn storage_size_bytes(&self) -> Result<u64> {
        unimplemented!()
    }

    /// The file names of a virtual dataset's sources as they stand there, without repeats, in order.
    pub fn virtual_files(&self) -> Result<Vec<String>> {
        unimplemented!()
    }

    /// All attributes, sorted by name (by bytes).
    pub fn attributes(&self) -> Result<Vec<Attribute>> {
        unimplemented!()
    }

    /// The attribute of that name.
    pub fn attribute(&self, _name: &str) -> Result<Option<Attribute>> {
        unimplemented!()
    }

    /// Plans the reading of `selection`: checks it against the extent, and that type, layout and filters are ones that can
    /// be read, before a byte of data is fetched.
    ///
    /// Errors: [`Error::BadSelection`](crate::Error::BadSelection), [`Error::Unsupported`](crate::Error::Unsupported).
    pub fn reader(&self, _selection: Selection, _options: &ReadOptions) -> Result<Reader> {
        unimplemented!()
    }

    /// Reads everything, for datasets that are known to be small (at most `limit_bytes` in memory, else
    /// [`Error::OverLimit`](crate::Error::OverLimit)); variable-length ones too.
    pub fn read_all(&self, _limit_bytes: u64) -> Result<Array> {
        unimplemented!()
    }

    /// Reads the selected elements of a variable-length type (or of any other), at most `limit_bytes` of them in memory.
    pub fn read(&self, _selection: Selection, _limit_bytes: u64) -> Result<Array> {
        unimplemented!()
    }
}
