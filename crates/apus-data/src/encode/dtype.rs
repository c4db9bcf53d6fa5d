//! Types in numpy's notation.

use std::fmt::Write;

use apus_h5::{ByteOrder, Datatype, Member};
use serde::{Serialize, Serializer, ser::SerializeSeq};

/// A numpy dtype, as `numpy.dtype` accepts it: a name such as `<f4`, or a list of fields.
///
/// In JSON: a string, or a list of `[name, type]` or `[name, type, shape]`, as in `dtype.descr`; fields without a name are
/// padding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Dtype {
    /// A type with a name.
    Plain(String),
    /// A record.
    Record(Vec<DtypeField>),
}

/// A field of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DtypeField {
    /// Its name; empty for padding.
    pub name: String,
    /// Its type.
    pub dtype: Dtype,
    /// Its extent; empty for single values.
    pub shape: Vec<u32>,
}

impl Dtype {
    /// The dtype of native elements, and the extents of one element (which numpy makes further dimensions of the array). Elements of
    /// variable length are objects, `|O`. `None` for types that numpy lacks.
    pub fn of(dtype: &Datatype) -> Option<(Self, Vec<u32>)> {
        match dtype {
            Datatype::Array { base, dims } => {
                let (base, inner) = Self::of(base)?;
                Some((base, dims.iter().copied().chain(inner).collect()))
            }
            Datatype::VariableString { .. } | Datatype::VariableSequence(_) => {
                Some((Self::Plain("|O".to_owned()), Vec::new()))
            }
            Datatype::Compound { size, members } => Some((Self::record(*size, members)?, Vec::new())),
            _ => Some((Self::Plain(plain_name(dtype)?), Vec::new())),
        }
    }

    /// The fields in the order of their offsets, with padding between them; `None` if they overlap.
    fn record(size: u32, members: &[Member]) -> Option<Self> {
        let mut fields = Vec::with_capacity(members.len());
        let mut end = 0u64;
        for member in members {
            push_padding(&mut fields, member.offset.checked_sub(end)?);
            let (dtype, shape) = Self::of(&member.dtype)?;
            fields.push(DtypeField { name: member.name.clone(), dtype, shape });
            end = member.offset.checked_add(member.dtype.size_bytes())?;
        }
        push_padding(&mut fields, u64::from(size).checked_sub(end)?);
        Some(Self::Record(fields))
    }

    /// Whether elements are of fixed size, as npy and raw require.
    pub fn is_fixed(&self) -> bool {
        match self {
            Self::Plain(name) => name != "|O",
            Self::Record(fields) => fields.iter().all(|field| field.dtype.is_fixed()),
        }
    }

    /// As Python writes it.
    pub(super) fn write_python(&self, out: &mut String) {
        match self {
            Self::Plain(name) => write_python_string(name, out),
            Self::Record(fields) => {
                out.push('[');
                for (i, field) in fields.iter().enumerate() {
                    out.push_str(if i == 0 { "(" } else { ", (" });
                    write_python_string(&field.name, out);
                    out.push_str(", ");
                    field.dtype.write_python(out);
                    if !field.shape.is_empty() {
                        out.push_str(", ");
                        write_python_tuple(&field.shape, out);
                    }
                    out.push(')');
                }
                out.push(']');
            }
        }
    }
}

fn push_padding(fields: &mut Vec<DtypeField>, size_bytes: u64) {
    if size_bytes > 0 {
        let dtype = Dtype::Plain(format!("|V{size_bytes}"));
        fields.push(DtypeField { name: String::new(), dtype, shape: Vec::new() });
    }
}

