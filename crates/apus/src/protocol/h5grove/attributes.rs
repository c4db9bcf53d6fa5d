//! The values of attributes.

use apus_data::{
    encode::{json, number::Notation, savetxt::complex_part},
    values::{ElementForm, PinnedFile},
};
use apus_h5::{Array, Attribute, Data, Dataspace, Error as H5Error, Object};

use super::{
    entity::Entity,
    error::{Error, Result},
    request::{LinkResolution, Request},
};
use crate::http::error::ApiError;

/// Writes the values of the wanted attributes of the object that the request's path names, by their names; null for one that cannot be
/// read, so that it does not take the others away.
///
/// Errors: those of [`Entity::find`]; 404 for an attribute that there is not; 413 for values that are too large together.
pub(super) fn values(file: &PinnedFile, request: &Request) -> Result<Vec<u8>> {
    let Entity::Object(object) = Entity::find(file, request, LinkResolution::OnlyValid)? else {
        let (path, file) = (&request.path, request.file_name());
        return Err(Error::not_found(format!("Cannot resolve the link at {path} of {file}, so it has no attributes")));
    };
    let names = match &object {
        Object::Group(group) => group.attribute_names()?,
        Object::Dataset(dataset) => dataset.attribute_names()?,
        Object::NamedType(named) => named.attribute_names()?,
        _ => Vec::new(),
    };
    let wanted = match &request.attr_keys {
        None => names,
        Some(keys) => {
            if let Some(key) = keys.iter().find(|key| !names.contains(key)) {
                let shown: String = key.chars().take(100).collect();
                return Err(Error::not_found(format!("{} has no attribute {shown:?} (attr_keys)", request.path)));
            }
            let mut keys = keys.clone();
            keys.sort_unstable();
            keys.dedup();
            keys
        }
    };
    let limit_bytes = file.pinned().archive().limits.held_bytes;
    let mut out = b"{".to_vec();
    for (i, name) in wanted.iter().enumerate() {
        file.pinned().check_waiting()?;
        if i > 0 {
            out.push(b',');
        }
        serde_json::to_writer(&mut out, name).map_err(ApiError::internal)?;
        out.push(b':');
        match read(&object, name) {
            Err(error @ H5Error::Io { .. }) => return Err(error.into()),
            attribute => write(attribute.ok().flatten().map(|attribute| attribute.value), &mut out),
        }
        if out.len() as u64 > limit_bytes {
            return Err(ApiError::too_large(format!(
                "{}: the values of the attributes are over the limit of {limit_bytes} bytes; ask for some of them (attr_keys)",
                request.path
            ))
            .into());
        }
    }
    out.push(b'}');
    Ok(out)
}

fn read(object: &Object, name: &str) -> Result<Option<Attribute>, H5Error> {
    match object {
        Object::Group(group) => group.attribute(name),
        Object::Dataset(dataset) => dataset.attribute(name),
        Object::NamedType(named) => named.attribute(name),
        _ => Ok(None),
    }
}

/// Writes a value, or null for what has no form.
fn write(value: Option<Array>, out: &mut Vec<u8>) {
    let start = out.len();
    let written = value
        .map(as_json)
        .filter(|array| array.space != Dataspace::Null)
        .map(|array| json::write_elements(&array, array.space.shape(), Notation::Orjson, out));
    if !matches!(written, Some(Ok(()))) {
        out.truncate(start);
        out.extend_from_slice(b"null");
    }
}

/// What JSON has a form for: extended floats as doubles, and of a single complex number the two parts.
fn as_json(array: Array) -> Array {
    let form = ElementForm::of_typed_arrays(&array.dtype);
    match (&array.data, form) {
        (Data::Fixed(bytes), form @ ElementForm::Double) => {
            Array { dtype: form.dtype(&array.dtype), data: Data::Fixed(form.convert(bytes)), ..array }
        }
        _ => match complex_part(&array.dtype) {
            Some(part) if array.space == Dataspace::Scalar => Array {
                dtype: part.clone(),
                space: Dataspace::Simple { dims: vec![2], max_dims: vec![Some(2)] },
                ..array
            },
            _ => array,
        },
    }
}
