//! The file format, one file per structure of the specification (HDF5 File Format Specification Version 4.0, whose section
//! numbers the files name).
//!
//! - [`Meta`] reads the bytes of a structure at an address through the block cache and knows the superblock's sizes;
//!   a [`Cursor`] takes fields off them; what is wrong comes back as a [`Fault`], to which [`Fault::at`] adds file and object.
//! - [`superblock`] opens a file; [`object_header`] gives an object's messages, [`shared`] those that are kept elsewhere.
//! - [`message`] holds one parser per message: dataspace, datatype, layout, filter pipeline, fill value, link, attribute ...
//! - [`grid`] is the arithmetic of chunks; [`chunk_index`] finds them, [`virtual_layout`] tells what a virtual dataset is made of.
//! - [`btree_v2`], [`fractal_heap`], [`global_heap`] are what messages refer to.
//!
//! A file is hostile until read: each size is checked against the file's length before anything is allocated, each walk
//! over addresses has a bound, and each recursion has a depth.

pub(crate) mod attributes;
pub(crate) mod btree_v1;
pub(crate) mod btree_v2;
pub(crate) mod checksum;
pub(crate) mod chunk_index;
mod cursor;
mod fault;
pub(crate) mod fractal_heap;
pub(crate) mod global_heap;
pub(crate) mod grid;
pub(crate) mod links;
mod local_heap;
mod lookup3;
pub(crate) mod message;
mod meta;
pub(crate) mod object_header;
pub(crate) mod shared;
mod shared_heaps;
pub(crate) mod superblock;
pub(crate) mod virtual_layout;

pub(crate) use cursor::{Cursor, before_nul, encoded_size};
pub(crate) use fault::{Fault, Parse};
pub(crate) use lookup3::lookup3;
pub(crate) use meta::{MAX_METADATA_BYTES, Meta, Sizes};
