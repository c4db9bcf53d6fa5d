//! The forms in which values leave, a file each. No word of HTTP here but the media type.

pub mod arrow;
pub mod columns;
pub mod msgpack;
pub mod npz;
pub(crate) mod numpy_type;
pub mod parquet;
pub mod pickle;
pub mod python_json;
