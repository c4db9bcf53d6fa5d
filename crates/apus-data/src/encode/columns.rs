//! Arrow columns, shared by the [`arrow`](super::arrow) and [`parquet`](super::parquet) formats.
//!
//! A dataset of shape (N,) is a column of plain values, one of shape (N, k) a column of fixed-size lists, and so on for each further
//! axis. h5py's booleans become booleans, other enums their integers, records structs, fixed strings text without trailing NULs,
//! opaque bytes fixed-size binaries. Nothing is nullable.

use std::{collections::HashMap, sync::Arc};

use apus_h5::{Datatype, Member};
use arrow_array::{
    ArrayRef, BooleanArray, FixedSizeBinaryArray, FixedSizeListArray, ListArray, RecordBatch, RecordBatchOptions,
    StringArray, StructArray, make_array,
};
use arrow_buffer::{BooleanBuffer, Buffer, OffsetBuffer};
use arrow_data::ArrayData;
use arrow_schema::{ArrowError, DataType, Field, Fields, Schema, SchemaRef};

use super::dtype::is_boolean;

/// How deep types may nest.
const MAX_DEPTH: u32 = 16;

/// Why a table cannot be sent in a format.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TableError {
    /// The format cannot represent a column's type.
    #[error("column {column} has a type that {form} cannot represent")]
    NoForm {
        /// The column.
        column: String,
        /// The format: "arrow" or "parquet".
        form: &'static str,
    },
    /// The length of the values differs from the announced one.
    #[error("{form}: the length of {what} differs from the announced one")]
    WrongLength {
        /// The column, or the whole block.
        what: String,
        /// The format.
        form: &'static str,
    },
    /// The format cannot represent the values, such as text that is not UTF-8.
    #[error("{form}: {reason}")]
    Failed {
        /// The format.
        form: &'static str,
        /// The column, and the reason.
        reason: String,
    },
}

/// A column of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// The native type of its elements.
    pub dtype: Datatype,
    /// The shape of a row: empty for single elements.
    pub row_shape: Vec<u64>,
    /// Its metadata: unit, scale-factor exponent, frame, description ...
    pub metadata: Vec<(String, String)>,
}

