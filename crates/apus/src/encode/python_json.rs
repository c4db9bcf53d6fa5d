//! Arrays as Python's `json` module writes `ndarray.tolist()`: nested lists, numbers in Python's form, no white space.
//!
//! Floats leave as `repr` of the value widened to 64 bits (the shortest text that reads back to the same number), NaN and the
//! infinities as the tokens `NaN`, `Infinity` and `-Infinity` that Python's `json` reads. An [`ArrayWriter`] takes the elements
//! piece by piece and never holds more than a piece.

use apus_h5::Datatype;

use super::{
    dtype::is_boolean,
    numpy_type::{as_f64, as_i128, half},
};

/// Writes one array, element by element, as nested lists.
pub struct ArrayWriter {
    element: Element,
    element_bytes: usize,
    /// The extent of each axis, the innermost first.
    axes: Vec<u64>,
    /// What is still to come in the list of each axis that is open.
    left: Vec<u64>,
    /// The lists that begin before the next element.
    n_beginning: usize,
    n_elements: u64,
    n_written: u64,
    floats: zmij::Buffer,
    integers: itoa::Buffer,
}

/// Why an array has no JSON form.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JsonError {
    /// The type has no JSON form.
    #[error("a value of type {0} has no JSON form")]
    Type(String),
    /// The array holds no element but more lists than anybody could want.
    #[error("an array of shape {shape:?} holds nothing in {n_lists} lists")]
    Lists {
        /// Its shape.
        shape: Vec<u64>,
        /// How many lists would be written.
        n_lists: u64,
    },
    /// The pieces do not add up to the array.
    #[error("an array of {expected} elements was given {found}")]
    Length {
        /// The elements that its shape has.
        expected: u64,
        /// The elements that were given.
        found: u64,
    },
}

/// How an element is written.
#[derive(Clone, Debug)]
enum Element {
    Bool,
    I8,
    I16,
    I32,
    I64,
    U8,
    U16,
    U32,
    U64,
    F16,
    F32,
    F64,
    /// Bytes without the NULs at their end, as text.
    Text,
    /// A record: a list of its members, each at its offset.
    Record(Vec<(usize, usize, Element)>),
    /// A small array: nested lists of so many elements on each axis.
    Array(Vec<usize>, usize, Box<Element>),
}

/// The most lists of an array without elements.
const MAX_EMPTY_LISTS: u64 = 1_000_000;

impl ArrayWriter {
    /// For an array of native elements.
    ///
    /// Errors: [`JsonError::Type`], [`JsonError::Lists`].
    pub fn new(dtype: &Datatype, shape: &[u64]) -> Result<Self, JsonError> {
        let unknown = || JsonError::Type(format!("{dtype:?}"));
        let element = Element::of(dtype).ok_or_else(unknown)?;
        let element_bytes = usize::try_from(dtype.size_bytes()).map_err(|_| unknown())?;
        Self::with_element(element, element_bytes, shape)
    }

    /// For an array of texts, which [`push_text`](Self::push_text) takes.
    ///
    /// Errors: [`JsonError::Lists`].
    pub fn of_texts(shape: &[u64]) -> Result<Self, JsonError> {
        Self::with_element(Element::Text, 1, shape)
    }

    fn with_element(element: Element, element_bytes: usize, shape: &[u64]) -> Result<Self, JsonError> {
        let n_lists = shape.iter().take_while(|&&n| n > 0).try_fold(1u64, |n, &m| n.checked_mul(m)).unwrap_or(u64::MAX);
        if shape.contains(&0) && n_lists > MAX_EMPTY_LISTS {
            return Err(JsonError::Lists { shape: shape.to_vec(), n_lists });
        }
        let axes: Vec<u64> = shape.iter().rev().copied().collect();
        Ok(Self {
            element,
            element_bytes,
            left: axes.clone(),
            n_beginning: axes.len(),
            n_elements: axes.iter().fold(1, |n, &m| n.saturating_mul(m)),
            n_written: 0,
            axes,
            floats: zmij::Buffer::new(),
            integers: itoa::Buffer::new(),
        })
    }

    /// The bytes of one element, as it is given.
    pub fn element_bytes(&self) -> usize {
        self.element_bytes
    }

    /// Writes what stands before the first element: for an array without elements, all of it.
    pub fn begin(&self, shape: &[u64], out: &mut Vec<u8>) {
        if shape.contains(&0) {
            empty_lists(shape, out);
        }
    }

