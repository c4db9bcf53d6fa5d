//! Binding: what names and units of a condition mean for one group of a file.

use std::ops::Range;

use apus_h5::Datatype;

use super::{
    evaluate::CompiledTest,
    syntax::{Arithmetic, Condition, Function, Operator, Test, Value, error_at},
    value::{Expression, FieldValue, Literal, Typed, frames_differ},
};
use crate::{
    Dimensions, Error, Frame, ParticleGroup, Result, UnitContext,
    lookup::{find_field, without_group},
};

/// A condition of which every name and unit is known to fit one group of a file. It asks for [`columns`](Self::columns) and
/// tells of their values which rows are wanted.
#[derive(Clone, Debug, PartialEq)]
pub struct BoundCondition {
    pub(super) columns: Vec<ConditionColumn>,
    pub(super) test: CompiledTest,
}

/// A column that a condition looks at.
#[derive(Clone, Debug, PartialEq)]
pub struct ConditionColumn {
    /// The path of the field.
    pub path: String,
    /// Which of its columns, where it has several.
    pub index: Option<u64>,
    /// The type of the numbers that its elements are compared as.
    pub dtype: Datatype,
}

impl Condition {
    /// Finds out what the condition means for the rows of `group`, of a file with these units. `frame` is the frame of quantities that do not say theirs.
    ///
    /// Errors: [`Error::BadCondition`] with the column, for names that the group does not have (and which are near), units of
    /// the wrong dimensions, quantities that lack a unit or a frame, and fields that are no numbers.
    pub fn bind(&self, context: &UnitContext, group: &ParticleGroup, frame: Option<Frame>) -> Result<BoundCondition> {
        let mut binder = Binder::new(&self.text, self.n_before, context, group, frame);
        let test = binder.test(&self.root)?;
        Ok(BoundCondition { columns: binder.columns, test })
    }

    /// The group that the names with a type in front mean, of these groups: the part before the first point. `None` where no
    /// name has one, so that the condition is meant for whatever group it is used with.
    ///
    /// Errors: [`Error::BadCondition`] where it mixes several.
    pub fn group<'g>(&self, groups: &'g [ParticleGroup]) -> Result<Option<&'g ParticleGroup>> {
        let mut found: Option<&ParticleGroup> = None;
        for name in self.field_names() {
            let Some(group) = groups.iter().find(|g| without_group(name, g).is_some()) else { continue };
            match found {
                Some(other) if other.name != group.name => {
                    let at = self.text.find(name).unwrap_or(0);
                    let reason =
                        format!("mixes {} and {}: a condition is about the rows of one group", other.name, group.name);
                    return Err(error_at(&self.text, self.n_before, at, reason));
                }
                _ => found = Some(group),
            }
        }
        Ok(found)
    }
}

impl BoundCondition {
    /// What it takes to decide of a row: each comparison, and each operation of what is compared.
    pub fn n_operations(&self) -> u64 {
        self.test.n_operations()
    }

    /// The columns whose values it is asked with, in this order.
    pub fn columns(&self) -> &[ConditionColumn] {
        &self.columns
    }
}

/// The type of the numbers that elements are compared as: of an enum, that of its values.
pub(crate) fn number_type(dtype: &Datatype) -> &Datatype {
    match dtype {
        Datatype::Enum { base, .. } => base,
        other => other,
    }
}

pub(super) struct Binder<'a> {
    source: &'a str,
    /// The characters before it in the text that it is a part of.
    n_before: usize,
    group: &'a ParticleGroup,
    frame: Option<Frame>,
    a: f64,
    context: &'a UnitContext,
    pub(super) columns: Vec<ConditionColumn>,
}

impl<'a> Binder<'a> {
    pub(super) fn new(
        source: &'a str,
        n_before: usize,
        context: &'a UnitContext,
        group: &'a ParticleGroup,
        frame: Option<Frame>,
    ) -> Self {
        Self { source, n_before, group, frame, a: context.scale_factor, context, columns: Vec::new() }
    }
}

