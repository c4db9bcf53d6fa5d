//! What the writer writes, as h5py reads it.

use std::{collections::BTreeMap, fs, path::Path};

use apus_h5::{
    Array, Attribute, ByteOrder, CharacterSet, Data, Dataspace, Datatype, FloatFormat, Member, StringPadding,
    write::{Contents, DatasetSpec, Number, ObjectId, Plan, Step, Tree},
};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::python;

/// A file to be written, in a form that can be compared with what is read back.
#[derive(Clone, Debug)]
enum Model {
    Group(BTreeMap<String, Array>, BTreeMap<String, Model>),
    Dataset(BTreeMap<String, Array>, Array, Source),
    Soft(String),
    External(String, String),
    /// Another name of the object that was first reached by this path.
    Hard(String),
}

/// How the elements get into the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    Held,
    Streamed,
    Unwritten,
}

/// Writes the model, following the plan's steps.
fn write(model: &Model) -> Vec<u8> {
    let mut tree = Tree::new();
    let mut streams = BTreeMap::new();
    let mut paths = BTreeMap::from([("/".to_owned(), tree.root())]);
    let Model::Group(attributes, members) = model else { panic!("the root is a group") };
    let root = tree.root();
    add_attributes(&mut tree, root, attributes);
    add_members(&mut tree, root, members, &mut streams, &mut paths);

    let plan = Plan::new(tree).unwrap();
    let size_bytes = plan.size_bytes();
    let mut file = Vec::new();
    for step in plan.into_steps() {
        match step {
            Step::Bytes(bytes) => file.extend(bytes),
            Step::Data { object, size_bytes } => {
                let elements = streams.remove(&object).unwrap();
                assert_eq!(elements.len() as u64, size_bytes);
                file.extend(elements);
            }
        }
    }
    assert!(streams.values().all(Vec::is_empty), "a stream was never asked for");
    assert_eq!(file.len() as u64, size_bytes);
    file
}

fn add_members(
    tree: &mut Tree,
    parent: ObjectId,
    members: &BTreeMap<String, Model>,
    streams: &mut BTreeMap<ObjectId, Vec<u8>>,
    paths: &mut BTreeMap<String, ObjectId>,
) {
    for (name, member) in members {
        match member {
            Model::Group(attributes, members) => {
                let id = tree.add_group(parent, name).unwrap();
                paths.insert(tree.path(id).unwrap().to_owned(), id);
                add_attributes(tree, id, attributes);
                add_members(tree, id, members, streams, paths);
            }
            Model::Dataset(attributes, array, source) => {
                let contents = match source {
                    Source::Held => Contents::Held(array.data.clone()),
                    Source::Streamed => Contents::Streamed,
                    Source::Unwritten => Contents::Unwritten,
                };
                let spec = DatasetSpec { dtype: array.dtype.clone(), space: array.space.clone(), contents };
                let id = tree.add_dataset(parent, name, spec).unwrap();
                paths.insert(tree.path(id).unwrap().to_owned(), id);
                add_attributes(tree, id, attributes);
                if let (Source::Streamed, Data::Fixed(bytes)) = (source, &array.data) {
                    streams.insert(id, bytes.clone());
                }
            }
            Model::Soft(path) => tree.add_soft_link(parent, name, path).unwrap(),
            Model::External(file, path) => tree.add_external_link(parent, name, file, path).unwrap(),
            Model::Hard(path) => tree.add_hard_link(parent, name, paths[path]).unwrap(),
        }
    }
}

fn add_attributes(tree: &mut Tree, object: ObjectId, attributes: &BTreeMap<String, Array>) {
    for (name, value) in attributes {
        tree.add_attribute(object, Attribute::new(name.clone(), value.clone())).unwrap();
    }
}

