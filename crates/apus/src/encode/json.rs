//! The JSON form: nested arrays, row by row, strict JSON.
//!
//! Numbers come back to the same bits. NaN and the infinities are the strings `"NaN"`, `"Infinity"`, `"-Infinity"`; text is
//! a string; bytes that are no text are `{"hex": "00ff"}`; records are objects; a scalar stands alone; no value is `null`.

use apus_h5::{Array, Data, Dataspace, Datatype};

use super::{
    EncodeError,
    dtype::name_of,
    scalar::{self, Scalar},
};

/// The media type.
pub const CONTENT_TYPE: &str = "application/json";
/// The most rows without values (`[[], [], ...]`) that are written: they cost nothing to ask for.
const MAX_EMPTY_ROWS: u64 = 1 << 20;

/// Turns native elements into nested arrays, in as many pieces as they come.
#[derive(Debug)]
pub struct JsonEncoder {
    scalar: Scalar,
    shape: Vec<u64>,
    /// Where the next element stands on each axis; what is open is closed as they run over.
    position: Vec<u64>,
    is_started: bool,
    is_over: bool,
}

impl JsonEncoder {
    /// For elements of `dtype`, native and of fixed size, in an array of `shape`.
    pub fn new(dtype: &Datatype, shape: &[u64]) -> Result<Self, EncodeError> {
        let scalar = Scalar::of(dtype).ok_or_else(|| EncodeError::NoFormAtAll { what: name_of(dtype) })?;
        check_empty_rows(shape)?;
        Ok(Self { scalar, shape: shape.to_vec(), position: vec![0; shape.len()], is_started: false, is_over: false })
    }

    /// The bytes of an element.
    pub fn element_bytes(&self) -> usize {
        self.scalar.size()
    }

    /// Writes whole elements, which follow those that were written before.
    pub fn write(&mut self, elements: &[u8], out: &mut Vec<u8>) {
        let size = self.scalar.size().max(1);
        let (row_len, mut left) = (self.shape.last().copied().unwrap_or(1), elements);
        while left.len() >= size {
            // All of this row, or what came of it.
            let n_left = row_len.saturating_sub(self.position.last().copied().unwrap_or(0)).max(1);
            let n = usize::try_from(n_left).unwrap_or(usize::MAX).min(left.len() / size);
            let (row, rest) = left.split_at(n * size);
            before_element(&mut self.is_started, &self.position, out);
            self.scalar.write_row(row, out);
            self.is_over = after_elements(n as u64, &mut self.position, &self.shape, out);
            left = rest;
        }
    }

    /// Writes what is left when all elements are written: nothing, or an array that has none.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        if !self.is_started && !self.is_over {
            write_empty(&self.shape, out);
            self.is_over = true;
        }
    }
}

/// Writes a whole array.
pub fn write_array(array: &Array, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    if array.space == Dataspace::Null {
        out.extend_from_slice(b"null");
        return Ok(());
    }
    let shape = array.space.shape();
    match &array.data {
        Data::Fixed(bytes) => {
            let mut encoder = JsonEncoder::new(&array.dtype, shape)?;
            encoder.write(bytes, out);
            encoder.finish(out);
        }
        Data::Variable(elements) => write_variable(&array.dtype, shape, elements, out)?,
    }
    Ok(())
}

/// Writes an array of elements of variable length: strings, or sequences as arrays.
fn write_variable(dtype: &Datatype, shape: &[u64], elements: &[Vec<u8>], out: &mut Vec<u8>) -> Result<(), EncodeError> {
    check_empty_rows(shape)?;
    let base = match dtype {
        Datatype::VariableSequence(base) => {
            Some(Scalar::of(base).ok_or_else(|| EncodeError::NoFormAtAll { what: name_of(base) })?)
        }
        _ => None,
    };
    let mut position = vec![0; shape.len()];
    let mut is_started = false;
    for element in elements {
        before_element(&mut is_started, &position, out);
        match &base {
            Some(base) => write_sequence(base, element, out),
            None => scalar::write_text(element, out),
        }
        after_elements(1, &mut position, shape, out);
    }
    if elements.is_empty() {
        write_empty(shape, out);
    }
    Ok(())
}

fn write_sequence(base: &Scalar, bytes: &[u8], out: &mut Vec<u8>) {
    out.push(b'[');
    for (i, element) in bytes.chunks_exact(base.size().max(1)).enumerate() {
        if i > 0 {
            out.push(b',');
        }
        base.write(element, out);
    }
    out.push(b']');
}

/// Opens the brackets of every axis that starts here.
fn before_element(is_started: &mut bool, position: &[u64], out: &mut Vec<u8>) {
    let n_starting = position.iter().rev().take_while(|&&p| p == 0).count();
    if *is_started {
        out.push(b',');
    }
    *is_started = true;
    out.extend(std::iter::repeat_n(b'[', n_starting));
}

/// Steps on by elements of one row, and closes the brackets of every axis that is complete. Whether all is.
fn after_elements(mut n_elements: u64, position: &mut [u64], shape: &[u64], out: &mut Vec<u8>) -> bool {
    for (p, n) in position.iter_mut().zip(shape).rev() {
        *p += std::mem::replace(&mut n_elements, 1);
        if *p < *n {
            return false;
        }
        *p = 0;
        out.push(b']');
    }
    true
}

fn check_empty_rows(shape: &[u64]) -> Result<(), EncodeError> {
    let Some(first_zero) = shape.iter().position(|&n| n == 0) else { return Ok(()) };
    let n_empty = shape.iter().take(first_zero).fold(1u64, |product, &n| product.saturating_mul(n));
    if n_empty > MAX_EMPTY_ROWS {
        return Err(EncodeError::TooManyEmptyRows { shape: shape.to_vec(), n_empty, limit: MAX_EMPTY_ROWS });
    }
    Ok(())
}

fn write_empty(shape: &[u64], out: &mut Vec<u8>) {
    let Some((&first, rest)) = shape.split_first() else { return };
    out.push(b'[');
    for i in 0..first {
        if i > 0 {
            out.push(b',');
        }
        write_empty(rest, out);
    }
    out.push(b']');
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
            let mut encoder = JsonEncoder::new(&dtype, shape).unwrap();
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

    #[test]
    fn empty_rows_without_end_are_refused() {
        assert!(check_empty_rows(&[1 << 40, 0]).is_err());
        assert!(check_empty_rows(&[0, 1 << 40]).is_ok());
    }
}
