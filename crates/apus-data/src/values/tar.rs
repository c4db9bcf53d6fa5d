//! A folder as a tar, made while it is sent: its length is known before.

use bytes::Bytes;

use super::{Pinned, file::FileBlocks};
use crate::{Error, Result, catalog::TreeFile};

/// The unit of a tar.
const UNIT: u64 = 512;
/// A tar is a multiple of this long: the record of tapes, which tools still write.
const RECORD: u64 = 20 * UNIT;
/// The first length that does not fit the eleven octal digits of a head.
const MAX_OCTAL_BYTES: u64 = 1 << 33;

/// A folder as a tar: for each file a head, its bytes, and zeros up to the next unit.
///
/// Source: POSIX.1-2008, pax interchange format.
pub(super) struct Tar {
    pinned: Pinned,
    /// What stands before the names of files.
    folder: String,
    files: std::vec::IntoIter<TreeFile>,
    current: Option<(FileBlocks, u64)>,
    /// All heads and all files with the zeros behind them.
    content_bytes: u64,
    is_over: bool,
}

impl Tar {
    /// The tar of `files`, whose names in it begin with `folder`.
    ///
    /// Errors: a name that no tar can hold.
    pub(super) fn new(pinned: Pinned, folder: String, files: Vec<TreeFile>) -> Result<Self> {
        let mut content_bytes = 0u64;
        for file in &files {
            let head_bytes = head(&folder, file)?.len() as u64;
            content_bytes = content_bytes.saturating_add(head_bytes).saturating_add(padded(file.size_bytes, UNIT));
        }
        let files = files.into_iter();
        Ok(Self { pinned, folder, files, current: None, content_bytes, is_over: false })
    }

    /// The length of the whole tar.
    pub(super) fn size_bytes(&self) -> u64 {
        // Two units of zeros end it.
        padded(self.content_bytes.saturating_add(2 * UNIT), RECORD)
    }

    fn step(&mut self) -> Result<Option<Bytes>> {
        if let Some((blocks, n_zeros)) = &mut self.current {
            if let Some(block) = blocks.next() {
                return block.map(Some);
            }
            let n_zeros = *n_zeros;
            self.current = None;
            if n_zeros > 0 {
                return Ok(Some(zeros(n_zeros)));
            }
        }
        let Some(file) = self.files.next() else {
            self.is_over = true;
            return Ok(Some(zeros(self.size_bytes() - self.content_bytes)));
        };
        let head = head(&self.folder, &file)?;
        let bytes = self.pinned.archive().catalog.open_tree_file(self.pinned.roles(), &file)?;
        let n_zeros = padded(file.size_bytes, UNIT) - file.size_bytes;
        self.current = Some((FileBlocks::new(bytes, 0..file.size_bytes, self.pinned.read_options()), n_zeros));
        Ok(Some(Bytes::from(head)))
    }
}

impl Iterator for Tar {
    type Item = Result<Bytes>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        self.step().transpose()
    }
}

fn zeros(n_bytes: u64) -> Bytes {
    // As many as there are ever between a tar's content and its end.
    static ZEROS: [u8; 12_288] = [0; 12_288];
    Bytes::from_static(&ZEROS).slice(..usize::try_from(n_bytes).unwrap_or(ZEROS.len()).min(ZEROS.len()))
}

fn padded(size_bytes: u64, unit: u64) -> u64 {
    size_bytes.div_ceil(unit).saturating_mul(unit)
}

/// What stands before a file's bytes: its head, and before that a further one for what does not fit there.
fn head(folder: &str, file: &TreeFile) -> Result<Vec<u8>> {
    let path = format!("{folder}/{}", file.inner);
    let mut head = tar::Header::new_ustar();
    head.set_entry_type(tar::EntryType::Regular);
    head.set_mode(0o644);
    head.set_mtime(u64::try_from(file.modified_s).unwrap_or(0));
    let mut further = Vec::new();
    if !path.is_ascii() || head.set_path(&path).is_err() {
        further.push(("path", path.clone()));
        // Who does not know the further head finds the file all the same.
        head.set_path(short_name(&path)).map_err(Error::internal)?;
    }
    // Beyond the digits, both forms that tools know.
    head.set_size(file.size_bytes);
    if file.size_bytes >= MAX_OCTAL_BYTES {
        further.push(("size", file.size_bytes.to_string()));
    }
    head.set_cksum();
    let mut builder = tar::Builder::new(Vec::new());
    let records = further.iter().map(|(key, value)| (*key, value.as_bytes()));
    builder.append_pax_extensions(records).map_err(Error::internal)?;
    let mut bytes = std::mem::take(builder.get_mut());
    bytes.extend_from_slice(head.as_bytes());
    Ok(bytes)
}

/// The end of a path, in characters that every tar takes.
fn short_name(path: &str) -> String {
    let name: Vec<char> = path.chars().map(|c| if c.is_ascii_graphic() && c != '/' { c } else { '_' }).collect();
    name[name.len().saturating_sub(90)..].iter().collect()
}
