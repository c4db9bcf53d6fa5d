//! Attributes, and arrays of values that are small enough to be held whole.

use crate::{
    Dataspace, Datatype, File, FloatFormat, Result,
    dtype::{Converter, half_to_f64},
    format::{
        Fault, MAX_METADATA_BYTES, Parse, attributes,
        global_heap::{GlobalHeap, GlobalHeapId},
        message::AttributeMessage,
        object_header::ObjectHeader,
    },
};

/// An attribute of a group, a dataset or a named type.
#[derive(Clone, Debug, PartialEq)]
pub struct Attribute {
    /// Its name.
    pub name: String,
    /// Its type as stored in the file.
    pub stored_type: Datatype,
    /// Its value.
    pub value: Array,
}

/// What an attribute is, without its value.
#[derive(Clone, Debug, PartialEq)]
pub struct AttributeForm {
    /// Its name.
    pub name: String,
    /// Its type as stored in the file.
    pub stored_type: Datatype,
    /// Its extent.
    pub space: Dataspace,
}

/// Values with their type and extent.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    /// The native type (see [`Datatype::native`]).
    pub dtype: Datatype,
    /// The extent.
    pub space: Dataspace,
    /// The values.
    pub data: Data,
}

/// The values of an [`Array`], row-major.
#[derive(Clone, Debug, PartialEq)]
pub enum Data {
    /// Elements of fixed size: native, little-endian, without padding between them.
    Fixed(Vec<u8>),
    /// One entry for each element of a variable-length type: a string's bytes without terminator (decoding them as UTF-8 is
    /// up to the caller), or the native bytes of a sequence.
    Variable(Vec<Vec<u8>>),
}

/// The attributes of an object, sorted by name.
pub(crate) fn list(file: &File, object: &str, header: &ObjectHeader) -> Result<Vec<Attribute>> {
    let error = |fault: Fault| fault.at(file.name(), object);
    let meta = file.meta();
    let mut messages = Vec::new();
    attributes::for_each(meta, header, |body| {
        messages.push(AttributeMessage::parse(meta, body)?);
        Ok(())
    })
    .map_err(error)?;
    messages.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    if let Some([one, _]) = messages.array_windows().find(|[a, b]| a.name == b.name) {
        return Err(error(two_of(&one.name)));
    }
    let mut heap = GlobalHeap::new(meta);
    messages.into_iter().map(|message| resolve(message, &mut heap)).collect::<Parse<_>>().map_err(error)
}

/// The names of the attributes of an object, sorted.
pub(crate) fn names(file: &File, object: &str, header: &ObjectHeader) -> Result<Vec<String>> {
    let meta = file.meta();
    let mut names = Vec::new();
    attributes::for_each(meta, header, |body| {
        names.push(AttributeMessage::parse_text_name(meta, body)?);
        Ok(())
    })
    .map_err(|fault| fault.at(file.name(), object))?;
    names.sort_unstable();
    match names.array_windows().find(|[a, b]| a == b) {
        Some([one, _]) => Err(two_of(one).at(file.name(), object)),
        None => Ok(names),
    }
}

/// The attributes of an object without their values, sorted by name.
pub(crate) fn forms(file: &File, object: &str, header: &ObjectHeader) -> Result<Vec<AttributeForm>> {
    let meta = file.meta();
    let mut forms = Vec::new();
    attributes::for_each(meta, header, |body| {
        let AttributeMessage { name, dtype: stored_type, space, .. } = AttributeMessage::parse(meta, body)?;
        forms.push(AttributeForm { name, stored_type, space });
        Ok(())
    })
    .map_err(|fault| fault.at(file.name(), object))?;
    forms.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    match forms.array_windows().find(|[a, b]| a.name == b.name) {
        Some([one, _]) => Err(two_of(&one.name).at(file.name(), object)),
        None => Ok(forms),
    }
}

fn two_of(name: &str) -> Fault {
    Fault::Damaged(format!("two attributes of the name {name:?}"))
}

/// The attribute of that name.
pub(crate) fn find(file: &File, object: &str, header: &ObjectHeader, name: &str) -> Result<Option<Attribute>> {
    let meta = file.meta();
    let found = attributes::find(meta, header, name);
    let found = found.and_then(|message| message.map(|m| resolve(m, &mut GlobalHeap::new(meta))).transpose());
    found.map_err(|fault| fault.at(file.name(), object))
}

