//! Intervals: which blocks of rows can hold any that satisfy a condition, by the least and greatest values in them.
//!
//! All errs on the side of yes. The arithmetic of conditions is monotone in 64-bit floats, roundings included, so that results at the ends of
//! intervals bound all between them. Where that does not hold (infinite operands, a divisor that may be 0), nothing is said of the result.

use super::{
    bind::BoundCondition,
    evaluate::CompiledTest,
    syntax::{Arithmetic, Function, Operator},
    value::Expression,
};

/// What is known of some numbers: all lie between two, ends included, but for NaN.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    low: f64,
    /// Less than `low` where there are no numbers.
    high: f64,
    has_nan: bool,
}

/// Integers from here on are not all 64-bit floats.
const EXACT_INTEGERS: u128 = 1 << 53;
/// Powers and logarithms are calculated in several steps; their errors are some hundred times less.
const RELATIVE_ERROR: f64 = 1e-13;

impl Interval {
    /// No numbers.
    pub const EMPTY: Self = Self { low: f64::INFINITY, high: f64::NEG_INFINITY, has_nan: false };
    /// Nothing is known.
    pub const UNKNOWN: Self = Self { low: f64::NEG_INFINITY, high: f64::INFINITY, has_nan: true };
    /// No numbers, only NaN.
    const NAN: Self = Self { has_nan: true, ..Self::EMPTY };

    /// The least and greatest number, and whether NaN is among them; for keeping.
    pub fn parts(self) -> (f64, f64, bool) {
        (self.low, self.high, self.has_nan)
    }

    /// What [`parts`](Self::parts) gave; `None` for what it does not give.
    pub fn from_parts(low: f64, high: f64, has_nan: bool) -> Option<Self> {
        let is_empty = low == f64::INFINITY && high == f64::NEG_INFINITY;
        (low <= high || is_empty).then_some(Self { low, high, has_nan })
    }

    /// Just this number.
    pub(super) fn of_number(number: f64) -> Self {
        if number.is_nan() { Self::NAN } else { Self { low: number, high: number, has_nan: false } }
    }

    /// This integer, and floats around it where it is none itself.
    pub(super) fn of_integer(integer: i128) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "the floats on either side bound what is not exact")]
        let nearest = integer as f64;
        if integer.unsigned_abs() < EXACT_INTEGERS {
            return Self::of_number(nearest);
        }
        Self { low: nearest.next_down(), high: nearest.next_up(), has_nan: false }
    }

    pub(super) fn of_floats(values: impl Iterator<Item = f64>) -> Self {
        // `min` and `max` pass over NaN.
        values.fold(Self::EMPTY, |all, value| Self {
            low: all.low.min(value),
            high: all.high.max(value),
            has_nan: all.has_nan | value.is_nan(),
        })
    }

    pub(super) fn of_integers<T: Ord + Copy + Into<i128>>(mut values: impl Iterator<Item = T>) -> Self {
        let Some(first) = values.next() else { return Self::EMPTY };
        let (least, greatest) = values.fold((first, first), |(least, greatest), v| (least.min(v), greatest.max(v)));
        Self::of_integer(least.into()).joined(Self::of_integer(greatest.into()))
    }

    /// What holds of the numbers of both.
    #[must_use]
    pub fn joined(self, other: Self) -> Self {
        Self { low: self.low.min(other.low), high: self.high.max(other.high), has_nan: self.has_nan || other.has_nan }
    }

    fn is_empty(self) -> bool {
        self.low > self.high
    }

    fn is_bounded(self) -> bool {
        self.low.is_finite() && self.high.is_finite()
    }

    fn may_be_zero(self) -> bool {
        self.low <= 0.0 && 0.0 <= self.high
    }

    /// What lies between two results, and on either side of them within the error of calculating them.
    fn around(a: f64, b: f64, has_nan: bool) -> Self {
        let (low, high) = (a.min(b), a.max(b));
        // Infinite ends give NaN here, which `min` and `max` pass over.
        let low = if low == f64::NEG_INFINITY { low } else { (low - low.abs() * RELATIVE_ERROR).min(f64::MAX) };
        let high = if high == f64::INFINITY { high } else { (high + high.abs() * RELATIVE_ERROR).max(f64::MIN) };
        Self { low, high, has_nan }
    }

    fn negative(self) -> Self {
        Self { low: -self.high, high: -self.low, ..self }
    }

    fn abs(self) -> Self {
        match self {
            _ if self.is_empty() || self.low >= 0.0 => self,
            _ if self.high <= 0.0 => self.negative(),
            _ => Self { low: 0.0, high: self.high.max(-self.low), ..self },
        }
    }

    /// For functions that rise over all numbers that are not negative, and have no value for those that are.
    fn of_rising(self, function: Function) -> Self {
        let has_nan = self.has_nan || self.low < 0.0;
        if self.is_empty() || self.high < 0.0 {
            return Self::NAN;
        }
        Self::around(function.of(self.low.max(0.0)), function.of(self.high), has_nan)
    }

    fn power(self, exponent: i32) -> Self {
        match exponent {
            // That of NaN, too.
            0 => Self::of_number(1.0),
            _ if self.is_empty() => Self::NAN,
            _ if exponent < 0 && self.may_be_zero() => Self::UNKNOWN,
            _ => {
                let base = if exponent % 2 == 0 { self.abs() } else { self };
                Self::around(base.low.powi(exponent), base.high.powi(exponent), self.has_nan)
            }
        }
    }

    fn arithmetic(self, operator: Arithmetic, other: Self) -> Self {
        if self.is_empty() || other.is_empty() {
            return Self::NAN;
        }
        if !self.is_bounded() || !other.is_bounded() || operator == Arithmetic::Over && other.may_be_zero() {
            return Self::UNKNOWN;
        }
        let ends = [(self.low, other.low), (self.low, other.high), (self.high, other.low), (self.high, other.high)];
        let between = Self::of_floats(ends.into_iter().map(|(left, right)| operator.of(left, right)));
        Self { has_nan: self.has_nan || other.has_nan, ..between }
    }

    /// Whether a comparison of a number here with one there can be true, and can be false.
    fn compare(self, operator: Operator, other: Self) -> (bool, bool) {
        let has_nan = self.has_nan || other.has_nan;
        if self.is_empty() || other.is_empty() {
            return (operator == Operator::NotEqual, operator != Operator::NotEqual);
        }
        let meet = self.low <= other.high && other.low <= self.high;
        let differ = self.low < other.high || other.low < self.high;
        match operator {
            Operator::Less => (self.low < other.high, has_nan || self.high >= other.low),
            Operator::LessOrEqual => (self.low <= other.high, has_nan || self.high > other.low),
            Operator::Greater => (self.high > other.low, has_nan || self.low <= other.high),
            Operator::GreaterOrEqual => (self.high >= other.low, has_nan || self.low < other.high),
            Operator::Equal => (meet, has_nan || differ),
            Operator::NotEqual => (has_nan || differ, meet),
        }
    }
}

