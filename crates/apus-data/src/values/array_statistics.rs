//! Statistics of the selected elements of a dataset, equal to numpy's: its sums are a tree of fixed form over the elements in their order,
//! of which a stream needs no more than one leaf and one number for each level.

use std::ops::Range;

use apus_h5::{ByteOrder, Datatype, FloatFormat, Reader, half_to_f64};
use bytes::Bytes;

use super::{Pinned, array::ArrayRequest, element_form::Elements};
use crate::{
    Error, Result,
    encode::{dtype::name_of, number::nearest_half},
    values::ElementForm,
};

/// The most elements of a leaf of the tree (`PW_BLOCKSIZE` of numpy).
const LEAF: usize = 128;
/// What numpy converts to another type before it adds, it converts and adds by so many elements (`NPY_BUFSIZE`).
const BUFFER: u64 = 8192;

/// What is known of numbers that are finite.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ArrayStatistics {
    /// The smallest above zero.
    pub strict_positive_min: Option<Statistic>,
    /// The smallest that is not below zero.
    pub positive_min: Option<Statistic>,
    /// The smallest.
    pub min: Option<Statistic>,
    /// The largest.
    pub max: Option<Statistic>,
    /// The mean; of integers without its fraction.
    pub mean: Option<Statistic>,
    /// The standard deviation; of integers without its fraction.
    pub std: Option<Statistic>,
}

/// A number of the kind of the elements.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Statistic {
    /// Of integers and booleans.
    Integer(i128),
    /// Of floats.
    Float(f64),
}

impl ArrayRequest {
    /// Statistics of the selected elements: in two passes over them, three where some are not finite.
    ///
    /// Errors: [`Error::Invalid`] for elements that are no real numbers; [`Error::Gone`] as soon as nobody waits; those of reading.
    pub fn statistics(&self) -> Result<ArrayStatistics> {
        let native = self.dataset().dtype();
        let number = Number::of(leaf(native)).ok_or_else(|| {
            let (object, what) = (self.dataset().path(), name_of(native));
            Error::invalid(format!("{object}: there are no statistics of {what}, only of real numbers"))
        })?;
        let is_swapped = matches!(ElementForm::stored(self.dataset().stored_type(), native), ElementForm::Stored(_));
        let passes = Passes { request: self, number };
        // Where the elements are of the type that is added, all are one tree; else one buffer after the other is.
        Ok(match number {
            Number::F64 => passes.run::<f64>(is_swapped)?,
            Number::F32 => passes.run::<f32>(is_swapped)?,
            Number::F16 => passes.run_halves()?,
            Number::F80 => passes.run::<f64>(false)?,
            Number::Integer { .. } => passes.run::<f64>(true)?,
        })
    }

    /// The selected elements, from the first on, as what is added.
    fn numbers(&self, number: Number) -> Result<Numbers> {
        let reader: Reader = self.reader(self.selection().clone())?;
        let (form, size) = match number {
            Number::F80 => (ElementForm::Double, 8),
            _ => (ElementForm::Native, number.size()),
        };
        let n_elements = form.size_bytes(reader.size_bytes()) / size as u64;
        let elements = Elements::new(reader, form);
        Ok(Numbers { pinned: self.pinned().clone(), elements, number, size, n_elements, block: Bytes::new() })
    }
}

/// The elements of a request, gone through again and again.
struct Passes<'a> {
    request: &'a ArrayRequest,
    number: Number,
}

