//! Takes arbitrary text as a condition, binds it to a made-up group in every frame, and evaluates it on rows of awkward values.
//!
//! An error must point into the text. What is true of a row must be false once negated, must stay so in parentheses, and must
//! be held possible of the block that the row is in.
#![no_main]

use std::{collections::BTreeMap, ops::Range, sync::LazyLock};

use apus_h5::{ByteOrder, Datatype, FloatFormat};
use apus_swift::{
    BoundCondition, ColumnBlock, Condition, Dimensions, Error, Field, FieldUnit, Frame, NamedColumns, ParticleGroup,
    RowMask, UnitContext, UnitSystem,
};
use libfuzzer_sys::fuzz_target;

const UNITS: UnitSystem = UnitSystem {
    mass_cgs: 1.988_41e43,
    length_cgs: 3.085_677_581_49e24,
    time_cgs: 3.085_677_581_49e19,
    current_cgs: 1.0,
    temperature_cgs: 1.0,
};
const CONTEXT: UnitContext = UnitContext { units: Some(UNITS), scale_factor: 0.5, h: Some(0.7) };
/// The longest text that parses; an error about more than that points at its end.
const MAX_LENGTH: usize = 4096;
const N_ROWS: usize = 8;

static GROUPS: LazyLock<[ParticleGroup; 2]> =
    LazyLock::new(|| [group("PartType0", "gas"), group("PartType4", "stars")]);

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = str::from_utf8(bytes) else { return };
    let condition: Condition = match text.parse() {
        Ok(condition) => condition,
        Err(error) => return check_column(text, &error),
    };
    assert_eq!(condition.as_str(), text);
    match condition.group(&*GROUPS) {
        Ok(group) => assert!(group.is_none_or(|group| !condition.field_names().is_empty() && group.n_rows == 8)),
        Err(error) => check_column(text, &error),
    }
    for frame in [None, Some(Frame::Comoving), Some(Frame::Physical)] {
        match condition.bind(&CONTEXT, &GROUPS[0], frame) {
            Ok(bound) => check_rows(text, &bound, frame),
            Err(error) => check_column(text, &error),
        }
    }
});

fn check_column(text: &str, error: &Error) {
    let Error::BadCondition { column, reason } = error else { panic!("{error:?}") };
    assert!(!reason.is_empty());
    assert!((1..=text.chars().count() + 1).contains(column) || text.len() > MAX_LENGTH, "column {column}: {reason}");
}

fn check_rows(text: &str, bound: &BoundCondition, frame: Option<Frame>) {
    let rows = evaluate(bound);
    for (outer, expected) in [("not (", inverted(&rows)), ("(", rows.clone())] {
        // One that is almost too long or too deep is too much so with more around it.
        let Ok(condition) = format!("{outer}{text})").parse::<Condition>() else { continue };
        let bound = condition.bind(&CONTEXT, &GROUPS[0], frame).expect("what fits does so in parentheses");
        assert!(evaluate(&bound) == expected, "{outer}...) holds for other rows");
    }
}

/// The wanted rows. Of all of them, of each and of every two neighbours it must be told that they may be wanted if they are.
fn evaluate(bound: &BoundCondition) -> RowMask {
    let values: Vec<Vec<u8>> = bound.columns().iter().map(|column| values(&column.dtype)).collect();
    let windows = (0..N_ROWS).flat_map(|row| [row..row + 1, row..N_ROWS.min(row + 2)]);
    for rows in windows {
        evaluate_rows(bound, &values, rows);
    }
    evaluate_rows(bound, &values, 0..N_ROWS)
}

fn evaluate_rows(bound: &BoundCondition, values: &[Vec<u8>], rows: Range<usize>) -> RowMask {
    let blocks: Vec<_> = bound
        .columns()
        .iter()
        .zip(values)
        .map(|(column, bytes)| {
            let size = bytes.len() / N_ROWS;
            ColumnBlock::new(&column.dtype, &bytes[rows.start * size..rows.end * size]).expect("whole rows")
        })
        .collect();
    let wanted = bound.evaluate(&blocks, rows.len()).expect("the columns that it asked for");
    let intervals: Vec<_> = blocks.iter().map(ColumnBlock::interval).collect();
    assert!(wanted.n_wanted() == 0 || bound.may_hold(&intervals), "rows {rows:?} would be passed over");
    assert!(wanted.n_wanted() == 0 || bound.may_hold(&[]), "rows {rows:?} of which nothing is known, too");
    wanted
}

