//! The parser: recursive descent, one function for each line of the grammar.

use std::{ops::Range, str::FromStr};

use super::formula::Formula;
use super::syntax::{Arithmetic, Condition, Function, Operator, Test, Value, error_at};
use crate::{
    Error, Frame, Result,
    units::{Symbols, number_length, parse_prefix},
};

/// The longest condition; also what bounds the tree.
const MAX_LENGTH: usize = 4096;
/// How deep parentheses, signs and negations may nest.
const MAX_DEPTH: u32 = 32;
/// The most arithmetic operations of one comparison. A sum is a tree as deep as it is long, and what walks it recurses.
const MAX_OPERATIONS: u32 = 128;

impl FromStr for Condition {
    type Err = Error;

    /// Parses a condition. Errors: [`Error::BadCondition`], with the column.
    fn from_str(text: &str) -> Result<Self> {
        Self::parse_part(text, 0)
    }
}

impl Condition {
    /// Parses a condition that is a part of a longer text, with so many characters before it: columns of errors, those of
    /// [`bind`](Self::bind) too, count from the start of the whole.
    ///
    /// Errors: [`Error::BadCondition`], with the column.
    pub fn parse_part(text: &str, n_before: usize) -> Result<Self> {
        let mut parser = Parser::new(text, n_before)?;
        let root = parser
            .condition()
            .and_then(|tree| match parser.peek() {
                Some(found) => Err(parser.wrong(format!("{found:?} was not expected here"))),
                None => parser.test(tree, 0..text.len()),
            })
            .map_err(|(at, reason)| error_at(text, n_before, at, reason))?;
        Ok(Self { text: text.to_owned(), n_before, root })
    }
}

impl FromStr for Formula {
    type Err = Error;

    /// Parses an expression. Errors: [`Error::BadCondition`], with the column.
    fn from_str(text: &str) -> Result<Self> {
        let mut parser = Parser::new(text, 0)?;
        let root = parser
            .side()
            .and_then(|value| match parser.peek() {
                Some(found) => Err(parser.wrong(format!("{found:?} was not expected here"))),
                None => Ok(value),
            })
            .map_err(|(at, reason)| error_at(text, 0, at, reason))?;
        Ok(Self { text: text.to_owned(), root })
    }
}

/// A part of the tree: which of the two it is shows only after a parenthesis is closed.
enum Tree {
    Test(Test),
    Value(Value),
}

type Parsed<T> = Result<T, (usize, String)>;

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: u32,
    /// Those of the comparison that is being parsed.
    n_operations: u32,
    symbols: Symbols,
}

impl<'a> Parser<'a> {
    /// Errors: [`Error::BadCondition`] for a text that is too long.
    fn new(text: &'a str, n_before: usize) -> Result<Self> {
        if text.len() > MAX_LENGTH {
            let reason = format!("is {} bytes long, more than {MAX_LENGTH}", text.len());
            return Err(Error::BadCondition { column: n_before.saturating_add(MAX_LENGTH), reason });
        }
        Ok(Self { text, at: 0, depth: 0, n_operations: 0, symbols: Symbols::any_hubble_parameter() })
    }

    fn condition(&mut self) -> Parsed<Tree> {
        self.series(&["or", "||"], Self::conjunction, Test::Any)
    }

    fn conjunction(&mut self) -> Parsed<Tree> {
        self.series(&["and", "&&"], Self::negation, Test::All)
    }

    fn series(
        &mut self,
        words: &[&str],
        part: fn(&mut Self) -> Parsed<Tree>,
        join: fn(Vec<Test>) -> Test,
    ) -> Parsed<Tree> {
        let start = self.start();
        let first = part(self)?;
        if !words.iter().any(|word| self.take(word)) {
            return Ok(first);
        }
        let mut tests = vec![self.test(first, start..self.at)?];
        loop {
            let start = self.start();
            let next = part(self)?;
            tests.push(self.test(next, start..self.at)?);
            if !words.iter().any(|word| self.take(word)) {
                return Ok(Tree::Test(join(tests)));
            }
        }
    }

    fn negation(&mut self) -> Parsed<Tree> {
        if !(self.take("not") || !self.rest().starts_with("!=") && self.take("!")) {
            return self.comparison();
        }
        self.nested(|parser| {
            let start = parser.start();
            let tree = parser.negation()?;
            Ok(Tree::Test(Test::Not(Box::new(parser.test(tree, start..parser.at)?))))
        })
    }

    fn comparison(&mut self) -> Parsed<Tree> {
        let n_before = self.n_operations;
        let tree = self.comparison_or_value()?;
        // A value in parentheses may go on to be a part of a larger one; what is compared is done with.
        if matches!(tree, Tree::Test(_)) {
            self.n_operations = n_before;
        }
        Ok(tree)
    }

