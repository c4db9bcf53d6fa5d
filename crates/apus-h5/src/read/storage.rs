//! Where the elements of one dataset are and how they become native: all that reading needs to know of a dataset that is not
//! virtual.

use std::{io, sync::Arc};

use super::caches::KeptChunk;
use crate::{
    Dataset, Dataspace, Datatype, Error, File, Result,
    dtype::Converter,
    filter::{FilterError, Pipeline},
    format::{
        chunk_index::{self, ChunkIndex, ChunkLocation},
        grid::{Grid, product},
        message::LayoutMessage,
    },
};

/// Pieces of this many bytes are read and copied at a time where contiguous elements cannot go straight into the answer.
const FLAT_CHUNK_BYTES: u64 = 64 << 10;

/// The storage of a dataset, checked.
#[derive(Debug)]
pub(crate) struct Storage {
    file: File,
    path: String,
    /// The address of the object header.
    address: u64,
    /// The extent, with at least one axis.
    pub(crate) dims: Vec<u64>,
    /// Bytes of an element in the file and as it leaves.
    pub(crate) stored_bytes: usize,
    pub(crate) native_bytes: usize,
    /// How stored elements become native, where they are not.
    pub(crate) converter: Option<Converter>,
    /// One native element, for those that were never written.
    pub(crate) fill: Vec<u8>,
    pub(crate) raw_data: RawData,
}

/// Where the elements are.
#[derive(Debug)]
pub(crate) enum RawData {
    /// Nothing was written, or there are no elements.
    Unallocated,
    /// In one piece of the file, from this address on.
    Contiguous(u64),
    /// In the object header.
    Compact(Vec<u8>),
    /// In chunks.
    Chunked(Chunked),
}

/// What reading needs to know of chunks.
#[derive(Debug)]
pub(crate) struct Chunked {
    pub(crate) grid: Grid,
    pub(crate) pipeline: Pipeline,
    index: Arc<ChunkIndex>,
    partial_chunks_unfiltered: bool,
}

/// How elements leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Representation {
    /// As native values.
    Native,
    /// As the bytes that are stored: references to a heap.
    Stored,
}

impl Storage {
    /// Checks that the dataset is of a kind that can be read, and reads its chunk index.
    pub(crate) fn new(dataset: &Dataset, representation: Representation) -> Result<Self> {
        let (file, path) = (dataset.file().clone(), dataset.path().to_owned());
        let damaged = |reason: String| Error::Damaged { file: file.name().to_owned(), object: path.clone(), reason };
        let about = dataset.description();
        if about.external_files {
            return Err(Error::Unsupported {
                file: file.name().to_owned(),
                object: path,
                feature: "raw data in external files".to_owned(),
            });
        }
        let at = |error: FilterError| error.at(file.name(), &path);
        let size = |dtype: &Datatype| usize::try_from(dtype.size_bytes()).ok().filter(|n| *n > 0);
        let Some((stored_bytes, native_bytes)) = size(&about.stored_type).zip(size(&about.native_type)) else {
            return Err(damaged(format!("elements of {} bytes", about.stored_type.size_bytes())));
        };
        let converter = match representation {
            Representation::Native => Some(Converter::new(&about.stored_type, &about.native_type).map_err(at)?),
            Representation::Stored => None,
        };
        let native_bytes = if converter.is_some() { native_bytes } else { stored_bytes };
        let converter = converter.filter(|converter| !converter.is_identity());
        let unwritten = match (&about.fill_value.value, &converter) {
            (Some(value), Some(converter)) => {
                let mut native = vec![0; native_bytes];
                converter.convert(value, &mut native);
                native
            }
            (Some(value), None) => value.clone(),
            (None, _) => vec![0; native_bytes],
        };
        let dims = match &about.space {
            Dataspace::Null => vec![0],
            Dataspace::Scalar => vec![1],
            Dataspace::Simple { dims, .. } => dims.clone(),
        };
        let element_bytes = u64::try_from(stored_bytes.max(native_bytes)).unwrap_or(u64::MAX);
        if product(&dims).and_then(|n| n.checked_mul(element_bytes)).is_none() {
            return Err(damaged(format!("an extent of {dims:?} elements of {element_bytes} bytes")));
        }
        let raw_data = raw_data(dataset, &dims, stored_bytes)?;
        let address = dataset.address();
        Ok(Self { file, path, address, dims, stored_bytes, native_bytes, converter, fill: unwritten, raw_data })
    }

