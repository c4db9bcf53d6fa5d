//! The Arrow and Parquet forms, as pyarrow reads them.

use std::{fs, path::Path};

use apus_data::encode::{
    arrow::ArrowEncoder,
    columns::{Column, TableError, Values},
    parquet::ParquetEncoder,
};
use apus_h5::{CharacterSet, Datatype, FloatFormat, Member, StringPadding, write::Number};
use serde_json::{Value, json};

use crate::python;

const N_ROWS: usize = 1000;

/// A column with its values, and what numpy calls them.
struct Case {
    column: Column,
    values: Contents,
    numpy: Value,
}

enum Contents {
    Fixed(Vec<u8>),
    Variable(Vec<Vec<u8>>),
}

impl Case {
    fn new(name: &str, dtype: Datatype, row_shape: &[u64], numpy: Value) -> Self {
        let per_row: u64 = row_shape.iter().product::<u64>() * dtype.size_bytes();
        let n_bytes = N_ROWS * usize::try_from(per_row).unwrap();
        // Any bits, NaNs and infinities among them.
        let mut state = 1u64;
        let bytes = (0..n_bytes).map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            state.to_le_bytes()[7]
        });
        Self::with(name, dtype, row_shape, numpy, Contents::Fixed(bytes.collect()))
    }

    fn with(name: &str, dtype: Datatype, row_shape: &[u64], numpy: Value, values: Contents) -> Self {
        let metadata = vec![("unit".to_owned(), format!("Mpc * {name} ☉"))];
        Self { column: Column { name: name.to_owned(), dtype, row_shape: row_shape.to_vec(), metadata }, values, numpy }
    }

    fn row_bytes(&self) -> usize {
        let per_row: u64 = self.column.row_shape.iter().product::<u64>() * self.column.dtype.size_bytes();
        usize::try_from(per_row).unwrap()
    }

    fn rows(&self, from: usize, to: usize) -> Values<'_> {
        match &self.values {
            Contents::Fixed(bytes) => Values::Fixed(&bytes[from * self.row_bytes()..to * self.row_bytes()]),
            Contents::Variable(values) => Values::Variable(&values[from..to]),
        }
    }

    fn describe(&self) -> Value {
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let (raw, variable) = match &self.values {
            Contents::Fixed(bytes) => (json!(hex(bytes)), false),
            Contents::Variable(values) => (values.iter().map(|value| hex(value)).collect(), true),
        };
        json!({
            "name": self.column.name, "numpy": self.numpy, "row_shape": self.column.row_shape,
            "raw": raw, "variable": variable, "metadata": self.column.metadata[0],
        })
    }
}

fn half() -> Datatype {
    Datatype::Float {
        size: 2,
        order: apus_h5::ByteOrder::Little,
        bit_offset: 0,
        precision: 16,
        format: FloatFormat::F16,
    }
}

