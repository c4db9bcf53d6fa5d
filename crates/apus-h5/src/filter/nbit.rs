//! Nbit: only the bits that count, packed; the others come back as zeros.
//!
//! The parameters describe the stored type: `[count, no_op, n_elements, type...]`, where a type is `[1, size, order, precision,
//! offset]` (an integer or a float), `[2, size, item type...]` (an array), `[3, size, n_members, (offset, member type...)...]` (a
//! compound) or `[4, size]` (anything else, stored whole).

use super::{
    FilterError,
    bits::{BitReader, high, low, packed_len, unpack},
};

/// The registered number.
pub(super) const ID: u16 = 5;

/// How deep arrays and compounds may lie in each other: beyond any real type, and small enough for the stack.
const MAX_DEPTH: usize = 64;

/// Nbit, with the type of the elements.
#[derive(Debug)]
pub(super) struct Nbit {
    n_elements: usize,
    element: Element,
}

#[derive(Debug)]
struct Element {
    size: usize,
    /// The bits that it takes when it is packed.
    width: usize,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    /// The bits from `offset` on.
    Atomic {
        order: Order,
        precision: u32,
        offset: u32,
    },
    /// All bytes.
    Whole,
    Array(Box<Element>),
    /// Members with their offsets in bytes.
    Compound(Vec<(usize, Element)>),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Order {
    Little,
    Big,
}

impl Nbit {
    /// `None` where the writer found that all bits count, and so packs nothing.
    pub(super) fn new(parameters: &[u32]) -> Result<Option<Self>, FilterError> {
        let damaged = |what: &str| FilterError::Damaged(format!("nbit: {what} in the parameters {parameters:?}"));
        let mut words = parameters.iter().map(|word| usize::try_from(*word).unwrap_or(usize::MAX));
        if words.next() != Some(parameters.len()) {
            return Err(damaged("a wrong count"));
        }
        match (words.next(), words.next()) {
            (Some(0), Some(n_elements)) => {
                let element = Element::new(&mut words, MAX_DEPTH).ok_or_else(|| damaged("no valid type"))?;
                Ok(Some(Self { n_elements, element }))
            }
            (Some(_), _) => Ok(None),
            (None, _) => Err(damaged("no type")),
        }
    }

    /// Packing never takes more bits; libhdf5 adds a byte.
    #[expect(clippy::unused_self, reason = "all filters have the same shape")]
    pub(super) fn max_encoded_len(&self, len: usize) -> usize {
        len.saturating_add(1)
    }

    pub(super) fn max_decoded_len(&self, _len: usize) -> usize {
        self.n_elements.saturating_mul(self.element.size)
    }

