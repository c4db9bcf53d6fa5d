//! The size of an element, and the type as which it leaves.

use super::{ByteOrder, Datatype, FloatFormat, Member, StringPadding};

/// The bytes of a reference to an object of the global heap, where variable-length elements are: length, address, index. Other
/// sizes are refused when the type is parsed.
const HEAP_REFERENCE_BYTES: u64 = 16;

impl FloatFormat {
    /// The x87's 80 bits: numpy's `longdouble` on `x86_64`, which leaves in 16 bytes.
    pub const X87: Self = Self {
        sign_position: 79,
        exponent_position: 64,
        exponent_size: 15,
        mantissa_position: 0,
        mantissa_size: 64,
        exponent_bias: 16383,
        implied_msb: false,
    };
}

/// The formats that floats leave in: bytes of an element, bits in use, the format, and numpy's `finfo` of it (`nmant`,
/// `minexp`, `maxexp`), by which h5py chooses.
const NATIVE_FLOATS: [(u32, u16, FloatFormat, u8, i64, i64); 4] = [
    (2, 16, FloatFormat::F16, 10, -14, 16),
    (4, 32, FloatFormat::F32, 23, -126, 128),
    (8, 64, FloatFormat::F64, 52, -1022, 1024),
    (16, 80, FloatFormat::X87, 63, -16382, 16384),
];

impl Datatype {
    /// The bytes of one element; a variable-length one counts as its heap reference.
    pub fn size_bytes(&self) -> u64 {
        match self {
            Self::Integer { size, .. }
            | Self::Float { size, .. }
            | Self::Bitfield { size, .. }
            | Self::FixedString { size, .. }
            | Self::Compound { size, .. }
            | Self::Opaque { size, .. }
            | Self::Reference { size, .. }
            | Self::Other { size, .. } => u64::from(*size),
            Self::VariableString { .. } | Self::VariableSequence(_) => HEAP_REFERENCE_BYTES,
            Self::Enum { base, .. } => base.size_bytes(),
            Self::Array { base, dims } => {
                dims.iter().fold(base.size_bytes(), |size, &dim| size.saturating_mul(u64::from(dim)))
            }
        }
    }

    /// The type that elements of this type leave as: numbers little-endian, all their bits in use (a narrow float as the
    /// smallest IEEE one that holds it and is no smaller than its size, as h5py has it), fixed strings filled up with NULs,
    /// enums over such integers, compounds with the offsets of the file's (packed, where a member grows).
    #[must_use]
    pub fn native(&self) -> Self {
        match self {
            Self::Integer { size, signed, .. } => Self::Integer {
                size: *size,
                signed: *signed,
                order: ByteOrder::Little,
                bit_offset: 0,
                precision: u16::try_from(size.saturating_mul(8)).unwrap_or(u16::MAX),
            },
            Self::Float { size, format, .. } => native_float(*size, format).unwrap_or_else(|| self.clone()),
            Self::Bitfield { size, .. } => Self::Bitfield { size: *size, order: ByteOrder::Little },
            Self::VariableSequence(base) => Self::VariableSequence(Box::new(base.native())),
            Self::Enum { base, members } => Self::Enum { base: Box::new(base.native()), members: members.clone() },
            Self::Compound { size, members } => native_compound(*size, members),
            Self::Array { base, dims } => Self::Array { base: Box::new(base.native()), dims: dims.clone() },
            Self::FixedString { size, character_set, .. } => {
                Self::FixedString { size: *size, padding: StringPadding::NullPadded, character_set: *character_set }
            }
            Self::VariableString { .. } | Self::Opaque { .. } | Self::Reference { .. } | Self::Other { .. } => {
                self.clone()
            }
        }
    }
}

/// h5py's choice (`TypeFloatID.py_dtype`): the first float that is no smaller and holds mantissa and exponent; `None` where
/// there is none, as for 16-byte IEEE floats.
fn native_float(size: u32, format: &FloatFormat) -> Option<Datatype> {
    if *format == FloatFormat::X87 {
        return Some(Datatype::Float {
            size: size.max(16),
            order: ByteOrder::Little,
            bit_offset: 0,
            precision: 80,
            format: *format,
        });
    }
    let bias = i64::from(format.exponent_bias);
    let largest_exponent = 1i64.checked_shl(u32::from(format.exponent_size))?.checked_sub(bias)?.checked_sub(1)?;
    let &(size, precision, format, ..) =
        NATIVE_FLOATS.iter().find(|(native_size, _, _, mantissa_size, min, max)| {
            size <= *native_size
                && format.mantissa_size <= *mantissa_size
                && largest_exponent <= *max
                && 1 - bias >= *min
        })?;
    Some(Datatype::Float { size, order: ByteOrder::Little, bit_offset: 0, precision, format })
}

fn native_compound(size: u32, members: &[Member]) -> Datatype {
    let native: Vec<Member> =
        members.iter().map(|m| Member { name: m.name.clone(), offset: m.offset, dtype: m.dtype.native() }).collect();
    if native.iter().zip(members).all(|(n, m)| n.dtype.size_bytes() == m.dtype.size_bytes()) {
        return Datatype::Compound { size, members: native };
    }
    let mut offset = 0u64;
    let members: Vec<Member> = native
        .into_iter()
        .map(|member| {
            let start = offset;
            offset = offset.saturating_add(member.dtype.size_bytes());
            Member { offset: start, ..member }
        })
        .collect();
    Datatype::Compound { size: u32::try_from(offset).unwrap_or(u32::MAX), members }
}
