//! Evaluation: which rows of a block satisfy a condition.

use apus_h5::{Datatype, check_cancelled};

use super::{Interval, bind::BoundCondition, syntax::Operator, value::Expression};
use crate::{Error, Result, RowMask};

/// A test of which every comparison knows its column and its number.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum CompiledTest {
    Any(Vec<CompiledTest>),
    All(Vec<CompiledTest>),
    Not(Box<CompiledTest>),
    Constant(bool),
    Float32 { column: usize, operator: Operator, threshold: f32 },
    Float64 { column: usize, operator: Operator, threshold: f64 },
    Integer { column: usize, operator: Operator, threshold: i128 },
    General { left: Expression, operator: Operator, right: Expression },
}

/// The values of one column for the rows of a block.
#[derive(Clone, Copy, Debug)]
pub struct ColumnBlock<'a>(Values<'a>);

/// Little-endian, as readers give them.
#[derive(Clone, Copy, Debug)]
enum Values<'a> {
    I8(&'a [[u8; 1]]),
    U8(&'a [[u8; 1]]),
    I16(&'a [[u8; 2]]),
    U16(&'a [[u8; 2]]),
    I32(&'a [[u8; 4]]),
    U32(&'a [[u8; 4]]),
    I64(&'a [[u8; 8]]),
    U64(&'a [[u8; 8]]),
    F32(&'a [[u8; 4]]),
    F64(&'a [[u8; 8]]),
}

impl<'a> ColumnBlock<'a> {
    /// Takes the bytes of a column, as a reader gives them for its [`ConditionColumn`](super::ConditionColumn).
    ///
    /// Errors: [`Error::Malformed`] for a type that is no number or bytes that are not whole elements; a column of a bound
    /// condition has neither.
    pub fn new(dtype: &Datatype, bytes: &'a [u8]) -> Result<Self> {
        let values = match dtype {
            Datatype::Integer { size: 1, signed, .. } => {
                let values = bytes.as_chunks::<1>().0;
                Some(if *signed { Values::I8(values) } else { Values::U8(values) })
            }
            Datatype::Integer { size: 2, signed, .. } => {
                let values = bytes.as_chunks::<2>().0;
                Some(if *signed { Values::I16(values) } else { Values::U16(values) })
            }
            Datatype::Integer { size: 4, signed, .. } => {
                let values = bytes.as_chunks::<4>().0;
                Some(if *signed { Values::I32(values) } else { Values::U32(values) })
            }
            Datatype::Integer { size: 8, signed, .. } => {
                let values = bytes.as_chunks::<8>().0;
                Some(if *signed { Values::I64(values) } else { Values::U64(values) })
            }
            Datatype::Float { size: 4, .. } => Some(Values::F32(bytes.as_chunks::<4>().0)),
            Datatype::Float { size: 8, .. } => Some(Values::F64(bytes.as_chunks::<8>().0)),
            _ => None,
        };
        let is_whole =
            usize::try_from(dtype.size_bytes()).is_ok_and(|size| size > 0 && bytes.len().is_multiple_of(size));
        values.filter(|_| is_whole).map(Self).ok_or_else(|| Error::Malformed {
            file: String::new(),
            object: "column".to_owned(),
            reason: format!("{} bytes of {dtype:?} are no column of numbers", bytes.len()),
        })
    }

    /// The number of rows.
    pub fn n_rows(&self) -> usize {
        match self.0 {
            Values::I8(v) | Values::U8(v) => v.len(),
            Values::I16(v) | Values::U16(v) => v.len(),
            Values::I32(v) | Values::U32(v) | Values::F32(v) => v.len(),
            Values::I64(v) | Values::U64(v) | Values::F64(v) => v.len(),
        }
    }

    /// What its values lie between.
    pub fn interval(&self) -> Interval {
        match self.0 {
            Values::I8(v) => Interval::of_integers(v.iter().map(|b| i8::from_le_bytes(*b))),
            Values::U8(v) => Interval::of_integers(v.iter().map(|b| u8::from_le_bytes(*b))),
            Values::I16(v) => Interval::of_integers(v.iter().map(|b| i16::from_le_bytes(*b))),
            Values::U16(v) => Interval::of_integers(v.iter().map(|b| u16::from_le_bytes(*b))),
            Values::I32(v) => Interval::of_integers(v.iter().map(|b| i32::from_le_bytes(*b))),
            Values::U32(v) => Interval::of_integers(v.iter().map(|b| u32::from_le_bytes(*b))),
            Values::I64(v) => Interval::of_integers(v.iter().map(|b| i64::from_le_bytes(*b))),
            Values::U64(v) => Interval::of_integers(v.iter().map(|b| u64::from_le_bytes(*b))),
            Values::F32(v) => Interval::of_floats(v.iter().map(|b| f64::from(f32::from_le_bytes(*b)))),
            Values::F64(v) => Interval::of_floats(v.iter().map(|b| f64::from_le_bytes(*b))),
        }
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "arithmetic is in 64-bit floats, as numpy has it for integers and floats"
    )]
    pub(crate) fn float(&self, row: usize) -> f64 {
        match self.0 {
            Values::I8(v) => f64::from(i8::from_le_bytes(v[row])),
            Values::U8(v) => f64::from(u8::from_le_bytes(v[row])),
            Values::I16(v) => f64::from(i16::from_le_bytes(v[row])),
            Values::U16(v) => f64::from(u16::from_le_bytes(v[row])),
            Values::I32(v) => f64::from(i32::from_le_bytes(v[row])),
            Values::U32(v) => f64::from(u32::from_le_bytes(v[row])),
            Values::I64(v) => i64::from_le_bytes(v[row]) as f64,
            Values::U64(v) => u64::from_le_bytes(v[row]) as f64,
            Values::F32(v) => f64::from(f32::from_le_bytes(v[row])),
            Values::F64(v) => f64::from_le_bytes(v[row]),
        }
    }

    /// All values, appended.
    pub fn floats(&self, out: &mut Vec<f64>) {
        match self.0 {
            Values::F32(v) => out.extend(v.iter().map(|b| f64::from(f32::from_le_bytes(*b)))),
            Values::F64(v) => out.extend(v.iter().map(|b| f64::from_le_bytes(*b))),
            _ => out.extend((0..self.n_rows()).map(|row| self.float(row))),
        }
    }

    pub(crate) fn integer(&self, row: usize) -> Option<i128> {
        Some(match self.0 {
            Values::I8(v) => i128::from(i8::from_le_bytes(v[row])),
            Values::U8(v) => i128::from(u8::from_le_bytes(v[row])),
            Values::I16(v) => i128::from(i16::from_le_bytes(v[row])),
            Values::U16(v) => i128::from(u16::from_le_bytes(v[row])),
            Values::I32(v) => i128::from(i32::from_le_bytes(v[row])),
            Values::U32(v) => i128::from(u32::from_le_bytes(v[row])),
            Values::I64(v) => i128::from(i64::from_le_bytes(v[row])),
            Values::U64(v) => i128::from(u64::from_le_bytes(v[row])),
            Values::F32(_) | Values::F64(_) => return None,
        })
    }
}

impl BoundCondition {
    /// Which of `n_rows` rows satisfy the condition, given the values of its [`columns`](Self::columns) for these rows.
    ///
    /// Errors: [`Error::Malformed`] where a column is missing or of another length; that nobody waits any more.
    pub fn evaluate(&self, columns: &[ColumnBlock<'_>], n_rows: usize) -> Result<RowMask> {
        if columns.len() != self.columns.len() || columns.iter().any(|c| c.n_rows() != n_rows) {
            let lengths: Vec<usize> = columns.iter().map(ColumnBlock::n_rows).collect();
            return Err(Error::Malformed {
                file: String::new(),
                object: "condition".to_owned(),
                reason: format!("columns of {lengths:?} rows where {} of {n_rows} are needed", self.columns.len()),
            });
        }
        self.test.evaluate(columns, n_rows)
    }
}

impl CompiledTest {
    /// A comparison of integers with a number that need not be one: with the integer next to it that decides the same.
    pub(super) fn integer(column: usize, operator: Operator, number: f64) -> Self {
        let decided = match operator {
            _ if number.is_nan() => return Self::Constant(operator == Operator::NotEqual),
            Operator::Equal | Operator::NotEqual if number.fract() != 0.0 => {
                return Self::Constant(operator == Operator::NotEqual);
            }
            Operator::Less | Operator::GreaterOrEqual => number.ceil(),
            _ => number.floor(),
        };
        // No integer of 64 bits is farther out than where the conversion ends.
        #[expect(clippy::cast_possible_truncation, reason = "whole, and beyond 2^127 as good as there")]
        Self::Integer { column, operator, threshold: decided as i128 }
    }

    /// What it takes to decide of a row: each comparison, and each operation of what is compared.
    pub(super) fn n_operations(&self) -> u64 {
        match self {
            Self::Any(tests) | Self::All(tests) => tests.iter().map(Self::n_operations).sum(),
            Self::Not(test) => test.n_operations(),
            Self::Constant(_) => 0,
            Self::Float32 { .. } | Self::Float64 { .. } | Self::Integer { .. } => 1,
            Self::General { left, right, .. } => 1 + left.n_operations() + right.n_operations(),
        }
    }

    fn evaluate(&self, columns: &[ColumnBlock<'_>], n_rows: usize) -> Result<RowMask> {
        check_cancelled()?;
        Ok(match self {
            Self::Constant(holds) => RowMask::all(n_rows, *holds),
            Self::Any(tests) => {
                let mut mask = RowMask::all(n_rows, false);
                for test in tests {
                    mask.or(&test.evaluate(columns, n_rows)?);
                }
                mask
            }
            Self::All(tests) => {
                let mut mask = RowMask::all(n_rows, true);
                for test in tests {
                    mask.and(&test.evaluate(columns, n_rows)?);
                }
                mask
            }
            Self::Not(test) => {
                let mut mask = test.evaluate(columns, n_rows)?;
                mask.invert();
                mask
            }
            Self::Float32 { column, operator, threshold } => match columns[*column].0 {
                Values::F32(v) => {
                    RowMask::from_fn(n_rows, |row| operator.holds(&f32::from_le_bytes(v[row]), threshold))
                }
                _ => RowMask::all(n_rows, false),
            },
            Self::Float64 { column, operator, threshold } => {
                RowMask::from_fn(n_rows, |row| operator.holds(&columns[*column].float(row), threshold))
            }
            Self::Integer { column, operator, threshold } => RowMask::from_fn(n_rows, |row| {
                columns[*column].integer(row).is_some_and(|value| operator.holds(&value, threshold))
            }),
            Self::General { left, operator, right } => RowMask::from_fn(n_rows, |row| {
                let column = |index: usize| columns[index].float(row);
                operator.holds(&left.value(&column), &right.value(&column))
            }),
        })
    }
}