    /// The grid for cutting the answer, and the bytes of a decoded chunk. Where there are no chunks it is one of pieces that
    /// are contiguous in the file; `whole_after` says from which axis on all indices are wanted.
    pub(crate) fn grid(&self, whole_after: usize) -> Option<(Grid, u64)> {
        let stored_bytes = self.stored_bytes as u64;
        if let RawData::Chunked(chunked) = &self.raw_data {
            return Some((chunked.grid.clone(), chunked.grid.chunk().iter().product::<u64>() * stored_bytes));
        }
        // The first axis below which all elements together are small (or, where all of them are wanted, can be read at once).
        let step = |axis: usize| self.dims.iter().skip(axis + 1).product::<u64>().max(1) * stored_bytes;
        let axis = (0..self.dims.len()).find(|axis| *axis >= whole_after || step(*axis) <= FLAT_CHUNK_BYTES)?;
        let mut chunk = vec![1; self.dims.len()];
        chunk[axis + 1..].copy_from_slice(&self.dims[axis + 1..]);
        chunk[axis] = (FLAT_CHUNK_BYTES / step(axis)).clamp(1, self.dims[axis].max(1));
        let chunk_bytes = chunk[axis] * step(axis);
        Some((Grid::new(&self.dims, &chunk)?, chunk_bytes))
    }

    /// Where a piece of [`grid`](Self::grid) is. `None` where nothing was written.
    pub(crate) fn locate(&self, grid: &Grid, coords: &[u64]) -> Option<ChunkLocation> {
        match &self.raw_data {
            RawData::Unallocated => None,
            RawData::Chunked(chunked) => {
                let mut location = chunked.index.get(grid.number(coords))?;
                if chunked.partial_chunks_unfiltered && grid.is_partial(coords) {
                    location.filter_mask = u32::MAX;
                }
                Some(location)
            }
            RawData::Contiguous(_) | RawData::Compact(_) => {
                let base = if let RawData::Contiguous(address) = self.raw_data { address } else { 0 };
                let first = coords.iter().zip(grid.chunk()).zip(grid.dims());
                let element = first.fold(0, |n, ((p, c), d)| n * d + p * c);
                let address = base.saturating_add(element * self.stored_bytes as u64);
                Some(ChunkLocation { address, size: 0, filter_mask: 0 })
            }
        }
    }

    /// Whether the bytes of that chunk are stored as they are.
    pub(crate) fn is_plain(&self, location: &ChunkLocation) -> bool {
        match &self.raw_data {
            RawData::Chunked(chunked) => chunked.pipeline.is_identity(location.filter_mask),
            _ => true,
        }
    }

    /// Whether every chunk is plain.
    pub(crate) fn is_all_plain(&self) -> bool {
        match &self.raw_data {
            RawData::Chunked(chunked) => chunked.pipeline.is_identity(0),
            _ => true,
        }
    }

    /// Whether the bytes of every chunk are stored as they are, perhaps with checksums after them.
    pub(crate) fn keeps_bytes(&self) -> bool {
        match &self.raw_data {
            RawData::Chunked(chunked) => chunked.pipeline.keeps_bytes(0),
            _ => true,
        }
    }

    /// A chunk of the file's caches, where it is fetched to first.
    pub(crate) fn cached_chunk(
        &self,
        number: u64,
        location: ChunkLocation,
        chunk_len: usize,
    ) -> Result<Arc<KeptChunk>> {
        let (caches, file) = self.file.caches();
        caches.chunk((file, self.address, number), || {
            let size = usize::try_from(location.size).map_err(|_| self.damaged("a chunk beyond the address space"))?;
            let mut raw = vec![0; size].into_boxed_slice();
            self.read_at(location.address, &mut raw)?;
            Ok(KeptChunk::new(raw, location, chunk_len))
        })
    }

    /// Whether decoded chunks may be kept.
    pub(crate) fn keeps_chunks(&self) -> bool {
        matches!(self.raw_data, RawData::Chunked(_)) && self.file.caches().0.keeps_chunks()
    }

    /// Fills `buf` with the bytes at an address (of the file, or in the object header's bytes).
    pub(crate) fn read_at(&self, address: u64, buf: &mut [u8]) -> Result<()> {
        if let RawData::Compact(bytes) = &self.raw_data {
            let start = usize::try_from(address).ok();
            let part = start.and_then(|start| bytes.get(start..start.checked_add(buf.len())?));
            let part = part.ok_or_else(|| self.damaged("the object header ends before the data do"))?;
            buf.copy_from_slice(part);
            return Ok(());
        }
        let meta = self.file.meta();
        let offset = meta.offset_in_source(address, buf.len() as u64);
        let offset = offset.map_err(|fault| fault.at(self.file.name(), &self.path))?;
        meta.source().read_at(offset, buf).map_err(|source| match source.kind() {
            io::ErrorKind::UnexpectedEof => self.damaged(format!(
                "the file ends before the {} bytes at address {address} that it had when it was opened",
                buf.len()
            )),
            _ => Error::Io { file: self.file.name().to_owned(), source },
        })
    }

