//! Reads a selection into memory.

use super::{ReadOptions, Reader, Selection, storage::Representation};
use crate::{Array, Data, Dataset, Dataspace, Datatype, Error, Result, format::global_heap::GlobalHeap};

/// Reads the selected elements, at most `limit_bytes` of them in memory; those of variable length from the heaps of the file.
pub(crate) fn read(dataset: &Dataset, selection: Selection, limit_bytes: u64) -> Result<Array> {
    let is_variable = matches!(dataset.stored_type(), Datatype::VariableString { .. } | Datatype::VariableSequence(_));
    let representation = if is_variable { Representation::Stored } else { Representation::Native };
    let over_limit = |found| Error::OverLimit {
        file: dataset.file().name().to_owned(),
        object: dataset.path().to_owned(),
        what: "the size of the selected elements in bytes",
        found,
        limit: limit_bytes,
    };
    let reader = Reader::new(dataset, selection, &ReadOptions::default(), representation, 0)?;
    let space = match dataset.space() {
        Dataspace::Simple { .. } => {
            let dims = reader.shape().to_vec();
            Dataspace::Simple { max_dims: dims.iter().map(|d| Some(*d)).collect(), dims }
        }
        other => other.clone(),
    };
    let found = reader.size_bytes();
    let size = usize::try_from(found).ok().filter(|_| found <= limit_bytes).ok_or_else(|| over_limit(found))?;
    let mut bytes = Vec::with_capacity(size);
    for block in reader {
        bytes.extend_from_slice(block?.bytes());
    }
    let data = if is_variable {
        let (file, mut heap) = (dataset.file(), GlobalHeap::new(dataset.file().meta()));
        Data::from_stored(dataset.stored_type(), bytes, &mut heap, limit_bytes)
            .map_err(|fault| fault.at(file.name(), dataset.path()))?
    } else {
        Data::Fixed(bytes)
    };
    Ok(Array { dtype: dataset.dtype().clone(), space, data })
}
