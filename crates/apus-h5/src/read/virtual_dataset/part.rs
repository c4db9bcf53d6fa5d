//! The lines of a mapping, and the datasets that they lead to.

use std::{ops::Range, sync::Arc};

use super::{
    cast::Cast,
    comb::Comb,
    elements::{Elements, end_of, endless},
};
use crate::{
    Dataset, Dataspace, Datatype, Error, File, Layout, Object, Result,
    format::{
        global_heap::{GlobalHeap, GlobalHeapId},
        message::LayoutMessage,
        virtual_layout::{self, Dimension, MappedSelection, Mapping},
    },
};

/// Virtual datasets whose sources are virtual, and so on, may be so deep.
const MAX_DEPTH: usize = 16;
/// Blocks of a source name with block numbers: more are refused.
const MAX_BLOCKS: u64 = 1 << 20;

/// A part of a virtual dataset that is in one source.
#[derive(Debug)]
pub(super) struct Part {
    file: String,
    dataset: String,
    /// Where it is in the virtual dataset.
    pub(super) elements: Elements,
    source_selected: MappedSelection,
    /// How many indices there are on the unlimited axes of both sides.
    n_unlimited: Option<u64>,
}

/// A dataset that a part leads to.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) dataset: Dataset,
    /// Which of its elements are the part's.
    pub(super) elements: Elements,
    /// How its elements become those of the virtual dataset, where they are not.
    pub(super) cast: Option<Cast>,
}

/// Where a virtual dataset is, for errors and for what it refers to.
#[derive(Clone, Debug)]
pub(super) struct VirtualObject {
    pub(super) file: File,
    pub(super) path: String,
    /// So many others led to it, each a source of the one before, while it is opened.
    depth: usize,
}

impl VirtualObject {
    pub(super) fn of(dataset: &Dataset) -> Self {
        Self { file: dataset.file().clone(), path: dataset.path().to_owned(), depth: 0 }
    }

    /// Refuses a dataset that so many others, each a source of the one before, led to.
    pub(super) fn check_depth(&self, depth: usize) -> Result<()> {
        if depth < MAX_DEPTH {
            return Ok(());
        }
        Err(self.unsupported(format!("virtual datasets over virtual datasets, {MAX_DEPTH} deep")))
    }

    pub(super) fn damaged(&self, reason: impl Into<String>) -> Error {
        Error::Damaged { file: self.file.name().to_owned(), object: self.path.clone(), reason: reason.into() }
    }

    pub(super) fn unsupported(&self, feature: impl Into<String>) -> Error {
        Error::Unsupported { file: self.file.name().to_owned(), object: self.path.clone(), feature: feature.into() }
    }

    /// The mapping in the object of the global heap.
    pub(super) fn mappings(&self, id: Option<GlobalHeapId>) -> Result<Vec<Mapping>> {
        let Some(id) = id else { return Ok(Vec::new()) };
        let mut heap = GlobalHeap::new(self.file.meta());
        let mappings = heap
            .object(id)
            .and_then(|object| virtual_layout::parse(&self.file.meta().cursor("virtual dataset mapping", object)));
        mappings.map_err(|fault| fault.at(self.file.name(), &self.path))
    }