/// What `describe.py` should say of the model.
fn describe(model: &Model) -> Value {
    match model {
        Model::Group(attributes, members) => {
            let members: BTreeMap<&String, Value> = members.iter().map(|(name, m)| (name, describe(m))).collect();
            json!({"attributes": describe_attributes(attributes), "members": members})
        }
        Model::Dataset(attributes, array, source) => {
            let value = match (source, &array.data) {
                _ if array.space == Dataspace::Null => Value::Null,
                (Source::Unwritten, Data::Fixed(bytes)) => json!("00".repeat(bytes.len())),
                (Source::Unwritten, Data::Variable(values)) => json!(vec![""; values.len()]),
                _ => describe_value(array),
            };
            let dataset =
                json!({"type": describe_type(&array.dtype), "shape": describe_shape(&array.space), "value": value});
            json!({"attributes": describe_attributes(attributes), "dataset": dataset})
        }
        Model::Soft(path) => json!({"soft": path}),
        Model::External(file, path) => json!({"external": [file, path]}),
        Model::Hard(path) => json!({"same as": path}),
    }
}

fn describe_attributes(attributes: &BTreeMap<String, Array>) -> Value {
    let described: BTreeMap<&String, Value> = attributes
        .iter()
        .map(|(name, a)| (name, json!([describe_type(&a.dtype), describe_shape(&a.space), describe_value(a)])))
        .collect();
    json!(described)
}

fn describe_shape(space: &Dataspace) -> Value {
    match space {
        Dataspace::Null => Value::Null,
        other => json!(other.shape()),
    }
}

