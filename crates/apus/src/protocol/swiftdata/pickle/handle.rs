//! The names of a file's particle fields as a small HDF5 file in memory.
//!
//! The older service's client looks fields up in the file that the metadata came from, by `path in handle`, although the file is not
//! on its machine. This stands in for it: the groups `PartTypeN` with their datasets, types and shapes, without attributes and values.

use apus_h5::{
    Dataspace, File, Object, Result,
    write::{Contents, DatasetSpec, Number as _, Plan, Tree},
};

use super::{Writer, optional};

/// `h5py.File(io.BytesIO(image), "r")`.
pub(super) fn write(w: &mut Writer, image: &[u8]) {
    w.call("h5py", "File", |w| {
        w.call("io", "BytesIO", |w| w.bytes(image));
        w.str("r");
    });
}

/// The image.
pub(super) fn image(file: &File) -> Result<Vec<u8>> {
    let mut tree = Tree::new();
    let root = file.root()?;
    for link in root.links()? {
        if !link.name.starts_with("PartType") {
            continue;
        }
        let Some(Object::Group(group)) = optional(root.get(&link.name))? else { continue };
        let parent = tree.add_group(tree.root(), &link.name)?;
        for field in group.links()? {
            let Some(Object::Dataset(dataset)) = optional(group.get(&field.name))? else { continue };
            let spec = DatasetSpec {
                dtype: dataset.dtype().clone(),
                space: dataset.space().clone(),
                contents: Contents::Unwritten,
            };
            if tree.add_dataset(parent, &field.name, spec).is_err() {
                // A type that has no form in such a file: the name is what matters.
                let spec = DatasetSpec { dtype: u8::DTYPE, space: Dataspace::Null, contents: Contents::Unwritten };
                tree.add_dataset(parent, &field.name, spec)?;
            }
        }
    }
    Plan::new(tree)?.into_bytes()
}