    fn comparison_or_value(&mut self) -> Parsed<Tree> {
        let start = self.start();
        let first = self.sum()?;
        let span = start..self.at;
        if self.take("in") {
            let left = self.value(first, span)?;
            return self.interval(left);
        }
        let Some(mut operator) = self.operator() else { return Ok(first) };
        let mut left = self.value(first, span)?;
        let mut tests = Vec::new();
        loop {
            let right = self.side()?;
            tests.push(Test::Compare { left, operator, right: right.clone() });
            left = right;
            match self.operator() {
                Some(next) => operator = next,
                None if tests.len() == 1 => return Ok(Tree::Test(tests.remove(0))),
                None => return Ok(Tree::Test(Test::All(tests))),
            }
        }
    }

    fn interval(&mut self, value: Value) -> Parsed<Tree> {
        let lower_operator = match self.take_one(&["[", "("]) {
            Some("[") => Operator::GreaterOrEqual,
            Some(_) => Operator::Greater,
            None => return Err(self.wrong("expected [ or ( after in".to_owned())),
        };
        let lower = self.side()?;
        if !self.take(",") {
            return Err(self.wrong("expected , between the ends of the interval".to_owned()));
        }
        let upper = self.side()?;
        let upper_operator = match self.take_one(&["]", ")"]) {
            Some("]") => Operator::LessOrEqual,
            Some(_) => Operator::Less,
            None => return Err(self.wrong("expected ] or ) at the end of the interval".to_owned())),
        };
        Ok(Tree::Test(Test::All(vec![
            Test::Compare { left: value.clone(), operator: lower_operator, right: lower },
            Test::Compare { left: value, operator: upper_operator, right: upper },
        ])))
    }

    fn operator(&mut self) -> Option<Operator> {
        Some(match self.take_one(&["<=", "<", ">=", ">", "==", "=", "!="])? {
            "<=" => Operator::LessOrEqual,
            "<" => Operator::Less,
            ">=" => Operator::GreaterOrEqual,
            ">" => Operator::Greater,
            "!=" => Operator::NotEqual,
            _ => Operator::Equal,
        })
    }

    /// A sum that must be a value.
    fn side(&mut self) -> Parsed<Value> {
        let start = self.start();
        let tree = self.sum()?;
        self.value(tree, start..self.at)
    }

    fn sum(&mut self) -> Parsed<Tree> {
        self.arithmetic(&[("+", Arithmetic::Plus), ("-", Arithmetic::Minus)], Self::product)
    }

    fn product(&mut self) -> Parsed<Tree> {
        self.arithmetic(&[("*", Arithmetic::Times), ("/", Arithmetic::Over)], Self::signed)
    }

    fn arithmetic(&mut self, operators: &[(&str, Arithmetic)], part: fn(&mut Self) -> Parsed<Tree>) -> Parsed<Tree> {
        let start = self.start();
        let mut tree = part(self)?;
        loop {
            let end = self.at;
            let Some((_, operator)) = operators.iter().find(|(sign, _)| self.take(sign)) else { return Ok(tree) };
            self.n_operations += 1;
            if self.n_operations > MAX_OPERATIONS {
                return Err((end, format!("more than {MAX_OPERATIONS} arithmetic operations in one comparison")));
            }
            let left = self.value(tree, start..end)?;
            let right_start = self.start();
            let right = part(self)?;
            let right = self.value(right, right_start..self.at)?;
            tree = Tree::Value(Value::Arithmetic { left: Box::new(left), operator: *operator, right: Box::new(right) });
        }
    }

    fn signed(&mut self) -> Parsed<Tree> {
        if !self.take("-") {
            return self.power();
        }
        self.nested(|parser| {
            let start = parser.start();
            let tree = parser.signed()?;
            Ok(Tree::Value(Value::Negative(Box::new(parser.value(tree, start..parser.at)?))))
        })
    }

    fn power(&mut self) -> Parsed<Tree> {
        let start = self.start();
        let tree = self.atom()?;
        if !self.take("**") {
            return Ok(tree);
        }
        let base = Box::new(self.value(tree, start..self.at)?);
        let negative = self.take("-");
        let at = self.start();
        let digits = self.take_while(|c| c.is_ascii_digit());
        let exponent = digits.parse::<i32>().ok().filter(|e| *e <= 16);
        let exponent = exponent.ok_or((at, "an exponent is a whole number up to 16".to_owned()))?;
        Ok(Tree::Value(Value::Power { base, exponent: if negative { -exponent } else { exponent } }))
    }

    fn atom(&mut self) -> Parsed<Tree> {
        let start = self.start();
        match self.peek() {
            None => Err(self.wrong("ends where a field or a number is expected".to_owned())),
            Some('(') => {
                self.at += 1;
                self.nested(|parser| {
                    let tree = parser.condition()?;
                    if parser.take(")") { Ok(tree) } else { Err((start, "this parenthesis is not closed".to_owned())) }
                })
            }
            Some('0'..='9' | '.') => self.quantity().map(Tree::Value),
            Some(c) if c.is_ascii_alphabetic() || matches!(c, '_' | '/') => self.field_or_call().map(Tree::Value),
            Some(c) => Err(self.wrong(format!("{c:?} where a field or a number is expected"))),
        }
    }