fn describe_value(array: &Array) -> Value {
    match (&array.space, &array.data) {
        (Dataspace::Null, _) => Value::Null,
        (_, Data::Fixed(bytes)) => json!(hex(bytes)),
        (_, Data::Variable(values)) => json!(values.iter().map(|v| hex(v)).collect::<Vec<_>>()),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn describe_type(dtype: &Datatype) -> Value {
    let name = |order: &ByteOrder| match order {
        ByteOrder::Little => "little",
        ByteOrder::Big => "big",
        ByteOrder::Vax => "vax",
    };
    let charset = |set: &CharacterSet| u8::from(*set == CharacterSet::Utf8);
    match dtype {
        Datatype::Integer { size, signed, order, bit_offset, precision } => {
            json!(["integer", size, signed, name(order), bit_offset, precision])
        }
        Datatype::Float { size, order, bit_offset, precision, format: f } => {
            let fields = [f.sign_position, f.exponent_position, f.exponent_size, f.mantissa_position, f.mantissa_size];
            json!(["float", size, name(order), bit_offset, precision, fields, f.exponent_bias, f.implied_msb])
        }
        Datatype::Bitfield { size, order } => json!(["bitfield", size, name(order)]),
        Datatype::FixedString { size, padding, character_set } => {
            let padding = match padding {
                StringPadding::NullTerminated => 0,
                StringPadding::NullPadded => 1,
                StringPadding::SpacePadded => 2,
            };
            json!(["fixed string", size, padding, charset(character_set)])
        }
        Datatype::VariableString { character_set } => json!(["variable string", charset(character_set)]),
        Datatype::VariableSequence(base) => json!(["variable sequence", describe_type(base)]),
        Datatype::Enum { base, members } => {
            let members: Vec<Value> = members.iter().map(|(name, value)| json!([name, integer(base, value)])).collect();
            json!(["enum", describe_type(base), members])
        }
        Datatype::Compound { size, members } => {
            let members: Vec<Value> =
                members.iter().map(|m| json!([m.name, m.offset, describe_type(&m.dtype)])).collect();
            json!(["compound", size, members])
        }
        Datatype::Array { base, dims } => json!(["array", dims, describe_type(base)]),
        Datatype::Opaque { size, tag } => json!(["opaque", size, tag]),
        other => panic!("{other:?}"),
    }
}

/// The value of a little-endian integer.
fn integer(dtype: &Datatype, bytes: &[u8]) -> i64 {
    let negative = matches!(dtype, Datatype::Integer { signed: true, .. }) && bytes.last().unwrap() & 0x80 != 0;
    let mut wide = [if negative { 0xff } else { 0 }; 8];
    wide[..bytes.len()].copy_from_slice(bytes);
    i64::from_le_bytes(wide)
}

/// Writes the models into files and compares each with what h5py reads.
fn check(name: &str, models: &[Model]) {
    let dir = python::scratch(name);
    let paths: Vec<_> = (0..models.len()).map(|i| dir.join(format!("{i}.hdf5"))).collect();
    for (model, path) in models.iter().zip(&paths) {
        fs::write(path, write(model)).unwrap();
    }
    let paths: Vec<&Path> = paths.iter().map(std::path::PathBuf::as_path).collect();
    let described = python::run("main", "describe.py", &paths);
    let mut lines = described.lines();
    for (model, path) in models.iter().zip(paths) {
        let mut found: Value = serde_json::from_str(lines.next().unwrap()).unwrap();
        strip_hard_links(&mut found, model);
        if let Some(difference) = difference("", &found, &describe(model)) {
            panic!("{}: {difference}", path.display());
        }
    }
}

/// Where two descriptions differ first.
fn difference(at: &str, found: &Value, expected: &Value) -> Option<String> {
    match (found, expected) {
        (Value::Object(a), Value::Object(b)) if a.keys().eq(b.keys()) => {
            a.iter().zip(b.values()).find_map(|((key, a), b)| difference(&format!("{at}.{key}"), a, b))
        }
        (a, b) if a == b => None,
        (a, b) => Some(format!("{at}: found {a:.300}, expected {b:.300}")),
    }
}

/// Checks the reference counts against the model's hard links, and takes them out.
fn strip_hard_links(found: &mut Value, model: &Model) {
    fn count<'a>(model: &'a Model, counts: &mut BTreeMap<&'a str, u64>) {
        match model {
            Model::Group(_, members) => members.values().for_each(|member| count(member, counts)),
            Model::Hard(path) => *counts.entry(path).or_insert(1) += 1,
            _ => {}
        }
    }
    fn strip(found: &mut Value, path: &str, counts: &mut BTreeMap<&str, u64>) {
        let Value::Object(object) = found else { return };
        if object.contains_key("attributes") {
            let found = object.remove("hard links").map_or(1, |n| n.as_u64().unwrap());
            let path = if path.is_empty() { "/" } else { path };
            assert_eq!(found, counts.remove(path).unwrap_or(1), "{path}");
        }
        if let Some(Value::Object(members)) = object.get_mut("members") {
            for (name, member) in members {
                strip(member, &format!("{path}/{name}"), counts);
            }
        }
    }
    let mut counts = BTreeMap::new();
    count(model, &mut counts);
    strip(found, "", &mut counts);
    assert!(counts.is_empty(), "{counts:?}");
}

fn numbers<T: Number>(shape: &[u64], values: &[T]) -> Array {
    let mut bytes = Vec::new();
    values.iter().for_each(|value| value.put(&mut bytes));
    Array { dtype: T::DTYPE, space: Dataspace::simple(shape), data: Data::Fixed(bytes) }
}

fn texts(shape: &[u64], values: &[&str]) -> Array {
    let data = Data::Variable(values.iter().map(|text| text.as_bytes().to_vec()).collect());
    let dtype = Datatype::VariableString { character_set: CharacterSet::Utf8 };
    Array { dtype, space: Dataspace::simple(shape), data }
}

fn group(
    attributes: impl IntoIterator<Item = (String, Array)>,
    members: impl IntoIterator<Item = (String, Model)>,
) -> Model {
    Model::Group(attributes.into_iter().collect(), members.into_iter().collect())
}

fn dataset(array: Array, source: Source) -> Model {
    Model::Dataset(BTreeMap::new(), array, source)
}

#[test]
fn an_empty_file() {
    check("write-empty", &[group([], [])]);
}

#[test]
fn every_kind_of_contents() {
    let types = group(
        [],
        [
            ("held".to_owned(), dataset(numbers(&[2, 3], &[1i64, -2, 3, -4, 5, i64::MIN]), Source::Held)),
            ("streamed".to_owned(), dataset(numbers(&[3], &[1.5f64, f64::NAN, -0.0]), Source::Streamed)),
            ("odd length".to_owned(), dataset(numbers(&[3], &[1u8, 2, 3]), Source::Streamed)),
            ("after it".to_owned(), dataset(numbers(&[1], &[7u64]), Source::Streamed)),
            ("unwritten".to_owned(), dataset(numbers(&[2, 2], &[0f32; 4]), Source::Unwritten)),
            ("empty".to_owned(), dataset(numbers::<f32>(&[0, 3], &[]), Source::Streamed)),
            ("empty held".to_owned(), dataset(numbers::<f32>(&[0], &[]), Source::Held)),
            ("scalar".to_owned(), dataset(numbers(&[], &[3i16]), Source::Streamed)),
            ("text".to_owned(), dataset(texts(&[4], &["kpc", "", "M☉", "a\nb"]), Source::Held)),
            ("no text".to_owned(), dataset(texts(&[2], &["", ""]), Source::Unwritten)),
            ("null".to_owned(), dataset(Array { space: Dataspace::Null, ..numbers::<f32>(&[0], &[]) }, Source::Held)),
        ],
    );
    check("write-contents", &[types]);
}

#[test]
fn every_type() {
    let float = |size: u32, order, precision, format| Datatype::Float { size, order, bit_offset: 0, precision, format };
    let nbit = |exponent_size, mantissa_size, exponent_bias| FloatFormat {
        sign_position: exponent_size + mantissa_size,
        exponent_position: mantissa_size,
        exponent_size,
        mantissa_position: 0,
        mantissa_size,
        exponent_bias,
        implied_msb: true,
    };
    let big = |size: u32| Datatype::Integer {
        size,
        signed: true,
        order: ByteOrder::Big,
        bit_offset: 0,
        precision: u16::try_from(8 * size).unwrap(),
    };
    let string = |size, padding, character_set| Datatype::FixedString { size, padding, character_set };
    let pair = Datatype::Compound {
        size: 24,
        members: vec![
            Member { name: "x".to_owned(), offset: 0, dtype: f64::DTYPE },
            Member { name: "id".to_owned(), offset: 12, dtype: big(4) },
            Member {
                name: "tensor".to_owned(),
                offset: 16,
                dtype: Datatype::Array { base: Box::new(i16::DTYPE), dims: vec![2, 2] },
            },
        ],
    };
    let wide = Datatype::Compound {
        size: 70_000,
        members: vec![Member { name: "far".to_owned(), offset: 69_992, dtype: u64::DTYPE }],
    };
    let types = [
        float(2, ByteOrder::Little, 16, FloatFormat::F16),
        float(8, ByteOrder::Big, 64, FloatFormat::F64),
        float(4, ByteOrder::Little, 18, nbit(8, 9, 127)),
        float(8, ByteOrder::Little, 33, nbit(11, 21, 1023)),
        float(4, ByteOrder::Vax, 32, nbit(8, 23, 128)),
        Datatype::Integer { size: 8, signed: true, order: ByteOrder::Little, bit_offset: 3, precision: 40 },
        big(2),
        Datatype::Bitfield { size: 2, order: ByteOrder::Little },
        Datatype::Bitfield { size: 4, order: ByteOrder::Big },
        string(7, StringPadding::NullTerminated, CharacterSet::Ascii),
        string(300, StringPadding::NullPadded, CharacterSet::Utf8),
        string(1, StringPadding::SpacePadded, CharacterSet::Ascii),
        Datatype::Enum {
            base: Box::new(i8::DTYPE),
            members: vec![("FALSE".to_owned(), vec![0]), ("TRUE".to_owned(), vec![1])],
        },
        Datatype::Enum {
            base: Box::new(big(4)),
            members: vec![("low".to_owned(), vec![0xfe, 0xff, 0xff, 0xff]), ("high".to_owned(), vec![0, 1, 0, 0])],
        },
        Datatype::Compound {
            size: 32,
            members: vec![Member { name: "in".to_owned(), offset: 8, dtype: pair.clone() }],
        },
        pair,
        Datatype::Array { base: Box::new(f32::DTYPE), dims: vec![3] },
        Datatype::Opaque { size: 5, tag: "a tag".to_owned() },
        Datatype::Opaque { size: 3, tag: String::new() },
        Datatype::Opaque { size: 3, tag: "12345678".to_owned() },
        wide,
    ];
    let mut members = BTreeMap::new();
    let mut attributes = BTreeMap::new();
    for (i, dtype) in types.into_iter().enumerate() {
        let size = usize::try_from(2 * dtype.size_bytes()).unwrap();
        // Bytes that survive being read back as they are: libhdf5 keeps only those that belong to members.
        let bytes: Vec<u8> = match &dtype {
            Datatype::Compound { .. } => vec![0; size],
            _ => (0..size).map(|byte| (byte % 251).to_le_bytes()[0]).collect(),
        };
        let array = Array { dtype, space: Dataspace::simple(&[2]), data: Data::Fixed(bytes) };
        if size < 60_000 {
            attributes.insert(format!("a{i}"), array.clone());
        }
        members.insert(format!("d{i}"), dataset(array, Source::Held));
    }
    let sequence = Array {
        dtype: Datatype::VariableSequence(Box::new(f32::DTYPE)),
        space: Dataspace::simple(&[3]),
        data: Data::Variable(vec![vec![0, 0, 128, 63], vec![], vec![1; 12]]),
    };
    attributes.insert("sequences".to_owned(), sequence.clone());
    members.insert("sequences".to_owned(), dataset(sequence, Source::Held));
    check("write-types", &[Model::Group(attributes, members)]);
}

#[test]
fn attributes_as_simulation_codes_write_them() {
    let fixed = |text: &str| Attribute::fixed_text("", text).value;
    let attributes = (0..400).map(|i| (format!("Section{}:parameter_{i}", i % 7), fixed(&format!("value {i}"))));
    let more = [
        ("Description".to_owned(), fixed("Überall ☉")),
        ("none".to_owned(), fixed("")),
        ("long".to_owned(), fixed(&"x".repeat(64_000))),
        ("also long".to_owned(), numbers(&[8000], &vec![2.5f64; 8000])),
        ("Nachricht ☉".to_owned(), texts(&[], &["freier Text ☉"])),
        ("texts".to_owned(), texts(&[2, 2], &["a", "", "ccc", "dd"])),
        ("long text".to_owned(), texts(&[], &[&"y".repeat(1_000_000)])),
        ("null".to_owned(), Array { space: Dataspace::Null, ..numbers::<i32>(&[0], &[]) }),
        ("no numbers".to_owned(), numbers::<i32>(&[0], &[])),
    ];
    let many_texts: Vec<String> = (0..3000).map(|i| format!("{i} {}", "z".repeat(i % 100))).collect();
    let many_texts: Vec<&str> = many_texts.iter().map(String::as_str).collect();
    let more = more.into_iter().chain([("many texts".to_owned(), texts(&[3000], &many_texts))]);
    check("write-attributes", &[group(attributes.chain(more), [])]);
}

#[test]
fn links_of_every_kind() {
    let inner = group(
        [],
        [
            ("up".to_owned(), Model::Hard("/".to_owned())),
            ("self".to_owned(), Model::Hard("/group".to_owned())),
            ("data".to_owned(), dataset(numbers(&[1], &[5u8]), Source::Streamed)),
        ],
    );
    let root = group(
        [],
        [
            ("group".to_owned(), inner),
            ("same".to_owned(), Model::Hard("/group/data".to_owned())),
            ("soft".to_owned(), Model::Soft("/group".to_owned())),
            ("dangling ☉".to_owned(), Model::Soft("nowhere/at all".to_owned())),
            ("outside".to_owned(), Model::External("other.hdf5".to_owned(), "/there".to_owned())),
        ],
    );
    let many = (0..3000).map(|i| (format!("member {i}"), group([], [])));
    check("write-links", &[root, group([], many)]);
}

#[test]
fn more_values_than_one_heap_collection_counts() {
    let values = vec!["a"; 70_000];
    check("write-heap", &[group([], [("texts".to_owned(), dataset(texts(&[70_000], &values), Source::Held))])]);
}

#[test]
fn libhdf5_can_change_what_was_written() {
    let fixed = |i: u32| (format!("attribute {i}"), Attribute::fixed_text("", &"v".repeat(50)).value);
    let data = Model::Dataset((0..30).map(fixed).collect(), numbers(&[2], &[1.0f32, 2.0]), Source::Streamed);
    let unwritten = dataset(numbers(&[4], &[0i32; 4]), Source::Unwritten);
    let model = group((0..319).map(fixed), [("data".to_owned(), data), ("unwritten".to_owned(), unwritten)]);
    let path = python::scratch("write-change").join("file.hdf5");
    fs::write(&path, write(&model)).unwrap();
    assert_eq!(python::run("main", "change.py", &[&path]), "changed\n");
}

#[test]
fn what_has_no_form_is_refused_by_name() {
    let refuse = |value: Array, expect: &str| {
        let mut tree = Tree::new();
        let root = tree.root();
        let error = tree.add_attribute(root, Attribute::new("a", value.clone())).unwrap_err().to_string();
        assert!(error.starts_with("/: attribute \"a\": cannot be written: ") && error.contains(expect), "{error}");
        if !expect.contains("header") {
            let contents = Contents::Held(value.data);
            let spec = DatasetSpec { dtype: value.dtype, space: value.space, contents };
            let error = tree.add_dataset(root, "d", spec).unwrap_err().to_string();
            assert!(error.starts_with("/d: cannot be written: ") && error.contains(expect), "{error}");
        }
    };
    let with_type = |dtype, n_bytes| Array { dtype, space: Dataspace::Scalar, data: Data::Fixed(vec![0; n_bytes]) };
    refuse(numbers(&[8192], &vec![0u64; 8192]), "of the header, more than 65535");
    refuse(numbers(&[3], &[0u64; 2]), "16 bytes for 3 elements of 8");
    refuse(numbers(&[u64::MAX, 2], &[0u64; 2]), "more elements than 64 bits count");
    refuse(with_type(Datatype::Reference { size: 8, region: false }, 8), "a reference");
    refuse(with_type(Datatype::Other { size: 8, class: "complex" }, 8), "complex");
    refuse(with_type(Datatype::Opaque { size: 0, tag: String::new() }, 0), "size 0");
    refuse(with_type(Datatype::Opaque { size: 1, tag: "x".repeat(248) }, 1), "tag");
    refuse(numbers(&[1; 33], &[0u8]), "33 dimensions");
    let text = Datatype::VariableString { character_set: CharacterSet::Ascii };
    refuse(with_type(text.clone(), 16), "bytes for values of variable length");
    refuse(with_type(Datatype::Array { base: Box::new(text.clone()), dims: vec![1] }, 16), "inside others");
    refuse(Array { dtype: text, space: Dataspace::Scalar, data: Data::Variable(vec![]) }, "0 values for 1 elements");
    let deep = (0..40).fold(u8::DTYPE, |base, _| Datatype::Array { base: Box::new(base), dims: vec![1] });
    refuse(with_type(deep, 1), "deep");
    let outside =
        Datatype::Compound { size: 4, members: vec![Member { name: "x".to_owned(), offset: 1, dtype: f32::DTYPE }] };
    refuse(with_type(outside, 4), "reaches beyond");
    let mut tree = Tree::new();
    let spec = DatasetSpec {
        dtype: Datatype::VariableString { character_set: CharacterSet::Utf8 },
        space: Dataspace::simple(&[2]),
        contents: Contents::Streamed,
    };
    assert!(tree.add_dataset(tree.root(), "d", spec).unwrap_err().to_string().contains("cannot be streamed"));
}

#[test]
fn a_plan_needs_no_data() {
    let mut tree = Tree::new();
    let root = tree.root();
    let rows = 1u64 << 40;
    let spec = |n| DatasetSpec { dtype: f64::DTYPE, space: Dataspace::simple(&[n, 3]), contents: Contents::Streamed };
    let first = tree.add_dataset(root, "first", spec(rows)).unwrap();
    let second = tree.add_dataset(root, "second", spec(1)).unwrap();
    let plan = Plan::new(tree.clone()).unwrap();
    let [Step::Bytes(head), Step::Data { object: a, size_bytes: b }, Step::Data { object: c, size_bytes: d }] =
        plan.steps()
    else {
        panic!("{:?}", plan.steps());
    };
    assert_eq!((*a, *b, *c, *d), (first, 24 * rows, second, 24));
    assert_eq!(plan.size_bytes(), head.len() as u64 + 24 * rows + 24);
    assert!(plan.into_bytes().unwrap_err().to_string().contains("are to be streamed"));

    tree.add_dataset(root, "third", spec(u64::MAX / 24)).unwrap();
    assert!(Plan::new(tree).unwrap_err().to_string().contains("more bytes than 64 bits count"));
}

fn any_array() -> impl Strategy<Value = Array> {
    let shape = prop_oneof![
        4 => prop::collection::vec(0u64..5, 0..4).prop_map(|shape| Dataspace::simple(&shape)),
        1 => Just(Dataspace::Null),
    ];
    let fixed = prop_oneof![
        Just(f32::DTYPE),
        Just(f64::DTYPE),
        Just(i8::DTYPE),
        Just(u16::DTYPE),
        Just(i64::DTYPE),
        (1u32..20, any::<bool>()).prop_map(|(size, utf8)| Datatype::FixedString {
            size,
            padding: if utf8 { StringPadding::NullPadded } else { StringPadding::NullTerminated },
            character_set: if utf8 { CharacterSet::Utf8 } else { CharacterSet::Ascii },
        }),
        prop::collection::vec(1u32..4, 1..3).prop_map(|dims| Datatype::Array { base: Box::new(u8::DTYPE), dims }),
    ];
    let dtype = prop_oneof![
        4 => fixed,
        1 => Just(Datatype::VariableString { character_set: CharacterSet::Utf8 }),
    ];
    (shape, dtype, any::<u64>()).prop_map(|(space, dtype, seed)| {
        let n = usize::try_from(space.n_elements().unwrap()).unwrap();
        let data = if let Datatype::VariableString { .. } = dtype {
            Data::Variable(
                (0..n)
                    .map(|i| "é".repeat((usize::try_from(seed % 40).unwrap() * (i % 40 + 1)) % 40).into_bytes())
                    .collect(),
            )
        } else {
            let size = n * usize::try_from(dtype.size_bytes()).unwrap();
            Data::Fixed((0..size).map(|i| seed.rotate_left(u32::try_from(i % 64).unwrap()).to_le_bytes()[0]).collect())
        };
        Array { dtype, space, data }
    })
}

fn any_attributes() -> impl Strategy<Value = BTreeMap<String, Array>> {
    prop::collection::btree_map("[a-zé ]{1,12}", any_array(), 0..12)
}

fn any_model() -> impl Strategy<Value = Model> {
    let source = prop_oneof![Just(Source::Held), Just(Source::Streamed), Just(Source::Unwritten)];
    let leaf = prop_oneof![
        6 => (any_attributes(), any_array(), source).prop_map(|(attributes, array, source)| {
            // Values of variable length and empty extents are never streamed.
            let variable = matches!(array.data, Data::Variable(_));
            let source = if variable && source == Source::Streamed { Source::Held } else { source };
            Model::Dataset(attributes, array, source)
        }),
        1 => "[a-z/]{1,10}".prop_map(Model::Soft),
        1 => ("[a-z]{1,5}", "[a-z/]{1,5}").prop_map(|(file, path)| Model::External(file, path)),
    ];
    let members = leaf.prop_recursive(3, 24, 6, |inner| {
        (any_attributes(), prop::collection::btree_map("[a-zé ]{1,8}", inner, 0..6))
            .prop_map(|(attributes, members)| Model::Group(attributes, members))
    });
    (any_attributes(), prop::collection::btree_map("[a-zé ]{1,8}", members, 0..8))
        .prop_map(|(attributes, members)| Model::Group(attributes, members))
}

proptest! {
    // One process of Python reads a whole case, so a case holds many files.
    #![proptest_config(ProptestConfig { cases: 4, max_shrink_iters: 100, ..ProptestConfig::default() })]
    #[test]
    fn any_tree(models in prop::collection::vec(any_model(), 50)) {
        check("write-any", &models);
    }
}