impl Passes<'_> {
    /// With sums in `T`; those of the elements themselves by buffers, or as one tree.
    fn run<T: Real>(&self, is_buffered: bool) -> Result<ArrayStatistics> {
        let (extremes, sum) = self.first_sum::<T>(is_buffered)?;
        if extremes.n_finite == 0 {
            return Ok(ArrayStatistics::default());
        }
        let mean = sum.divided(extremes.n_finite);
        let squares = self.sum::<T>(extremes.n_finite, false, |value| value.minus(mean).squared())?;
        let std = squares.divided(extremes.n_finite).root();
        Ok(self.finish(&extremes, mean.to_f64(), std.to_f64()))
    }

    /// numpy adds halves as singles for the mean, and rounds every step to a half for the deviation.
    fn run_halves(&self) -> Result<ArrayStatistics> {
        let (extremes, sum) = self.first_sum::<f32>(true)?;
        let n = extremes.n_finite;
        if n == 0 {
            return Ok(ArrayStatistics::default());
        }
        let mean = Half::rounded(f64::from(sum) / f64_of(n));
        let center = Half::rounded(self.sum::<f32>(n, false, |value| value)?.into()).divided(n);
        let squared = |value: f32| Half(value).minus(center).squared().0;
        let squares = Half::rounded(self.sum::<f32>(n, false, squared)?.into());
        Ok(self.finish(&extremes, mean.to_f64(), squares.divided(n).root().to_f64()))
    }

    fn finish(&self, extremes: &Extremes, mean: f64, std: f64) -> ArrayStatistics {
        #[expect(clippy::cast_possible_truncation, reason = "as Python's int does; within 64 bits anyway")]
        let statistic = |value: f64| match self.number {
            Number::Integer { .. } => Statistic::Integer(value as i128),
            _ => Statistic::Float(value),
        };
        ArrayStatistics {
            strict_positive_min: extremes.strict_positive_min,
            positive_min: extremes.positive_min,
            min: extremes.min,
            max: extremes.max,
            mean: Some(statistic(mean)),
            std: Some(statistic(std)),
        }
    }

    /// The extremes, and the sum: taken together, if all elements are finite, as they mostly are.
    fn first_sum<T: Real>(&self, is_buffered: bool) -> Result<(Extremes, T)> {
        let mut extremes = Extremes::default();
        let mut numbers = self.request.numbers(self.number)?;
        let n_elements = numbers.n_elements;
        let sum = total(n_elements, is_buffered, &mut |values: &mut [T]| {
            numbers.fill(values, |value| extremes.add(value), |value| value)
        })?;
        if extremes.n_finite == n_elements {
            return Ok((extremes, sum));
        }
        let sum = self.sum(extremes.n_finite, is_buffered, |value| value)?;
        Ok((extremes, sum))
    }

    /// The sum of `term` over the finite elements, of which there are so many.
    fn sum<T: Real>(&self, n_finite: u64, is_buffered: bool, term: impl Fn(T) -> T) -> Result<T> {
        let mut numbers = self.request.numbers(self.number)?;
        total(n_finite, is_buffered, &mut |values: &mut [T]| numbers.fill(values, |_| {}, &term))
    }
}

/// The sum of so many values, of which `fill` gives the next.
fn total<T: Real>(n: u64, is_buffered: bool, fill: &mut impl FnMut(&mut [T]) -> Result<()>) -> Result<T> {
    if !is_buffered {
        return Ok(T::ZERO.plus(tree_sum(n, fill)?));
    }
    let mut sum = T::ZERO;
    for part in parts(n) {
        sum = sum.plus(tree_sum(part.end - part.start, fill)?);
    }
    Ok(sum)
}

fn parts(n: u64) -> impl Iterator<Item = Range<u64>> {
    (0..n.div_ceil(BUFFER)).map(move |i| i * BUFFER..((i + 1) * BUFFER).min(n))
}

/// numpy's `pairwise_sum`. As deep as the number of elements has bits.
fn tree_sum<T: Real>(n: u64, fill: &mut impl FnMut(&mut [T]) -> Result<()>) -> Result<T> {
    if n > LEAF as u64 {
        let half = n / 2;
        let left = half - half % 8;
        let sum = tree_sum(left, fill)?;
        return Ok(sum.plus(tree_sum(n - left, fill)?));
    }
    let mut leaf = [T::ZERO; LEAF];
    let values = leaf.get_mut(..usize::try_from(n).unwrap_or(LEAF)).unwrap_or_default();
    fill(values)?;
    let (eights, rest) = values.as_chunks::<8>();
    let Some((first, eights)) = eights.split_first() else {
        return Ok(rest.iter().fold(T::NEGATIVE_ZERO, |sum, value| sum.plus(*value)));
    };
    let sums = eights.iter().fold(*first, |mut sums, eight| {
        sums.iter_mut().zip(eight).for_each(|(sum, value)| *sum = sum.plus(*value));
        sums
    });
    let [a, b, c, d, e, f, g, h] = sums;
    let sum = a.plus(b).plus(c.plus(d)).plus(e.plus(f).plus(g.plus(h)));
    Ok(rest.iter().fold(sum, |sum, value| sum.plus(*value)))
}