    /// The bytes of all elements in the file.
    pub(crate) fn size_bytes(&self) -> u64 {
        match &self.raw_data {
            RawData::Unallocated => 0,
            RawData::Compact(bytes) => bytes.len() as u64,
            RawData::Contiguous(_) => self.dims.iter().product::<u64>() * self.stored_bytes as u64,
            RawData::Chunked(chunked) => chunked.index.stored_bytes(),
        }
    }

    /// The error that the dataset is damaged.
    pub(crate) fn damaged(&self, reason: impl Into<String>) -> Error {
        Error::Damaged { file: self.file.name().to_owned(), object: self.path.clone(), reason: reason.into() }
    }

    /// The error of a filter on one chunk.
    pub(crate) fn chunk_error(
        &self,
        grid: &Grid,
        coords: &[u64],
        location: &ChunkLocation,
        error: FilterError,
    ) -> Error {
        let first: Vec<u64> = coords.iter().zip(grid.chunk()).map(|(p, c)| p * c).collect();
        let what = |text: String| format!("the chunk at {first:?} (address {}): {text}", location.address);
        let error = match error {
            FilterError::Unsupported(text) => FilterError::Unsupported(what(text)),
            FilterError::Damaged(text) => FilterError::Damaged(what(text)),
        };
        error.at(self.file.name(), &self.path)
    }
}

fn raw_data(dataset: &Dataset, dims: &[u64], stored_bytes: usize) -> Result<RawData> {
    let (file, path) = (dataset.file(), dataset.path());
    let damaged = |reason: String| Error::Damaged { file: file.name().to_owned(), object: path.to_owned(), reason };
    let about = dataset.description();
    let size_bytes = dims.iter().product::<u64>() * stored_bytes as u64;
    if size_bytes == 0 {
        return Ok(RawData::Unallocated);
    }
    match &about.layout {
        LayoutMessage::Compact(bytes) if (bytes.len() as u64) < size_bytes => {
            Err(damaged(format!("{} bytes in the object header for data of {size_bytes}", bytes.len())))
        }
        LayoutMessage::Compact(bytes) => Ok(RawData::Compact(bytes.clone())),
        LayoutMessage::Contiguous { address: None, .. } => Ok(RawData::Unallocated),
        LayoutMessage::Contiguous { size_bytes: Some(size), .. } if *size < size_bytes => {
            Err(damaged(format!("{size} bytes of storage for data of {size_bytes}")))
        }
        LayoutMessage::Contiguous { address: Some(address), .. } => Ok(RawData::Contiguous(*address)),
        LayoutMessage::Chunked(chunked) => {
            let element_bytes = stored_bytes as u64;
            let chunk_bytes = product(&chunked.dims).and_then(|n| n.checked_mul(element_bytes));
            let limit = file.max_chunk_bytes();
            let found = chunk_bytes.unwrap_or(u64::MAX);
            let chunk_len = usize::try_from(found).ok().filter(|_| found <= limit);
            let Some(chunk_len) = chunk_len else {
                let (file, object) = (file.name().to_owned(), path.to_owned());
                return Err(Error::OverLimit { file, object, what: "the size of a chunk in bytes", found, limit });
            };
            let grid = Grid::new(dims, &chunked.dims);
            let grid = grid.ok_or_else(|| damaged(format!("chunks of {:?} in {dims:?}", chunked.dims)))?;
            let filters = dataset.filters();
            let pipeline = Pipeline::new(filters, chunk_len).map_err(|error| error.at(file.name(), path))?;
            let max_dims = match &about.space {
                Dataspace::Simple { max_dims, .. } => &max_dims[..],
                _ => &[],
            };
            let read = || {
                chunk_index::read(file.meta(), chunked, &grid, max_dims, found, !filters.is_empty())
                    .map_err(|fault| fault.at(file.name(), path))
            };
            let (caches, number) = file.caches();
            let index = caches.index(number, dataset.address(), read)?;
            let partial_chunks_unfiltered = chunked.partial_chunks_unfiltered;
            Ok(RawData::Chunked(Chunked { grid, pipeline, index, partial_chunks_unfiltered }))
        }
        LayoutMessage::Virtual(_) => Err(damaged("a virtual dataset has no storage of its own".to_owned())),
    }
}
