//! Datasets.

use std::{fmt, sync::Arc};

use crate::{
    Array, Attribute, AttributeForm, Dataspace, Datatype, File, Filter, ReadOptions, Reader, Result, RowRanges,
    Selection, attribute,
    format::{
        Fault, Parse,
        message::{FillValue, FilterPipeline, LayoutMessage},
        object_header::{ObjectHeader, kind},
    },
    read::{
        storage::{Representation, Storage},
        virtual_dataset, whole,
    },
};

/// A dataset. Cheap to clone; its chunk index is built at the first read and kept with the file.
#[derive(Clone)]
pub struct Dataset(Arc<Opened>);

struct Opened {
    file: File,
    path: String,
    header: ObjectHeader,
    description: Description,
}

/// What the object header of a dataset says.
#[derive(Debug)]
pub(crate) struct Description {
    /// The extent.
    pub(crate) space: Dataspace,
    /// The type of the elements as stored.
    pub(crate) stored_type: Datatype,
    /// The type as which they leave.
    pub(crate) native_type: Datatype,
    /// Where they are.
    pub(crate) layout: LayoutMessage,
    /// The filters of chunks.
    pub(crate) pipeline: FilterPipeline,
    /// What stands for elements that were never written, of the stored type's size.
    pub(crate) fill_value: FillValue,
    /// Whether the elements are in other files as raw bytes, which is not read.
    pub(crate) external_files: bool,
}

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
    /// So many virtual datasets led to it, each a source of the one before.
    pub(crate) fn open(file: File, path: String, header: ObjectHeader, depth: usize) -> Result<Self> {
        let mut description = Description::parse(&file, &header).map_err(|fault| fault.at(file.name(), &path))?;
        description.space = virtual_dataset::extent(&file, &path, depth, &description.layout, description.space)?;
        Ok(Self(Arc::new(Opened { file, path, header, description })))
    }

    /// The file that holds the dataset (after an external link: the other file).
    pub fn file(&self) -> &File {
        &self.0.file
    }

    /// The path by which the dataset was reached, absolute (after an external link: in the other file).
    pub fn path(&self) -> &str {
        &self.0.path
    }

    /// The address of the object header.
    pub fn address(&self) -> u64 {
        self.0.header.address()
    }

    /// The extent.
    pub fn space(&self) -> &Dataspace {
        &self.description().space
    }

    /// The shape as numpy has it.
    pub fn shape(&self) -> &[u64] {
        self.space().shape()
    }

    /// The type of the elements as they leave: little-endian, of a size that a machine has.
    pub fn dtype(&self) -> &Datatype {
        &self.description().native_type
    }

    /// The type of the elements as stored.
    pub fn stored_type(&self) -> &Datatype {
        &self.description().stored_type
    }

    /// How the elements are laid out.
    pub fn layout(&self) -> Layout {
        match &self.description().layout {
            LayoutMessage::Compact(_) => Layout::Compact,
            LayoutMessage::Contiguous { .. } => Layout::Contiguous,
            LayoutMessage::Chunked(_) => Layout::Chunked,
            LayoutMessage::Virtual(_) => Layout::Virtual,
        }
    }

    /// The shape of a chunk, where there are chunks.
    pub fn chunk_shape(&self) -> Option<&[u64]> {
        match &self.description().layout {
            LayoutMessage::Chunked(chunked) => Some(&chunked.dims),
            _ => None,
        }
    }

    /// The filters, in the order of writing.
    pub fn filters(&self) -> &[Filter] {
        &self.description().pipeline.filters
    }

    /// What the object header says.
    pub(crate) fn description(&self) -> &Description {
        &self.0.description
    }

    /// The bytes that the elements take in the file; none for a virtual dataset. Builds the chunk index.
    pub fn storage_size_bytes(&self) -> Result<u64> {
        match self.layout() {
            Layout::Virtual => Ok(0),
            _ => Ok(Storage::new(self, Representation::Stored)?.size_bytes()),
        }
    }

    /// The file names of a virtual dataset's sources as they stand there, without repeats, in order.
    pub fn virtual_files(&self) -> Result<Vec<String>> {
        virtual_dataset::files(self)
    }

    /// Opens every dataset that holds elements of these rows of a virtual dataset (`None`: of all), however deep: sources that
    /// are virtual themselves, along links of every kind. A resolver that records what it is asked has then seen every file that
    /// the values come from, perhaps more. Sources that do not exist are passed over; datasets of other layouts have none.
    ///
    /// Errors: [`Error::Refused`](crate::Error::Refused), and those of opening the sources.
    pub fn resolve_sources(&self, rows: Option<&RowRanges>) -> Result<()> {
        virtual_dataset::resolve_sources(self, rows)
    }

    /// All attributes, sorted by name (by bytes).
    ///
    /// Errors: those of the first that cannot be read; where one should not hide the others, ask for
    /// [`attribute_names`](Self::attribute_names) and take them one by one.
    pub fn attributes(&self) -> Result<Vec<Attribute>> {
        attribute::list(self.file(), self.path(), &self.0.header)
    }

    /// All attributes without their values, which may be ones that cannot be read; sorted by name (by bytes).
    pub fn attribute_forms(&self) -> Result<Vec<AttributeForm>> {
        attribute::forms(self.file(), self.path(), &self.0.header)
    }

    /// The names of all attributes, sorted (by bytes).
    pub fn attribute_names(&self) -> Result<Vec<String>> {
        attribute::names(self.file(), self.path(), &self.0.header)
    }

    /// The attribute of that name.
    pub fn attribute(&self, name: &str) -> Result<Option<Attribute>> {
        attribute::find(self.file(), self.path(), &self.0.header, name)
    }

    /// Plans the reading of `selection`: checks it against the extent, and that type, layout and filters are ones that can
    /// be read, before a byte of data is fetched.
    ///
    /// Errors: [`Error::BadSelection`](crate::Error::BadSelection), [`Error::Unsupported`](crate::Error::Unsupported) (also for
    /// elements of variable length, which [`read`](Self::read) reads), [`Error::OverLimit`](crate::Error::OverLimit) for
    /// chunks that are too large, [`Error::Damaged`](crate::Error::Damaged) and [`Error::Io`](crate::Error::Io) from the chunk
    /// index.
    pub fn reader(&self, selection: Selection, options: &ReadOptions) -> Result<Reader> {
        Reader::new(self, selection, options, Representation::Native, 0)
    }

    /// As [`reader`](Self::reader) with the default options: blocks of at most a mebibyte, made by the thread that asks for them.
    pub fn reader_without_pool(&self, selection: Selection) -> Result<Reader> {
        self.reader(selection, &ReadOptions::default())
    }

    /// Reads everything, for datasets that are known to be small (at most `limit_bytes` in memory, else
    /// [`Error::OverLimit`](crate::Error::OverLimit)); variable-length ones too.
    pub fn read_all(&self, limit_bytes: u64) -> Result<Array> {
        self.read(Selection::default(), limit_bytes)
    }

    /// Reads the selected elements of a variable-length type (or of any other), at most `limit_bytes` of them in memory.
    ///
    /// Errors: as [`reader`](Self::reader), and [`Error::OverLimit`](crate::Error::OverLimit).
    pub fn read(&self, selection: Selection, limit_bytes: u64) -> Result<Array> {
        whole::read(self, selection, limit_bytes)
    }
}