    /// Writes whole elements, which follow those of the piece before.
    pub fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        let mut rest = bytes;
        while rest.len() >= self.element_bytes && self.element_bytes > 0 {
            self.open(out);
            // To the end of the innermost list without looking at the others.
            let n_row = self.left.first().map_or(1, |&n| usize::try_from(n).unwrap_or(usize::MAX)).max(1);
            let n = n_row.min(rest.len() / self.element_bytes);
            let (row, after) = rest.split_at(n * self.element_bytes);
            rest = after;
            self.elements(row, out);
            self.close(n, out);
        }
    }

    /// Writes one text, which follows the one before.
    pub fn push_text(&mut self, text: &[u8], out: &mut Vec<u8>) {
        self.open(out);
        write_text(&String::from_utf8_lossy(text), out);
        self.close(1, out);
    }

    /// Ends the array.
    ///
    /// Errors: [`JsonError::Length`] where elements are missing or there were too many.
    pub fn finish(&self) -> Result<(), JsonError> {
        let (expected, found) = (self.n_elements, self.n_written);
        if found == expected { Ok(()) } else { Err(JsonError::Length { expected, found }) }
    }

    /// A comma where something stands before, and a bracket for each list that begins here.
    fn open(&mut self, out: &mut Vec<u8>) {
        if self.n_written > 0 {
            out.push(b',');
        }
        out.extend(std::iter::repeat_n(b'[', self.n_beginning));
        self.n_beginning = 0;
    }

    /// Counts `n` elements of the innermost list; a bracket for each list that ends with them.
    fn close(&mut self, n: usize, out: &mut Vec<u8>) {
        let n = u64::try_from(n).unwrap_or(u64::MAX);
        self.n_written = self.n_written.saturating_add(n);
        let mut n_done = n;
        for (left, &axis) in self.left.iter_mut().zip(&self.axes) {
            *left = left.saturating_sub(n_done);
            if *left > 0 {
                break;
            }
            *left = axis;
            n_done = 1;
            self.n_beginning += 1;
            out.push(b']');
        }
    }

    /// The elements of (a part of) one innermost list.
    fn elements(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        let Self { element, element_bytes, floats, integers, .. } = self;
        // One loop for each type, so that the type is not looked at for each element.
        macro_rules! each {
            ($type:ty, $write:expr) => {
                for (i, bytes) in bytes.as_chunks::<{ size_of::<$type>() }>().0.iter().enumerate() {
                    if i > 0 {
                        out.push(b',');
                    }
                    $write(<$type>::from_le_bytes(*bytes));
                }
            };
        }
        macro_rules! integers {
            ($type:ty) => {
                each!($type, |x: $type| out.extend_from_slice(integers.format(x).as_bytes()))
            };
        }
        match element {
            Element::I8 => integers!(i8),
            Element::I16 => integers!(i16),
            Element::I32 => integers!(i32),
            Element::I64 => integers!(i64),
            Element::U8 => integers!(u8),
            Element::U16 => integers!(u16),
            Element::U32 => integers!(u32),
            Element::U64 => integers!(u64),
            Element::F16 => each!(u16, |bits| write_float(half(bits), floats, out)),
            Element::F32 => each!(f32, |x: f32| write_float(x.into(), floats, out)),
            Element::F64 => each!(f64, |x| write_float(x, floats, out)),
            other => {
                for (i, bytes) in bytes.chunks_exact(*element_bytes).enumerate() {
                    if i > 0 {
                        out.push(b',');
                    }
                    other.write(bytes, floats, integers, out);
                }
            }
        }
    }
}

impl Element {
    fn of(dtype: &Datatype) -> Option<Self> {
        Some(match dtype {
            _ if is_boolean(dtype) => Self::Bool,
            Datatype::Enum { base, .. } => Self::of(base)?,
            Datatype::Bitfield { size, .. } => Self::integer(*size, false)?,
            Datatype::Integer { size, signed, .. } => Self::integer(*size, *signed)?,
            Datatype::Float { size, .. } => match size {
                2 => Self::F16,
                4 => Self::F32,
                8 => Self::F64,
                _ => return None,
            },
            Datatype::FixedString { .. } => Self::Text,
            Datatype::Compound { members, .. } => Self::Record(
                members
                    .iter()
                    .map(|m| {
                        let size = usize::try_from(m.dtype.size_bytes()).ok()?;
                        Some((usize::try_from(m.offset).ok()?, size, Self::of(&m.dtype)?))
                    })
                    .collect::<Option<_>>()?,
            ),
            Datatype::Array { base, dims } => {
                let dims = dims.iter().map(|&n| usize::try_from(n).ok()).collect::<Option<_>>()?;
                Self::Array(dims, usize::try_from(base.size_bytes()).ok()?, Box::new(Self::of(base)?))
            }
            _ => return None,
        })
    }

    fn integer(size: u32, signed: bool) -> Option<Self> {
        Some(match (size, signed) {
            (1, true) => Self::I8,
            (2, true) => Self::I16,
            (4, true) => Self::I32,
            (8, true) => Self::I64,
            (1, false) => Self::U8,
            (2, false) => Self::U16,
            (4, false) => Self::U32,
            (8, false) => Self::U64,
            _ => return None,
        })
    }

