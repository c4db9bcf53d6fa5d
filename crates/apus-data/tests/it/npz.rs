//! The npz form, as numpy loads it.

use std::{
    fs,
    io::{Seek, SeekFrom, Write},
};

use apus_data::encode::npz::{NpzArray, NpzEncoder, NpzError};

use crate::python;

/// What `numpy.save` has before the elements.
fn npy_header(descr: &str, shape: &str) -> Vec<u8> {
    let mut text = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}");
    while (text.len() + 11) % 64 != 0 {
        text.push(' ');
    }
    text.push('\n');
    let mut header = b"\x93NUMPY\x01\x00".to_vec();
    header.extend(u16::try_from(text.len()).unwrap().to_le_bytes());
    header.extend(text.bytes());
    header
}

fn array(name: &str, descr: &str, shape: &str, data_bytes: u64) -> NpzArray {
    NpzArray { name: name.to_owned(), npy_header: npy_header(descr, shape), data_bytes }
}

#[test]
fn numpy_loads_what_was_written() {
    let positions: Vec<u8> = (0..3000u32).flat_map(|i| (f64::from(i) / 7.0).to_le_bytes()).collect();
    let ids: Vec<u8> = (0..1000i64).flat_map(|i| (-i).to_le_bytes()).collect();
    let arrays = vec![
        array("gas.coordinates", "<f8", "(1000, 3)", 24_000),
        array("stars.nothing", "<f4", "(0, 3)", 0),
        array("größe ☉", "<i8", "(1000,)", 8_000),
        array("scalar", "|u1", "()", 1),
    ];
    let mut encoder = NpzEncoder::new(arrays).unwrap();
    let size_bytes = encoder.size_bytes();
    let mut file = Vec::new();
    for elements in [positions.as_slice(), &[], &ids, &[7]] {
        encoder.start_member(&mut file);
        for block in elements.chunks(1000) {
            encoder.pass(block).unwrap();
            file.extend(block);
        }
        encoder.end_member(&mut file).unwrap();
    }
    encoder.finish(&mut file).unwrap();
    assert_eq!(file.len() as u64, size_bytes);
    assert_eq!(encoder.size_bytes(), size_bytes);
    let path = python::scratch("npz").join("arrays.npz");
    fs::write(&path, file).unwrap();
    assert_eq!(python::run("main", "load_npz.py", &[&path]), "loaded\n");
}

#[test]
fn members_and_offsets_over_4_gib_are_found() {
    const ROWS: u64 = (1 << 32) + 5;
    let arrays = vec![
        array("before", "|u1", "(3,)", 3),
        array("large", "|u1", &format!("({ROWS},)"), ROWS),
        array("after", "|u1", "(3,)", 3),
    ];
    let mut encoder = NpzEncoder::new(arrays).unwrap();
    let size_bytes = encoder.size_bytes();
    let path = python::scratch("npz-large").join("arrays.npz");
    let mut file = fs::File::create(&path).unwrap();
    let zeros = vec![0; 1 << 20];
    let mut position = 0;
    for data_bytes in [3, ROWS, 3] {
        let mut bytes = Vec::new();
        encoder.start_member(&mut bytes);
        if data_bytes == 3 {
            encoder.pass(&[1, 2, 3]).unwrap();
            bytes.extend([1, 2, 3]);
        }
        file.write_all(&bytes).unwrap();
        position += bytes.len() as u64;
        // The zeros are a hole in the file.
        let mut rest = if data_bytes == 3 { 0 } else { data_bytes };
        position += rest;
        while rest > 0 {
            let n = rest.min(zeros.len() as u64);
            encoder.pass(&zeros[..usize::try_from(n).unwrap()]).unwrap();
            rest -= n;
        }
        file.seek(SeekFrom::Start(position)).unwrap();
        let mut bytes = Vec::new();
        encoder.end_member(&mut bytes).unwrap();
        file.write_all(&bytes).unwrap();
        position += bytes.len() as u64;
    }
    let mut bytes = Vec::new();
    encoder.finish(&mut bytes).unwrap();
    file.write_all(&bytes).unwrap();
    assert_eq!(position + bytes.len() as u64, size_bytes);
    let said = python::run("main", "load_npz_large.py", &[&path]);
    fs::remove_file(&path).unwrap();
    assert_eq!(said, format!("{ROWS}\n"));
}

#[test]
fn many_members_are_counted() {
    let arrays = (0..70_000).map(|i| array(&i.to_string(), "|u1", "(1,)", 1)).collect();
    let mut encoder = NpzEncoder::new(arrays).unwrap();
    let mut file = Vec::new();
    for i in 0..70_000u32 {
        encoder.start_member(&mut file);
        let element = [i.to_le_bytes()[0]];
        encoder.pass(&element).unwrap();
        file.extend(element);
        encoder.end_member(&mut file).unwrap();
    }
    encoder.finish(&mut file).unwrap();
    assert_eq!(file.len() as u64, encoder.size_bytes());
    let path = python::scratch("npz-many").join("arrays.npz");
    fs::write(&path, file).unwrap();
    assert_eq!(python::run("main", "load_npz_many.py", &[&path]), "70000\n");
}

#[test]
fn other_lengths_than_announced_are_refused() {
    let mut encoder = NpzEncoder::new(vec![array("a", "|u1", "(3,)", 3)]).unwrap();
    let mut out = Vec::new();
    assert!(matches!(encoder.finish(&mut out), Err(NpzError::WrongLength { .. })));
    assert!(matches!(encoder.pass(&[1]), Err(NpzError::WrongLength { .. })));
    encoder.start_member(&mut out);
    encoder.pass(&[1, 2]).unwrap();
    assert!(matches!(encoder.end_member(&mut out), Err(NpzError::WrongLength { .. })));
    assert!(matches!(encoder.pass(&[3, 4]), Err(NpzError::WrongLength { .. })));
    let twice = vec![array("a", "|u1", "()", 1), array("a", "|u1", "()", 1)];
    assert!(matches!(NpzEncoder::new(twice), Err(NpzError::BadName { .. })));
    let long = vec![array(&"x".repeat(70_000), "|u1", "()", 1)];
    assert!(matches!(NpzEncoder::new(long), Err(NpzError::BadName { .. })));
    let large = vec![array("a", "|u1", "()", u64::MAX - 200), array("b", "|u1", "()", 300)];
    assert!(matches!(NpzEncoder::new(large), Err(NpzError::TooLarge { .. })));
}
