//! The configuration tables of the original hdfstream server: comma-separated lines that map paths to files.
//!
//! A line is `virtual_path, real_path, size_bytes, mtime_seconds, media_type[, role1;role2[, unused]]`, without quoting; there is no
//! header line. A line whose media type is `directory` declares a folder: the roles required to see it, and, as its real path, the
//! `MessagePack` file that describes it. Sizes and times are taken from the files themselves, not from the table.

use std::{
    collections::BTreeSet,
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::{Path, PathBuf},
};

use flate2::read::MultiGzDecoder;

use super::MountError;

/// The most bytes of a line: a virtual path and a real one, each at most 4096, and the rest.
const MAX_LINE_BYTES: u64 = 64 << 10;
/// The most lines of all tables of a mount: each takes a few hundred bytes of memory.
const MAX_LINES: usize = 20_000_000;

/// The contents of a mount's tables.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// The files.
    pub files: Vec<ListedFile>,
    /// The declared folders, without those that only occur in the paths of files.
    pub folders: Vec<ListedFolder>,
    /// The roles required to see the folder or file at that path.
    pub roles: Vec<(String, BTreeSet<String>)>,
}

/// A file of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedFile {
    /// Its path under the mount.
    pub path: String,
    /// Its real path.
    pub real: PathBuf,
    /// Its media type.
    pub media_type: String,
}

/// A folder of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedFolder {
    /// Its path under the mount.
    pub path: String,
    /// The file that describes it.
    pub notes: Option<PathBuf>,
}

impl Table {
    /// Reads tables, unpacking those whose names end in `.gz`; relative real paths start at the table's folder.
    ///
    /// Errors: a table that cannot be read; a malformed line, with its number.
    pub fn read(paths: &[PathBuf]) -> Result<Self, MountError> {
        let mut table = Self::default();
        for path in paths {
            let unreadable = |source| MountError::Unreadable { path: path.clone(), source };
            let file = File::open(path).map_err(unreadable)?;
            let is_packed = path.extension().is_some_and(|suffix| suffix == "gz");
            let bytes: Box<dyn Read> = if is_packed { Box::new(MultiGzDecoder::new(file)) } else { Box::new(file) };
            let folder = path.parent().unwrap_or(Path::new(""));
            let mut lines = Lines { reader: BufReader::new(bytes), number: 0 };
            while let Some(line) = lines.next().map_err(unreadable)? {
                table.add(&line, folder).map_err(|reason| MountError::Line {
                    path: path.clone(),
                    number: lines.number,
                    reason,
                })?;
            }
        }
        Ok(table)
    }

    fn add(&mut self, line: &str, folder: &Path) -> Result<(), String> {
        if line.trim().is_empty() {
            return Ok(());
        }
        if self.files.len() + self.folders.len() >= MAX_LINES {
            return Err(format!("the tables have more than {MAX_LINES} lines in all"));
        }
        let fields: Vec<&str> = line.split(',').map(str::trim).collect();
        let &[path, real, size_bytes, modified_s, media_type, ref more @ ..] = fields.as_slice() else {
            return Err(format!("{} fields where at least 5 are required", fields.len()));
        };
        if more.len() > 2 {
            return Err(format!("{} fields where at most 7 are allowed (names cannot contain commas)", fields.len()));
        }
        let path = path.trim_matches('/').to_owned();
        let is_folder = media_type == "directory";
        for (what, number) in [("size", size_bytes), ("time", modified_s)] {
            // The values are not used, but anything else in their place means that the columns are shifted.
            if !(number.is_empty() && is_folder) && number.parse::<f64>().is_err() {
                return Err(format!("the {what} is {number:?}, not a number"));
            }
        }
        let roles: BTreeSet<String> = more
            .first()
            .map(|roles| roles.split(';').map(str::trim).filter(|role| !role.is_empty()).map(str::to_owned).collect())
            .unwrap_or_default();
        if !roles.is_empty() {
            self.roles.push((path.clone(), roles));
        }
        let real = (!real.is_empty()).then(|| folder.join(real));
        match real {
            _ if media_type.is_empty() => return Err("there is no media type".to_owned()),
            notes if is_folder => self.folders.push(ListedFolder { path, notes }),
            None => return Err(format!("{path:?} has no real path")),
            Some(_) if path.is_empty() => return Err("a file has no virtual path".to_owned()),
            Some(real) => self.files.push(ListedFile { path, real, media_type: media_type.to_owned() }),
        }
        Ok(())
    }
}

/// Reads lines of bounded length.
struct Lines {
    reader: BufReader<Box<dyn Read>>,
    number: u64,
}

impl Lines {
    fn next(&mut self) -> io::Result<Option<String>> {
        let mut line = String::new();
        self.number += 1;
        let n_bytes = self.reader.by_ref().take(MAX_LINE_BYTES).read_line(&mut line)?;
        if n_bytes as u64 == MAX_LINE_BYTES && !line.ends_with('\n') {
            let text = format!("line {} is longer than {MAX_LINE_BYTES} bytes", self.number);
            return Err(io::Error::new(io::ErrorKind::InvalidData, text));
        }
        Ok((n_bytes > 0).then_some(line))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table_of(lines: &[&str]) -> Result<Table, String> {
        let mut table = Table::default();
        lines.iter().try_for_each(|line| table.add(line, Path::new("/tables")))?;
        Ok(table)
    }

    #[test]
    fn lines_are_files_and_folders() {
        let table = table_of(&[
            "/EAGLE/,/notes/eagle.msgpack,0,0,directory,core;eagle\n",
            "EAGLE/L25/snap.hdf5,/lustre/snap.hdf5,1024,1600000000,application/x-hdf5\n",
            "EAGLE/README,texts/README,7,1600000000.5,text/plain;charset=UTF-8,,unused\n",
            "\n",
            "SWIFT,,,,directory",
        ])
        .unwrap();
        let file = |path: &str, real: &str, media_type: &str| ListedFile {
            path: path.into(),
            real: real.into(),
            media_type: media_type.into(),
        };
        assert_eq!(
            table.files,
            [
                file("EAGLE/L25/snap.hdf5", "/lustre/snap.hdf5", "application/x-hdf5"),
                file("EAGLE/README", "/tables/texts/README", "text/plain;charset=UTF-8"),
            ]
        );
        let folder =
            |path: &str, notes: Option<&str>| ListedFolder { path: path.into(), notes: notes.map(PathBuf::from) };
        assert_eq!(table.folders, [folder("EAGLE", Some("/notes/eagle.msgpack")), folder("SWIFT", None)]);
        assert_eq!(table.roles, [("EAGLE".to_owned(), BTreeSet::from(["core".to_owned(), "eagle".to_owned()]))]);
    }

    #[test]
    fn lines_that_are_not_understood_are_refused() {
        for (line, reason) in [
            ("a,b,1,2", "4 fields"),
            ("a,b,1,2,text/plain,,,", "8 fields"),
            ("a,b,x,2,text/plain", "the size is \"x\""),
            ("a,b,1,,text/plain", "the time is \"\""),
            ("a,,1,2,text/plain", "no real path"),
            (",b,1,2,text/plain", "no virtual path"),
            ("a,b,1,2,", "no media type"),
        ] {
            let error = table_of(&[line]).unwrap_err();
            assert!(error.contains(reason), "{line}: {error}");
        }
    }
}