fn plain_name(dtype: &Datatype) -> Option<String> {
    let order = |size: u32| if size == 1 { '|' } else { '<' };
    Some(match dtype {
        Datatype::Integer { size: size @ (1 | 2 | 4 | 8), signed: true, order: ByteOrder::Little, .. } => {
            format!("{}i{size}", order(*size))
        }
        Datatype::Integer { size: size @ (1 | 2 | 4 | 8), signed: false, order: ByteOrder::Little, .. }
        | Datatype::Bitfield { size: size @ (1 | 2 | 4 | 8), order: ByteOrder::Little } => {
            format!("{}u{size}", order(*size))
        }
        Datatype::Float { size: size @ (2 | 4 | 8 | 16), order: ByteOrder::Little, .. } => format!("<f{size}"),
        Datatype::FixedString { size, .. } => format!("|S{size}"),
        Datatype::Enum { .. } if is_boolean(dtype) => "|b1".to_owned(),
        Datatype::Enum { base, .. } => plain_name(base)?,
        Datatype::Opaque { size, .. } | Datatype::Reference { size, .. } => format!("|V{size}"),
        _ => return None,
    })
}

/// `numpy.dtype(...).str` of native elements: `<f8`, `|S5`, `|b1`, `|O` for those of variable length, `|V12` for records. For an
/// array as element, that of its base type. `None` for types that numpy lacks.
pub fn type_string(dtype: &Datatype) -> Option<String> {
    Some(match (dtype, Dtype::of(dtype)?.0) {
        (_, Dtype::Plain(name)) => name,
        (Datatype::Array { base, .. }, Dtype::Record(_)) => return type_string(base),
        (_, Dtype::Record(_)) => format!("|V{}", dtype.size_bytes()),
    })
}

/// Whether it is h5py's representation of numpy's booleans: an enum of one byte with FALSE = 0 and TRUE = 1.
pub fn is_boolean(dtype: &Datatype) -> bool {
    let Datatype::Enum { base, members } = dtype else { return false };
    let mut sorted: Vec<(&str, &[u8])> =
        members.iter().map(|(name, value)| (name.as_str(), value.as_slice())).collect();
    sorted.sort_unstable();
    base.size_bytes() == 1 && sorted == [("FALSE", [0].as_slice()), ("TRUE", [1].as_slice())]
}

/// A short description of a type, for errors.
pub fn name_of(dtype: &Datatype) -> String {
    match dtype {
        Datatype::VariableString { .. } => "strings of variable length".to_owned(),
        Datatype::VariableSequence(_) => "sequences of variable length".to_owned(),
        Datatype::Compound { .. } => "records that overlap or hold elements of variable length".to_owned(),
        Datatype::Other { class, .. } => format!("elements of class {class}"),
        other => format!("elements of {} bytes", other.size_bytes()),
    }
}

impl Serialize for Dtype {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Plain(name) => serializer.serialize_str(name),
            Self::Record(fields) => serializer.collect_seq(fields),
        }
    }
}

impl Serialize for DtypeField {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut seq = serializer.serialize_seq(None)?;
        seq.serialize_element(&self.name)?;
        seq.serialize_element(&self.dtype)?;
        if !self.shape.is_empty() {
            seq.serialize_element(&self.shape)?;
        }
        seq.end()
    }
}

/// As `repr` writes a string.
fn write_python_string(text: &str, out: &mut String) {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    out.push(quote);
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c == quote => {
                out.push('\\');
                out.push(c);
            }
            c if c.is_control() => {
                let _ = write!(out, "\\x{:02x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push(quote);
}

/// As `repr` writes a tuple of integers.
pub(super) fn write_python_tuple<T: std::fmt::Display>(values: &[T], out: &mut String) {
    out.push('(');
    for (i, value) in values.iter().enumerate() {
        let _ = write!(out, "{}{value}", if i == 0 { "" } else { ", " });
    }
    out.push_str(if values.len() == 1 { ",)" } else { ")" });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn python_string(text: &str) -> String {
        let mut out = String::new();
        write_python_string(text, &mut out);
        out
    }

    #[test]
    fn strings_are_quoted_as_repr_does() {
        // python3 -c "print(repr('...'))"
        assert_eq!(python_string("a"), "'a'");
        assert_eq!(python_string("it's"), "\"it's\"");
        assert_eq!(python_string("it's \"it\""), "'it\\'s \"it\"'");
        assert_eq!(python_string("a\\b\nc\u{1}"), "'a\\\\b\\nc\\x01'");
        assert_eq!(python_string("gr\u{fc}n"), "'gr\u{fc}n'");
    }
}
