//! Conditions on a made-up group, at a scale factor of one half.

use std::collections::BTreeMap;

use apus_h5::{ByteOrder, FloatFormat};

use super::*;
use crate::{ColumnBlock, Field, FieldUnit, Interval, NamedColumns, RowMask};

const CONTEXT: UnitContext = UnitContext {
    units: Some(crate::UnitSystem {
        mass_cgs: 1.988_41e43,
        length_cgs: 3.085_677_58e24,
        time_cgs: 3.085_677_58e19,
        current_cgs: 1.0,
        temperature_cgs: 1.0,
    }),
    scale_factor: 0.5,
    h: Some(0.7),
};

fn float(size: u32) -> Datatype {
    let (order, format) = (ByteOrder::Little, if size == 4 { FloatFormat::F32 } else { FloatFormat::F64 });
    Datatype::Float { size, order, bit_offset: 0, precision: 8 * u16::try_from(size).unwrap(), format }
}

fn integer(size: u32, signed: bool) -> Datatype {
    let precision = 8 * u16::try_from(size).unwrap();
    Datatype::Integer { size, signed, order: ByteOrder::Little, bit_offset: 0, precision }
}

fn field(name: &str, dtype: Datatype, dimensions: Option<Dimensions>, a_exponent: f64) -> Field {
    Field {
        path: format!("/PartType0/{name}"),
        name: crate::snake_case(name),
        dtype,
        shape: vec![4],
        unit: dimensions.map(|d| FieldUnit {
            name: CONTEXT.units.unwrap().unit_string(d),
            cgs: CONTEXT.units.unwrap().cgs(d),
            dimensions: d,
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
    }
}

fn group() -> ParticleGroup {
    let density = Dimensions { mass: 1.0, length: -3.0, ..Dimensions::NONE };
    let mut fields = vec![
        field("Coordinates", float(8), Some(Dimensions::LENGTH), 1.0),
        field("Densities", float(4), Some(density), -3.0),
        field("PhysicalDensities", float(8), Some(density), -3.0),
        field("ElementMassFractions", float(4), Some(Dimensions::NONE), 0.0),
        field("Masses", float(4), Some(Dimensions::MASS), 0.0),
        field("ParticleIDs", integer(8, false), Some(Dimensions::NONE), 0.0),
        field("Temperatures", float(4), Some(Dimensions { temperature: 1.0, ..Dimensions::NONE }), 0.0),
        field("Volumes", float(8), Some(Dimensions::LENGTH.power(3.0)), 3.0),
        field("Nameless", float(8), None, 0.0),
        field("Labels", Datatype::Opaque { size: 4, tag: String::new() }, None, 0.0),
    ];
    fields[0].shape = vec![4, 3];
    fields[2].frame = Frame::Physical;
    fields[2].convertible = false;
    fields[3].shape = vec![4, 2];
    let names = |names: [&str; 2]| names.map(str::to_owned).to_vec();
    fields[3].named_columns =
        Some(NamedColumns { names: names(["hydrogen", "carbon"]), stored: names(["Hydrogen", "Carbon"]) });
    ParticleGroup {
        group: "PartType0".to_owned(),
        name: "gas".to_owned(),
        particle_type: Some(0),
        swift_name: None,
        present: true,
        n_rows: 4,
        n_rows_total: None,
        fields,
        attributes: BTreeMap::new(),
        unreadable: Vec::new(),
    }
}

fn bind(text: &str, frame: Option<Frame>) -> Result<BoundCondition> {
    text.parse::<Condition>()?.bind(&CONTEXT, &group(), frame)
}

/// Evaluates a condition on one column of values, given as the bytes of its type.
fn rows(text: &str, bytes: &[u8]) -> Vec<usize> {
    let bound = bind(text, None).unwrap_or_else(|e| panic!("{text}: {e}"));
    let blocks: Vec<ColumnBlock<'_>> =
        bound.columns().iter().map(|c| ColumnBlock::new(&c.dtype, bytes).unwrap()).collect();
    let mask: RowMask = bound.evaluate(&blocks, blocks[0].n_rows()).unwrap();
    let rows: Vec<usize> = mask.runs().flatten().collect();
    let extents: Vec<_> = blocks.iter().map(ColumnBlock::interval).collect();
    assert!(rows.is_empty() || bound.may_hold(&extents), "{text}: {extents:?} passed over");
    rows
}

fn f32s(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}

fn f64s(values: &[f64]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}

#[test]
fn numbers_are_compared_in_the_fields_own_type() {
    let values = f32s(&[0.1, 0.2, f32::NAN, -0.0]);
    // 0.1 as a 32-bit float is more than 0.1 as a 64-bit one; what people write is the former here.
    assert_eq!(rows("element_mass_fractions.carbon == 0.1", &values), [0]);
    assert_eq!(rows("element_mass_fractions.carbon > 0.1", &values), [1]);
    assert_eq!(rows("0.1 >= element_mass_fractions[1]", &values), [0, 3]);
    assert_eq!(rows("element_mass_fractions.Carbon == 0", &values), [3]);
    assert_eq!(rows("element_mass_fractions.carbon != 0.1", &values), [1, 2, 3]);
    assert_eq!(rows("not element_mass_fractions.carbon > 0.1", &values), [0, 2, 3]);
    assert_eq!(rows("element_mass_fractions.carbon in [0.1, 0.2)", &values), [0]);
    assert_eq!(rows("element_mass_fractions.carbon * 2 > 0.3", &values), [1]);
    assert_eq!(rows("abs(element_mass_fractions.carbon - 0.15) < 0.1", &values), [0, 1]);

    let ids: Vec<u8> =
        [u64::MAX, u64::MAX - 1, 9_007_199_254_740_993, 5].iter().flat_map(|v| v.to_le_bytes()).collect();
    assert_eq!(rows("particle_ids == 18446744073709551615", &ids), [0]);
    assert_eq!(rows("particle_ids > 9007199254740992", &ids), [0, 1, 2]);
    assert_eq!(rows("particle_ids <= 5.5", &ids), [3]);
    assert_eq!(rows("particle_ids < 5.5", &ids), [3]);
    assert_eq!(rows("particle_ids > 4.5", &ids), [0, 1, 2, 3]);
    assert_eq!(rows("particle_ids == 5.5", &ids), [0usize; 0]);
    assert_eq!(rows("particle_ids != 5.5", &ids), [0, 1, 2, 3]);
    assert_eq!(rows("particle_ids > -1", &ids), [0, 1, 2, 3]);
    assert_eq!(rows("particle_ids >= 1e300", &ids), [0usize; 0]);
}

#[test]
fn units_and_frames_are_converted() {
    let values = f32s(&[0.5, 1.0, 1.5, 2.0]);
    assert_eq!(rows("masses > 1e10 Msun", &values), [2, 3]);
    assert_eq!(rows("masses == 1e10 Msun", &values), [1]);
    assert_eq!(rows("2e43 g < masses", &values), [2, 3]);
    assert_eq!(rows("5 K < temperatures + 4 K", &values), [2, 3]);
    assert_eq!(rows("log10(temperatures / (1 K)) > 0", &values), [2, 3]);
    // A comoving density of 1 is a physical one of 8 at a = 1/2.
    assert_eq!(rows("densities > 1e10 Msun/Mpc**3 comoving", &values), [2, 3]);
    assert_eq!(rows("densities >= 8e10 Msun/Mpc**3 physical", &values), [1, 2, 3]);
    assert_eq!(rows("densities > 0", &values), [0, 1, 2, 3]);

    let values = f64s(&[0.5, 1.0, 1.5, 2.0]);
    assert_eq!(rows("coordinates[0] >= 1 Mpc comoving", &values), [1, 2, 3]);
    assert_eq!(rows("coordinates.x >= 0.5 Mpc physical", &values), [1, 2, 3]);
    assert_eq!(rows("coordinates.z >= 0.7 Mpc/h comoving", &values), [1, 2, 3]);
    assert_eq!(rows("physical_densities >= 1e10 Msun/Mpc**3 physical", &values), [1, 2, 3]);
    assert_eq!(rows("nameless > 1", &values), [2, 3]);
    // Products are physical: 1e10 Msun/Mpc**3 comoving times a comoving Mpc**3 is a mass in any frame.
    assert_eq!(rows("volumes * physical_densities > 0.25e10 Msun", &values), [2, 3]);
}

#[test]
fn the_frame_of_the_request_holds_where_none_is_said() {
    for (frame, expected) in [(Frame::Comoving, 1.0), (Frame::Physical, 2.0)] {
        let bound = bind("coordinates[0] > 1 Mpc", Some(frame)).unwrap();
        let expected = CompiledTest::Float64 { column: 0, operator: Operator::Greater, threshold: expected };
        assert_eq!(bound.test, expected);
        assert_eq!(
            bound.columns(),
            [ConditionColumn { path: "/PartType0/Coordinates".to_owned(), index: Some(0), dtype: float(8) }]
        );
    }
}

#[test]
fn sums_as_long_as_may_be_fit_on_the_stack() {
    let values = f64s(&[0.5, 1.0, 1.5, 2.0]);
    // The deepest trees, on a thread with as little stack as the service's have.
    let deepest =
        |operation: &str| format!("{}nameless{}{} > 1", "(".repeat(31), operation.repeat(128), ")".repeat(31));
    for (operation, expected) in [("+0", [2, 3]), ("*1", [2, 3]), ("/1", [2, 3]), ("-0", [2, 3])] {
        let text = deepest(operation);
        let values = values.clone();
        let found = std::thread::Builder::new().stack_size(2 << 20).spawn(move || rows(&text, &values)).unwrap();
        assert_eq!(found.join().unwrap(), expected);
    }
}

#[test]
fn a_column_is_read_once_whatever_it_is_called() {
    let bound = bind("gas.masses > 1 g and PartType0.masses < 1e50 g and /PartType0/Masses != 0", None).unwrap();
    assert_eq!(bound.columns().len(), 1);
}

#[test]
fn what_does_not_fit_is_refused_where_it_stands() {
    let check = |text: &str, column: usize, expected: &str| match bind(text, None) {
        Err(Error::BadCondition { column: found, reason }) => {
            assert!(reason.contains(expected), "{text}: {reason}");
            assert_eq!(found, column, "{text}: {reason}");
        }
        other => panic!("{text}: {other:?}"),
    };
    check("masses > 0 and temperature > 5 K", 16, "gas has no field \"temperature\"; did you mean \"temperatures\"?");
    check("stars.masses > 5 g", 1, "no field \"stars\"");
    check(
        "temperatures > 5 Mpc",
        16,
        "5 Mpc is of dimension length, but temperatures is of dimension temperature; its unit here is K",
    );
    check("temperatures > 5", 16, "5 is of dimension dimensionless, but temperatures is of dimension temperature");
    check("temperatures > masses", 16, "masses is of dimension mass, but temperatures");
    check("temperatures + masses > 0", 16, "masses is of dimension mass");
    check("densities > 1e-26 g/cm**3", 13, "say comoving or physical after 1e-26 g/cm**3");
    check("physical_densities > 1 g/cm**3 comoving", 22, "exists as a physical value only");
    check("volumes * 1 Mpc comoving > 0", 11, "must be physical");
    check("coordinates > 1 Mpc", 1, "has 3 columns: say which, as in coordinates[0]");
    check("element_mass_fractions > 0.1", 1, "as in element_mass_fractions.hydrogen");
    check("element_mass_fractions.carbn > 0.1", 1, "no column \"carbn\"; did you mean \"carbon\"?");
    check("coordinates[3] > 1 Mpc comoving", 1, "no column 3");
    check("coordinates.x[1] > 1 Mpc comoving", 1, "names a column twice");
    check("masses[0] > 1 g", 1, "no column 0");
    check("log10(temperatures) > 5", 1, "log10 is taken of a pure number");
    check("labels > 5", 1, "nothing that can be compared");
    check("nameless > 5 K", 12, "does not say the unit of nameless");
    check("1 K > 1 g", 7, "1 g is of dimension mass");
}

#[test]
fn a_condition_knows_its_group() {
    let groups = [group(), ParticleGroup { group: "PartType4".to_owned(), name: "stars".to_owned(), ..group() }];
    let of = |text: &str| text.parse::<Condition>().unwrap().group(&groups).map(|g| g.map(|g| g.name.clone()));
    assert_eq!(of("masses > 1 g").unwrap(), None);
    assert_eq!(of("stars.masses > 1 g and masses < 2 g").unwrap().as_deref(), Some("stars"));
    assert_eq!(of("/PartType0/Masses > 1 g").unwrap().as_deref(), Some("gas"));
    assert!(of("stars.masses > gas.masses").unwrap_err().to_string().contains("mixes stars and gas"));
}

#[test]
fn blocks_without_matches_are_known_by_their_extents() {
    let check = |text: &str, values: &[f32], expected: bool| {
        let bound = bind(text, None).unwrap();
        let bytes = f32s(values);
        let extents: Vec<_> =
            bound.columns().iter().map(|c| ColumnBlock::new(&c.dtype, &bytes).unwrap().interval()).collect();
        assert_eq!(bound.may_hold(&extents), expected, "{text} {extents:?}");
    };
    let values = &[3.0, 1.0, 5.0];
    check("temperatures > 5 K", values, false);
    check("temperatures >= 5 K", values, true);
    check("temperatures < 1 K", values, false);
    check("temperatures <= 1 K", values, true);
    check("temperatures == 6 K", values, false);
    check("temperatures == 3 K", values, true);
    check("temperatures != 3 K", values, true);
    check("temperatures != 3 K", &[3.0, 3.0], false);
    check("temperatures in [6 K, 7 K]", values, false);
    check("temperatures < 0.5 K or temperatures > 6 K", values, false);
    check("temperatures > 0.5 K and temperatures > 6 K", values, false);
    check("not temperatures <= 5 K", values, false);
    check("not (temperatures < 0.5 K or temperatures >= 1 K)", values, false);
    check("masses > 5e10 Msun", values, false);
    check("masses > 4.9e10 Msun", values, true);
    check("temperatures + 1 K > 100 K", values, false);
    check("3 * temperatures - 1 K > 14.1 K", values, false);
    check("3 * temperatures - 1 K > 13.9 K", values, true);
    check("(1 K) / temperatures > 1.1", values, false);
    check("temperatures**2 > 26 K**2", values, false);
    check("temperatures**-1 < 0.19 / (1 K)", values, false);
    check("log10(temperatures / (1 K)) > 0.7", values, false);
    check("log10(temperatures / (1 K)) > 0.69", values, true);
    check("sqrt(temperatures / (1 K)) < 0.9", values, false);
    check("abs(temperatures - 10 K) < 4.9 K", values, false);
    check("abs(temperatures - 10 K) > 9.1 K", values, false);
    // A divisor that may be nothing, and what is added to infinity, may give anything.
    check("(1 K) / temperatures > 1e30", &[-1.0, 1.0], true);
    check("temperatures - temperatures > 5 K", &[0.0, f32::INFINITY], true);
    // NaN is no number, so that nothing but "unequal" and negations hold of it.
    check("temperatures > 5 K", &[1.0, f32::NAN], false);
    check("not temperatures <= 5 K", &[1.0, f32::NAN], true);
    check("temperatures != 1 K", &[1.0, f32::NAN], true);
    check("temperatures < 5 K", &[f32::NAN], false);
    check("log10(temperatures / (1 K)) < 5", &[-2.0, -1.0], false);
    // Densities of 1 to 5 are comoving; physical ones are eight times that.
    check("densities > 41e10 Msun/Mpc**3 physical", values, false);
    check("densities > 39e10 Msun/Mpc**3 physical", values, true);
    check("densities > masses / (1 Mpc)**3", values, true);
    assert!(bind("temperatures > 5 K", None).unwrap().may_hold(&[Interval::UNKNOWN]));
    assert!(bind("temperatures > 5 K", None).unwrap().may_hold(&[]));
}
