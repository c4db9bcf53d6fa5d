//! Folders and files as maps.

use std::borrow::Cow;

use crate::{
    app::App,
    auth::Caller,
    catalog::{Entry, EntryKind, VPath, media_type},
    encode::msgpack::{write_map, write_nil, write_str, write_uint},
    error::ApiResult,
};

/// Describes a folder; folders within it down to `max_depth`, the others as nil.
///
/// Errors: the catalogue's.
pub(super) fn describe_folder(app: &App, caller: &Caller, path: &VPath, max_depth: u32) -> ApiResult<Vec<u8>> {
    let mut out = Vec::new();
    write_folder(&mut out, app, caller, path, max_depth)?;
    Ok(out)
}

/// Describes a file.
///
/// Errors: the catalogue's.
pub(super) fn describe_file(app: &App, caller: &Caller, path: &VPath) -> ApiResult<Vec<u8>> {
    let bytes = app.catalog.open_bytes(caller, path)?;
    let mut out = Vec::new();
    write_file(&mut out, &bytes.media_type(), bytes.identity.size_bytes, bytes.modified_s().unwrap_or_default());
    Ok(out)
}

fn write_folder(out: &mut Vec<u8>, app: &App, caller: &Caller, path: &VPath, max_depth: u32) -> ApiResult<()> {
    let listing = app.catalog.list(caller, path)?;
    let (files, folders): (Vec<Entry>, Vec<Entry>) =
        listing.entries.into_iter().partition(|entry| entry.kind == EntryKind::File);
    let notes = app.catalog.notes(path);
    write_map(out, 6);
    write_str(out, "type");
    write_str(out, "directory");
    write_str(out, "size");
    write_uint(out, app.catalog.size_below(caller, path, app.config.limits.folder_files)?);
    write_str(out, "description");
    match notes.as_ref().and_then(|notes| notes.description.as_deref()) {
        Some(description) => write_str(out, description),
        None => write_nil(out),
    }
    write_str(out, "labels");
    match notes.as_ref().map(|notes| &notes.labels).filter(|labels| !labels.is_empty()) {
        Some(labels) => {
            write_map(out, labels.len());
            for (name, label) in labels {
                write_str(out, name);
                write_str(out, label);
            }
        }
        None => write_nil(out),
    }
    write_str(out, "files");
    write_map(out, files.len());
    for file in files {
        write_str(out, &file.name);
        let media_type = match (&file.listed_type, media_type::by_name(&file.name)) {
            (Some(listed), _) => Cow::Borrowed(&**listed),
            (None, Some(by_name)) => Cow::Borrowed(by_name),
            // A file that vanishes meanwhile keeps its place in the list.
            (None, None) => match app.catalog.open_bytes(caller, &path.join(&file.name)) {
                Ok(bytes) => Cow::Owned(bytes.media_type().into_owned()),
                Err(_) => Cow::Borrowed("application/octet-stream"),
            },
        };
        let modified_s = file.modified_s.and_then(|s| u64::try_from(s).ok()).unwrap_or_default();
        write_file(out, &media_type, file.size_bytes.unwrap_or_default(), modified_s);
    }
    write_str(out, "directories");
    write_map(out, folders.len());
    for folder in folders {
        write_str(out, &folder.name);
        if max_depth > 0 {
            write_folder(out, app, caller, &path.join(&folder.name), max_depth - 1)?;
        } else {
            write_nil(out);
        }
    }
    Ok(())
}

/// The client opens as HDF5 only what has exactly the type `application/x-hdf5`. YAML goes without its character set here,
/// as the original lists it.
fn write_file(out: &mut Vec<u8>, media_type: &str, size_bytes: u64, modified_s: u64) {
    let media_type = if media_type.starts_with("application/yaml") { "application/yaml" } else { media_type };
    write_map(out, 3);
    write_str(out, "type");
    write_str(out, media_type);
    write_str(out, "size");
    write_uint(out, size_bytes);
    write_str(out, "last_modified");
    write_uint(out, modified_s.saturating_mul(1000));
}