/// Some rows of a column.
#[derive(Clone, Copy, Debug)]
pub enum Values<'a> {
    /// Native elements of fixed size.
    Fixed(&'a [u8]),
    /// Elements of variable length, as [`apus_h5::Data::Variable`] has them.
    Variable(&'a [Vec<u8>]),
}

/// The columns of a table, with their Arrow schema.
#[derive(Debug)]
pub(super) struct Table {
    columns: Vec<Column>,
    schema: SchemaRef,
    form: &'static str,
}

impl Table {
    /// Errors: types that Arrow lacks.
    pub(super) fn new(
        columns: Vec<Column>,
        metadata: Vec<(String, String)>,
        form: &'static str,
    ) -> Result<Self, TableError> {
        let mut fields = Vec::with_capacity(columns.len());
        for column in &columns {
            let element = arrow_type(&column.dtype, 0);
            let dtype = element.and_then(|element| nest(element, &column.row_shape));
            let dtype = dtype.ok_or_else(|| TableError::NoForm { column: column.name.clone(), form })?;
            fields
                .push(Field::new(&column.name, dtype, false).with_metadata(column.metadata.iter().cloned().collect()));
        }
        let metadata: HashMap<String, String> = metadata.into_iter().collect();
        Ok(Self { columns, schema: Arc::new(Schema::new_with_metadata(fields, metadata)), form })
    }

    /// The schema.
    pub(super) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// A batch of the next rows: `n_rows` values of each column, in order.
    ///
    /// Errors: wrong lengths, text that is not UTF-8.
    pub(super) fn batch(&self, n_rows: u64, values: &[Values<'_>]) -> Result<RecordBatch, TableError> {
        let n_rows = usize::try_from(n_rows).map_err(|_| self.wrong_length("a block"))?;
        if values.len() != self.columns.len() {
            return Err(self.wrong_length("a block"));
        }
        let mut arrays = Vec::with_capacity(values.len());
        for ((column, field), values) in self.columns.iter().zip(self.schema.fields()).zip(values) {
            arrays.push(self.array(column, field, n_rows, *values)?);
        }
        let options = RecordBatchOptions::new().with_row_count(Some(n_rows));
        RecordBatch::try_new_with_options(Arc::clone(&self.schema), arrays, &options)
            .map_err(|error| self.failed(&error))
    }

    fn array(&self, column: &Column, field: &Field, n_rows: usize, values: Values<'_>) -> Result<ArrayRef, TableError> {
        let wrong_length = || self.wrong_length(&column.name);
        let per_row = column.row_shape.iter().try_fold(1u64, |n, &dim| n.checked_mul(dim));
        let n_elements = per_row.and_then(|n| usize::try_from(n).ok()?.checked_mul(n_rows)).ok_or_else(wrong_length)?;
        let elements = match values {
            Values::Fixed(bytes) => {
                let size =
                    usize::try_from(column.dtype.size_bytes()).ok().and_then(|size| size.checked_mul(n_elements));
                if size != Some(bytes.len()) {
                    return Err(wrong_length());
                }
                fixed_array(&column.dtype, bytes, n_elements)
            }
            Values::Variable(values) if values.len() == n_elements => variable_array(&column.dtype, values),
            Values::Variable(_) => return Err(wrong_length()),
        };
        let array = elements.and_then(|elements| nest_array(elements, field.data_type(), n_rows));
        array
            .map_err(|error| TableError::Failed { form: self.form, reason: format!("column {}: {error}", column.name) })
    }

    pub(super) fn failed(&self, error: &dyn std::error::Error) -> TableError {
        TableError::Failed { form: self.form, reason: error.to_string() }
    }

    fn wrong_length(&self, what: &str) -> TableError {
        TableError::WrongLength { what: what.to_owned(), form: self.form }
    }
}

/// The Arrow type of native elements.
fn arrow_type(dtype: &Datatype, depth: u32) -> Option<DataType> {
    if depth > MAX_DEPTH {
        return None;
    }
    Some(match dtype {
        Datatype::Integer { size, signed, .. } => integer_type(*size, *signed)?,
        Datatype::Bitfield { size, .. } => integer_type(*size, false)?,
        Datatype::Float { size: 2, .. } => DataType::Float16,
        Datatype::Float { size: 4, .. } => DataType::Float32,
        Datatype::Float { size: 8, .. } => DataType::Float64,
        Datatype::Enum { .. } if is_boolean(dtype) => DataType::Boolean,
        Datatype::Enum { base, .. } => arrow_type(base, depth + 1)?,
        Datatype::FixedString { .. } | Datatype::VariableString { .. } => DataType::Utf8,
        Datatype::Opaque { size, .. } | Datatype::Reference { size, .. } => {
            DataType::FixedSizeBinary(i32::try_from(*size).ok()?)
        }
        Datatype::VariableSequence(base) if base_is_fixed(base) => {
            DataType::List(Arc::new(Field::new("item", arrow_type(base, depth + 1)?, false)))
        }
        Datatype::Array { base, dims } if base_is_fixed(base) => {
            let dims: Vec<u64> = dims.iter().copied().map(u64::from).collect();
            nest(arrow_type(base, depth + 1)?, &dims)?
        }
        Datatype::Compound { members, .. } if !members.is_empty() => {
            let field = |member: &Member| {
                base_is_fixed(&member.dtype)
                    .then(|| Some(Field::new(&member.name, arrow_type(&member.dtype, depth + 1)?, false)))?
            };
            DataType::Struct(members.iter().map(field).collect::<Option<Fields>>()?)
        }
        _ => return None,
    })
}

fn integer_type(size: u32, signed: bool) -> Option<DataType> {
    Some(match (size, signed) {
        (1, true) => DataType::Int8,
        (2, true) => DataType::Int16,
        (4, true) => DataType::Int32,
        (8, true) => DataType::Int64,
        (1, false) => DataType::UInt8,
        (2, false) => DataType::UInt16,
        (4, false) => DataType::UInt32,
        (8, false) => DataType::UInt64,
        _ => return None,
    })
}

fn base_is_fixed(dtype: &Datatype) -> bool {
    !matches!(dtype, Datatype::VariableString { .. } | Datatype::VariableSequence(_))
}

/// Fixed-size lists around `element`, one for each axis, the last axis innermost.
fn nest(element: DataType, shape: &[u64]) -> Option<DataType> {
    shape.iter().rev().try_fold(element, |inner, &dim| {
        Some(DataType::FixedSizeList(Arc::new(Field::new("item", inner, false)), i32::try_from(dim).ok()?))
    })
}

/// Wraps the elements in the lists of the column's type.
fn nest_array(elements: ArrayRef, dtype: &DataType, n_rows: usize) -> Result<ArrayRef, ArrowError> {
    if elements.data_type() == dtype {
        return Ok(elements);
    }
    let DataType::FixedSizeList(field, size) = dtype else {
        return Err(ArrowError::SchemaError(format!("{dtype} cannot hold {}", elements.data_type())));
    };
    let n_inner = usize::try_from(*size).unwrap_or_default().saturating_mul(n_rows);
    let inner = nest_array(elements, field.data_type(), n_inner)?;
    Ok(Arc::new(FixedSizeListArray::try_new_with_length(Arc::clone(field), *size, inner, None, n_rows)?))
}

/// An array of `n` native elements of fixed size.
fn fixed_array(dtype: &Datatype, bytes: &[u8], n: usize) -> Result<ArrayRef, ArrowError> {
    match dtype {
        Datatype::Enum { .. } if is_boolean(dtype) => {
            let values = BooleanBuffer::collect_bool(n, |i| bytes.get(i).is_some_and(|&byte| byte != 0));
            Ok(Arc::new(BooleanArray::new(values, None)))
        }
        Datatype::Enum { base, .. } => fixed_array(base, bytes, n),
        Datatype::FixedString { size, .. } => {
            let size = usize::try_from(*size).unwrap_or(usize::MAX).max(1);
            Ok(Arc::new(text_array(bytes.chunks_exact(size).map(without_padding))?))
        }
        Datatype::Opaque { size, .. } | Datatype::Reference { size, .. } => {
            let size = i32::try_from(*size).map_err(|_| ArrowError::SchemaError("an element over 2 GiB".to_owned()))?;
            Ok(Arc::new(FixedSizeBinaryArray::try_new(size, Buffer::from(bytes), None)?))
        }
        Datatype::Array { base, dims } => {
            let per_element = dims.iter().try_fold(1usize, |n, &dim| n.checked_mul(usize::try_from(dim).ok()?));
            let n_inner = per_element.and_then(|per_element| per_element.checked_mul(n));
            let n_inner = n_inner.ok_or_else(|| ArrowError::SchemaError("too large an array".to_owned()))?;
            let dtype = arrow_type(dtype, 0).ok_or_else(|| ArrowError::SchemaError(no_form(dtype)))?;
            nest_array(fixed_array(base, bytes, n_inner)?, &dtype, n)
        }
        Datatype::Compound { size, members } => struct_array(dtype, (*size, members), bytes, n),
        _ => {
            let dtype = arrow_type(dtype, 0).ok_or_else(|| ArrowError::SchemaError(no_form(dtype)))?;
            // The copy is aligned as Arrow requires.
            let data = ArrayData::builder(dtype).len(n).add_buffer(Buffer::from(bytes)).build()?;
            Ok(make_array(data))
        }
    }
}

fn struct_array(
    dtype: &Datatype,
    (size, members): (u32, &[Member]),
    bytes: &[u8],
    n: usize,
) -> Result<ArrayRef, ArrowError> {
    let Some(DataType::Struct(fields)) = arrow_type(dtype, 0) else {
        return Err(ArrowError::SchemaError(no_form(dtype)));
    };
    let size = usize::try_from(size).unwrap_or(usize::MAX).max(1);
    let mut arrays = Vec::with_capacity(members.len());
    for member in members {
        let start = usize::try_from(member.offset).unwrap_or(usize::MAX);
        let end = start.saturating_add(usize::try_from(member.dtype.size_bytes()).unwrap_or(usize::MAX));
        let mut packed = Vec::new();
        for element in bytes.chunks_exact(size) {
            let part = element.get(start..end);
            packed.extend_from_slice(part.ok_or_else(|| ArrowError::SchemaError(format!("member {}", member.name)))?);
        }
        arrays.push(fixed_array(&member.dtype, &packed, n)?);
    }
    Ok(Arc::new(StructArray::try_new(fields, arrays, None)?))
}

fn variable_array(dtype: &Datatype, values: &[Vec<u8>]) -> Result<ArrayRef, ArrowError> {
    let Datatype::VariableSequence(base) = dtype else {
        return Ok(Arc::new(text_array(values.iter().map(Vec::as_slice))?));
    };
    let item_bytes = usize::try_from(base.size_bytes()).unwrap_or(usize::MAX).max(1);
    let lengths: Vec<usize> = values.iter().map(|value| value.len() / item_bytes).collect();
    let n_items = lengths.iter().try_fold(0usize, |n, &len| n.checked_add(len));
    let n_items = n_items.filter(|&n| i32::try_from(n).is_ok());
    let n_items = n_items.ok_or_else(|| ArrowError::SchemaError("over 2 Gi items in a block".to_owned()))?;
    let items = fixed_array(base, &values.concat(), n_items)?;
    let field = Arc::new(Field::new("item", items.data_type().clone(), false));
    Ok(Arc::new(ListArray::try_new(field, OffsetBuffer::from_lengths(lengths), items, None)?))
}

/// An array of text. Bytes that are not UTF-8 are an error: Arrow has no other text.
fn text_array<'a>(values: impl Iterator<Item = &'a [u8]> + Clone) -> Result<StringArray, ArrowError> {
    let n_bytes = values.clone().try_fold(0usize, |n, value| n.checked_add(value.len()));
    if n_bytes.is_none_or(|n| i32::try_from(n).is_err()) {
        return Err(ArrowError::SchemaError("over 2 GiB of text in a block".to_owned()));
    }
    let offsets = OffsetBuffer::from_lengths(values.clone().map(<[u8]>::len));
    let bytes: Vec<u8> = values.flatten().copied().collect();
    StringArray::try_new(offsets, Buffer::from(bytes), None)
}

/// The error for a type without an [`arrow_type`]; [`Table::new`] refuses such types.
fn no_form(dtype: &Datatype) -> String {
    format!("no form for {dtype:?}")
}

/// A fixed string without trailing NULs, as in numpy.
fn without_padding(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
    bytes.get(..end).unwrap_or_default()
}
