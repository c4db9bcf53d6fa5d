//! The attributes of a group or a dataset, read by meaning.

use std::collections::BTreeMap;

use apus_h5::{Array, Attribute, Datatype};
use serde::Serialize;

/// Attributes by name. SWIFT writes numbers as arrays of one element and strings of fixed size; SOAP and h5py write scalars
/// and strings of variable size: both read the same here.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Attributes(BTreeMap<String, Array>);

/// A value as it is told to people: arrays of one element as the element.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum AttributeValue {
    /// An integer.
    Integer(i128),
    /// A number.
    Float(f64),
    /// A string.
    Text(String),
    /// Integers, row-major.
    Integers(Vec<i128>),
    /// Numbers, row-major.
    Floats(Vec<f64>),
    /// Strings.
    Texts(Vec<String>),
}

impl From<Vec<Attribute>> for Attributes {
    fn from(attributes: Vec<Attribute>) -> Self {
        Self(attributes.into_iter().map(|a| (a.name, a.value)).collect())
    }
}

impl Attributes {
    /// Whether there is one of that name.
    pub fn contains(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// The names, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// The value as stored.
    pub fn get(&self, name: &str) -> Option<&Array> {
        self.0.get(name)
    }

    /// The first number of the value.
    pub fn f64(&self, name: &str) -> Option<f64> {
        self.0.get(name)?.to_f64()?.first().copied()
    }

    /// All numbers of the value.
    pub fn f64s(&self, name: &str) -> Option<Vec<f64>> {
        self.0.get(name)?.to_f64()
    }

    /// The first number of the value as a count: whole and not negative (SWIFT writes `Dimension` as a float in places).
    pub fn u64(&self, name: &str) -> Option<u64> {
        self.u64s(name)?.first().copied()
    }

    /// All numbers of the value as counts.
    pub fn u64s(&self, name: &str) -> Option<Vec<u64>> {
        let array = self.0.get(name)?;
        if let Some(integers) = array.to_i128() {
            return integers.into_iter().map(|v| u64::try_from(v).ok()).collect();
        }
        array.to_f64()?.into_iter().map(whole).collect()
    }

    /// The value as a flag: a number that is not zero.
    pub fn flag(&self, name: &str) -> Option<bool> {
        self.f64(name).map(|v| v != 0.0)
    }

    /// The value as one string.
    pub fn text(&self, name: &str) -> Option<String> {
        self.0.get(name)?.as_str()
    }

    /// The value as strings.
    pub fn texts(&self, name: &str) -> Option<Vec<String>> {
        self.0.get(name)?.to_strings()
    }

    /// All values as they are told to people; those of kinds without a plain form are left out.
    pub fn values(&self) -> BTreeMap<String, AttributeValue> {
        self.0.iter().filter_map(|(name, array)| Some((name.clone(), value(array)?))).collect()
    }
}

fn value(array: &Array) -> Option<AttributeValue> {
    if let Some(texts) = array.to_strings() {
        return Some(one(texts, AttributeValue::Text, AttributeValue::Texts));
    }
    if !matches!(array.dtype, Datatype::Float { .. })
        && let Some(integers) = array.to_i128()
    {
        return Some(one(integers, AttributeValue::Integer, AttributeValue::Integers));
    }
    Some(one(array.to_f64()?, AttributeValue::Float, AttributeValue::Floats))
}

fn one<T>(
    mut values: Vec<T>,
    single: fn(T) -> AttributeValue,
    several: fn(Vec<T>) -> AttributeValue,
) -> AttributeValue {
    match values.pop() {
        Some(value) if values.is_empty() => single(value),
        Some(value) => {
            values.push(value);
            several(values)
        }
        None => several(values),
    }
}

fn whole(value: f64) -> Option<u64> {
    if !(0.0..9_007_199_254_740_992.0).contains(&value) || value.fract() != 0.0 {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a whole number below 2^53")]
    Some(value as u64)
}