impl Description {
    fn parse(file: &File, header: &ObjectHeader) -> Parse<Self> {
        let meta = file.meta();
        let body = |kind| header.message(kind).map(|message| message.resolved(meta)).transpose();
        let required =
            |kind, what: &str| body(kind)?.ok_or_else(|| Fault::damaged(format!("a dataset without a {what}")));
        let space = Dataspace::parse(meta.cursor("dataspace message", &required(kind::DATASPACE, "dataspace")?))?;
        let stored_type = Datatype::parse(meta.cursor("datatype message", &required(kind::DATATYPE, "datatype")?))?;
        let layout = LayoutMessage::parse(meta.cursor("data layout message", &required(kind::LAYOUT, "data layout")?))?;
        let pipeline = match body(kind::FILTER_PIPELINE)? {
            Some(body) => FilterPipeline::parse(meta.cursor("filter pipeline message", &body))?,
            None => FilterPipeline::default(),
        };
        // Writers put the old message beside the new one for older readers.
        let fill_value = if let Some(body) = body(kind::FILL_VALUE)? {
            FillValue::parse(meta.cursor("fill value message", &body))?
        } else if let Some(body) = body(kind::FILL_VALUE_OLD)? {
            FillValue::parse_old(meta.cursor("old fill value message", &body))?
        } else {
            FillValue::default()
        };
        let element_bytes = stored_type.size_bytes();
        if let LayoutMessage::Chunked(chunked) = &layout {
            let rank = space.shape().len();
            if chunked.dims.len() != rank || chunked.element_bytes != element_bytes {
                return Err(Fault::Damaged(format!(
                    "chunks of {} dimensions with elements of {} bytes in a dataset of {rank} and {element_bytes}",
                    chunked.dims.len(),
                    chunked.element_bytes
                )));
            }
        }
        if let Some(value) = &fill_value.value
            && value.len() as u64 != element_bytes
        {
            return Err(Fault::Damaged(format!(
                "a fill value of {} bytes for elements of {element_bytes}",
                value.len()
            )));
        }
        Ok(Self {
            native_type: stored_type.native(),
            space,
            stored_type,
            layout,
            pipeline,
            fill_value,
            external_files: header.has(kind::EXTERNAL_FILES),
        })
    }
}

impl fmt::Debug for Dataset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Dataset({:?} in {:?})", self.path(), self.file())
    }
}
