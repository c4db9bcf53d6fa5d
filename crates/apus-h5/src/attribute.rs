//! Attributes, and arrays of values that are small enough to be held whole.

use crate::{Dataspace, Datatype};

/// An attribute of a group, a dataset or a named type.
#[derive(Clone, Debug, PartialEq)]
pub struct Attribute {
    /// Its name.
    pub name: String,
    /// Its type as stored in the file.
    pub stored_type: Datatype,
    /// Its value.
    pub value: Array,
}

/// Values with their type and extent.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    /// The native type (see [`Datatype::native`]).
    pub dtype: Datatype,
    /// The extent.
    pub space: Dataspace,
    /// The values.
    pub data: Data,
}

/// The values of an [`Array`], row-major.
#[derive(Clone, Debug, PartialEq)]
pub enum Data {
    /// Elements of fixed size: native, little-endian, without padding between them.
    Fixed(Vec<u8>),
    /// One entry for each element of a variable-length type: a string's bytes without terminator (decoding them as UTF-8 is
    /// up to the caller), or the native bytes of a sequence.
    Variable(Vec<Vec<u8>>),
}

impl Array {
    /// The value as one string, where it is one (a scalar or one-element string array): for fixed strings without trailing
    /// NULs. Bytes that are not UTF-8 are replaced.
    pub fn as_str(&self) -> Option<String> {
        unimplemented!()
    }

    /// All values as strings, where they are strings.
    pub fn to_strings(&self) -> Option<Vec<String>> {
        unimplemented!()
    }

    /// All values as 64-bit floats, where they are integers, enums or floats.
    pub fn to_f64(&self) -> Option<Vec<f64>> {
        unimplemented!()
    }

    /// All values as integers, where they are integers or enums (the sign kept, unsigned 64 bits included).
    pub fn to_i128(&self) -> Option<Vec<i128>> {
        unimplemented!()
    }
}
