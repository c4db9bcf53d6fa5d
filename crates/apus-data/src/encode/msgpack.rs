//! Arrays as `MessagePack`: the maps that the Python module `hdfstream` (and, nearly, msgpack-numpy) turns into numpy arrays.
//!
//! Fixed-size elements are sent as binaries inside a map of six members whose order matters: the client first reads everything
//! before `data`, allocates once, and receives the binaries straight into the array.

use apus_h5::{Array, Data, Dataspace, Datatype, Member};
use rmp::encode as mp;

use super::dtype::is_boolean;

/// The most bytes of one binary.
const MAX_BIN_BYTES: u64 = u32::MAX as u64;
/// The client reads the head of a streamed array from the first 1024 bytes of a body; the other members take less than 100.
const MAX_TYPE_BYTES: usize = 900;

/// An element type, in numpy's notation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ElementType {
    /// The value of the key `type`, as `MessagePack`.
    encoded: Vec<u8>,
    /// The extents of one element, which numpy makes further dimensions of the array.
    pub element_shape: Vec<u32>,
    /// Whether elements are of variable length.
    pub variable: bool,
}

impl ElementType {
    /// The type that clients get for elements of `dtype`; `None` if they cannot represent it.
    pub fn of(dtype: &Datatype) -> Option<Self> {
        let fixed = |format: Format, element_shape| {
            let mut encoded = Vec::new();
            format.write(&mut encoded);
            (encoded.len() <= MAX_TYPE_BYTES).then_some(Self { encoded, element_shape, variable: false })
        };
        match dtype {
            Datatype::VariableString { .. } => {
                let mut encoded = Vec::new();
                write_str(&mut encoded, "str");
                Some(Self { encoded, element_shape: Vec::new(), variable: true })
            }
            Datatype::VariableSequence(base) => {
                Some(Self { variable: true, ..Self::of(base)? }).filter(|t| t.element_shape.is_empty())
            }
            Datatype::Array { base, dims } => fixed(Format::of(base)?, dims.clone()),
            _ => fixed(Format::of(dtype)?, Vec::new()),
        }
    }

    /// Writes the keys `type` and `kind` with their values.
    pub fn write_members(&self, out: &mut Vec<u8>) {
        write_str(out, "type");
        out.extend_from_slice(&self.encoded);
        write_str(out, "kind");
        write_str(out, "");
    }
}

/// A numpy dtype, as `numpy.dtype()` accepts it.
enum Format {
    Simple(String),
    Record { names: Vec<String>, formats: Vec<Self>, offsets: Vec<u64>, itemsize: u32 },
}

impl Format {
    fn of(dtype: &Datatype) -> Option<Self> {
        Some(Self::Simple(match dtype {
            Datatype::Integer { size: size @ (1 | 2 | 4 | 8), signed, .. } => {
                format!("<{}{size}", if *signed { 'i' } else { 'u' })
            }
            Datatype::Bitfield { size: size @ (1 | 2 | 4 | 8), .. } => format!("<u{size}"),
            Datatype::Float { size: size @ (2 | 4 | 8 | 16), .. } => format!("<f{size}"),
            Datatype::Enum { .. } if is_boolean(dtype) => "|b1".to_owned(),
            Datatype::Enum { base, .. } => return Self::of(base),
            Datatype::FixedString { size, .. } => format!("S{size}"),
            Datatype::Opaque { size, .. } | Datatype::Reference { size, .. } => format!("V{size}"),
            Datatype::Array { base, dims } => match Self::of(base)? {
                Self::Simple(base) if !base.starts_with('(') => {
                    let dims: String = dims.iter().map(|extent| format!("{extent},")).collect();
                    format!("({dims}){base}")
                }
                _ => return None,
            },
            Datatype::Compound { size, members } if is_complex(*size, members) => format!("<c{size}"),
            Datatype::Compound { size, members } => return Self::record(*size, members),
            _ => return None,
        }))
    }