    fn quantity(&mut self) -> Parsed<Value> {
        let start = self.at;
        let digits = &self.rest()[..number_length(self.rest())];
        let number = digits.parse::<f64>().ok().filter(|n| n.is_finite());
        let number = number.ok_or((start, format!("{digits:?} is no number, or one out of range")))?;
        self.at += digits.len();
        let mut end = self.at;
        let unit_start = self.start();
        let unit = parse_prefix(self.rest(), &self.symbols).map(|(_, length)| unit_start..unit_start + length);
        if let Some(unit) = &unit {
            end = unit.end;
        }
        self.at = end;
        let frame = if self.take("comoving") {
            Some(Frame::Comoving)
        } else if self.take("physical") {
            Some(Frame::Physical)
        } else {
            None
        };
        if frame.is_some() {
            end = self.at;
        }
        Ok(Value::Quantity { number, integer: digits.parse().ok(), unit, frame, at: start..end })
    }

    fn field_or_call(&mut self) -> Parsed<Value> {
        let start = self.at;
        let is_path = self.peek() == Some('/');
        let name = self.take_while(|c| c.is_ascii_alphanumeric() || c == '_' || c == if is_path { '/' } else { '.' });
        let name = name.to_owned();
        if matches!(name.as_str(), "and" | "or" | "not" | "in" | "comoving" | "physical") {
            return Err((start, format!("{name:?} where a field or a number is expected")));
        }
        let function = match name.as_str() {
            "abs" => Some(Function::Abs),
            "sqrt" => Some(Function::Sqrt),
            "log10" => Some(Function::Log10),
            _ => None,
        };
        if let Some(function) = function
            && self.take("(")
        {
            return self.nested(|parser| {
                let argument = Box::new(parser.side()?);
                if !parser.take(")") {
                    return Err(parser.wrong(format!("expected ) after what {name} is taken of")));
                }
                Ok(Value::Call { function, argument, at: start..parser.at })
            });
        }
        let mut end = self.at;
        let mut index = None;
        if self.take("[") {
            let at = self.start();
            let digits = self.take_while(|c| c.is_ascii_digit());
            index = Some(digits.parse::<u64>().map_err(|_| (at, "expected the number of a column".to_owned()))?);
            if !self.take("]") {
                return Err(self.wrong("expected ] after the number of the column".to_owned()));
            }
            end = self.at;
        }
        Ok(Value::Field { name, index, at: start..end })
    }

    fn test(&self, tree: Tree, span: Range<usize>) -> Parsed<Test> {
        match tree {
            Tree::Test(test) => Ok(test),
            Tree::Value(_) => {
                let text = self.text.get(span.clone()).unwrap_or("").trim();
                Err((span.end, format!("{text:?} is not compared with anything")))
            }
        }
    }

    fn value(&self, tree: Tree, span: Range<usize>) -> Parsed<Value> {
        match tree {
            Tree::Value(value) => Ok(value),
            Tree::Test(_) => {
                let text = self.text.get(span.clone()).unwrap_or("").trim();
                Err((span.start, format!("{text:?} is true or false, and has no value")))
            }
        }
    }

    fn nested<T>(&mut self, parse: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth == MAX_DEPTH {
            return Err(self.wrong(format!("is nested more than {MAX_DEPTH} deep")));
        }
        self.depth += 1;
        let parsed = parse(self)?;
        self.depth -= 1;
        Ok(parsed)
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or("")
    }

    /// Where the next thing starts.
    fn start(&mut self) -> usize {
        self.at += self.rest().len() - self.rest().trim_start().len();
        self.at
    }

    fn peek(&mut self) -> Option<char> {
        self.start();
        self.rest().chars().next()
    }

    /// Takes a sign or a word, which must not go on as a longer one.
    fn take(&mut self, token: &str) -> bool {
        self.start();
        let Some(rest) = self.rest().strip_prefix(token) else { return false };
        let goes_on = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let is_word = token.starts_with(|c: char| c.is_ascii_alphabetic());
        if is_word && rest.starts_with(goes_on) || token == "*" && rest.starts_with('*') {
            return false;
        }
        self.at += token.len();
        true
    }

    fn take_one<'t>(&mut self, tokens: &[&'t str]) -> Option<&'t str> {
        tokens.iter().copied().find(|token| self.take(token))
    }

    fn take_while(&mut self, mut wanted: impl FnMut(char) -> bool) -> &'a str {
        let rest = self.rest();
        let length = rest.find(|c| !wanted(c)).unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }

    fn wrong(&mut self, reason: String) -> (usize, String) {
        (self.start(), reason)
    }
}

#[cfg(test)]
#[path = "parse_tests.rs"]
mod tests;
