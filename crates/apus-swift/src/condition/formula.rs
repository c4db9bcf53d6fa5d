//! Formulas: expressions of the grammar of conditions that have a value for each row, for axes, weights and pictured fields.

use serde::{Serialize, Serializer};

use super::{
    bind::{Binder, ConditionColumn},
    evaluate::ColumnBlock,
    syntax::Value,
    value::{Expression, FieldValue, Typed},
};
use crate::{Dimensions, Error, Frame, ParticleGroup, Result, UnitContext};

/// An expression as it was written, `log10(densities / (1 g/cm**3))`: a `sum` of the grammar of conditions. Formulas of the same text are
/// equal.
#[derive(Clone, Debug)]
pub struct Formula {
    pub(super) text: String,
    pub(super) root: Value,
}

/// A formula of which every name and unit is known to fit one group of a file. It asks for [`columns`](Self::columns) and calculates, of
/// their values, one 64-bit float for each row.
#[derive(Clone, Debug, PartialEq)]
pub struct BoundFormula {
    columns: Vec<ConditionColumn>,
    expression: Expression,
    /// The dimensions of the values; `None` where the file does not say.
    pub dimensions: Option<Dimensions>,
    /// The frame of the values.
    pub frame: Frame,
    /// The power of the scale factor that turns a comoving value into the physical one.
    pub a_exponent: f64,
    /// Whether there is a comoving value at all.
    pub convertible: bool,
}

impl Formula {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Finds out what the formula means for the rows of `group`, of a file with these units. `frame` is the frame of quantities that do not
    /// say theirs. A field alone is in the frame that it is stored in; products are physical.
    ///
    /// Errors: [`Error::BadCondition`] with the column, as of [`Condition::bind`](super::Condition::bind).
    pub fn bind(&self, context: &UnitContext, group: &ParticleGroup, frame: Option<Frame>) -> Result<BoundFormula> {
        let mut binder = Binder::new(&self.text, 0, context, group, frame);
        let value = match binder.value(&self.root)? {
            Typed::Field(value) => value,
            Typed::Literal(literal) => FieldValue {
                expression: Expression::Constant(literal.number),
                dimensions: Some(literal.dimensions.unwrap_or_default()),
                a_exponent: 0.0,
                frame: literal.frame.unwrap_or(Frame::Comoving),
                convertible: true,
            },
        };
        let FieldValue { expression, dimensions, a_exponent, frame, convertible } = value;
        Ok(BoundFormula { columns: binder.columns, expression, dimensions, frame, a_exponent, convertible })
    }
}

impl BoundFormula {
    /// The columns whose values it is asked with, in this order.
    pub fn columns(&self) -> &[ConditionColumn] {
        &self.columns
    }

    /// The same in another unit: every value times `factor`.
    #[must_use]
    pub fn times(mut self, factor: f64) -> Self {
        #[expect(clippy::float_cmp, reason = "a factor of exactly 1 changes nothing")]
        if factor != 1.0 {
            self.expression = self.expression.times(factor);
        }
        self
    }

    /// The same in that frame, at scale factor `a`; `None` where it exists as a physical value only.
    #[must_use]
    pub fn in_frame(self, frame: Frame, a: f64) -> Option<Self> {
        let power = match (self.frame, frame) {
            (Frame::Comoving, Frame::Physical) => self.a_exponent,
            (Frame::Physical, Frame::Comoving) if self.convertible || self.a_exponent == 0.0 => -self.a_exponent,
            (Frame::Physical, Frame::Comoving) => return None,
            _ => 0.0,
        };
        Some(Self { frame, ..self.times(if power == 0.0 { 1.0 } else { a.powf(power) }) })
    }

    /// The value of each of `n_rows` rows, appended, given those of the [`columns`](Self::columns).
    ///
    /// Errors: [`Error::Malformed`] where a column is missing or of another length.
    pub fn evaluate(&self, columns: &[ColumnBlock<'_>], n_rows: usize, out: &mut Vec<f64>) -> Result<()> {
        if columns.len() != self.columns.len() || columns.iter().any(|c| c.n_rows() != n_rows) {
            let lengths: Vec<usize> = columns.iter().map(ColumnBlock::n_rows).collect();
            return Err(Error::Malformed {
                file: String::new(),
                object: "formula".to_owned(),
                reason: format!("columns of {lengths:?} rows where {} of {n_rows} are needed", self.columns.len()),
            });
        }
        match &self.expression {
            Expression::Column(index) => columns[*index].floats(out),
            expression => {
                out.extend((0..n_rows).map(|row| expression.value(&|index: usize| columns[index].float(row))));
            }
        }
        Ok(())
    }
}

impl PartialEq for Formula {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Serialize for Formula {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}
