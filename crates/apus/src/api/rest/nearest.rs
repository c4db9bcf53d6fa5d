//! What there is in place of an object that is not there.

use apus_h5::{Error, File};

use crate::error::ApiError;

/// More members than a group is searched for.
const MAX_MEMBERS: usize = 16_384;

/// The error of a look-up in `file`; where the object is not there, with the nearest names of the group that should hold it.
pub(super) fn with_nearest(file: &File, error: Error) -> ApiError {
    let hint = match &error {
        Error::NotFound { object, .. } => nearest_members(file, object).unwrap_or_default(),
        _ => String::new(),
    };
    match error.into() {
        ApiError::NotFound(detail) => ApiError::not_found(format!("{detail}{hint}")),
        other => other,
    }
}

/// `None` where the group cannot be read, or has the name: then what is missing is where its link leads.
fn nearest_members(file: &File, object: &str) -> Option<String> {
    let (parent, name) = object.rsplit_once('/')?;
    let links = file.group(if parent.is_empty() { "/" } else { parent }).ok()?.links().ok()?;
    let names = || links.iter().take(MAX_MEMBERS).map(|link| link.name.as_str());
    if names().any(|member| member == name) {
        return None;
    }
    Some(apus_swift::nearest_names(name, names()))
}