/// What numbers are added as.
trait Real: Copy {
    const ZERO: Self;
    const NEGATIVE_ZERO: Self;
    fn of(value: Value) -> Self;
    fn plus(self, other: Self) -> Self;
    fn minus(self, other: Self) -> Self;
    fn squared(self) -> Self;
    /// Divided in double precision, as numpy divides by a count.
    fn divided(self, n: u64) -> Self;
    fn root(self) -> Self;
    fn to_f64(self) -> f64;
}

impl Real for f64 {
    const ZERO: Self = 0.0;
    const NEGATIVE_ZERO: Self = -0.0;

    #[expect(clippy::cast_precision_loss, reason = "as numpy's cast does")]
    fn of(value: Value) -> Self {
        match value {
            Value::Integer(value) => value as Self,
            Value::Float(value) => value,
        }
    }

    fn plus(self, other: Self) -> Self {
        self + other
    }

    fn minus(self, other: Self) -> Self {
        self - other
    }

    fn squared(self) -> Self {
        self * self
    }

    fn divided(self, n: u64) -> Self {
        self / f64_of(n)
    }

    fn root(self) -> Self {
        self.sqrt()
    }

    fn to_f64(self) -> f64 {
        self
    }
}

#[expect(clippy::cast_possible_truncation, reason = "it is what this type rounds to")]
impl Real for f32 {
    const ZERO: Self = 0.0;
    const NEGATIVE_ZERO: Self = -0.0;

    fn of(value: Value) -> Self {
        f64::of(value) as Self
    }

    fn plus(self, other: Self) -> Self {
        self + other
    }

    fn minus(self, other: Self) -> Self {
        self - other
    }

    fn squared(self) -> Self {
        self * self
    }

    fn divided(self, n: u64) -> Self {
        (f64::from(self) / f64_of(n)) as Self
    }

    fn root(self) -> Self {
        self.sqrt()
    }

    fn to_f64(self) -> f64 {
        self.into()
    }
}

/// A half-precision number, held as a single-precision one.
#[derive(Clone, Copy)]
struct Half(f32);

impl Half {
    #[expect(clippy::cast_possible_truncation, reason = "every half-precision number is a single-precision one")]
    fn rounded(value: f64) -> Self {
        // From here on the nearest is infinity.
        if value.abs() >= 65520.0 || !value.is_finite() {
            return Self(if value.is_nan() { f32::NAN } else { f32::INFINITY.copysign(value as f32) });
        }
        Self(half_to_f64(nearest_half(value)) as f32)
    }

    fn minus(self, other: Self) -> Self {
        Self::rounded((self.0 - other.0).into())
    }

    fn squared(self) -> Self {
        Self::rounded((self.0 * self.0).into())
    }

    fn divided(self, n: u64) -> Self {
        Self::rounded(f64::from(self.0) / f64_of(n))
    }

    fn root(self) -> Self {
        Self::rounded(self.0.sqrt().into())
    }

    fn to_f64(self) -> f64 {
        self.0.into()
    }
}

#[expect(clippy::cast_precision_loss, reason = "as numpy's cast does")]
fn f64_of(n: u64) -> f64 {
    n as f64
}

/// A type of real numbers.
#[derive(Clone, Copy, Debug)]
enum Number {
    Integer {
        size: usize,
        signed: bool,
    },
    F16,
    F32,
    F64,
    /// In double precision here: Rust has nothing wider.
    F80,
}

/// An element.
#[derive(Clone, Copy)]
enum Value {
    Integer(i128),
    Float(f64),
}

impl Number {
    fn of(dtype: &Datatype) -> Option<Self> {
        let size = usize::try_from(dtype.size_bytes()).ok()?;
        Some(match dtype {
            Datatype::Integer { signed, order: ByteOrder::Little, .. } if size <= 8 => {
                Self::Integer { size, signed: *signed }
            }
            Datatype::Bitfield { .. } if size <= 8 => Self::Integer { size, signed: false },
            Datatype::Enum { base, .. } => Self::of(base)?,
            Datatype::Float { format: FloatFormat::F16, .. } if size == 2 => Self::F16,
            Datatype::Float { format: FloatFormat::F32, .. } if size == 4 => Self::F32,
            Datatype::Float { format: FloatFormat::F64, .. } if size == 8 => Self::F64,
            Datatype::Float { format, .. } if size == 16 && *format == FloatFormat::X87 => Self::F80,
            _ => return None,
        })
    }