    /// One element, of any kind.
    fn write(&self, bytes: &[u8], floats: &mut zmij::Buffer, integers: &mut itoa::Buffer, out: &mut Vec<u8>) {
        let mut unsigned = [0; 8];
        let n = bytes.len().min(8);
        unsigned[..n].copy_from_slice(&bytes[..n]);
        let bits = u64::from_le_bytes(unsigned);
        let shift = 64 - 8 * u32::try_from(n.max(1)).unwrap_or(8);
        match self {
            Self::Bool => out.extend_from_slice(if bits == 0 { b"false" } else { b"true" }),
            Self::I8 | Self::I16 | Self::I32 | Self::I64 => {
                let signed = (bits << shift).cast_signed() >> shift;
                out.extend_from_slice(integers.format(signed).as_bytes());
            }
            Self::U8 | Self::U16 | Self::U32 | Self::U64 => out.extend_from_slice(integers.format(bits).as_bytes()),
            Self::F16 => write_float(half(u16::from_le_bytes([unsigned[0], unsigned[1]])), floats, out),
            Self::F32 => {
                let [a, b, c, d, ..] = unsigned;
                write_float(f32::from_le_bytes([a, b, c, d]).into(), floats, out);
            }
            Self::F64 => write_float(f64::from_bits(bits), floats, out),
            Self::Text => {
                let end = bytes.iter().rposition(|&b| b != 0).map_or(0, |i| i + 1);
                write_text(&String::from_utf8_lossy(&bytes[..end]), out);
            }
            Self::Record(members) => {
                out.push(b'[');
                for (i, (offset, size, member)) in members.iter().enumerate() {
                    if i > 0 {
                        out.push(b',');
                    }
                    member.write(
                        bytes.get(*offset..).and_then(|b| b.get(..*size)).unwrap_or_default(),
                        floats,
                        integers,
                        out,
                    );
                }
                out.push(b']');
            }
            Self::Array(dims, size, base) => {
                let Some((&n, inner)) = dims.split_first() else { return base.write(bytes, floats, integers, out) };
                let step = inner.iter().product::<usize>() * size;
                out.push(b'[');
                for i in 0..n {
                    if i > 0 {
                        out.push(b',');
                    }
                    let part = bytes.get(i * step..).and_then(|b| b.get(..step)).unwrap_or_default();
                    Self::Array(inner.to_vec(), *size, base.clone()).write(part, floats, integers, out);
                }
                out.push(b']');
            }
        }
    }
}

/// Python's `repr` of a float, with the tokens of its `json` module for what is no number.
fn write_float(x: f64, buffer: &mut zmij::Buffer, out: &mut Vec<u8>) {
    if !x.is_finite() {
        out.extend_from_slice(match x {
            _ if x.is_nan() => b"NaN".as_slice(),
            _ if x > 0.0 => b"Infinity",
            _ => b"-Infinity",
        });
        return;
    }
    let text = buffer.format_finite(x).as_bytes();
    let size = x.abs();
    // Here the library writes what Python writes: digits with a point and no exponent.
    if (1e-4..1e16).contains(&size) || size == 0.0 {
        out.extend_from_slice(text);
        return;
    }
    let (sign, text) = match text.strip_prefix(b"-") {
        Some(rest) => (b"-".as_slice(), rest),
        None => (b"".as_slice(), text),
    };
    out.extend_from_slice(sign);
    if let Some(digits) = text.strip_prefix(b"0.0000") {
        // 0.000012 here is 1.2e-05 there.
        let (first, rest) = digits.split_at(digits.len().min(1));
        out.extend_from_slice(first);
        if !rest.is_empty() {
            out.push(b'.');
            out.extend_from_slice(rest);
        }
        out.extend_from_slice(b"e-05");
        return;
    }
    match text {
        // An exponent has two digits at least.
        [mantissa @ .., b'e', sign, digit] => {
            out.extend_from_slice(mantissa);
            out.extend_from_slice(&[b'e', *sign, b'0', *digit]);
        }
        _ => out.extend_from_slice(text),
    }
}

/// Python's `repr` of a finite float.
pub fn python_float(x: f64) -> String {
    let mut out = Vec::new();
    write_float(x, &mut zmij::Buffer::new(), &mut out);
    String::from_utf8(out).unwrap_or_default()
}

/// A JSON string; other characters than those that must be escaped leave as they are.
fn write_text(text: &str, out: &mut Vec<u8>) {
    // Writing to memory does not fail, and every `str` has a JSON form.
    let _ = serde_json::to_writer(out, text);
}

