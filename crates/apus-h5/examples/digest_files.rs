//! Reads files named on standard input, one a line, and prints what is in each as one line of JSON: the objects that links lead
//! to, with the digests of their values. `tests/mutants.py` compares that with what h5py reads.
//!
//! `cargo run -p apus-h5 --example digest_files < LIST`

#![expect(clippy::print_stdout, reason = "this is a program")]

use std::{
    collections::BTreeMap,
    error::Error,
    fmt::Write as _,
    io::{BufRead as _, Write as _, stdin, stdout},
    path::Path,
    sync::Arc,
};

use apus_h5::{Array, Attribute, Data, Datatype, File, Object, OpenOptions, Resolver, source::Memory};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

/// Links are followed so far down from the root.
const MAX_DEPTH: usize = 3;
/// So many objects are read of a file.
const MAX_OBJECTS: usize = 100;
/// Larger datasets are not read.
const MAX_BYTES: u64 = 4 << 20;

/// Opens the files that lie beside the one that names them.
struct Beside;

impl Resolver for Beside {
    fn resolve(&self, from: &File, target: &str) -> Result<Option<File>, String> {
        let path = Path::new(from.name()).with_file_name(target);
        if path.is_file() { open(&path).map(Some).map_err(|error| error.to_string()) } else { Ok(None) }
    }
}

fn open(path: &Path) -> Result<File, Box<dyn Error>> {
    let source = Arc::new(Memory::new(std::fs::read(path)?));
    let options = OpenOptions { resolver: Some(Arc::new(Beside)), ..OpenOptions::default() };
    Ok(File::from_source(path.display().to_string(), source, options)?)
}

fn main() -> Result<(), Box<dyn Error>> {
    for line in stdin().lock().lines() {
        let objects = match open(Path::new(&line?)) {
            Ok(file) => objects(&file),
            Err(error) => json!({"/": {"error": error.to_string()}}),
        };
        println!("{objects}");
        stdout().flush()?;
    }
    Ok(())
}

/// Every object that links lead to, by the path that leads there.
fn objects(file: &File) -> Value {
    let mut out = Map::new();
    let mut paths = vec![("/".to_owned(), 0)];
    while let Some((path, depth)) = paths.pop() {
        if out.len() >= MAX_OBJECTS {
            break;
        }
        let object = match file.get(&path) {
            Ok(object) => object,
            Err(error) => {
                out.insert(path, json!({"error": error.to_string()}));
                continue;
            }
        };
        let mut about = describe(&object);
        if let Object::Group(group) = &object {
            match group.links() {
                Ok(links) => {
                    let names: Vec<String> = links.into_iter().map(|link| link.name).collect();
                    if depth < MAX_DEPTH {
                        let base = path.trim_end_matches('/');
                        paths.extend(names.iter().rev().map(|name| (format!("{base}/{name}"), depth + 1)));
                    }
                    about["links"] = json!(names);
                }
                Err(error) => about["links error"] = json!(error.to_string()),
            }
        }
        out.insert(path, about);
    }
    Value::Object(out)
}

fn describe(object: &Object) -> Value {
    let mut about = json!({"kind": object.kind()});
    let attributes = match object {
        Object::Group(group) => group.attributes(),
        Object::Dataset(dataset) => {
            about["shape"] = json!(dataset.shape());
            about["dtype"] = json!(native_type(dataset.dtype()));
            match dataset.read_all(MAX_BYTES) {
                Ok(array) => about["values"] = json!(digest(&array)),
                Err(error) => about["values error"] = json!(error.to_string()),
            }
            dataset.attributes()
        }
        _ => return about,
    };
    match attributes {
        Ok(attributes) => {
            about["attributes"] =
                attributes.iter().map(describe_attribute).collect::<BTreeMap<_, _>>().into_iter().collect();
        }
        Err(error) => about["attributes error"] = json!(error.to_string()),
    }
    about
}

fn describe_attribute(attribute: &Attribute) -> (String, Value) {
    let value = &attribute.value;
    let about = json!([value.space.shape(), native_type(&value.dtype), digest(value)]);
    (attribute.name.clone(), about)
}

fn digest(array: &Array) -> String {
    let mut hash = Sha256::new();
    match &array.data {
        Data::Fixed(bytes) => {
            let mut packed = Vec::with_capacity(bytes.len());
            let size = usize::try_from(array.dtype.size_bytes()).unwrap_or(usize::MAX);
            bytes.chunks_exact(size).for_each(|element| pack(&array.dtype, element, &mut packed));
            hash.update(&packed);
        }
        Data::Variable(values) => {
            for value in values {
                hash.update(u64::try_from(value.len()).unwrap_or(u64::MAX).to_le_bytes());
                hash.update(value);
            }
        }
    }
    hash.finalize().iter().take(8).fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// The element without the gaps between members.
fn pack(dtype: &Datatype, element: &[u8], out: &mut Vec<u8>) {
    let size = |dtype: &Datatype| usize::try_from(dtype.size_bytes()).unwrap_or(usize::MAX);
    match dtype {
        Datatype::Compound { members, .. } => {
            for member in members {
                let start = usize::try_from(member.offset).unwrap_or(usize::MAX);
                pack(&member.dtype, &element[start..start + size(&member.dtype)], out);
            }
        }
        Datatype::Array { base, .. } => element.chunks_exact(size(base)).for_each(|item| pack(base, item, out)),
        _ => out.extend_from_slice(element),
    }
}

/// The type that numpy has it as, in the words of `tests/it/dump_metadata.py`.
fn native_type(dtype: &Datatype) -> String {
    match dtype {
        Datatype::Integer { size: 1, signed, .. } => format!("|{}1", if *signed { 'i' } else { 'u' }),
        Datatype::Integer { size, signed, .. } => format!("<{}{size}", if *signed { 'i' } else { 'u' }),
        Datatype::Float { size, .. } => format!("<f{size}"),
        Datatype::Bitfield { size: 1, .. } => "|u1".to_owned(),
        Datatype::Bitfield { size, .. } => format!("<u{size}"),
        Datatype::FixedString { size, .. } => format!("|S{size}"),
        Datatype::VariableString { .. } => "vstring".to_owned(),
        Datatype::VariableSequence(base) => format!("vlen({})", native_type(base)),
        Datatype::Enum { base, .. } => format!("enum({})", native_type(base)),
        Datatype::Compound { size, members } => {
            let member = |m: &apus_h5::Member| format!("{}@{}:{}", m.name, m.offset, native_type(&m.dtype));
            format!("compound({size}){{{}}}", members.iter().map(member).collect::<Vec<_>>().join(","))
        }
        Datatype::Array { base, dims } => {
            let dims: Vec<String> = dims.iter().map(u32::to_string).collect();
            format!("{}[{}]", native_type(base), dims.join(","))
        }
        Datatype::Reference { .. } => "reference".to_owned(),
        other => format!("|V{}", other.size_bytes()),
    }
}