fn resolve(message: AttributeMessage, heap: &mut GlobalHeap<'_>) -> Parse<Attribute> {
    let AttributeMessage { name, dtype: stored_type, space, data } = message;
    let data = Data::from_stored(&stored_type, data, heap, MAX_METADATA_BYTES).map_err(|fault| match fault {
        Fault::Damaged(reason) => Fault::Damaged(format!("attribute {name:?}: {reason}")),
        Fault::Unsupported(feature) => Fault::Unsupported(format!("attribute {name:?}: {feature}")),
        other => other,
    })?;
    let dtype = stored_type.native();
    Ok(Attribute { name, value: Array { dtype, space, data }, stored_type })
}

impl Data {
    /// Turns whole stored elements into what leaves: native bytes, or what heap references point to. At most `limit_bytes`
    /// are kept in memory.
    pub(crate) fn from_stored(
        stored: &Datatype,
        data: Vec<u8>,
        heap: &mut GlobalHeap<'_>,
        limit_bytes: u64,
    ) -> Parse<Self> {
        match stored {
            // Nothing to convert or to resolve, whatever the type.
            Datatype::VariableString { .. } | Datatype::VariableSequence(_) if data.is_empty() => {
                Ok(Self::Variable(Vec::new()))
            }
            _ if data.is_empty() => Ok(Self::Fixed(Vec::new())),
            Datatype::VariableString { .. } => {
                let strings = variable(&data, 1, heap, limit_bytes, |string| {
                    // libhdf5 hands out C strings: they end at the first NUL.
                    Ok(string.split(|&b| b == 0).next().unwrap_or_default().to_vec())
                })?;
                Ok(Self::Variable(strings))
            }
            Datatype::VariableSequence(base) => {
                let converter = converter(base)?;
                let sequences = variable(&data, base.size_bytes(), heap, limit_bytes, |sequence| {
                    convert(&converter, sequence.to_vec(), limit_bytes)
                })?;
                Ok(Self::Variable(sequences))
            }
            fixed => Ok(Self::Fixed(convert(&converter(fixed)?, data, limit_bytes)?)),
        }
    }
}

fn converter(stored: &Datatype) -> Parse<Converter> {
    Ok(Converter::new(stored, &stored.native())?)
}

/// Whole elements as native bytes.
fn convert(converter: &Converter, mut stored: Vec<u8>, limit_bytes: u64) -> Parse<Vec<u8>> {
    if converter.is_identity() {
        return Ok(stored);
    }
    if converter.is_in_place() {
        converter.convert_in_place(&mut stored);
        return Ok(stored);
    }
    let size = (stored.len() / converter.stored_size()).saturating_mul(converter.native_size());
    if size as u64 > limit_bytes {
        return Err(over_limit(size as u64, limit_bytes));
    }
    let mut native = vec![0; size];
    converter.convert(&stored, &mut native);
    Ok(native)
}

/// Fetches what the heap references `data` point to. Each is the number of elements, then a global heap ID.
fn variable(
    data: &[u8],
    element_bytes: u64,
    heap: &mut GlobalHeap<'_>,
    limit_bytes: u64,
    mut value: impl FnMut(&[u8]) -> Parse<Vec<u8>>,
) -> Parse<Vec<Vec<u8>>> {
    /// What an empty vector takes.
    const ENTRY_BYTES: u64 = 24;
    let mut values = Vec::new();
    let mut total_bytes = 0u64;
    let mut cursor = heap.cursor("heap references", data);
    while cursor.remaining() > 0 {
        let n_elements = u64::from(cursor.u32()?);
        let id = GlobalHeapId::parse(&mut cursor)?;
        let Some(id) = id.filter(|_| n_elements > 0) else {
            values.push(Vec::new());
            continue;
        };
        let size = n_elements.saturating_mul(element_bytes);
        total_bytes = total_bytes.saturating_add(size).saturating_add(ENTRY_BYTES);
        if total_bytes > limit_bytes {
            return Err(over_limit(total_bytes, limit_bytes));
        }
        let object = heap.object(id)?;
        let stored = usize::try_from(size).ok().and_then(|size| object.get(..size)).ok_or_else(|| {
            Fault::Damaged(format!(
                "{n_elements} elements of {element_bytes} bytes in a heap object of {}",
                object.len()
            ))
        })?;
        values.push(value(stored)?);
    }
    Ok(values)
}

