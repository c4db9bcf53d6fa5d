//! Writes HDF5 files as streams: no seeking, and the length is known before the first byte.
//!
//! Writing has two phases. First a [`Tree`] is declared: groups, datasets with their types and shapes, links, attributes.
//! From it a [`Plan`] gives every object its place and so the size of the whole file; this is pure and reads nothing. Then
//! the plan's [`Step`]s are followed in order: bytes to be copied out as they are (all metadata, first), and datasets whose
//! elements the caller supplies (all of them, in the order in which they were declared).
//!
//! What is written is what libhdf5 1.8 and later read: superblock 2, version-2 object headers with checksums, links and
//! attributes in the header itself, contiguous data, variable-length values in global heaps. Nothing is compressed: a
//! length that is known beforehand is worth more on a wire that compresses by itself.
//!
//! Not written: chunks and filters, references (an address means nothing in another file), committed types, variable-length
//! members inside compounds or arrays, attributes over 64 KiB (variable-length values count 16 bytes each). Asking for one
//! of these is [`Error::Unwritable`](crate::Error::Unwritable), when it is added.
//!
//! ```
//! use apus_h5::{Attribute, Dataspace, Datatype};
//! use apus_h5::write::{Contents, DatasetSpec, Number, Plan, Step, Tree};
//!
//! let mut tree = Tree::new();
//! let group = tree.add_group(tree.root(), "points")?;
//! tree.add_soft_link(tree.root(), "latest", "/points")?;
//! let spec = DatasetSpec { dtype: f32::DTYPE, space: Dataspace::simple(&[2]), contents: Contents::Streamed };
//! let masses = tree.add_dataset(group, "Masses", spec)?;
//! tree.add_attribute(masses, Attribute::fixed_text("Description", "Masses of the points"))?;
//! tree.add_attribute(masses, Attribute::numbers("exponent", &[0.0f32]))?;
//!
//! let plan = Plan::new(tree)?;
//! let size_bytes = plan.size_bytes();
//! let mut file = Vec::new();
//! for step in plan.into_steps() {
//!     match step {
//!         Step::Bytes(bytes) => file.extend(bytes),
//!         Step::Data { object, size_bytes } => {
//!             assert_eq!((object, size_bytes), (masses, 8));
//!             file.extend([1.0f32, 2.0].iter().flat_map(|x| x.to_le_bytes()));
//!         }
//!     }
//! }
//! assert_eq!(file.len() as u64, size_bytes);
//! # Ok::<(), apus_h5::Error>(())
//! ```

mod attribute;
mod datatype;
mod draft;
mod heap;
mod message;
mod object_header;
mod plan;
mod skeleton;
mod tree;

pub use attribute::Number;
pub use plan::{Plan, Step};
pub use skeleton::{Omission, Skeleton, SkeletonOptions};
pub use tree::{Contents, DatasetSpec, ObjectId, Tree};