    fn record(itemsize: u32, members: &[Member]) -> Option<Self> {
        Some(Self::Record {
            names: members.iter().map(|member| member.name.clone()).collect(),
            formats: members.iter().map(|member| Self::of(&member.dtype)).collect::<Option<_>>()?,
            offsets: members.iter().map(|member| member.offset).collect(),
            itemsize,
        })
    }

    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Simple(text) => write_str(out, text),
            Self::Record { names, formats, offsets, itemsize } => {
                write_map(out, 4);
                write_str(out, "names");
                write_list(out, names, |out, name| write_str(out, name));
                write_str(out, "formats");
                write_list(out, formats, |out, format| format.write(out));
                write_str(out, "offsets");
                write_list(out, offsets, |out, &offset| write_uint(out, offset));
                write_str(out, "itemsize");
                write_uint(out, (*itemsize).into());
            }
        }
    }
}

/// h5py stores complex numbers as records of two floats of these names.
fn is_complex(size: u32, members: &[Member]) -> bool {
    let is_half = |member: &Member, name: &str, offset| {
        member.name == name
            && member.offset == offset
            && matches!(member.dtype, Datatype::Float { size: half @ (4 | 8), .. } if half.checked_mul(2) == Some(size))
    };
    matches!(members, [r, i] if is_half(r, "r", 0) && is_half(i, "i", u64::from(size / 2)))
}

/// The bytes before the elements of a streamed array, and the division of the elements into binaries.
#[derive(Debug)]
pub struct ArrayHead {
    /// The bytes up to and including the head of the array of binaries.
    pub bytes: Vec<u8>,
    size_bytes: u64,
}

impl ArrayHead {
    /// The head of an array of `shape` (without the element's own) that takes `size_bytes`.
    pub fn new(element: &ElementType, shape: &[u64], size_bytes: u64) -> Self {
        let mut bytes = Vec::with_capacity(128);
        write_map(&mut bytes, 6);
        write_str(&mut bytes, "nd");
        bytes.push(0xc3);
        element.write_members(&mut bytes);
        write_str(&mut bytes, "shape");
        write_shape(&mut bytes, shape, &element.element_shape);
        write_str(&mut bytes, "nbytes");
        write_uint(&mut bytes, size_bytes);
        write_str(&mut bytes, "data");
        write_array_len(&mut bytes, size_bytes.div_ceil(MAX_BIN_BYTES));
        Self { bytes, size_bytes }
    }

    /// The length of the whole document.
    pub fn total_bytes(&self) -> u64 {
        let heads: u64 = Bins::new(self.size_bytes).map(|(head, _)| head.len() as u64).sum();
        self.bytes.len() as u64 + heads + self.size_bytes
    }

    /// The binaries that follow.
    pub fn bins(&self) -> Bins {
        Bins::new(self.size_bytes)
    }
}

/// The heads of the binaries of an array, each with the number of bytes that follow it.
#[derive(Debug)]
pub struct Bins {
    left_bytes: u64,
}

impl Bins {
    fn new(size_bytes: u64) -> Self {
        Self { left_bytes: size_bytes }
    }
}

impl Iterator for Bins {
    type Item = (Vec<u8>, u64);

    fn next(&mut self) -> Option<Self::Item> {
        let n_bytes = self.left_bytes.min(MAX_BIN_BYTES);
        self.left_bytes -= n_bytes;
        let mut head = Vec::with_capacity(5);
        infallible(mp::write_bin_len(&mut head, u32::try_from(n_bytes).ok().filter(|&n| n > 0)?));
        Some((head, n_bytes))
    }
}

/// The shape that clients get for a dataspace; a null dataspace becomes an empty array.
pub fn shape_of(space: &Dataspace) -> &[u64] {
    if *space == Dataspace::Null { &[0] } else { space.shape() }
}

/// Writes a whole array.
///
/// Errors: `None` if clients cannot represent the type, or a string is not UTF-8; `out` is then of no use.
pub fn write_array(out: &mut Vec<u8>, array: &Array) -> Option<()> {
    let element = ElementType::of(&array.dtype)?;
    let shape = shape_of(&array.space);
    match &array.data {
        Data::Fixed(bytes) => {
            let head = ArrayHead::new(&element, shape, bytes.len() as u64);
            out.extend_from_slice(&head.bytes);
            let mut rest = bytes.as_slice();
            for (head, n_bytes) in head.bins() {
                let (bin, after) = rest.split_at_checked(usize::try_from(n_bytes).ok()?)?;
                out.extend_from_slice(&head);
                out.extend_from_slice(bin);
                rest = after;
            }
        }
        Data::Variable(elements) => {
            write_map(out, 3);
            write_str(out, "vlen");
            out.push(0xc3);
            write_str(out, "shape");
            write_shape(out, shape, &[]);
            write_str(out, "data");
            write_array_len(out, elements.len() as u64);
            for bytes in elements {
                write_variable(out, &array.dtype, bytes)?;
            }
        }
    }
    Some(())
}