fn empty_lists(shape: &[u64], out: &mut Vec<u8>) {
    out.push(b'[');
    if let Some((&n, inner)) = shape.split_first()
        && n > 0
    {
        for i in 0..n {
            if i > 0 {
                out.push(b',');
            }
            empty_lists(inner, out);
        }
    }
    out.push(b']');
}

/// A number as JSON where an element is one.
pub fn number(dtype: &Datatype, bytes: &[u8]) -> Option<String> {
    as_f64(dtype, bytes).map(python_float).or_else(|| as_i128(dtype, bytes).map(|n| n.to_string()))
}

#[cfg(test)]
mod tests {
    use apus_h5::{ByteOrder, FloatFormat};
    use proptest::prelude::*;

    use super::*;

    /// Expected: Python's `repr(x)`.
    #[test]
    fn floats_as_python_writes_them() {
        for (x, expect) in [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.0, "1.0"),
            (f64::from(0.1f32), "0.10000000149011612"),
            (1e-5, "1e-05"),
            (1.25e-5, "1.25e-05"),
            (-9.999e-5, "-9.999e-05"),
            (1e-4, "0.0001"),
            (0.000_123, "0.000123"),
            (1e-7, "1e-07"),
            (1.5e-9, "1.5e-09"),
            (1e-10, "1e-10"),
            (1e15, "1000000000000000.0"),
            (9_999_999_999_999_998.0, "9999999999999998.0"),
            (1e16, "1e+16"),
            (1.234e17, "1.234e+17"),
            (5e-324, "5e-324"),
            (f64::MAX, "1.7976931348623157e+308"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "Infinity"),
            (f64::NEG_INFINITY, "-Infinity"),
        ] {
            assert_eq!(python_float(x), expect);
        }
    }

    fn f64s() -> Datatype {
        Datatype::Float { size: 8, order: ByteOrder::Little, bit_offset: 0, precision: 64, format: FloatFormat::F64 }
    }

    fn written(shape: &[u64], pieces: &[usize]) -> String {
        let n: u64 = shape.iter().product();
        let bytes: Vec<u8> = (0..n).flat_map(|i| f64::from(u32::try_from(i).unwrap()).to_le_bytes()).collect();
        let mut writer = ArrayWriter::new(&f64s(), shape).unwrap();
        let mut out = Vec::new();
        writer.begin(shape, &mut out);
        let mut rest = bytes.as_slice();
        for &n in pieces {
            let (piece, after) = rest.split_at(rest.len().min(8 * n));
            writer.push(piece, &mut out);
            rest = after;
        }
        writer.push(rest, &mut out);
        writer.finish().unwrap();
        String::from_utf8(out).unwrap()
    }

    /// Expected: `json.dumps(numpy.arange(n, dtype="f8").reshape(shape).tolist(), separators=(",", ":"))`.
    #[test]
    fn lists_nest_as_the_shape_says() {
        assert_eq!(written(&[3], &[]), "[0.0,1.0,2.0]");
        assert_eq!(written(&[2, 2], &[3]), "[[0.0,1.0],[2.0,3.0]]");
        assert_eq!(written(&[2, 1, 2], &[1]), "[[[0.0,1.0]],[[2.0,3.0]]]");
        assert_eq!(written(&[0], &[]), "[]");
        assert_eq!(written(&[2, 0], &[]), "[[],[]]");
        assert_eq!(written(&[0, 3], &[]), "[]");
        assert_eq!(written(&[2, 0, 3], &[]), "[[],[]]");
        assert_eq!(written(&[], &[]), "0.0");
    }

    #[test]
    fn nothing_in_a_great_many_lists_is_refused() {
        assert!(matches!(ArrayWriter::new(&f64s(), &[1 << 60, 0]), Err(JsonError::Lists { .. })));
        assert!(ArrayWriter::new(&f64s(), &[0, 1 << 60]).is_ok());
    }

    #[test]
    fn what_is_missing_is_told() {
        let mut writer = ArrayWriter::new(&f64s(), &[3]).unwrap();
        writer.push(&[0; 16], &mut Vec::new());
        assert_eq!(writer.finish(), Err(JsonError::Length { expected: 3, found: 2 }));
    }

    proptest! {
        #[test]
        fn pieces_do_not_matter(shape in prop::collection::vec(1u64..5, 1..4), pieces in prop::collection::vec(0usize..9, 0..9)) {
            prop_assert_eq!(written(&shape, &pieces), written(&shape, &[]));
        }

        #[test]
        fn every_float_reads_back(bits: u64) {
            let x = f64::from_bits(bits);
            prop_assume!(x.is_finite());
            prop_assert_eq!(python_float(x).parse::<f64>().unwrap().to_bits(), bits);
        }
    }
}