fn over_limit(found: u64, limit: u64) -> Fault {
    Fault::OverLimit { what: "the size of the values in bytes", found, limit }
}

impl Array {
    /// The value as one string, where it is one (a scalar or one-element string array): for fixed strings without trailing
    /// NULs. Bytes that are not UTF-8 are replaced.
    pub fn as_str(&self) -> Option<String> {
        let mut strings = self.to_strings()?;
        if strings.len() == 1 { strings.pop() } else { None }
    }

    /// All values as strings, where they are strings.
    pub fn to_strings(&self) -> Option<Vec<String>> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        match (&self.dtype, &self.data) {
            (Datatype::FixedString { .. }, Data::Fixed(_)) => {
                let trimmed = |bytes: &[u8]| {
                    let len = bytes.iter().rposition(|&b| b != 0).map_or(0, |last| last + 1);
                    text(&bytes[..len])
                };
                Some(self.elements()?.map(trimmed).collect())
            }
            (Datatype::VariableString { .. }, Data::Variable(strings)) => {
                Some(strings.iter().map(|s| text(s)).collect())
            }
            _ => None,
        }
    }

    /// All values as 64-bit floats, where they are integers, enums, bit fields or floats (not `longdouble`s).
    pub fn to_f64(&self) -> Option<Vec<f64>> {
        if let Datatype::Float { format, .. } = &self.dtype {
            return match (format, &self.data) {
                // What arrays mostly are, at the speed of a copy.
                (&FloatFormat::F64, Data::Fixed(bytes)) => {
                    Some(bytes.as_chunks().0.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect())
                }
                _ => self.elements()?.map(|bytes| float(*format, bytes)).collect(),
            };
        }
        #[expect(clippy::cast_precision_loss, reason = "as numpy's astype does, large integers are rounded")]
        self.to_i128().map(|values| values.into_iter().map(|value| value as f64).collect())
    }

    /// All values as counts, where they are integers, enums or bit fields, none of them negative.
    pub fn to_u64(&self) -> Option<Vec<u64>> {
        match (&self.dtype, &self.data) {
            // What arrays mostly are, at the speed of a copy.
            (Datatype::Integer { size: 8, signed, .. }, Data::Fixed(bytes)) => {
                let values: Vec<u64> = bytes.as_chunks().0.iter().map(|bytes| u64::from_le_bytes(*bytes)).collect();
                let has_sign = values.iter().fold(0, |bits, value| bits | value) >> 63 == 1;
                (!*signed || !has_sign).then_some(values)
            }
            _ => self.to_i128()?.into_iter().map(|value| u64::try_from(value).ok()).collect(),
        }
    }

    /// All values as integers, where they are integers, enums or bit fields (the sign kept, unsigned 64 bits included).
    pub fn to_i128(&self) -> Option<Vec<i128>> {
        let signed = match &self.dtype {
            Datatype::Integer { signed, .. } => *signed,
            Datatype::Bitfield { .. } => false,
            Datatype::Enum { base, .. } => matches!(**base, Datatype::Integer { signed: true, .. }),
            _ => return None,
        };
        self.elements()?.map(|bytes| integer(signed, bytes)).collect()
    }

    /// The bytes of each element of fixed size.
    fn elements(&self) -> Option<std::slice::ChunksExact<'_, u8>> {
        let size = usize::try_from(self.dtype.size_bytes()).ok().filter(|&size| size > 0)?;
        match &self.data {
            Data::Fixed(bytes) => Some(bytes.chunks_exact(size)),
            Data::Variable(_) => None,
        }
    }
}

fn integer(signed: bool, bytes: &[u8]) -> Option<i128> {
    let negative = signed && bytes.last().is_some_and(|&last| last & 0x80 != 0);
    let mut array = if negative { [0xff; 16] } else { [0; 16] };
    array.get_mut(..bytes.len())?.copy_from_slice(bytes);
    Some(i128::from_le_bytes(array)).filter(|&value| signed || value >= 0)
}

/// The value of a native float.
fn float(format: FloatFormat, bytes: &[u8]) -> Option<f64> {
    match format {
        FloatFormat::F16 => Some(half_to_f64(u16::from_le_bytes(bytes.try_into().ok()?))),
        FloatFormat::F32 => Some(f64::from(f32::from_le_bytes(bytes.try_into().ok()?))),
        FloatFormat::F64 => Some(f64::from_le_bytes(bytes.try_into().ok()?)),
        _ => None,
    }
}
