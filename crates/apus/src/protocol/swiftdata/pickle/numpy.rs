//! Arrays and attributes as h5py gives them: numpy arrays, numpy scalars, strings.

use apus_data::encode::dtype::{is_boolean, type_string};
use apus_h5::{Array, Attribute, Data, Dataspace, Datatype, Error, File, Result};

use super::Writer;

/// Where something stands, for errors.
pub(super) struct Origin<'a> {
    pub(super) file: &'a File,
    pub(super) object: &'a str,
}

/// An attribute's value: a numpy array, a numpy scalar, `numpy.bytes_`, a `str`, or `h5py.Empty`.
///
/// Errors: [`Error::Unsupported`] for types that have no such form.
pub(super) fn attribute(w: &mut Writer, group: &Origin<'_>, attribute: &Attribute) -> Result<()> {
    let object = format!("{}@{}", group.object, attribute.name);
    value(w, &Origin { file: group.file, object: &object }, &attribute.value)
}

/// An array's value.
pub(super) fn value(w: &mut Writer, origin: &Origin<'_>, array: &Array) -> Result<()> {
    match (&array.space, &array.data) {
        (Dataspace::Null, _) => {
            let name = descr(origin, &array.dtype)?;
            w.call("h5py", "Empty", |w| {
                w.call("numpy", "dtype", |w| w.str(&name));
            });
        }
        (Dataspace::Scalar, Data::Variable(texts)) => {
            w.str(&text(texts.first().map(Vec::as_slice).unwrap_or_default()));
        }
        (Dataspace::Scalar, Data::Fixed(bytes)) => scalar(w, origin, &array.dtype, bytes)?,
        (Dataspace::Simple { .. }, Data::Variable(texts)) => {
            if !matches!(array.dtype, Datatype::VariableString { .. }) {
                return Err(unsupported(origin, &array.dtype));
            }
            let texts: Vec<String> = texts.iter().map(|t| text(t)).collect();
            w.call("numpy", "array", |w| {
                w.strings(&texts);
                w.str("O");
            });
        }
        (Dataspace::Simple { dims, .. }, Data::Fixed(bytes)) => {
            let name = descr(origin, &array.dtype)?;
            ndarray(w, dims, &name, bytes);
        }
    }
    Ok(())
}

/// The first element as a numpy scalar: what `attribute[0]` gives.
pub(super) fn first(w: &mut Writer, origin: &Origin<'_>, array: &Array) -> Result<()> {
    match fixed_element(array, 0) {
        Some(bytes) => scalar(w, origin, &array.dtype, bytes),
        None => Err(unsupported(origin, &array.dtype)),
    }
}

/// Element `i` as a numpy scalar, or the `int` 0 beyond the end.
pub(super) fn element(w: &mut Writer, origin: &Origin<'_>, array: &Array, i: usize) -> Result<()> {
    if let Some(bytes) = fixed_element(array, i) {
        scalar(w, origin, &array.dtype, bytes)
    } else {
        w.int(0);
        Ok(())
    }
}

fn fixed_element(array: &Array, i: usize) -> Option<&[u8]> {
    let Data::Fixed(bytes) = &array.data else { return None };
    let size = usize::try_from(array.dtype.size_bytes()).ok()?;
    bytes.get(i.checked_mul(size)?..)?.get(..size)
}

/// `numpy.ndarray(shape, type, bytearray)`, which can be written to.
pub(super) fn ndarray(w: &mut Writer, shape: &[u64], type_string: &str, bytes: &[u8]) {
    w.call("numpy", "ndarray", |w| {
        w.tuple(|w| {
            for &n in shape {
                w.int(n.into());
            }
        });
        w.str(type_string);
        w.bytearray(bytes);
    });
}

/// numpy's name of a type that an array can have.
pub(super) fn descr(origin: &Origin<'_>, dtype: &Datatype) -> Result<String> {
    let fixed = matches!(
        dtype,
        Datatype::Integer { .. } | Datatype::Float { .. } | Datatype::Enum { .. } | Datatype::FixedString { .. }
    );
    type_string(dtype).filter(|_| fixed).ok_or_else(|| unsupported(origin, dtype))
}

/// A numpy scalar.
fn scalar(w: &mut Writer, origin: &Origin<'_>, dtype: &Datatype, bytes: &[u8]) -> Result<()> {
    let class = |prefix: &str| -> Option<&'static str> {
        const NAMES: [&str; 11] =
            ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float16", "float32", "float64"];
        let name = format!("{prefix}{}", bytes.len().checked_mul(8)?);
        NAMES.into_iter().find(|n| *n == name)
    };
    let fail = || unsupported(origin, dtype);
    match dtype {
        Datatype::FixedString { .. } => {
            // numpy drops NULs at the end when it hands out an element.
            let end = bytes.iter().rposition(|&b| b != 0).map_or(0, |i| i + 1);
            w.call("numpy", "bytes_", |w| w.bytes(&bytes[..end]));
        }
        Datatype::Float { .. } => {
            let name = class("float").ok_or_else(fail)?;
            let x = one(dtype, bytes).to_f64().and_then(|values| values.first().copied()).ok_or_else(fail)?;
            w.call("numpy", name, |w| w.float(x));
        }
        Datatype::Enum { .. } if is_boolean(dtype) => {
            w.call("numpy", "bool_", |w| w.bool(bytes.iter().any(|&b| b != 0)));
        }
        Datatype::Enum { base, .. } => return scalar(w, origin, base, bytes),
        Datatype::Integer { signed, .. } => {
            let name = class(if *signed { "int" } else { "uint" }).ok_or_else(fail)?;
            let n = one(dtype, bytes).to_i128().and_then(|values| values.first().copied()).ok_or_else(fail)?;
            w.call("numpy", name, |w| w.int(n));
        }
        _ => return Err(fail()),
    }
    Ok(())
}

/// An element by itself.
fn one(dtype: &Datatype, bytes: &[u8]) -> Array {
    Array { dtype: dtype.clone(), space: Dataspace::Scalar, data: Data::Fixed(bytes.to_vec()) }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn unsupported(origin: &Origin<'_>, dtype: &Datatype) -> Error {
    Error::Unsupported {
        file: origin.file.name().to_owned(),
        object: origin.object.to_owned(),
        feature: format!("a value of type {dtype:?} in a pickle"),
    }
}