fn inverted(rows: &RowMask) -> RowMask {
    let mut inverted = rows.clone();
    inverted.invert();
    inverted
}

/// Eight values of a type, as bytes: the ends of its range, nothing, and what is no number.
#[expect(clippy::cast_possible_truncation, reason = "as many bits as there are")]
fn values(dtype: &Datatype) -> Vec<u8> {
    let floats = [0.0, -0.0, 0.1, 1.0, -1e30, f64::INFINITY, f64::NEG_INFINITY, f64::NAN];
    let integers = [0, 1, 2, 127, u64::MAX, u64::MAX - 1, 1 << 53, 1 << 63];
    match dtype {
        Datatype::Float { size: 4, .. } => floats.iter().flat_map(|v| (*v as f32).to_le_bytes()).collect(),
        Datatype::Float { .. } => floats.iter().flat_map(|v| v.to_le_bytes()).collect(),
        Datatype::Integer { size: 1, .. } => integers.iter().map(|v| *v as u8).collect(),
        Datatype::Integer { size: 4, .. } => integers.iter().flat_map(|v| (*v as u32).to_le_bytes()).collect(),
        _ => integers.iter().flat_map(|v| v.to_le_bytes()).collect(),
    }
}

fn group(group: &str, name: &str) -> ParticleGroup {
    let speed = Dimensions::LENGTH.over(Dimensions::TIME);
    let density = Dimensions::MASS.over(Dimensions::LENGTH.power(3.0));
    let temperature = Dimensions { temperature: 1.0, ..Dimensions::NONE };
    let field = |name: &str, dtype: Datatype, dimensions: Option<Dimensions>, a_exponent: f64| Field {
        path: format!("/{group}/{name}"),
        name: apus_swift::snake_case(name),
        dtype,
        shape: vec![8],
        unit: dimensions.map(|dimensions| FieldUnit {
            name: UNITS.unit_string(dimensions),
            cgs: UNITS.cgs(dimensions),
            dimensions,
        }),
        a_exponent,
        h_exponent: 0.0,
        frame: Frame::Comoving,
        convertible: true,
        description: None,
        expression: None,
        lossy_filter: None,
        named_columns: None,
        mask: None,
    };
    let mut fields = vec![
        field("Coordinates", float(8), Some(Dimensions::LENGTH), 1.0),
        field("Velocities", float(4), Some(speed), 0.0),
        field("ElementMassFractions", float(4), Some(Dimensions::NONE), 0.0),
        field("PhysicalDensities", float(8), Some(density), -3.0),
        field("Densities", float(4), Some(density), -3.0),
        field("Masses", float(4), Some(Dimensions::MASS), 0.0),
        field("MetalMassFractions", float(4), Some(Dimensions::NONE), 0.0),
        field("ParticleIDs", integer(8, false), Some(Dimensions::NONE), 0.0),
        field("Flags", integer(1, true), None, 0.0),
        field("Counts", integer(4, true), None, 0.0),
        field("Temperatures", float(4), Some(temperature), 0.0),
        field("Nameless", float(8), None, 0.0),
        field("Labels", Datatype::Opaque { size: 4, tag: String::new() }, None, 0.0),
    ];
    fields[0].shape = vec![8, 3];
    fields[1].shape = vec![8, 3];
    fields[2].shape = vec![8, 2];
    let names = |names: [&str; 2]| names.map(str::to_owned).to_vec();
    fields[2].named_columns =
        Some(NamedColumns { names: names(["hydrogen", "carbon"]), stored: names(["Hydrogen", "Carbon"]) });
    fields[3].frame = Frame::Physical;
    fields[3].convertible = false;
    ParticleGroup {
        group: group.to_owned(),
        name: name.to_owned(),
        particle_type: None,
        swift_name: None,
        present: true,
        n_rows: 8,
        n_rows_total: None,
        fields,
        attributes: BTreeMap::new(),
        unreadable: Vec::new(),
    }
}

fn float(size: u32) -> Datatype {
    let (precision, format) = if size == 4 { (32, FloatFormat::F32) } else { (64, FloatFormat::F64) };
    Datatype::Float { size, order: ByteOrder::Little, bit_offset: 0, precision, format }
}

fn integer(size: u32, signed: bool) -> Datatype {
    let precision = u16::try_from(8 * size).expect("at most 64");
    Datatype::Integer { size, signed, order: ByteOrder::Little, bit_offset: 0, precision }
}
