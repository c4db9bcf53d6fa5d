//! The forms in which values leave, a file each. No word of HTTP here but the media type.

pub mod msgpack;
pub(crate) mod numpy_type;
pub mod pickle;
pub mod python_json;