fn cases() -> Vec<Case> {
    let boolean = Datatype::Enum {
        base: Box::new(i8::DTYPE),
        members: vec![("FALSE".to_owned(), vec![0]), ("TRUE".to_owned(), vec![1])],
    };
    let colour = Datatype::Enum { base: Box::new(u16::DTYPE), members: vec![("RED".to_owned(), vec![0, 1])] };
    let text = |size| Datatype::FixedString {
        size,
        padding: StringPadding::NullTerminated,
        character_set: CharacterSet::Ascii,
    };
    let record = Datatype::Compound {
        size: 24,
        members: vec![
            Member { name: "id".to_owned(), offset: 0, dtype: i32::DTYPE },
            Member { name: "x".to_owned(), offset: 8, dtype: f32::DTYPE },
            Member {
                name: "list".to_owned(),
                offset: 12,
                dtype: Datatype::Array { base: Box::new(i16::DTYPE), dims: vec![2, 2] },
            },
        ],
    };
    let record_numpy = json!({"names": ["id", "x", "list"], "formats": ["<i4", "<f4", "(2,2)<i2"], "offsets": [0, 8, 12], "itemsize": 24});
    let texts = (0..N_ROWS).map(|i| "é".repeat(i % 7).into_bytes()).collect();
    let sequences =
        (0..N_ROWS).map(|i| (0u8..5).take(i % 5).flat_map(|j| f32::from(j).to_le_bytes()).collect()).collect();
    let fixed_texts = (0..N_ROWS).flat_map(|i| format!("{i:<5}").replace(' ', "\0").into_bytes()).collect();
    vec![
        Case::new("f4", f32::DTYPE, &[], json!("<f4")),
        Case::new("f8", f64::DTYPE, &[3], json!("<f8")),
        Case::new("f2", half(), &[], json!("<f2")),
        Case::new("i1", i8::DTYPE, &[], json!("i1")),
        Case::new("i2", i16::DTYPE, &[], json!("<i2")),
        Case::new("i4", i32::DTYPE, &[2, 2], json!("<i4")),
        Case::new("i8", i64::DTYPE, &[], json!("<i8")),
        Case::new("u1", u8::DTYPE, &[1], json!("u1")),
        Case::new("u2", u16::DTYPE, &[], json!("<u2")),
        Case::new("u4", u32::DTYPE, &[], json!("<u4")),
        Case::new("u8", u64::DTYPE, &[], json!("<u8")),
        Case::with(
            "boolean",
            boolean,
            &[2],
            json!("?"),
            Contents::Fixed((0..2 * N_ROWS).map(|i| u8::from(i % 3 == 0)).collect()),
        ),
        Case::new("colour", colour, &[], json!("<u2")),
        Case::new("opaque", Datatype::Opaque { size: 5, tag: String::new() }, &[], json!("V5")),
        Case::new("array", Datatype::Array { base: Box::new(f32::DTYPE), dims: vec![3] }, &[2], json!("(3,)<f4")),
        Case::new("record", record, &[], record_numpy),
        Case::with("fixed text", text(5), &[], json!("S5"), Contents::Fixed(fixed_texts)),
        Case::with(
            "text",
            Datatype::VariableString { character_set: CharacterSet::Utf8 },
            &[],
            json!("str"),
            Contents::Variable(texts),
        ),
        Case::with(
            "sequence",
            Datatype::VariableSequence(Box::new(f32::DTYPE)),
            &[],
            json!("<f4"),
            Contents::Variable(sequences),
        ),
    ]
}

fn check(form: &str, cases: &[Case], write: impl Fn(Vec<Column>, &[(usize, usize)]) -> Vec<u8>) {
    let dir = python::scratch(form);
    let columns: Vec<Column> = cases.iter().map(|case| case.column.clone()).collect();
    let file = write(columns, &[(0, 1), (1, 700), (700, 700), (700, N_ROWS)]);
    let (data, manifest) = (dir.join("data"), dir.join("manifest.json"));
    fs::write(&data, file).unwrap();
    let described: Vec<Value> = cases.iter().map(Case::describe).collect();
    fs::write(&manifest, json!(described).to_string()).unwrap();
    let said = python::run("main", "read_table.py", &[Path::new(form), &data, &manifest]);
    assert_eq!(said, format!("{} columns of {N_ROWS} rows\n", cases.len()));
}

fn metadata() -> Vec<(String, String)> {
    vec![("box_size".to_owned(), "[25.0, 25.0, 25.0]".to_owned())]
}

fn write_arrow(cases: &[Case], columns: Vec<Column>, blocks: &[(usize, usize)]) -> Vec<u8> {
    let (mut encoder, mut out) = (ArrowEncoder::stream(columns, metadata()).unwrap(), Vec::new());
    for &(from, to) in blocks {
        let values: Vec<Values<'_>> = cases.iter().map(|case| case.rows(from, to)).collect();
        encoder.write((to - from) as u64, &values, &mut out).unwrap();
    }
    encoder.finish(&mut out).unwrap();
    out
}

fn write_parquet(cases: &[Case], columns: Vec<Column>, blocks: &[(usize, usize)]) -> Vec<u8> {
    let (mut encoder, mut out) = (ParquetEncoder::new(columns, metadata()).unwrap(), Vec::new());
    for &(from, to) in blocks {
        let values: Vec<Values<'_>> = cases.iter().map(|case| case.rows(from, to)).collect();
        encoder.write((to - from) as u64, &values, &mut out).unwrap();
    }
    encoder.finish(&mut out).unwrap();
    out
}