    pub(super) fn decode(&self, input: &[u8], output: &mut [u8]) -> Result<usize, FilterError> {
        let Self { n_elements, element } = self;
        let output_len = output.len();
        let output = n_elements.checked_mul(element.size).and_then(|len| output.get_mut(..len)).ok_or_else(|| {
            FilterError::Damaged(format!(
                "nbit: {n_elements} elements of {} bytes, more than the {output_len} bytes that the chunk can need",
                element.size
            ))
        })?;
        if packed_len(*n_elements, element.width).is_none_or(|needed| needed > input.len()) {
            return Err(FilterError::Damaged(format!(
                "nbit: {} bytes cannot hold {n_elements} elements of {} bits",
                input.len(),
                element.width
            )));
        }
        let Some((order, precision, offset)) = element.plain() else {
            output.fill(0);
            let mut reader = BitReader::new(input);
            output.chunks_exact_mut(element.size).for_each(|out| element.read(&mut reader, out));
            return Ok(output.len());
        };
        match (element.size, order) {
            (1, _) => unpack(input, precision, output, |bits| low::<1>(bits << offset)),
            (2, Order::Little) => unpack(input, precision, output, |bits| low::<2>(bits << offset)),
            (2, Order::Big) => unpack(input, precision, output, |bits| high::<2>(bits << offset)),
            (4, Order::Little) => unpack(input, precision, output, |bits| low::<4>(bits << offset)),
            (4, Order::Big) => unpack(input, precision, output, |bits| high::<4>(bits << offset)),
            (_, Order::Little) => unpack(input, precision, output, |bits| (bits << offset).to_le_bytes()),
            (_, Order::Big) => unpack(input, precision, output, |bits| (bits << offset).to_be_bytes()),
        }
        Ok(output.len())
    }
}

impl Element {
    fn new(words: &mut impl Iterator<Item = usize>, depth: usize) -> Option<Self> {
        let depth = depth.checked_sub(1)?;
        let class = words.next()?;
        let size = words.next().filter(|size| *size > 0)?;
        let whole = |size: usize| Some(Self { size, width: size.checked_mul(8)?, kind: Kind::Whole });
        match class {
            1 => {
                let order = match words.next()? {
                    0 => Order::Little,
                    1 => Order::Big,
                    _ => return None,
                };
                let precision = words.next().filter(|precision| *precision > 0)?;
                let offset = words.next()?;
                if precision.checked_add(offset)? > size.checked_mul(8)? {
                    return None;
                }
                let kind =
                    Kind::Atomic { order, precision: precision.try_into().ok()?, offset: offset.try_into().ok()? };
                Some(Self { size, width: precision, kind })
            }
            2 => {
                let item = Self::new(words, depth)?;
                if matches!(item.kind, Kind::Whole) {
                    return whole(size);
                }
                let width = (size / item.size).checked_mul(item.width)?;
                Some(Self { size, width, kind: Kind::Array(Box::new(item)) })
            }
            3 => {
                let n_members = words.next()?;
                let mut members = Vec::new();
                let (mut width, mut used) = (0usize, 0usize);
                for _ in 0..n_members {
                    let offset = words.next()?;
                    let member = Self::new(words, depth)?;
                    width = width.checked_add(member.width)?;
                    used = used.checked_add(member.size)?;
                    if used > size || offset.checked_add(member.size)? > size {
                        return None;
                    }
                    members.push((offset, member));
                }
                Some(Self { size, width, kind: Kind::Compound(members) })
            }
            4 => whole(size),
            _ => None,
        }
    }

    /// The order, precision and offset of an element that is a number of a size that machines have.
    fn plain(&self) -> Option<(Order, u32, u32)> {
        match self.kind {
            Kind::Atomic { order, precision, offset } if matches!(self.size, 1 | 2 | 4 | 8) => {
                Some((order, precision, offset))
            }
            _ => None,
        }
    }

    /// Reads one element into bytes that are zero.
    fn read(&self, reader: &mut BitReader, out: &mut [u8]) {
        match &self.kind {
            Kind::Whole => {
                let (words, bytes) = out.as_chunks_mut::<8>();
                for word in words {
                    *word = reader.take(64).to_be_bytes();
                }
                for byte in bytes {
                    [*byte] = low(reader.take(8));
                }
            }
            Kind::Array(item) => out.chunks_exact_mut(item.size).for_each(|out| item.read(reader, out)),
            Kind::Compound(members) => {
                for (offset, member) in members {
                    member.read(reader, &mut out[*offset..][..member.size]);
                }
            }
            &Kind::Atomic { order, precision, offset } if out.len() <= 8 => {
                let bits = reader.take(precision) << offset;
                match order {
                    Order::Little => out.copy_from_slice(&bits.to_le_bytes()[..out.len()]),
                    Order::Big => out.copy_from_slice(&bits.to_be_bytes()[8 - out.len()..]),
                }
            }
            Kind::Atomic { order, precision, offset } => {
                // Byte by byte, from the one with the highest bit that counts.
                let (mut left, size) = (*precision, self.size);
                while left > 0 {
                    let last = offset + left - 1;
                    let from = (last / 8 * 8).max(*offset);
                    let bits = reader.take(last + 1 - from) << (from % 8);
                    let at = (last / 8) as usize;
                    out[if *order == Order::Little { at } else { size - 1 - at }] = low::<1>(bits)[0];
                    left = from - offset;
                }
            }
        }
    }
}
