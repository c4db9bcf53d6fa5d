//! Damage that once changed values, shapes or kinds without an error: what h5py reads of it decides, or it is refused.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    path::{Path, PathBuf},
    sync::LazyLock,
};

use apus_h5::{Data, Error, File, Object};

use crate::{folder, python};

/// The shape and the bytes of a dataset, as hexadecimal digits.
type Values = (Vec<u64>, String);

/// By file and object; nothing where h5py refuses to read it.
type Told = BTreeMap<String, BTreeMap<String, Option<Values>>>;

/// The folder of the files, and what h5py reads of them. Made once: the tests run side by side.
fn files() -> &'static (PathBuf, Told) {
    static FILES: LazyLock<(PathBuf, Told)> = LazyLock::new(|| {
        let folder = python::scratch("damage");
        let told = python::run("main", "make_damaged_files.py", &[&folder]);
        (folder, serde_json::from_str(&told).unwrap())
    });
    &FILES
}

fn open(name: &str) -> File {
    folder::open(&files().0.join(Path::new(name).with_extension("h5")))
}

fn read(name: &str, object: &str) -> Result<Values, Error> {
    let dataset = open(name).dataset(object)?;
    let Data::Fixed(bytes) = dataset.read_all(1 << 20)?.data else { panic!("of variable length") };
    let hex = bytes.iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").unwrap();
        hex
    });
    Ok((dataset.shape().to_vec(), hex))
}

/// The object is refused as damaged, and the error says so.
fn check_refused(name: &str, expect: &str) {
    let error = read(name, "a").unwrap_err();
    assert!(matches!(error, Error::Damaged { .. }) && error.to_string().contains(expect), "{name}: {error}");
}

/// Every object is read as h5py reads it.
fn check_same(name: &str) {
    for (object, expected) in &files().1[name] {
        assert_eq!(Some(read(name, object).unwrap()), *expected, "{name}: {object}");
    }
}

#[test]
fn keys_of_a_version_1_tree_are_in_order() {
    check_refused("btree1_order", "key [8, 0] after [12, 0]");
    check_refused("btree1_twice", "key [8, 0] after [8, 0]");
    check_refused("btree1_right_bound", "key [12, 1] after [36, 0]");
}

#[test]
fn keys_of_a_version_1_tree_are_on_the_grid() {
    check_refused("btree1_off_grid", "key [13, 0], where no chunk begins");
    check_refused("btree1_last_key_off_grid", "key [41, 1], where no chunk begins");
    check_refused("btree1_beyond", "a chunk at [400, 0] in an extent of [40]");
}

#[test]
fn nodes_of_a_version_1_tree_keep_to_the_keys_above_and_to_their_neighbours() {
    check_refused("btree1_parent", "beyond that of the node above");
    check_refused("btree1_neighbour", "as its neighbours");
}

#[test]
fn records_of_a_version_2_tree_of_chunks_are_in_order() {
    check_refused("btree2_order", "comes too late in the order of the tree");
}

#[test]
fn arrays_of_chunks_hold_what_their_headers_say() {
    check_refused("fixed_array_length", "9 elements for 15 chunks");
    check_refused("fixed_array_header", "a block of the array at");
    check_refused("extensible_array_set", "element 5 of 5");
}

#[test]
fn an_index_of_filtered_chunks_needs_filters() {
    check_refused("btree2_without_filters", "an index of filtered chunks for a dataset without filters");
}

#[test]
fn fill_times_without_a_meaning_are_refused() {
    check_refused("fill_time", "written at time 3");
}

#[test]
fn references_have_the_size_that_libhdf5_gives_them() {
    check_refused("reference_size", "a reference of 16 bytes, not 8");
}

#[test]
fn chunk_indexes_of_resized_datasets_are_sound() {
    check_same("resized_old");
    check_same("resized_new");
    check_same("resized_latest");
}

#[test]
fn a_virtual_dataset_reaches_as_far_as_its_sources_whatever_its_maximum() {
    check_same("virtual_maximum");
    check_same("virtual_low_maximum");
}

#[test]
fn a_virtual_dataset_that_is_its_own_source_is_refused() {
    let error = open("virtual_cycle").get("own").unwrap_err();
    assert!(matches!(error, Error::Unsupported { .. }) && error.to_string().contains("16 deep"), "{error}");
}

#[test]
fn an_object_with_messages_of_a_group_is_a_group() {
    assert!(matches!(open("both_kinds").get("a").unwrap(), Object::Group(_)));
}

#[test]
fn names_of_links_end_at_a_nul() {
    let names: Vec<String> = open("link_nul").root().unwrap().links().unwrap().into_iter().map(|l| l.name).collect();
    assert_eq!(names, ["first"]);
    check_same("link_nul");
}

#[test]
fn names_of_links_that_are_not_utf8_are_refused_and_hide_no_others() {
    for name in ["link_latin1", "old_link_latin1"] {
        let file = open(name);
        let error = file.root().unwrap().links().unwrap_err();
        let expect = r#"the name b"m\xfcller", not UTF-8"#;
        assert!(matches!(error, Error::Unsupported { .. }) && error.to_string().contains(expect), "{error}");
        assert!(matches!(file.get("m\u{fffd}ller"), Err(Error::NotFound { .. })));
        assert_eq!(Some(read(name, "a").unwrap()), files().1[name]["a"]);
    }
}

#[test]
fn names_of_attributes_that_are_no_text_are_refused() {
    let of = |name| open(name).dataset("a").unwrap();
    assert!(matches!(of("attribute_nul").attribute_names(), Err(Error::Damaged { .. })));
    assert!(matches!(of("attribute_latin1").attribute_names(), Err(Error::Unsupported { .. })));
    assert!(of("attribute_latin1").attribute("other").unwrap().is_some());
}
