//! Folders and files as maps.

use std::borrow::Cow;

use apus_data::{
    Result,
    catalog::{Catalog, Entry, EntryKind, media_type},
    encode::msgpack::{write_map, write_nil, write_str, write_uint},
    store::{Roles, VPath},
    values::Pinned,
};

/// The deepest that folders are expanded, whatever a request says.
const MAX_DEPTH: u32 = 32;
/// A listing of more bytes than this expands no further folders.
const MAX_LISTING_BYTES: usize = 16 << 20;
/// Nor one for which so many times the files and folders were counted that a single folder may have.
const MAX_WALKS: usize = 4;

/// Describes a folder of at most `max_entries` files and folders; folders within it down to `max_depth`, the others as nil.
///
/// Errors: the catalogue's.
pub(super) fn describe_folder(pinned: &Pinned, path: &VPath, max_depth: u32, max_entries: usize) -> Result<Vec<u8>> {
    let (catalog, roles) = (&pinned.archive().catalog, pinned.roles());
    let mut writer = Writer { out: Vec::new(), catalog, roles, max_entries, n_walked: 0 };
    writer.folder(path, max_depth.min(MAX_DEPTH))?;
    Ok(writer.out)
}

/// Describes a file.
///
/// Errors: the catalogue's.
pub(super) fn describe_file(pinned: &Pinned, path: &VPath) -> Result<Vec<u8>> {
    let bytes = pinned.open_bytes(path)?;
    let mut out = Vec::new();
    write_file(&mut out, &bytes.media_type(), bytes.identity.size_bytes, bytes.modified_s().unwrap_or_default());
    Ok(out)
}

struct Writer<'a> {
    out: Vec<u8>,
    catalog: &'a Catalog,
    roles: &'a Roles,
    max_entries: usize,
    /// The files and folders that were counted for the folders' sizes.
    n_walked: usize,
}

impl Writer<'_> {
    fn folder(&mut self, path: &VPath, max_depth: u32) -> Result<()> {
        let listing = self.catalog.list(self.roles, path)?;
        let (size_bytes, n_walked) = self.catalog.size_below(self.roles, path, self.max_entries)?;
        self.n_walked += n_walked;
        let (files, folders): (Vec<Entry>, Vec<Entry>) =
            listing.entries.into_iter().partition(|entry| entry.kind == EntryKind::File);
        let notes = self.catalog.notes(self.roles, path);
        let out = &mut self.out;
        write_map(out, 6);
        write_str(out, "type");
        write_str(out, "directory");
        write_str(out, "size");
        write_uint(out, size_bytes);
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
            self.file(path, &file);
        }
        write_str(&mut self.out, "directories");
        write_map(&mut self.out, folders.len());
        for folder in folders {
            write_str(&mut self.out, &folder.name);
            let start = self.out.len();
            // Links may make circles: where they lead is for another request.
            let is_expanded = max_depth > 0
                && !folder.is_link
                && start <= MAX_LISTING_BYTES
                && self.n_walked <= self.max_entries.saturating_mul(MAX_WALKS);
            // A folder that vanishes meanwhile keeps its place in the list.
            if !is_expanded || self.folder(&path.join(&folder.name), max_depth - 1).is_err() {
                self.out.truncate(start);
                write_nil(&mut self.out);
            }
        }
        Ok(())
    }

    fn file(&mut self, folder: &VPath, file: &Entry) {
        write_str(&mut self.out, &file.name);
        let media_type = match (&file.listed_type, media_type::by_name(&file.name)) {
            (Some(listed), _) => Cow::Borrowed(&**listed),
            (None, Some(by_name)) => Cow::Borrowed(by_name),
            // A file that vanishes meanwhile keeps its place in the list.
            (None, None) => match self.catalog.open_bytes(self.roles, &folder.join(&file.name)) {
                Ok(bytes) => Cow::Owned(bytes.media_type().into_owned()),
                Err(_) => Cow::Borrowed("application/octet-stream"),
            },
        };
        let modified_s = file.modified_s.and_then(|s| u64::try_from(s).ok()).unwrap_or_default();
        write_file(&mut self.out, &media_type, file.size_bytes.unwrap_or_default(), modified_s);
    }
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
