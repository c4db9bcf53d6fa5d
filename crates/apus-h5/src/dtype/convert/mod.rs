//! From stored to native elements: byte order, bits that do not count, narrow floats, what stands behind the end of strings.
//!
//! A [`Converter`] is built once per dataset from the stored and the native type; what it cannot convert to the bit as libhdf5
//! does, it refuses then, by name. Where nothing has to be done ([`is_identity`](Converter::is_identity)), nothing is: callers
//! leave it out. Where every element and member keeps its size and place ([`is_in_place`](Converter::is_in_place)), bytes are
//! converted where they lie.

mod float;
mod integer;
mod string;
mod words;

use self::{float::Float, integer::Integer, string::StringEnd, words::Words};
use super::{ByteOrder, Datatype};
use crate::filter::FilterError;

/// Turns stored elements into native ones. Shared by all threads.
#[derive(Clone, Debug, PartialEq)]
pub struct Converter {
    stored_size: usize,
    native_size: usize,
    step: Step,
}

/// What happens to an element, to a member or to an item of an array.
#[derive(Clone, Debug, PartialEq)]
enum Step {
    /// The bytes stay as they are.
    Keep,
    /// The bytes are reversed.
    Reverse,
    /// What stands behind the end of a string becomes zeros.
    String(StringEnd),
    /// Bits are picked out, a sign extended.
    Integer(Integer),
    /// Sign, exponent and mantissa are moved.
    Float(Float),
    /// The members one by one.
    Compound(Vec<Member>),
    /// Items one after the other.
    Array(Box<Converter>),
}

#[derive(Clone, Debug, PartialEq)]
struct Member {
    stored_offset: usize,
    native_offset: usize,
    converter: Converter,
}

impl Converter {
    /// Checks that `stored` elements can be turned into `native` ones, of a type that [`Datatype::native`] yields.
    ///
    /// Errors: [`FilterError::Unsupported`] names the type or the pair of types; [`FilterError::Damaged`] a type whose parts do
    /// not fit its size.
    pub fn new(stored: &Datatype, native: &Datatype) -> Result<Self, FilterError> {
        let (stored_size, native_size) = (size_of(stored)?, size_of(native)?);
        let step = match (stored, native) {
            (
                &Datatype::Integer { order, bit_offset, precision, signed, .. },
                &Datatype::Integer { signed: native_signed, .. },
            ) if signed == native_signed => {
                Integer::new(stored_size, native_size, order, bit_offset, precision, signed)?.step()
            }
            // Such as `longdouble`: no member of the pairs below, yet nothing has to be done.
            (Datatype::Float { .. }, Datatype::Float { .. }) if stored == native => Step::Keep,
            (&Datatype::Float { order, format, .. }, &Datatype::Float { format: native_format, .. }) => {
                Float::new(stored_size, native_size, order, &format, &native_format)?.step()
            }
            (
                &Datatype::Bitfield { order, .. },
                Datatype::Bitfield { .. } | Datatype::Integer { signed: false, .. },
            ) if stored_size == native_size => match order {
                ByteOrder::Little => Step::Keep,
                ByteOrder::Big => Step::Reverse,
                ByteOrder::Vax => return Err(vax()),
            },
            (&Datatype::FixedString { padding, .. }, Datatype::FixedString { .. }) if stored_size == native_size => {
                StringEnd::new(padding).map_or(Step::Keep, Step::String)
            }
            (Datatype::Opaque { .. }, Datatype::Opaque { .. })
            | (Datatype::Reference { .. }, Datatype::Reference { .. } | Datatype::Opaque { .. })
                if stored_size == native_size =>
            {
                Step::Keep
            }
            (Datatype::Enum { base, .. }, Datatype::Enum { base: native_base, .. }) => {
                Self::new(base, native_base)?.step
            }
            (Datatype::Enum { base, .. }, Datatype::Integer { .. }) => Self::new(base, native)?.step,
            (Datatype::Array { base, dims }, Datatype::Array { base: native_base, dims: native_dims })
                if dims == native_dims =>
            {
                let item = Self::new(base, native_base)?;
                if item.is_identity() { Step::Keep } else { Step::Array(Box::new(item)) }
            }
            (Datatype::Compound { members, .. }, Datatype::Compound { members: native_members, .. }) => {
                let members = Self::members(stored_size, native_size, members, native_members)?;
                let keeps = |m: &Member| m.converter.is_identity() && m.stored_offset == m.native_offset;
                if stored_size == native_size && members.iter().all(keeps) {
                    Step::Keep
                } else {
                    Step::Compound(members)
                }
            }
            (Datatype::Other { class, .. }, _) => {
                return Err(FilterError::Unsupported(format!("datatype class {class}")));
            }
            (Datatype::VariableString { .. } | Datatype::VariableSequence(_), _) => {
                return Err(FilterError::Unsupported("a variable-length type among fixed-size elements".to_owned()));
            }
            _ => return Err(FilterError::Unsupported(format!("a conversion of {stored:?} to {native:?}"))),
        };
        Ok(Self { stored_size, native_size, step })
    }

