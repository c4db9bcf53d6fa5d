//! What an expression is worth: its dimensions, its frame, and how it is calculated.

use super::syntax::{Arithmetic, Function};
use crate::{Dimensions, Frame};

/// How a value is calculated for a row, in 64-bit floats.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Expression {
    Constant(f64),
    Column(usize),
    Negative(Box<Expression>),
    Power(Box<Expression>, i32),
    Call(Function, Box<Expression>),
    Arithmetic(Box<Expression>, Arithmetic, Box<Expression>),
}

impl Expression {
    pub(super) fn times(self, factor: f64) -> Self {
        Self::Arithmetic(Box::new(self), Arithmetic::Times, Box::new(Self::Constant(factor)))
    }

    /// What is calculated for a row: each operation, and each column that is looked at.
    pub(super) fn n_operations(&self) -> u64 {
        match self {
            Self::Constant(_) => 0,
            Self::Column(_) => 1,
            Self::Negative(inner) | Self::Power(inner, _) | Self::Call(_, inner) => 1 + inner.n_operations(),
            Self::Arithmetic(left, _, right) => 1 + left.n_operations() + right.n_operations(),
        }
    }

    /// The value, given those of the columns.
    pub(super) fn value(&self, column: &impl Fn(usize) -> f64) -> f64 {
        match self {
            Self::Constant(number) => *number,
            Self::Column(index) => column(*index),
            Self::Negative(inner) => -inner.value(column),
            Self::Power(base, exponent) => base.value(column).powi(*exponent),
            Self::Call(function, argument) => function.of(argument.value(column)),
            Self::Arithmetic(left, operator, right) => operator.of(left.value(column), right.value(column)),
        }
    }
}

impl Function {
    pub(super) fn of(self, value: f64) -> f64 {
        match self {
            Self::Abs => value.abs(),
            Self::Sqrt => value.sqrt(),
            Self::Log10 => value.log10(),
        }
    }
}

impl Arithmetic {
    pub(super) fn of(self, left: f64, right: f64) -> f64 {
        match self {
            Self::Plus => left + right,
            Self::Minus => left - right,
            Self::Times => left * right,
            Self::Over => left / right,
        }
    }
}

/// An expression with what is known of it.
#[derive(Clone, Debug)]
pub(super) enum Typed {
    /// A number that does not depend on the row.
    Literal(Literal),
    /// One that does.
    Field(FieldValue),
}

#[derive(Clone, Debug)]
pub(super) struct Literal {
    /// In the file's units.
    pub(super) number: f64,
    /// The number, where it was written as a whole number without a unit.
    pub(super) integer: Option<i128>,
    /// `None` for a bare number.
    pub(super) dimensions: Option<Dimensions>,
    /// Which frame it was said to be in.
    pub(super) frame: Option<Frame>,
}

#[derive(Clone, Debug)]
pub(super) struct FieldValue {
    pub(super) expression: Expression,
    /// `None` where the file does not say.
    pub(super) dimensions: Option<Dimensions>,
    /// physical = comoving a^exponent.
    pub(super) a_exponent: f64,
    /// The frame of what is calculated.
    pub(super) frame: Frame,
    /// Whether there is a comoving value at all.
    pub(super) convertible: bool,
}

impl FieldValue {
    /// Whether comoving and physical values are different numbers.
    pub(super) fn depends_on_frame(&self, a: f64) -> bool {
        self.a_exponent != 0.0 && frames_differ(a)
    }

    /// The same in the physical frame.
    pub(super) fn into_physical(self, a: f64) -> Self {
        if self.frame == Frame::Physical || !self.depends_on_frame(a) {
            return Self { frame: Frame::Physical, ..self };
        }
        let factor = a.powf(self.a_exponent);
        Self { expression: self.expression.times(factor), frame: Frame::Physical, ..self }
    }
}

/// Whether comoving and physical lengths differ at scale factor `a`.
#[expect(clippy::float_cmp, reason = "without cosmology, and at the end of a run, it is exactly 1")]
pub(super) fn frames_differ(a: f64) -> bool {
    a != 1.0
}
