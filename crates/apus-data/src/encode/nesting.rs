//! The brackets and commas of nested lists, a run of elements at a time.

use super::EncodeError;

/// The most rows without values (`[[], [], ...]`) that are written: a short request could ask for any number of them.
const MAX_EMPTY_ROWS: u64 = 1 << 20;

/// The position of the next element in an array that is written as nested lists.
#[derive(Debug)]
pub(super) struct Nesting {
    /// The extents, the innermost first.
    axes: Vec<u64>,
    /// The number of entries still to come in the current list of each axis.
    left: Vec<u64>,
    /// The number of lists that begin before the next element.
    n_beginning: usize,
    is_started: bool,
}

impl Nesting {
    /// The start of an array of `shape`.
    ///
    /// Errors: [`EncodeError::TooManyEmptyRows`].
    pub(super) fn new(shape: &[u64]) -> Result<Self, EncodeError> {
        check_empty_rows(shape)?;
        let axes: Vec<u64> = shape.iter().rev().copied().collect();
        Ok(Self { left: axes.clone(), n_beginning: axes.len(), axes, is_started: false })
    }

    /// Writes a comma, and the brackets of the lists that begin before the next element. Returns how many elements may follow, with
    /// commas between them, before [`close`](Self::close).
    pub(super) fn open(&mut self, out: &mut Vec<u8>) -> usize {
        if self.is_started {
            out.push(b',');
        }
        self.is_started = true;
        out.extend(std::iter::repeat_n(b'[', self.n_beginning));
        self.n_beginning = 0;
        self.left.first().map_or(1, |&left| usize::try_from(left).unwrap_or(usize::MAX)).max(1)
    }

    /// Counts the elements that were written since [`open`](Self::open), and writes a bracket for each list that they end.
    pub(super) fn close(&mut self, n_elements: usize, out: &mut Vec<u8>) {
        let mut n_done = n_elements as u64;
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

    /// To be called after all elements: writes the brackets if there were none.
    pub(super) fn finish(&mut self, out: &mut Vec<u8>) {
        if !std::mem::replace(&mut self.is_started, true) {
            write_empty(&self.axes, out);
        }
    }
}

fn check_empty_rows(shape: &[u64]) -> Result<(), EncodeError> {
    let Some(first_zero) = shape.iter().position(|&n| n == 0) else { return Ok(()) };
    let n_empty = shape.iter().take(first_zero).fold(1u64, |product, &n| product.saturating_mul(n));
    if n_empty > MAX_EMPTY_ROWS {
        return Err(EncodeError::TooManyEmptyRows { shape: shape.to_vec(), n_empty, limit: MAX_EMPTY_ROWS });
    }
    Ok(())
}

/// Writes nested empty lists; of the extents, the innermost is first.
fn write_empty(axes: &[u64], out: &mut Vec<u8>) {
    let Some((&outermost, inner)) = axes.split_last() else { return };
    out.push(b'[');
    for i in 0..outermost {
        if i > 0 {
            out.push(b',');
        }
        write_empty(inner, out);
    }
    out.push(b']');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_rows_without_end_are_refused() {
        assert!(check_empty_rows(&[1 << 40, 0]).is_err());
        assert!(check_empty_rows(&[0, 1 << 40]).is_ok());
    }
}