    /// Pairs the members by name, as libhdf5 does.
    fn members(
        stored_size: usize,
        native_size: usize,
        stored: &[super::Member],
        native: &[super::Member],
    ) -> Result<Vec<Member>, FilterError> {
        native
            .iter()
            .map(|to| {
                let Some(from) = stored.iter().find(|from| from.name == to.name) else {
                    return Err(FilterError::Unsupported(format!("a compound type without the member {:?}", to.name)));
                };
                let converter = Self::new(&from.dtype, &to.dtype)?;
                let place = |offset: u64, size: usize, whole: usize| {
                    let offset = usize::try_from(offset).ok()?;
                    (offset.checked_add(size)? <= whole).then_some(offset)
                };
                let stored_offset = place(from.offset, converter.stored_size, stored_size);
                let native_offset = place(to.offset, converter.native_size, native_size);
                match (stored_offset, native_offset) {
                    (Some(stored_offset), Some(native_offset)) => {
                        Ok(Member { stored_offset, native_offset, converter })
                    }
                    _ => {
                        Err(FilterError::Damaged(format!("the member {:?} reaches beyond its compound type", to.name)))
                    }
                }
            })
            .collect()
    }

    /// Whether stored elements are native as they are.
    pub fn is_identity(&self) -> bool {
        self.step == Step::Keep
    }

    /// Whether [`convert_in_place`](Self::convert_in_place) may be called.
    pub fn is_in_place(&self) -> bool {
        let same_size = self.stored_size == self.native_size;
        same_size
            && match &self.step {
                Step::Compound(members) => {
                    members.iter().all(|m| m.stored_offset == m.native_offset && m.converter.is_in_place())
                }
                Step::Array(item) => item.is_in_place(),
                _ => true,
            }
    }

    /// The bytes of a stored element.
    pub fn stored_size(&self) -> usize {
        self.stored_size
    }

    /// The bytes of a native element.
    pub fn native_size(&self) -> usize {
        self.native_size
    }

    /// Converts as many elements as both slices hold. Bytes between the members of a native compound become zero.
    pub fn convert(&self, stored: &[u8], native: &mut [u8]) {
        match &self.step {
            Step::Keep => {
                let n = (stored.len() / self.stored_size).min(native.len() / self.native_size) * self.stored_size;
                native[..n].copy_from_slice(&stored[..n]);
            }
            Step::Reverse => words::reverse(self.stored_size, Words::Apart(stored, native)),
            Step::String(end) => end.convert(self.stored_size, Words::Apart(stored, native)),
            Step::Integer(step) => step.convert(Words::Apart(stored, native)),
            Step::Float(step) => step.convert(Words::Apart(stored, native)),
            Step::Array(item) => item.convert(stored, native),
            Step::Compound(members) => {
                let elements = stored.chunks_exact(self.stored_size).zip(native.chunks_exact_mut(self.native_size));
                for (stored, native) in elements {
                    native.fill(0);
                    for Member { stored_offset, native_offset, converter } in members {
                        converter.convert(
                            &stored[*stored_offset..][..converter.stored_size],
                            &mut native[*native_offset..][..converter.native_size],
                        );
                    }
                }
            }
        }
    }

    /// Converts whole elements where they lie. Only where [`is_in_place`](Self::is_in_place); otherwise it does nothing.
    pub fn convert_in_place(&self, bytes: &mut [u8]) {
        debug_assert!(self.is_in_place(), "asked to convert in place what changes its size");
        match &self.step {
            Step::Keep => {}
            _ if !self.is_in_place() => {}
            Step::Reverse => words::reverse(self.stored_size, Words::InPlace(bytes)),
            Step::String(end) => end.convert(self.stored_size, Words::InPlace(bytes)),
            Step::Integer(step) => step.convert(Words::InPlace(bytes)),
            Step::Float(step) => step.convert(Words::InPlace(bytes)),
            Step::Array(item) => item.convert_in_place(bytes),
            Step::Compound(members) => {
                for element in bytes.chunks_exact_mut(self.stored_size) {
                    for Member { stored_offset, converter, .. } in members {
                        converter.convert_in_place(&mut element[*stored_offset..][..converter.stored_size]);
                    }
                }
            }
        }
    }
}

/// The bytes of an element: at least one, at most what an address space holds.
fn size_of(dtype: &Datatype) -> Result<usize, FilterError> {
    match usize::try_from(dtype.size_bytes()) {
        Ok(size) if size > 0 => Ok(size),
        _ => Err(FilterError::Damaged(format!("a datatype of {} bytes", dtype.size_bytes()))),
    }
}

fn vax() -> FilterError {
    FilterError::Unsupported("VAX byte order".to_owned())
}
