//! Datatypes: how elements are stored, how they leave (`native`), and how the one becomes the other (`convert`).

mod convert;
mod half;
mod native;

pub use convert::Converter;
pub use half::half_to_f64;

/// The order of the bytes of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ByteOrder {
    /// Least significant first.
    Little,
    /// Most significant first.
    Big,
    /// The VAX's, which only floating-point types can have.
    Vax,
}

/// The character set of a string.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CharacterSet {
    /// US ASCII.
    Ascii,
    /// UTF-8.
    Utf8,
}

/// How a fixed-length string ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StringPadding {
    /// With a NUL, where there is room for one.
    NullTerminated,
    /// Filled up with NULs.
    NullPadded,
    /// Filled up with spaces.
    SpacePadded,
}

/// Where the parts of a floating-point number stand, in bits from the least significant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FloatFormat {
    /// The bit of the sign.
    pub sign_position: u8,
    /// The lowest bit of the exponent.
    pub exponent_position: u8,
    /// The bits of the exponent.
    pub exponent_size: u8,
    /// The lowest bit of the mantissa.
    pub mantissa_position: u8,
    /// The bits of the mantissa.
    pub mantissa_size: u8,
    /// What is subtracted from the stored exponent.
    pub exponent_bias: u32,
    /// Whether the leading 1 of the mantissa is implied (IEEE) and not stored.
    pub implied_msb: bool,
}

impl FloatFormat {
    /// IEEE 754 binary16.
    pub const F16: Self = Self::ieee(5, 10, 15);
    /// IEEE 754 binary32.
    pub const F32: Self = Self::ieee(8, 23, 127);
    /// IEEE 754 binary64.
    pub const F64: Self = Self::ieee(11, 52, 1023);

    const fn ieee(exponent_size: u8, mantissa_size: u8, exponent_bias: u32) -> Self {
        Self {
            sign_position: exponent_size + mantissa_size,
            exponent_position: mantissa_size,
            exponent_size,
            mantissa_position: 0,
            mantissa_size,
            exponent_bias,
            implied_msb: true,
        }
    }
}

/// A member of a compound type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its name.
    pub name: String,
    /// Its offset in the element, in bytes.
    pub offset: u64,
    /// Its type.
    pub dtype: Datatype,
}

/// The type of an element: as stored in the file ([`Dataset::stored_type`](crate::Dataset::stored_type)) or as it leaves
/// ([`Dataset::dtype`](crate::Dataset::dtype), always [`native`](Datatype::native)).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Datatype {
    /// An integer. Fewer bits than the size holds may count (`precision`, from `bit_offset` on).
    Integer {
        /// Size in bytes.
        size: u32,
        /// Two's complement, or unsigned.
        signed: bool,
        /// Order of the bytes.
        order: ByteOrder,
        /// Lowest bit that counts.
        bit_offset: u16,
        /// Number of bits that count.
        precision: u16,
    },
    /// A floating-point number.
    Float {
        /// Size in bytes.
        size: u32,
        /// Order of the bytes.
        order: ByteOrder,
        /// Lowest bit that counts.
        bit_offset: u16,
        /// Number of bits that count.
        precision: u16,
        /// Where the parts are.
        format: FloatFormat,
    },
    /// Bits without a meaning as a number.
    Bitfield {
        /// Size in bytes.
        size: u32,
        /// Order of the bytes.
        order: ByteOrder,
    },
    /// A string of fixed length.
    FixedString {
        /// Length in bytes. libhdf5 and h5py take all of them.
        size: u32,
        /// How it ends.
        padding: StringPadding,
        /// Its character set.
        character_set: CharacterSet,
    },
    /// A string of variable length, kept in a global heap.
    VariableString {
        /// Its character set.
        character_set: CharacterSet,
    },
    /// A sequence of variable length, kept in a global heap.
    VariableSequence(Box<Datatype>),
    /// Integers with names (h5py's booleans are one).
    Enum {
        /// The integer type.
        base: Box<Datatype>,
        /// Names and values, each value as the base type's native (little-endian) bytes.
        members: Vec<(String, Vec<u8>)>,
    },
    /// A record.
    Compound {
        /// Size of an element in bytes.
        size: u32,
        /// The members, in the file's order.
        members: Vec<Member>,
    },
    /// A small array as an element.
    Array {
        /// The type of what it holds.
        base: Box<Datatype>,
        /// Its extent.
        dims: Vec<u32>,
    },
    /// Bytes with a tag.
    Opaque {
        /// Size in bytes.
        size: u32,
        /// What the writer calls them.
        tag: String,
    },
    /// A reference to an object or a region; leaves as opaque bytes.
    Reference {
        /// Size in bytes.
        size: u32,
        /// Whether it is a region reference.
        region: bool,
    },
    /// A complex number (HDF5 2.0), or a time: kinds that are recognised but have no values here.
    Other {
        /// Size in bytes.
        size: u32,
        /// The class's name in the specification.
        class: &'static str,
    },
}
