//! The file format, one file per structure of the specification.

mod lookup3;

pub(crate) use lookup3::lookup3;
