//! Attributes made from values, in the forms that simulation codes write.

use crate::{Array, Attribute, ByteOrder, CharacterSet, Data, Dataspace, Datatype, FloatFormat, StringPadding};

/// A number that has a native type.
pub trait Number: Copy {
    /// Its native type.
    const DTYPE: Datatype;

    /// Appends its little-endian bytes.
    fn put(self, bytes: &mut Vec<u8>);
}

macro_rules! number {
    ($($rust:ty => $dtype:expr),* $(,)?) => {
        $(impl Number for $rust {
            const DTYPE: Datatype = $dtype;

            fn put(self, bytes: &mut Vec<u8>) {
                bytes.extend(self.to_le_bytes());
            }
        })*
    };
}

number! {
    i8 => integer(1, true), i16 => integer(2, true), i32 => integer(4, true), i64 => integer(8, true),
    u8 => integer(1, false), u16 => integer(2, false), u32 => integer(4, false), u64 => integer(8, false),
    f32 => float(4, FloatFormat::F32), f64 => float(8, FloatFormat::F64),
}

const fn integer(size: u8, signed: bool) -> Datatype {
    Datatype::Integer { size: size as u32, signed, order: ByteOrder::Little, bit_offset: 0, precision: 8 * size as u16 }
}

const fn float(size: u8, format: FloatFormat) -> Datatype {
    Datatype::Float { size: size as u32, order: ByteOrder::Little, bit_offset: 0, precision: 8 * size as u16, format }
}

impl Attribute {
    /// An attribute with that value.
    pub fn new(name: impl Into<String>, value: Array) -> Self {
        Self { name: name.into(), stored_type: value.dtype.clone(), value }
    }

    /// One string of fixed length, as C codes write theirs: a scalar that is declared NUL-terminated but has just the
    /// text's length (at least 1), ASCII where that suffices.
    pub fn fixed_text(name: impl Into<String>, text: &str) -> Self {
        let mut bytes = text.as_bytes().to_vec();
        if bytes.is_empty() {
            bytes.push(0);
        }
        let dtype = Datatype::FixedString {
            // A text over 4 GiB gets a length that does not match, which the plan refuses.
            size: u32::try_from(bytes.len()).unwrap_or(u32::MAX),
            padding: StringPadding::NullTerminated,
            character_set: if text.is_ascii() { CharacterSet::Ascii } else { CharacterSet::Utf8 },
        };
        Self::new(name, Array { dtype, space: Dataspace::Scalar, data: Data::Fixed(bytes) })
    }

    /// One string of variable length, UTF-8, as h5py writes `str`.
    pub fn variable_text(name: impl Into<String>, text: &str) -> Self {
        let dtype = Datatype::VariableString { character_set: CharacterSet::Utf8 };
        Self::new(name, Array { dtype, space: Dataspace::Scalar, data: Data::Variable(vec![text.as_bytes().to_vec()]) })
    }

    /// An array of numbers with one dimension, also of a single one.
    pub fn numbers<T: Number>(name: impl Into<String>, values: &[T]) -> Self {
        let mut bytes = Vec::with_capacity(size_of_val(values));
        for value in values {
            value.put(&mut bytes);
        }
        let space = Dataspace::simple(&[values.len() as u64]);
        Self::new(name, Array { dtype: T::DTYPE, space, data: Data::Fixed(bytes) })
    }
}