impl Binder<'_> {
    fn test(&mut self, test: &Test) -> Result<CompiledTest> {
        Ok(match test {
            Test::Any(tests) => CompiledTest::Any(tests.iter().map(|t| self.test(t)).collect::<Result<_>>()?),
            Test::All(tests) => CompiledTest::All(tests.iter().map(|t| self.test(t)).collect::<Result<_>>()?),
            Test::Not(test) => CompiledTest::Not(Box::new(self.test(test)?)),
            Test::Compare { left, operator, right } => match (self.value(left)?, self.value(right)?) {
                (Typed::Literal(a), Typed::Literal(b)) => {
                    self.check_dimensions((a.dimensions, &a), left, (b.dimensions, &b), right)?;
                    CompiledTest::Constant(operator.holds(&a.number, &b.number))
                }
                (Typed::Field(field), Typed::Literal(literal)) => {
                    self.compare(field, left, *operator, &literal, right)?
                }
                (Typed::Literal(literal), Typed::Field(field)) => {
                    self.compare(field, right, operator.mirrored(), &literal, left)?
                }
                (Typed::Field(a), Typed::Field(b)) => {
                    let (a, b) = self.in_one_frame(a, left, b, right)?;
                    CompiledTest::General { left: a.expression, operator: *operator, right: b.expression }
                }
            },
        })
    }

    fn compare(
        &self,
        field: FieldValue,
        field_at: &Value,
        operator: Operator,
        literal: &Literal,
        literal_at: &Value,
    ) -> Result<CompiledTest> {
        let integer = literal.integer;
        let threshold = self.beside(&field, field_at, literal, literal_at)?;
        let Expression::Column(column) = field.expression else {
            return Ok(CompiledTest::General {
                left: field.expression,
                operator,
                right: Expression::Constant(threshold),
            });
        };
        Ok(match &self.columns[column].dtype {
            Datatype::Float { size: 4, .. } => {
                #[expect(clippy::cast_possible_truncation, reason = "numpy rounds a Python number to the array's type")]
                let threshold = threshold as f32;
                CompiledTest::Float32 { column, operator, threshold }
            }
            Datatype::Float { .. } => CompiledTest::Float64 { column, operator, threshold },
            _ => match integer {
                Some(threshold) => CompiledTest::Integer { column, operator, threshold },
                None => CompiledTest::integer(column, operator, threshold),
            },
        })
    }

    pub(super) fn value(&mut self, value: &Value) -> Result<Typed> {
        Ok(match value {
            Value::Quantity { number, integer, unit, frame, .. } => {
                Typed::Literal(self.quantity(*number, *integer, unit.clone(), *frame)?)
            }
            Value::Field { name, index, at } => Typed::Field(self.field(name, *index, at)?),
            Value::Negative(inner) => match self.value(inner)? {
                Typed::Literal(l) => Typed::Literal(Literal { number: -l.number, integer: l.integer.map(|i| -i), ..l }),
                Typed::Field(f) => {
                    Typed::Field(FieldValue { expression: Expression::Negative(Box::new(f.expression)), ..f })
                }
            },
            Value::Power { base, exponent } => match self.value(base)? {
                Typed::Literal(l) => Typed::Literal(Literal {
                    number: l.number.powi(*exponent),
                    integer: None,
                    dimensions: l.dimensions.map(|d| d.power(f64::from(*exponent))),
                    ..l
                }),
                Typed::Field(f) => Typed::Field(FieldValue {
                    expression: Expression::Power(Box::new(f.expression), *exponent),
                    dimensions: f.dimensions.map(|d| d.power(f64::from(*exponent))),
                    a_exponent: f.a_exponent * f64::from(*exponent),
                    ..f
                }),
            },
            Value::Call { function, argument, at } => {
                let typed = self.value(argument)?;
                self.call(*function, typed, argument, at)?
            }
            Value::Arithmetic { left, operator, right } => {
                let (a, b) = (self.value(left)?, self.value(right)?);
                match operator {
                    Arithmetic::Plus | Arithmetic::Minus => self.sum(a, left, *operator, b, right)?,
                    Arithmetic::Times | Arithmetic::Over => self.product(a, left, *operator, b, right)?,
                }
            }
        })
    }

    fn quantity(
        &self,
        number: f64,
        integer: Option<i128>,
        unit: Option<Range<usize>>,
        frame: Option<Frame>,
    ) -> Result<Literal> {
        let frame = frame.or(self.frame);
        let Some(unit) = unit else { return Ok(Literal { number, integer, dimensions: None, frame }) };
        let text = &self.source[unit.clone()];
        let (parsed, factor) = self.context.parse(text).map_err(|e| self.wrong(&unit, e.to_string()))?;
        let number = number * factor;
        Ok(Literal { number, integer: None, dimensions: Some(parsed.dimensions), frame })
    }

    fn field(&mut self, name: &str, index: Option<u64>, at: &Range<usize>) -> Result<FieldValue> {
        let rest = without_group(name, self.group).unwrap_or(name);
        let (field, column) = find_field(self.group, rest).map_err(|reason| self.wrong(at, reason))?;
        if column.is_some() && index.is_some() {
            return Err(self.wrong(at, "names a column twice".to_owned()));
        }
        let index = column.or(index);
        let n_columns = field.n_columns();
        match index {
            None if field.shape.len() > 1 => {
                let hint = match &field.named_columns {
                    Some(columns) => {
                        format!("say which, as in {}.{}", field.name, columns.names.first().map_or("", |n| n))
                    }
                    None => format!("say which, as in {}[0]", field.name),
                };
                return Err(self.wrong(at, format!("{} has {n_columns} columns: {hint}", field.name)));
            }
            Some(index) if field.shape.len() != 2 || index >= n_columns => {
                return Err(
                    self.wrong(at, format!("{} has no column {index}; its shape is {:?}", field.name, field.shape))
                );
            }
            _ => {}
        }
        let dtype = number_type(&field.dtype).clone();
        let is_number = match &dtype {
            Datatype::Integer { size, .. } => matches!(size, 1 | 2 | 4 | 8),
            Datatype::Float { size, .. } => matches!(size, 4 | 8),
            _ => false,
        };
        if !is_number {
            return Err(self.wrong(at, format!("{} holds nothing that can be compared", field.name)));
        }
        let column = ConditionColumn { path: field.path.clone(), index, dtype };
        let position = self.columns.iter().position(|c| *c == column).unwrap_or_else(|| {
            self.columns.push(column);
            self.columns.len() - 1
        });
        Ok(FieldValue {
            expression: Expression::Column(position),
            dimensions: field.unit.as_ref().map(|u| u.dimensions),
            a_exponent: field.a_exponent,
            frame: field.frame,
            convertible: field.convertible,
        })
    }

    fn call(&self, function: Function, typed: Typed, argument: &Value, at: &Range<usize>) -> Result<Typed> {
        let dimensions = match &typed {
            Typed::Literal(l) => l.dimensions,
            Typed::Field(f) => f.dimensions,
        };
        if function == Function::Log10 && dimensions.is_some_and(|d| !d.is_none()) {
            let reason = format!(
                "log10 is taken of a pure number, and {} is one in {}",
                self.text(argument),
                self.unit(dimensions)
            );
            return Err(self.wrong(at, format!("{reason}: divide it by a unit first, as in / (1 K)")));
        }
        let power = if function == Function::Sqrt { 0.5 } else { 1.0 };
        Ok(match typed {
            Typed::Literal(l) => Typed::Literal(Literal {
                number: function.of(l.number),
                integer: None,
                dimensions: l.dimensions.map(|d| d.power(power)),
                ..l
            }),
            Typed::Field(f) => {
                let f = if function == Function::Log10 { f.into_physical(self.a) } else { f };
                Typed::Field(FieldValue {
                    expression: Expression::Call(function, Box::new(f.expression)),
                    dimensions: f.dimensions.map(|d| d.power(power)),
                    a_exponent: f.a_exponent * power,
                    ..f
                })
            }
        })
    }

    fn sum(&self, a: Typed, left: &Value, operator: Arithmetic, b: Typed, right: &Value) -> Result<Typed> {
        let join = |a: Expression, b: Expression| Expression::Arithmetic(Box::new(a), operator, Box::new(b));
        Ok(match (a, b) {
            (Typed::Literal(a), Typed::Literal(b)) => {
                self.check_dimensions((a.dimensions, &a), left, (b.dimensions, &b), right)?;
                if a.frame != b.frame {
                    return Err(self.wrong(&right.span(), "is in another frame than what it is added to".to_owned()));
                }
                let dimensions = a.dimensions.or(b.dimensions);
                Typed::Literal(Literal { number: operator.of(a.number, b.number), integer: None, dimensions, ..a })
            }
            (Typed::Field(f), Typed::Literal(l)) => {
                let number = self.beside(&f, left, &l, right)?;
                Typed::Field(FieldValue { expression: join(f.expression, Expression::Constant(number)), ..f })
            }
            (Typed::Literal(l), Typed::Field(f)) => {
                let number = self.beside(&f, right, &l, left)?;
                Typed::Field(FieldValue { expression: join(Expression::Constant(number), f.expression), ..f })
            }
            (Typed::Field(a), Typed::Field(b)) => {
                let (a, b) = self.in_one_frame(a, left, b, right)?;
                Typed::Field(FieldValue { expression: join(a.expression, b.expression), ..a })
            }
        })
    }

    fn product(&self, a: Typed, left: &Value, operator: Arithmetic, b: Typed, right: &Value) -> Result<Typed> {
        let sign = if operator == Arithmetic::Over { -1.0 } else { 1.0 };
        if let (Typed::Literal(a), Typed::Literal(b)) = (&a, &b) {
            if a.frame.is_some() && b.frame.is_some() && a.frame != b.frame {
                return Err(self.wrong(&right.span(), "is in another frame than what it is multiplied with".to_owned()));
            }
            return Ok(Typed::Literal(Literal {
                number: operator.of(a.number, b.number),
                integer: None,
                dimensions: match (a.dimensions, b.dimensions) {
                    (None, None) => None,
                    (a, b) => Some(a.unwrap_or_default().times(b.unwrap_or_default().power(sign))),
                },
                frame: a.frame.or(b.frame),
            }));
        }
        let a = self.factor(a, left)?;
        let b = self.factor(b, right)?;
        Ok(Typed::Field(FieldValue {
            dimensions: a.dimensions.zip(b.dimensions).map(|(a, b)| a.times(b.power(sign))),
            a_exponent: a.a_exponent + sign * b.a_exponent,
            frame: Frame::Physical,
            convertible: a.convertible && b.convertible,
            expression: Expression::Arithmetic(Box::new(a.expression), operator, Box::new(b.expression)),
        }))
    }

    /// One side of a product: in the physical frame, where exponents of the scale factor simply add.
    fn factor(&self, typed: Typed, at: &Value) -> Result<FieldValue> {
        match typed {
            Typed::Field(field) => Ok(field.into_physical(self.a)),
            Typed::Literal(literal) => {
                let has_unit = literal.dimensions.is_some_and(|d| !d.is_none());
                if has_unit && literal.frame == Some(Frame::Comoving) && frames_differ(self.a) {
                    let reason =
                        "a comoving quantity can be compared, added and subtracted; in a product it must be physical";
                    return Err(self.wrong(&at.span(), reason.to_owned()));
                }
                Ok(FieldValue {
                    expression: Expression::Constant(literal.number),
                    dimensions: Some(literal.dimensions.unwrap_or_default()),
                    a_exponent: 0.0,
                    frame: Frame::Physical,
                    convertible: true,
                })
            }
        }
    }

    /// The number that a quantity is in the unit and frame of the field beside it.
    fn beside(&self, field: &FieldValue, field_at: &Value, literal: &Literal, literal_at: &Value) -> Result<f64> {
        match (literal.dimensions, field.dimensions) {
            // Nothing is nothing in every unit and frame.
            (None, _) if literal.number == 0.0 => return Ok(0.0),
            (None, None) => {}
            (literal, field) if literal.is_some() && field.is_none() => {
                let reason = format!("the file does not say the unit of {}", self.text(field_at));
                return Err(self.wrong(&literal_at.span(), reason));
            }
            (literal, field) => {
                let (literal, field) = (literal.unwrap_or_default(), field.unwrap_or_default());
                if !literal.agrees_with(field) {
                    return Err(self.mismatch(literal_at, literal, field_at, field));
                }
            }
        }
        if !field.depends_on_frame(self.a) {
            return Ok(literal.number);
        }
        match (literal.frame, field.frame) {
            (Some(said), frame) if said == frame => Ok(literal.number),
            (Some(Frame::Physical), _) => Ok(literal.number * self.a.powf(-field.a_exponent)),
            (Some(Frame::Comoving), _) if field.convertible => Ok(literal.number * self.a.powf(field.a_exponent)),
            (Some(Frame::Comoving), _) => {
                let reason = format!("{} exists as a physical value only", self.text(field_at));
                Err(self.wrong(&literal_at.span(), reason))
            }
            (None, _) => {
                let reason = format!(
                    "{} differs between frames (a^{} at a = {}): say comoving or physical after {}",
                    self.text(field_at),
                    field.a_exponent,
                    self.a,
                    self.text(literal_at)
                );
                Err(self.wrong(&literal_at.span(), reason))
            }
        }
    }

    /// Two fields that are compared or added: in the frame that both are in, or else in the physical one.
    fn in_one_frame(
        &self,
        a: FieldValue,
        left: &Value,
        b: FieldValue,
        right: &Value,
    ) -> Result<(FieldValue, FieldValue)> {
        if let (Some(x), Some(y)) = (a.dimensions, b.dimensions)
            && !x.agrees_with(y)
        {
            return Err(self.mismatch(right, y, left, x));
        }
        #[expect(clippy::float_cmp, reason = "exponents that a file has alike are the same number")]
        let same = a.frame == b.frame && a.a_exponent == b.a_exponent;
        Ok(if same { (a, b) } else { (a.into_physical(self.a), b.into_physical(self.a)) })
    }

    fn check_dimensions(
        &self,
        a: (Option<Dimensions>, &Literal),
        left: &Value,
        b: (Option<Dimensions>, &Literal),
        right: &Value,
    ) -> Result<()> {
        let is_nothing = |l: &Literal| l.dimensions.is_none() && l.number == 0.0;
        let (x, y) = (a.0.unwrap_or_default(), b.0.unwrap_or_default());
        if x.agrees_with(y) || is_nothing(a.1) || is_nothing(b.1) {
            Ok(())
        } else {
            Err(self.mismatch(right, y, left, x))
        }
    }

    fn mismatch(&self, found_at: &Value, found: Dimensions, expected_at: &Value, expected: Dimensions) -> Error {
        let reason = format!(
            "{} is of dimension {found}, but {} is of dimension {expected}; its unit here is {}",
            self.text(found_at),
            self.text(expected_at),
            self.unit(Some(expected))
        );
        self.wrong(&found_at.span(), reason)
    }

    fn unit(&self, dimensions: Option<Dimensions>) -> String {
        match (&self.context.units, dimensions) {
            (Some(units), Some(dimensions)) => units.unit_string(dimensions),
            _ => "unknown".to_owned(),
        }
    }

    /// What was written there, for messages.
    fn text(&self, value: &Value) -> &str {
        self.source.get(value.span()).unwrap_or("this").trim()
    }

    fn wrong(&self, at: &Range<usize>, reason: String) -> Error {
        error_at(self.source, self.n_before, at.start, reason)
    }
}

#[cfg(test)]
#[path = "bind_tests.rs"]
mod tests;