    /// The dataset of a source, `None` where there is none: what is mapped to it is the fill value, as in libhdf5.
    fn open(&self, file: &str, dataset: &str) -> Result<Option<Dataset>> {
        let other = if file == "." {
            self.file.clone()
        } else {
            let refused = |reason| Error::Refused {
                file: self.file.name().to_owned(),
                object: self.path.clone(),
                target: file.to_owned(),
                reason,
            };
            let resolver = self.file.resolver();
            let resolver = resolver.ok_or_else(|| refused("other files are not opened here".to_owned()))?;
            match resolver.resolve(&self.file, file).map_err(refused)? {
                Some(other) => other,
                None => return Ok(None),
            }
        };
        match other.get_nested(&format!("/{}", dataset.trim_start_matches('/')), self.depth + 1) {
            Ok(Object::Dataset(dataset)) => Ok(Some(dataset)),
            Ok(other) => Err(self.damaged(format!("the source {dataset:?} in {file:?} is a {}", other.kind()))),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// What a mapping with an unlimited axis leads to: how much of it there is now.
struct Extent {
    axis: usize,
    /// The parts, each with its indices on the unlimited axis.
    parts: Vec<Part>,
    /// One more than the last index on that axis.
    end: u64,
}

/// The parts of a mapping.
pub(super) fn parts(object: &VirtualObject, mappings: Vec<Mapping>, shape: &[u64]) -> Result<Vec<Part>> {
    let mut parts = Vec::with_capacity(mappings.len());
    for mapping in mappings {
        if mapping.selected == MappedSelection::None || mapping.source_selected == MappedSelection::None {
            continue;
        }
        if let Some(extent) = unlimited(object, &mapping, shape)? {
            parts.extend(extent.parts);
            continue;
        }
        let elements = Elements::new(&mapping.selected, shape, None).map_err(|reason| object.damaged(reason))?;
        parts.push(Part {
            file: mapping.file.of_block(0),
            dataset: mapping.dataset.of_block(0),
            elements,
            source_selected: mapping.source_selected,
            n_unlimited: None,
        });
    }
    Ok(parts)
}

/// The extent of a virtual dataset: that of its dataspace, but on axes on which the mapping is unlimited as far as the sources
/// reach ("last available", libhdf5's default view).
pub(crate) fn extent(
    file: &File,
    path: &str,
    depth: usize,
    layout: &LayoutMessage,
    space: Dataspace,
) -> Result<Dataspace> {
    let (LayoutMessage::Virtual(id), Dataspace::Simple { dims, max_dims }) = (layout, &space) else {
        return Ok(space);
    };
    let object = VirtualObject { file: file.clone(), path: path.to_owned(), depth };
    object.check_depth(depth)?;
    let mappings = object.mappings(*id)?;
    let (mut dims, max_dims) = (dims.clone(), max_dims.clone());
    let mut ends: Vec<Option<u64>> = vec![None; dims.len()];
    let mut least = vec![0; dims.len()];
    for mapping in &mappings {
        let unlimited = unlimited(&object, mapping, &dims)?;
        if let Some(extent) = &unlimited
            && let Some(end) = ends.get_mut(extent.axis)
        {
            *end = Some(end.unwrap_or(0).max(extent.end));
        }
        let axis = unlimited.map(|extent| extent.axis);
        for (i, least) in least.iter_mut().enumerate().filter(|(i, _)| Some(*i) != axis) {
            *least = (*least).max(end_on(&mapping.selected, i));
        }
    }
    for ((dim, end), least) in dims.iter_mut().zip(ends).zip(least) {
        *dim = end.map_or(*dim, |end| end.max(least));
    }
    if let Some((dim, max)) = dims.iter().zip(&max_dims).find(|(dim, max)| max.is_some_and(|max| **dim > max)) {
        return Err(object.damaged(format!("sources reach to {dim} on an axis of at most {max:?}")));
    }
    Ok(Dataspace::Simple { dims, max_dims })
}

/// One more than the last index of a limited selection on an axis.
fn end_on(selection: &MappedSelection, axis: usize) -> u64 {
    match selection {
        MappedSelection::None | MappedSelection::All => 0,
        MappedSelection::Regular(dims) => dims.get(axis).filter(|dim| !dim.is_unlimited()).map_or(0, limited_end),
        MappedSelection::Boxes(boxes) => {
            boxes.iter().filter_map(|(_, last)| Some(last.get(axis)? + 1)).max().unwrap_or(0)
        }
    }
}

fn limited_end(dim: &Dimension) -> u64 {
    let comb = endless(dim);
    match (dim.count, dim.block) {
        (virtual_layout::Count::Limited(count), virtual_layout::Count::Limited(block)) => {
            Comb { n: count * block, ..comb }.end()
        }
        _ => 0,
    }
}

/// What there is of a mapping whose virtual side is unlimited; `None` for all others.
fn unlimited(object: &VirtualObject, mapping: &Mapping, shape: &[u64]) -> Result<Option<Extent>> {
    let MappedSelection::Regular(dims) = &mapping.selected else { return Ok(None) };
    let Some((axis, dim)) = dims.iter().enumerate().find(|(_, dim)| dim.is_unlimited()) else { return Ok(None) };
    if dims.len() != shape.len() {
        return Err(object.damaged(format!("a mapping of {} axes in a dataset of {}", dims.len(), shape.len())));
    }
    let comb = endless(dim);
    let part = |block: u64, selected: &MappedSelection, n_unlimited| {
        let elements = Elements::new(selected, shape, n_unlimited).map_err(|reason| object.damaged(reason))?;
        Ok::<_, Error>(Part {
            file: mapping.file.of_block(block),
            dataset: mapping.dataset.of_block(block),
            elements,
            source_selected: mapping.source_selected.clone(),
            n_unlimited,
        })
    };
    let mut extent = Extent { axis, parts: Vec::new(), end: 0 };
    if let (Some(source_axis), MappedSelection::Regular(source_dims)) =
        (mapping.source_selected.unlimited_axis(), &mapping.source_selected)
    {
        // As much as the source has, on both sides.
        let Some(source) = object.open(&mapping.file.of_block(0), &mapping.dataset.of_block(0))? else {
            return Ok(Some(extent));
        };
        let n = source.shape().get(source_axis).map_or(0, |extent| endless(&source_dims[source_axis]).n_below(*extent));
        extent.parts.push(part(0, &mapping.selected, Some(n))?);
        extent.end = if n == 0 {
            0
        } else {
            end_of(&Comb { n, ..comb }).ok_or_else(|| object.damaged("a mapping beyond 64 bits"))?
        };
        return Ok(Some(extent));
    }
    if !mapping.file.has_block_number() && !mapping.dataset.has_block_number() {
        return Err(object.damaged("a mapping that is unlimited on one side only"));
    }
    // One source for each block, as far as there are sources without a gap.
    for block in 0.. {
        if object.open(&mapping.file.of_block(block), &mapping.dataset.of_block(block))?.is_none() {
            break;
        }
        if block >= MAX_BLOCKS {
            return Err(object.unsupported(format!("a mapping with more than {MAX_BLOCKS} sources")));
        }
        let start = block.checked_mul(comb.stride).and_then(|start| start.checked_add(comb.start));
        let start = start.filter(|start| start.checked_add(comb.block).is_some());
        let start = start.ok_or_else(|| object.damaged("a mapping beyond 64 bits"))?;
        let mut selected = dims.clone();
        let one = virtual_layout::Count::Limited(1);
        selected[axis] = Dimension { start, stride: comb.stride, count: one, block: dim.block };
        extent.parts.push(part(block, &MappedSelection::Regular(selected), None)?);
        extent.end = start + comb.block;
    }
    Ok(Some(extent))
}

impl Part {
    /// Opens the dataset that it leads to, whatever is mapped; `None` where there is none.
    pub(super) fn open_dataset(&self, object: &VirtualObject) -> Result<Option<Dataset>> {
        object.open(&self.file, &self.dataset)
    }

    /// Opens the source; `None` where there is none.
    pub(super) fn open(&self, object: &VirtualObject, native: &Datatype) -> Result<Option<Arc<Source>>> {
        let Some(dataset) = self.open_dataset(object)? else { return Ok(None) };
        let name = || format!("the source {:?} in {:?}", self.dataset, self.file);
        let shape = dataset.shape();
        let elements = Elements::new(&self.source_selected, shape, self.n_unlimited);
        let elements = elements.map_err(|reason| object.damaged(format!("{}: {reason}", name())))?;
        let (found, expected) = (elements.n_elements(), self.elements.n_elements());
        if found != expected {
            return Err(object.damaged(format!("{expected} elements are mapped to {found} of {}", name())));
        }
        if !elements.fits(shape) {
            return Err(object.damaged(format!("the mapping reaches beyond {}, which is {shape:?}", name())));
        }
        if matches!(dataset.dtype(), Datatype::VariableString { .. } | Datatype::VariableSequence(_)) {
            return Err(object.unsupported("a virtual dataset of variable-length elements"));
        }
        let cast =
            Cast::new(dataset.dtype(), native, dataset.stored_type()).map_err(|feature| object.unsupported(feature))?;
        Ok(Some(Arc::new(Source { dataset, elements, cast })))
    }

    /// The rows of the virtual dataset, where the part is whole rows on both sides as far as can be told without the source.
    pub(super) fn as_rows(&self, shape: &[u64]) -> Option<Range<u64>> {
        let rows = self.elements.as_rows(shape)?;
        match &self.source_selected {
            MappedSelection::All => Some(rows),
            selection if self.n_unlimited.is_none() => {
                // The inner axes of the source should be those of the virtual dataset; its rows are not known yet.
                let elements = Elements::new(selection, shape, None).ok()?;
                elements.as_rows(shape).map(|_| rows)
            }
            _ => None,
        }
    }
}

impl Source {
    /// The first row, where the part is whole rows of the source, of which one is a row of that shape.
    pub(super) fn first_row(&self, shape: &[u64]) -> Option<u64> {
        let own = self.dataset.shape();
        let same_rows = own.len() == shape.len() && own.get(1..) == shape.get(1..);
        if same_rows { self.elements.as_rows(own).map(|rows| rows.start) } else { None }
    }
}

/// The file names of a virtual dataset's sources as they stand there, without repeats, in order.
pub(crate) fn files(dataset: &Dataset) -> Result<Vec<String>> {
    let LayoutMessage::Virtual(id) = &dataset.description().layout else { return Ok(Vec::new()) };
    debug_assert_eq!(dataset.layout(), Layout::Virtual, "they say the same");
    let object = VirtualObject::of(dataset);
    let mut seen = std::collections::HashSet::new();
    let mappings = object.mappings(*id)?;
    let names = mappings.into_iter().map(|mapping| mapping.file.pattern);
    Ok(names.filter(|name| seen.insert(name.clone())).collect())
}
