//! The JSON format: nested arrays, row by row, in one of two [notations](Notation).
//!
//! Numbers read back to the same bits; text is a string; a scalar stands alone; no value is `null`.

use apus_h5::{Array, Data, Dataspace, Datatype};

use super::{
    EncodeError, TextEncoder,
    dtype::name_of,
    nesting::Nesting,
    number::Notation,
    scalar::{Scalar, write_text},
};

/// The media type.
pub const CONTENT_TYPE: &str = "application/json";

/// Turns native elements into nested arrays, piece by piece.
#[derive(Debug)]
pub struct JsonEncoder {
    scalar: Scalar,
    notation: Notation,
    nesting: Nesting,
}

impl JsonEncoder {
    /// An encoder for an array of `shape`, with native elements of fixed size.
    ///
    /// Errors: [`EncodeError::NoFormAtAll`], [`EncodeError::TooManyEmptyRows`].
    pub fn new(dtype: &Datatype, shape: &[u64], notation: Notation) -> Result<Self, EncodeError> {
        let scalar = Scalar::of(dtype).ok_or_else(|| EncodeError::NoFormAtAll { what: name_of(dtype) })?;
        Ok(Self { scalar, notation, nesting: Nesting::new(shape)? })
    }
}

impl TextEncoder for JsonEncoder {
    fn element_bytes(&self) -> usize {
        self.scalar.size()
    }

    fn write(&mut self, elements: &[u8], out: &mut Vec<u8>) {
        let size = self.scalar.size().max(1);
        let mut rest = elements;
        while rest.len() >= size {
            let n = self.nesting.open(out).min(rest.len() / size);
            let (run, after) = rest.split_at(n * size);
            self.scalar.write_run(run, self.notation, out);
            self.nesting.close(n, out);
            rest = after;
        }
    }

    /// Writes the brackets if there were no elements.
    fn finish(&mut self, out: &mut Vec<u8>) {
        self.nesting.finish(out);
    }
}

/// Turns strings of any length into nested arrays.
#[derive(Debug)]
struct JsonTexts {
    notation: Notation,
    nesting: Nesting,
}

impl JsonTexts {
    /// An encoder for an array of `shape`.
    ///
    /// Errors: [`EncodeError::TooManyEmptyRows`].
    fn new(shape: &[u64], notation: Notation) -> Result<Self, EncodeError> {
        Ok(Self { notation, nesting: Nesting::new(shape)? })
    }

    /// Writes the next string.
    fn write(&mut self, text: &[u8], out: &mut Vec<u8>) {
        self.nesting.open(out);
        write_text(text, self.notation, out);
        self.nesting.close(1, out);
    }

    /// Writes the brackets if there were no strings.
    fn finish(&mut self, out: &mut Vec<u8>) {
        self.nesting.finish(out);
    }
}

/// Writes a whole array, in strict JSON.
pub fn write_array(array: &Array, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    if array.space == Dataspace::Null {
        out.extend_from_slice(b"null");
        return Ok(());
    }
    write_elements(array, array.space.shape(), Notation::Strict, out)
}

/// Writes the elements of a whole array, nested as an array of `shape`.
pub fn write_elements(array: &Array, shape: &[u64], notation: Notation, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    match &array.data {
        Data::Fixed(bytes) => {
            let mut encoder = JsonEncoder::new(&array.dtype, shape, notation)?;
            encoder.write(bytes, out);
            encoder.finish(out);
        }
        Data::Variable(elements) => write_variable(&array.dtype, shape, elements, notation, out)?,
    }
    Ok(())
}

/// Writes an array of elements of variable length: strings, or sequences as arrays.
fn write_variable(
    dtype: &Datatype,
    shape: &[u64],
    elements: &[Vec<u8>],
    notation: Notation,
    out: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    let Datatype::VariableSequence(base) = dtype else {
        let mut encoder = JsonTexts::new(shape, notation)?;
        elements.iter().for_each(|text| encoder.write(text, out));
        encoder.finish(out);
        return Ok(());
    };
    let base = Scalar::of(base).ok_or_else(|| EncodeError::NoFormAtAll { what: name_of(base) })?;
    let mut nesting = Nesting::new(shape)?;
    for element in elements {
        nesting.open(out);
        out.push(b'[');
        base.write_run(element, notation, out);
        out.push(b']');
        nesting.close(1, out);
    }
    nesting.finish(out);
    Ok(())
}

#[cfg(test)]
mod tests {
    use apus_h5::ByteOrder;

    use super::*;

    fn check(shape: &[u64], expect: &str) {
        let dtype = Datatype::Integer { size: 1, signed: false, order: ByteOrder::Little, bit_offset: 0, precision: 8 };
        let n = usize::try_from(shape.iter().product::<u64>()).unwrap();
        let elements: Vec<u8> = (0..n).map(|i| u8::try_from(i).unwrap()).collect();
        for n_pieces in [1, 2, 100] {
            let mut encoder = JsonEncoder::new(&dtype, shape, Notation::Strict).unwrap();
            let mut out = Vec::new();
            for piece in elements.chunks(n.div_ceil(n_pieces).max(1)) {
                encoder.write(piece, &mut out);
            }
            encoder.finish(&mut out);
            assert_eq!(String::from_utf8(out).unwrap(), expect);
        }
    }

    #[test]
    fn arrays_nest_as_their_shape_says() {
        check(&[], "0");
        check(&[1], "[0]");
        check(&[3], "[0,1,2]");
        check(&[2, 3], "[[0,1,2],[3,4,5]]");
        check(&[2, 1, 2], "[[[0,1]],[[2,3]]]");
        check(&[0], "[]");
        check(&[0, 3], "[]");
        check(&[2, 0], "[[],[]]");
        check(&[2, 0, 5], "[[],[]]");
    }
}
