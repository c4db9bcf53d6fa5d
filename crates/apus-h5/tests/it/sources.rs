//! The other files that values come from, as a resolver of one handle sees them.

use std::{
    collections::BTreeSet,
    path::Path,
    sync::{Arc, Mutex, Weak},
};

use apus_h5::{Error, File, Resolver, RowRanges};

use crate::{folder, python};

/// Opens what lies beside the file that names it, and keeps the names of what was there.
struct Recorder {
    this: Weak<Self>,
    found: Mutex<BTreeSet<String>>,
}

impl Recorder {
    fn new() -> Arc<Self> {
        Arc::new_cyclic(|this| Self { this: Weak::clone(this), found: Mutex::default() })
    }

    fn take(&self) -> BTreeSet<String> {
        std::mem::take(&mut self.found.lock().unwrap())
    }
}

impl Resolver for Recorder {
    fn resolve(&self, from: &File, target: &str) -> Result<Option<File>, String> {
        let path = Path::new(from.name()).parent().unwrap().join(target);
        if !path.exists() {
            return Ok(None);
        }
        self.found.lock().unwrap().insert(target.to_owned());
        Ok(Some(folder::open(&path).with_resolver(self.this.upgrade().unwrap())))
    }
}

#[test]
fn a_recording_resolver_sees_every_file_that_holds_values() {
    let folder = python::scratch("sources");
    // File, dataset, first row, end, and the files without which h5py reads other values.
    let expected: Vec<(String, String, u64, u64, BTreeSet<String>)> =
        serde_json::from_str(&python::run("main", "make_source_files.py", &[&folder])).unwrap();
    assert_eq!(expected.len(), 8);
    assert!(expected.iter().any(|(.., needed)| needed.len() > 10));
    for (name, object, start, end, needed) in &expected {
        let recorder = Recorder::new();
        let file = folder::open(&folder.join(name)).with_resolver(Arc::clone(&recorder) as Arc<dyn Resolver>);
        let dataset = file.dataset(object).unwrap();
        let rows = RowRanges::new(vec![*start..*end]).unwrap();
        dataset.resolve_sources(Some(&rows)).unwrap();
        let found = recorder.take();
        assert_eq!(found, *needed, "{name}:{object}[{start}:{end}]");
        // Reading asks for nothing else, and all rows are those of no range.
        dataset.read_all(1 << 20).unwrap();
        dataset.resolve_sources(None).unwrap();
        assert!(recorder.take().is_subset(&every_file(&expected, name, object)), "{name}:{object}");
    }
}

fn every_file(expected: &[(String, String, u64, u64, BTreeSet<String>)], name: &str, object: &str) -> BTreeSet<String> {
    let of_this = expected.iter().filter(|(file, dataset, ..)| file == name && dataset == object);
    of_this.flat_map(|(.., needed)| needed.iter().cloned()).collect()
}

#[test]
fn a_handle_with_another_resolver_is_the_same_open_file() {
    struct Nothing;
    impl Resolver for Nothing {
        fn resolve(&self, _: &File, _: &str) -> Result<Option<File>, String> {
            Err("nothing is reached".to_owned())
        }
    }

    let folder = python::scratch("handles");
    python::run("main", "make_source_files.py", &[&folder]);
    let file = folder::open(&folder.join("outer.h5"));
    let refusing = file.with_resolver(Arc::new(Nothing));
    // The first handle, and what was reached through it, still reach other files.
    for handle in [&file, file.root().unwrap().file(), file.dataset("own").unwrap().file()] {
        handle.dataset("over_link").unwrap().resolve_sources(None).unwrap();
    }
    for handle in [&refusing, refusing.root().unwrap().file(), refusing.dataset("own").unwrap().file()] {
        let dataset = handle.dataset("over_link").unwrap();
        for error in [dataset.resolve_sources(None).unwrap_err(), dataset.read_all(1 << 20).unwrap_err()] {
            assert!(matches!(&error, Error::Refused { reason, .. } if reason == "nothing is reached"), "{error}");
        }
        handle.dataset("own").unwrap().resolve_sources(None).unwrap();
    }
    assert_eq!(refusing.dataset("own").unwrap().address(), file.dataset("own").unwrap().address());
}
