//! Reads HDF5 files in safe Rust: no C library, no global lock, bit for bit what libhdf5 gives, or a clear error.
//!
//! The nouns, in order:
//!
//! - A [`ByteSource`](source::ByteSource) gives bytes at an offset: a local file, memory, later an object store.
//! - A [`File`] is a source whose superblock was understood. It is cheap to clone and shared between threads.
//! - A [`Group`] holds [`Link`]s by name; [`File::get`] follows them to an [`Object`]: a group, a [`Dataset`] or a named type.
//! - Objects carry [`Attribute`]s; attributes and datasets have a [`Datatype`] and a [`Shape`](Dataspace).
//! - A [`Selection`] says which rows and columns of a dataset are wanted; a [`Reader`] yields them as blocks of native,
//!   little-endian, C-order bytes, decoded on a [`DecodePool`].
//! - Work whose outcome nobody waits for ends with [`Error::Cancelled`]: see [`Cancelled`].
//! - A [`Resolver`] decides which other files a link or a virtual dataset may reach.

pub mod decode;
pub mod source;
pub mod write;

mod attribute;
mod cancel;
mod dataset;
mod dataspace;
mod dtype;
mod error;
mod file;
mod filter;
mod format;
mod group;
mod link;
mod named_type;
mod path;
mod read;

pub use attribute::{Array, Attribute, AttributeForm, Data};
pub use cancel::{Cancelled, Stop, Waiting, check_cancelled, check_cancelled_at, with_pauses, without_pauses};
pub use dataset::{Dataset, Layout};
pub use dataspace::Dataspace;
pub use dtype::{ByteOrder, CharacterSet, Datatype, FloatFormat, Member, StringPadding, half_to_f64};
pub use error::{Error, Result};
pub use file::{File, Object, OpenOptions, Resolver};
pub use filter::Filter;
pub use group::Group;
pub use link::{Link, LinkTarget};
pub use named_type::NamedType;
pub use read::{Block, CacheStats, Caches, DecodePool, Indices, Pace, ReadOptions, Reader, RowRanges, Selection};