#[test]
fn pyarrow_reads_the_arrow_stream() {
    let mut cases = cases();
    cases.push(Case::new("no columns", f32::DTYPE, &[0], json!("<f4")));
    check("arrow", &cases, |columns, blocks| write_arrow(&cases, columns, blocks));
}

#[test]
fn pyarrow_reads_the_parquet_file() {
    let cases = cases();
    check("parquet", &cases, |columns, blocks| write_parquet(&cases, columns, blocks));
}

#[test]
fn tables_without_rows_have_their_schema() {
    let cases = cases();
    for form in ["arrow", "parquet"] {
        let columns = cases.iter().map(|case| case.column.clone()).collect();
        let file = match form {
            "arrow" => write_arrow(&cases, columns, &[]),
            _ => write_parquet(&cases, columns, &[]),
        };
        let path = python::scratch(&format!("{form}-empty")).join("data");
        fs::write(&path, file).unwrap();
        let said = python::run("main", "count_rows.py", &[Path::new(form), &path]);
        assert_eq!(said, format!("{} columns of 0 rows\n", cases.len()));
    }
}

#[test]
fn parquet_leaves_in_row_groups() {
    let column = Column { name: "x".to_owned(), dtype: f64::DTYPE, row_shape: vec![], metadata: vec![] };
    let mut encoder = ParquetEncoder::new(vec![column], Vec::new()).unwrap();
    let mut file = Vec::new();
    let mut largest = 0;
    for i in 0..64u32 {
        // Noise, which snappy leaves as it is.
        let block: Vec<u8> = (0..1u32 << 17).flat_map(|j| f64::from(j ^ i).sin().to_le_bytes()).collect();
        let before = file.len();
        encoder.write(1 << 17, &[Values::Fixed(&block)], &mut file).unwrap();
        largest = largest.max(file.len() - before);
    }
    assert!(largest > 0 && largest < 40 << 20, "{largest}");
    encoder.finish(&mut file).unwrap();
    let path = python::scratch("parquet-groups").join("data");
    fs::write(&path, file).unwrap();
    let said = python::run("main", "count_rows.py", &[Path::new("parquet"), &path]);
    assert_eq!(said, format!("1 columns of {} rows\n", 64 << 17));
}

#[test]
fn what_does_not_fit_is_refused() {
    let column = |dtype, row_shape: &[u64]| Column {
        name: "c".to_owned(),
        dtype,
        row_shape: row_shape.to_vec(),
        metadata: Vec::new(),
    };
    let other = Datatype::Other { size: 8, class: "time" };
    assert!(matches!(ArrowEncoder::stream(vec![column(other, &[])], Vec::new()), Err(TableError::NoForm { .. })));
    let wide = column(f32::DTYPE, &[1 << 40]);
    assert!(matches!(ArrowEncoder::stream(vec![wide], Vec::new()), Err(TableError::NoForm { .. })));

    let mut encoder = ArrowEncoder::stream(vec![column(f32::DTYPE, &[2])], Vec::new()).unwrap();
    let mut out = Vec::new();
    let short = encoder.write(2, &[Values::Fixed(&[0; 12])], &mut out);
    assert!(matches!(short, Err(TableError::WrongLength { .. })));
    assert!(matches!(encoder.write(2, &[], &mut out), Err(TableError::WrongLength { .. })));
    let most = encoder.write(u64::MAX, &[Values::Fixed(&[0; 12])], &mut out);
    assert!(matches!(most, Err(TableError::WrongLength { .. })));

    let text = Datatype::VariableString { character_set: CharacterSet::Utf8 };
    let mut encoder = ArrowEncoder::stream(vec![column(text, &[])], Vec::new()).unwrap();
    let no_text = encoder.write(1, &[Values::Variable(&[vec![0xff]])], &mut out);
    assert!(matches!(no_text, Err(TableError::Failed { .. })));
}
