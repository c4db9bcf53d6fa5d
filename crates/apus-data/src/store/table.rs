//! Files listed in tables, wherever they lie.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    fs::File,
    io::{self, Read},
    path::{Component, Path, PathBuf},
    sync::Arc,
};

use serde::Deserialize;

use super::{Notes, Table, VPath};

/// The most bytes of a file that describes a folder: a thousand labels and a page of text take a tenth of it.
const MAX_NOTES_BYTES: u64 = 4 << 20;

/// The tree that tables describe: it contains only what they list.
#[derive(Debug, Default)]
pub(crate) struct ListedTree {
    /// The entries of each folder, by its path under the mount.
    folders: HashMap<String, BTreeMap<String, Node>>,
    /// The files that describe folders, by the folder's path under the mount.
    notes: HashMap<String, PathBuf>,
    /// The path under the mount of each file, by its real path.
    by_real: HashMap<PathBuf, String>,
}

/// An entry of a folder.
#[derive(Debug)]
pub(crate) enum Node {
    Folder,
    File(FileEntry),
}

/// A file of a table.
#[derive(Debug)]
pub(crate) struct FileEntry {
    /// Its real path, as in the table.
    pub(crate) real: PathBuf,
    /// Its media type, as in the table.
    pub(crate) media_type: Arc<str>,
}

/// The entry at a path.
pub(crate) enum Found<'a> {
    Folder,
    File(&'a FileEntry),
}

impl ListedTree {
    /// Builds the tree from the lines of tables. If a path is listed twice, the later line counts.
    ///
    /// Errors: a malformed path, or one that is both a folder and a file.
    pub(crate) fn new(table: &Table) -> Result<Self, String> {
        let mut tree = Self::default();
        let mut media_types: HashSet<Arc<str>> = HashSet::new();
        tree.folders.insert(String::new(), BTreeMap::new());
        for folder in &table.folders {
            let path = checked(&folder.path)?;
            tree.add_folder(path.as_str())?;
            if let Some(notes) = &folder.notes {
                tree.notes.insert(path.as_str().to_owned(), notes.clone());
            }
        }
        for file in &table.files {
            let path = checked(&file.path)?;
            let (folder, name) = path.as_str().rsplit_once('/').unwrap_or(("", path.as_str()));
            tree.add_folder(folder)?;
            let media_type = media_types.get(file.media_type.as_str()).cloned().unwrap_or_else(|| {
                let media_type: Arc<str> = file.media_type.as_str().into();
                media_types.insert(Arc::clone(&media_type));
                media_type
            });
            let node = Node::File(FileEntry { real: file.real.clone(), media_type });
            let entries = tree.folders.entry(folder.to_owned()).or_default();
            if let Some(Node::Folder) = entries.insert(name.to_owned(), node) {
                return Err(format!("{:?} is both a folder and a file", path.as_str()));
            }
            tree.by_real.insert(without_dots(&file.real), path.as_str().to_owned());
        }
        Ok(tree)
    }

    fn add_folder(&mut self, path: &str) -> Result<(), String> {
        if self.folders.contains_key(path) {
            return Ok(());
        }
        let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
        self.add_folder(parent)?;
        let entries = self.folders.entry(parent.to_owned()).or_default();
        if let Some(Node::File(_)) = entries.insert(name.to_owned(), Node::Folder) {
            return Err(format!("{path:?} is both a folder and a file"));
        }
        self.folders.insert(path.to_owned(), BTreeMap::new());
        Ok(())
    }

    /// The entry at the path.
    pub(crate) fn find(&self, path: &str) -> Option<Found<'_>> {
        if self.folders.contains_key(path) {
            return Some(Found::Folder);
        }
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        match self.folders.get(folder)?.get(name)? {
            Node::Folder => Some(Found::Folder),
            Node::File(file) => Some(Found::File(file)),
        }
    }

    /// The entries of a folder, sorted by name.
    pub(crate) fn entries(&self, folder: &str) -> impl Iterator<Item = (&str, &Node)> {
        self.folders.get(folder).into_iter().flatten().map(|(name, node)| (name.as_str(), node))
    }

    /// The path under the mount of the file at that real path, if it is listed.
    pub(crate) fn path_of(&self, real: &Path) -> Option<&str> {
        self.by_real.get(real).map(String::as_str)
    }

    /// The notes that the table gives a folder; read each time, so that changes take effect at once.
    pub(crate) fn notes(&self, folder: &str) -> Option<Notes> {
        let path = self.notes.get(folder)?;
        read_notes(path)
            .inspect_err(
                |error| tracing::warn!(path = %path.display(), %error, "a folder's description cannot be read"),
            )
            .ok()
    }
}

/// A file that describes a folder; other members are ignored.
#[derive(Deserialize)]
struct NotesFile {
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    labels: Option<BTreeMap<String, String>>,
    #[serde(default)]
    file_labels: Option<BTreeMap<String, String>>,
}

fn read_notes(path: &Path) -> io::Result<Notes> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_NOTES_BYTES).read_to_end(&mut bytes)?;
    let file: NotesFile =
        rmp_serde::from_slice(&bytes).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
    let mut labels = file.file_labels.unwrap_or_default();
    labels.extend(file.labels.unwrap_or_default());
    Ok(Notes { description: file.description, labels })
}

/// The path, which must be one that clients can name.
fn checked(path: &str) -> Result<VPath, String> {
    VPath::parse(path).map_err(|error| format!("the path {path:?} in a table: {error}"))
}

/// The path without `.` and `..`, resolved lexically (links are not followed).
pub(crate) fn without_dots(path: &Path) -> PathBuf {
    let mut clean = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                clean.pop();
            }
            other => clean.push(other),
        }
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::super::{ListedFile, ListedFolder};
    use super::*;

    fn table(files: &[(&str, &str)], folders: &[&str]) -> Table {
        let line = |(path, real): &(&str, &str)| ListedFile {
            path: (*path).into(),
            real: (*real).into(),
            media_type: "text/plain".into(),
        };
        Table {
            files: files.iter().map(line).collect(),
            folders: folders.iter().map(|path| ListedFolder { path: (*path).into(), notes: None }).collect(),
            roles: Vec::new(),
        }
    }

    #[test]
    fn folders_are_there_where_they_are_declared_or_hold_something() {
        let tree = ListedTree::new(&table(&[("a/b/x", "/1"), ("a/y", "/2/../3")], &["empty", "a"])).unwrap();
        for folder in ["", "a", "a/b", "empty"] {
            assert!(matches!(tree.find(folder), Some(Found::Folder)), "{folder:?}");
        }
        assert!(matches!(tree.find("a/y"), Some(Found::File(file)) if file.real == Path::new("/2/../3")));
        for nothing in ["b", "a/b/y", "a/b/x/z", "empty/x"] {
            assert!(tree.find(nothing).is_none(), "{nothing:?}");
        }
        assert_eq!(tree.entries("a").map(|(name, _)| name).collect::<Vec<_>>(), ["b", "y"]);
        assert_eq!(tree.path_of(Path::new("/3")), Some("a/y"));
    }

    #[test]
    fn paths_that_cannot_be_are_refused() {
        for (files, folders) in [
            (&[("a", "/1"), ("a/b", "/2")][..], &[][..]),
            (&[("a/b", "/2"), ("a", "/1")], &[]),
            (&[("a", "/1")], &["a"]),
            (&[("../a", "/1")], &[]),
            (&[("a//b", "/1")], &[]),
            (&[(".a", "/1")], &[]),
        ] {
            assert!(ListedTree::new(&table(files, folders)).is_err(), "{files:?}");
        }
    }
}
