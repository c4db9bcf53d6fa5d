//! Chunks that h5py wrote, against what h5py reads: filters, filter masks and the conversion to native elements.

use std::{fs, ops::Range, path::Path};

use apus_h5::{
    ByteOrder, CharacterSet, Datatype, Filter, FloatFormat, Member, StringPadding,
    decode::{Converter, Pipeline, Scratch},
};
use serde_json::Value;

use crate::python;

#[test]
fn chunks_decode_as_h5py_decodes_them() {
    // A fixed seed for everyday use; APUS_SEED tries others.
    let seed = std::env::var("APUS_SEED").unwrap_or_else(|_| "1".to_owned());
    let directory = python::scratch("chunk_vectors");
    python::run("main", "chunk_vectors.py", &[&directory, Path::new(&seed)]);
    let bytes = fs::read(directory.join("vectors.bin")).unwrap();
    let cases: Vec<Value> = serde_json::from_slice(&fs::read(directory.join("vectors.json")).unwrap()).unwrap();
    assert!(cases.len() > 2000, "only {} cases", cases.len());
    // One scratch for all: what a chunk leaves in it must not reach the next.
    let mut scratch = Scratch::default();
    let failures: Vec<String> = cases.iter().filter_map(|case| check(case, &bytes, &mut scratch).err()).collect();
    assert!(
        failures.is_empty(),
        "{} of {} cases:\n{}",
        failures.len(),
        cases.len(),
        failures[..failures.len().min(40)].join("\n")
    );
}

/// Decodes one chunk and converts it, in both ways that there are.
fn check(case: &Value, bytes: &[u8], scratch: &mut Scratch) -> Result<(), String> {
    let name = case["name"].as_str().unwrap();
    let part = |key: &str| &bytes[range(&case[key])];
    let (raw, stored) = (part("raw"), part("stored"));
    let filters: Vec<Filter> = list(&case["filters"]).iter().map(filter).collect();
    let mask = u32::try_from(number(&case["filter_mask"])).unwrap();
    let stored_type = datatype(&case["stored_type"]);

    let pipeline = Pipeline::new(&filters, stored.len()).map_err(|error| format!("{name}: {error}"))?;
    let decoded = pipeline.decode(raw, mask, scratch).map_err(|error| format!("{name}: {error}"))?;
    same(name, "stored", decoded, stored, usize::try_from(stored_type.size_bytes()).unwrap())?;
    let mut out = vec![0xaa; stored.len()];
    pipeline.decode_into(raw, mask, scratch, &mut out).map_err(|error| format!("{name}: {error}"))?;
    same(name, "stored (decode_into)", &out, stored, 1)?;

    if case.get("native").is_some() {
        let native = part("native");
        let native_type = datatype(&case["native_type"]);
        // numpy has no enums.
        if native_type != stored_type.native() && !matches!(stored_type, Datatype::Enum { .. }) {
            return Err(format!("{name}: native type {:?}, not {native_type:?}", stored_type.native()));
        }
        let converter = Converter::new(&stored_type, &native_type).map_err(|error| format!("{name}: {error}"))?;
        let mut converted = vec![0xaa; native.len()];
        converter.convert(stored, &mut converted);
        let what = format!("{:?} as {:?}: native", case["stored_type"], case["native_type"]);
        same(name, &what, &converted, native, converter.native_size())?;
        if converter.is_in_place() {
            converter.convert_in_place(&mut out);
            // Bytes between members keep what the file has there.
            converter.convert(stored, &mut converted);
            if !matches!(stored_type, Datatype::Compound { .. } | Datatype::Array { .. }) {
                same(name, &format!("{what} in place"), &out, native, converter.native_size())?;
            }
        } else {
            assert!(!converter.is_identity());
        }
    }
    Ok(())
}

fn same(name: &str, what: &str, found: &[u8], expected: &[u8], size: usize) -> Result<(), String> {
    if found == expected {
        return Ok(());
    }
    let at = found.iter().zip(expected).position(|(a, b)| a != b).unwrap_or(found.len().min(expected.len()));
    let element = at / size * size..(at / size + 1) * size;
    Err(format!(
        "{name}: {what}: element {}: found {:02x?}, expected {:02x?}; {} and {} bytes",
        at / size,
        found.get(element.clone()).unwrap_or_default(),
        expected.get(element).unwrap_or_default(),
        found.len(),
        expected.len()
    ))
}

fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap()
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap()
}

fn range(value: &Value) -> Range<usize> {
    let [start, end] = [0, 1].map(|i| usize::try_from(number(&value[i])).unwrap());
    start..end
}

fn filter(value: &Value) -> Filter {
    Filter {
        id: number(&value["id"]).try_into().unwrap(),
        name: value["name"].as_str().unwrap().to_owned(),
        optional: value["optional"].as_bool().unwrap(),
        parameters: list(&value["parameters"]).iter().map(|word| number(word).try_into().unwrap()).collect(),
    }
}

fn datatype(value: &Value) -> Datatype {
    let field = |key: &str| number(&value[key]);
    let size = || field("size").try_into().unwrap();
    let order = || match value["order"].as_str() {
        Some("little") => ByteOrder::Little,
        Some("big") => ByteOrder::Big,
        other => panic!("byte order {other:?}"),
    };
    let bit = |key: &str| field(key).try_into().unwrap();
    let byte = |key: &str| field(key).try_into().unwrap();
    match value["class"].as_str().unwrap() {
        "integer" => Datatype::Integer {
            size: size(),
            signed: value["signed"].as_bool().unwrap(),
            order: order(),
            bit_offset: bit("bit_offset"),
            precision: bit("precision"),
        },
        "float" => Datatype::Float {
            size: size(),
            order: order(),
            bit_offset: bit("bit_offset"),
            precision: bit("precision"),
            format: FloatFormat {
                sign_position: byte("sign_position"),
                exponent_position: byte("exponent_position"),
                exponent_size: byte("exponent_size"),
                mantissa_position: byte("mantissa_position"),
                mantissa_size: byte("mantissa_size"),
                exponent_bias: field("exponent_bias").try_into().unwrap(),
                implied_msb: value["implied_msb"].as_bool().unwrap(),
            },
        },
        "enum" => Datatype::Enum { base: Box::new(datatype(&value["base"])), members: Vec::new() },
        "array" => Datatype::Array {
            base: Box::new(datatype(&value["base"])),
            dims: list(&value["dims"]).iter().map(|n| number(n).try_into().unwrap()).collect(),
        },
        "compound" => Datatype::Compound {
            size: size(),
            members: list(&value["members"])
                .iter()
                .map(|member| Member {
                    name: member["name"].as_str().unwrap().to_owned(),
                    offset: number(&member["offset"]),
                    dtype: datatype(&member["type"]),
                })
                .collect(),
        },
        "string" => Datatype::FixedString {
            size: size(),
            padding: StringPadding::NullPadded,
            character_set: CharacterSet::Ascii,
        },
        "opaque" => Datatype::Opaque { size: size(), tag: String::new() },
        other => panic!("class {other:?}"),
    }
}
