//! The tree that a condition is parsed into, before it is known what its names mean.

use std::ops::Range;

use serde::{Serialize, Serializer};

use crate::{Error, Frame};

/// A condition as it was written: its syntax is right; whether its names and units are is found out when it is bound to a
/// group ([`Condition::bind`]). Conditions of the same text are equal.
#[derive(Clone, Debug)]
pub struct Condition {
    pub(super) text: String,
    /// The characters before it in the text that it is a part of.
    pub(super) n_before: usize,
    pub(super) root: Test,
}

/// What is true or false of a row.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Test {
    Any(Vec<Test>),
    All(Vec<Test>),
    Not(Box<Test>),
    Compare { left: Value, operator: Operator, right: Value },
}

/// What has a value for a row. Ranges are of bytes of the text.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Quantity { number: f64, integer: Option<i128>, unit: Option<Range<usize>>, frame: Option<Frame>, at: Range<usize> },
    Field { name: String, index: Option<u64>, at: Range<usize> },
    Negative(Box<Value>),
    Power { base: Box<Value>, exponent: i32 },
    Call { function: Function, argument: Box<Value>, at: Range<usize> },
    Arithmetic { left: Box<Value>, operator: Arithmetic, right: Box<Value> },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Equal,
    NotEqual,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arithmetic {
    Plus,
    Minus,
    Times,
    Over,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    Abs,
    Sqrt,
    Log10,
}

impl PartialEq for Condition {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Condition {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The names of all fields in it, as they were written.
    pub fn field_names(&self) -> Vec<&str> {
        let mut names = Vec::new();
        self.root.each_value(&mut |value| {
            if let Value::Field { name, .. } = value {
                names.push(name.as_str());
            }
        });
        names
    }
}

/// An error at a byte of a condition's text, which is told as a column of the text that it is a part of.
pub(super) fn error_at(text: &str, n_before: usize, at: usize, reason: String) -> Error {
    let n_within = text.char_indices().take_while(|(i, _)| *i < at).count();
    Error::BadCondition { column: n_before.saturating_add(n_within + 1), reason }
}

impl Test {
    fn each_value<'a>(&'a self, visit: &mut impl FnMut(&'a Value)) {
        match self {
            Self::Any(tests) | Self::All(tests) => tests.iter().for_each(|t| t.each_value(visit)),
            Self::Not(test) => test.each_value(visit),
            Self::Compare { left, right, .. } => {
                left.each(visit);
                right.each(visit);
            }
        }
    }
}

impl Value {
    fn each<'a>(&'a self, visit: &mut impl FnMut(&'a Value)) {
        visit(self);
        match self {
            Self::Quantity { .. } | Self::Field { .. } => {}
            Self::Negative(inner) | Self::Power { base: inner, .. } | Self::Call { argument: inner, .. } => {
                inner.each(visit);
            }
            Self::Arithmetic { left, right, .. } => {
                left.each(visit);
                right.each(visit);
            }
        }
    }

    /// The part of the text that it was written in.
    pub(super) fn span(&self) -> Range<usize> {
        match self {
            Self::Quantity { at, .. } | Self::Field { at, .. } | Self::Call { at, .. } => at.clone(),
            Self::Negative(inner) | Self::Power { base: inner, .. } => inner.span(),
            Self::Arithmetic { left, right, .. } => left.span().start..right.span().end,
        }
    }
}

impl Operator {
    /// The operator with its sides exchanged.
    pub(super) fn mirrored(self) -> Self {
        match self {
            Self::Less => Self::Greater,
            Self::LessOrEqual => Self::GreaterOrEqual,
            Self::Greater => Self::Less,
            Self::GreaterOrEqual => Self::LessOrEqual,
            Self::Equal | Self::NotEqual => self,
        }
    }

    /// What it says of two numbers; of NaN, what IEEE 754 says.
    pub(super) fn holds<T: PartialOrd>(self, left: &T, right: &T) -> bool {
        match self {
            Self::Less => left < right,
            Self::LessOrEqual => left <= right,
            Self::Greater => left > right,
            Self::GreaterOrEqual => left >= right,
            Self::Equal => left == right,
            Self::NotEqual => left != right,
        }
    }
}

impl Serialize for Condition {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}