fn write_variable(out: &mut Vec<u8>, dtype: &Datatype, bytes: &[u8]) -> Option<()> {
    let Datatype::VariableSequence(base) = dtype else {
        write_str(out, str::from_utf8(bytes).ok()?);
        return Some(());
    };
    let n_elements = (bytes.len() as u64).checked_div(base.size_bytes())?;
    let space = Dataspace::Simple { dims: vec![n_elements], max_dims: vec![Some(n_elements)] };
    write_array(out, &Array { dtype: (**base).clone(), space, data: Data::Fixed(bytes.to_vec()) })
}

/// Writes the extents of an array, followed by those of its elements.
pub fn write_shape(out: &mut Vec<u8>, shape: &[u64], element_shape: &[u32]) {
    write_array_len(out, (shape.len() + element_shape.len()) as u64);
    shape.iter().for_each(|&extent| write_uint(out, extent));
    element_shape.iter().for_each(|&extent| write_uint(out, extent.into()));
}

fn write_list<T>(out: &mut Vec<u8>, items: &[T], write: impl Fn(&mut Vec<u8>, &T)) {
    write_array_len(out, items.len() as u64);
    items.iter().for_each(|item| write(out, item));
}

/// Writes a string.
pub fn write_str(out: &mut Vec<u8>, text: &str) {
    infallible(mp::write_str(out, text));
}

/// Writes an unsigned integer in the fewest bytes.
pub fn write_uint(out: &mut Vec<u8>, value: u64) {
    infallible(mp::write_uint(out, value).map(|_| ()));
}

/// Writes a nil.
pub fn write_nil(out: &mut Vec<u8>) {
    infallible(mp::write_nil(out));
}

/// Writes the head of a map of `n_members`, at most 2^32 - 1.
pub fn write_map(out: &mut Vec<u8>, n_members: usize) {
    infallible(mp::write_map_len(out, u32::try_from(n_members).unwrap_or(u32::MAX)).map(|_| ()));
}

fn write_array_len(out: &mut Vec<u8>, n_items: u64) {
    infallible(mp::write_array_len(out, u32::try_from(n_items).unwrap_or(u32::MAX)).map(|_| ()));
}

/// Writing to memory cannot fail.
fn infallible<E>(result: Result<impl Sized, E>) {
    debug_assert!(result.is_ok());
    drop(result);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn f64_type() -> Datatype {
        Datatype::Float {
            size: 8,
            order: apus_h5::ByteOrder::Little,
            bit_offset: 0,
            precision: 64,
            format: apus_h5::FloatFormat::F64,
        }
    }

    /// The head of a recorded answer of the original server: rows 500:501 of a dataset of (N, 3) doubles.
    #[test]
    fn the_head_of_an_array_is_the_originals_to_the_byte() {
        let head = ArrayHead::new(&ElementType::of(&f64_type()).unwrap(), &[1, 3], 24);
        let recorded = b"\x86\xa2nd\xc3\xa4type\xa3<f8\xa4kind\xa0\xa5shape\x92\x01\x03\xa6nbytes\x18\xa4data\x91";
        assert_eq!(head.bytes, recorded);
        assert_eq!(head.bins().collect::<Vec<_>>(), [(vec![0xc4, 0x18], 24)]);
        assert_eq!(head.total_bytes(), 69);
    }

    #[test]
    fn long_arrays_are_cut_into_several_binaries_and_empty_ones_have_none() {
        let element = ElementType::of(&f64_type()).unwrap();
        let long = ArrayHead::new(&element, &[1 << 30], 8 << 30);
        let bins: Vec<_> = long.bins().map(|(head, n_bytes)| (head[0], n_bytes)).collect();
        assert_eq!(bins, [(0xc6, u32::MAX.into()), (0xc6, u32::MAX.into()), (0xc4, 2)]);
        assert_eq!(ArrayHead::new(&element, &[0, 3], 0).bins().count(), 0);
    }
}