impl BoundCondition {
    /// Whether a row can satisfy the condition in a block of which this is known of the values of each of its
    /// [`columns`](Self::columns) ([`Interval::UNKNOWN`] for one that is missing). A block of which this says no need not be read.
    pub fn may_hold(&self, columns: &[Interval]) -> bool {
        self.test.possible(columns).0
    }
}

impl CompiledTest {
    /// Whether there can be rows for which it is true, and rows for which it is false.
    fn possible(&self, columns: &[Interval]) -> (bool, bool) {
        let values = |column: &usize| columns.get(*column).copied().unwrap_or(Interval::UNKNOWN);
        match self {
            Self::Constant(holds) => (*holds, !*holds),
            Self::Any(tests) => {
                let parts = || tests.iter().map(|test| test.possible(columns));
                (parts().any(|p| p.0), parts().all(|p| p.1))
            }
            Self::All(tests) => {
                let parts = || tests.iter().map(|test| test.possible(columns));
                (parts().all(|p| p.0), parts().any(|p| p.1))
            }
            Self::Not(test) => {
                let (may_be_true, may_be_false) = test.possible(columns);
                (may_be_false, may_be_true)
            }
            Self::Float32 { column, operator, threshold } => {
                values(column).compare(*operator, Interval::of_number(f64::from(*threshold)))
            }
            Self::Float64 { column, operator, threshold } => {
                values(column).compare(*operator, Interval::of_number(*threshold))
            }
            Self::Integer { column, operator, threshold } => {
                values(column).compare(*operator, Interval::of_integer(*threshold))
            }
            Self::General { left, operator, right } => {
                left.interval(&values).compare(*operator, right.interval(&values))
            }
        }
    }
}

impl Expression {
    /// What its values lie between, given the same of the columns.
    fn interval(&self, columns: &impl Fn(&usize) -> Interval) -> Interval {
        match self {
            Self::Constant(number) => Interval::of_number(*number),
            Self::Column(index) => columns(index),
            Self::Negative(inner) => inner.interval(columns).negative(),
            Self::Power(base, exponent) => base.interval(columns).power(*exponent),
            Self::Call(Function::Abs, argument) => argument.interval(columns).abs(),
            Self::Call(function @ (Function::Sqrt | Function::Log10), argument) => {
                argument.interval(columns).of_rising(*function)
            }
            Self::Arithmetic(left, operator, right) => {
                left.interval(columns).arithmetic(*operator, right.interval(columns))
            }
        }
    }
}

#[cfg(test)]
#[path = "interval_tests.rs"]
mod tests;