    fn size(self) -> usize {
        match self {
            Self::Integer { size, .. } => size,
            Self::F16 => 2,
            Self::F32 => 4,
            Self::F64 => 8,
            Self::F80 => 16,
        }
    }

    fn value(self, bytes: &[u8]) -> Value {
        let mut word = [0; 8];
        word.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
        match self {
            Self::Integer { size, signed } => {
                let (bits, unused) = (u64::from_le_bytes(word), 64 - 8 * size.clamp(1, 8));
                Value::Integer(if signed { (bits.cast_signed() << unused >> unused).into() } else { bits.into() })
            }
            Self::F16 => Value::Float(half_to_f64(u16::from_le_bytes([word[0], word[1]]))),
            Self::F32 => Value::Float(f32::from_le_bytes([word[0], word[1], word[2], word[3]]).into()),
            Self::F64 | Self::F80 => Value::Float(f64::from_le_bytes(word)),
        }
    }
}

/// The numbers of a request, one after the other.
struct Numbers {
    pinned: Pinned,
    elements: Elements,
    number: Number,
    size: usize,
    n_elements: u64,
    block: Bytes,
}

impl Numbers {
    /// Fills `values` with the terms of the next finite numbers; those of a tree that was expected to be longer with zeros.
    fn fill<T: Real>(&mut self, values: &mut [T], mut see: impl FnMut(Value), term: impl Fn(T) -> T) -> Result<()> {
        let mut n_filled = 0;
        while n_filled < values.len() {
            if self.block.is_empty() {
                self.pinned.check_waiting()?;
                match self.elements.next() {
                    Some(block) => self.block = block?,
                    None => return Ok(()),
                }
            }
            let mut used = 0;
            for element in self.block.chunks_exact(self.size) {
                if n_filled == values.len() {
                    break;
                }
                used += self.size;
                let value = self.number.value(element);
                if matches!(value, Value::Float(value) if !value.is_finite()) {
                    continue;
                }
                see(value);
                if let Some(to) = values.get_mut(n_filled) {
                    *to = term(T::of(value));
                }
                n_filled += 1;
            }
            let used = if used == 0 { self.block.len() } else { used };
            let _ = self.block.split_to(used.min(self.block.len()));
        }
        Ok(())
    }
}

#[derive(Clone, Debug, Default)]
struct Extremes {
    n_finite: u64,
    strict_positive_min: Option<Statistic>,
    positive_min: Option<Statistic>,
    min: Option<Statistic>,
    max: Option<Statistic>,
}

impl Extremes {
    fn add(&mut self, value: Value) {
        self.n_finite += 1;
        match value {
            Value::Integer(value) => {
                self.add_ordered(Statistic::Integer(value), value > 0, value >= 0);
            }
            Value::Float(value) => {
                self.add_ordered(Statistic::Float(value), value > 0.0, value >= 0.0);
            }
        }
    }

    fn add_ordered(&mut self, value: Statistic, is_strict_positive: bool, is_positive: bool) {
        lower(&mut self.min, value);
        if self.max.is_none_or(|max| max.is_below(value)) {
            self.max = Some(value);
        }
        if is_positive {
            lower(&mut self.positive_min, value);
        }
        if is_strict_positive {
            lower(&mut self.strict_positive_min, value);
        }
    }
}

fn lower(min: &mut Option<Statistic>, value: Statistic) {
    if min.is_none_or(|min| value.is_below(min)) {
        *min = Some(value);
    }
}

impl Statistic {
    fn is_below(self, other: Self) -> bool {
        match (self, other) {
            (Self::Integer(a), Self::Integer(b)) => a < b,
            (Self::Float(a), Self::Float(b)) => a < b,
            _ => false,
        }
    }
}

fn leaf(dtype: &Datatype) -> &Datatype {
    match dtype {
        Datatype::Array { base, .. } => leaf(base),
        other => other,
    }
}
