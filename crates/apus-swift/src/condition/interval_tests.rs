//! Whatever rows a condition holds of, intervals say that it may; against brute force on rows of hostile numbers.

use apus_h5::{Datatype, write::Number};
use proptest::prelude::*;

use super::*;
use crate::{ColumnBlock, ConditionColumn};

/// The types of the columns that conditions here are about, in order.
fn dtypes() -> [Datatype; 4] {
    [f32::DTYPE, f64::DTYPE, u64::DTYPE, i64::DTYPE]
}

#[derive(Clone, Copy, Debug)]
struct Row(f32, f64, u64, i64);

fn floats() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => (-4i32..5).prop_map(f64::from),
        2 => -3.0..3.0f64,
        1 => prop::sample::select(vec![
            0.0, -0.0, f64::INFINITY, f64::NEG_INFINITY, f64::NAN, f64::MAX, f64::MIN, f64::MIN_POSITIVE, 5e-324, -5e-324, 1e-200,
            1e200, -1e200, 1e-20, 1e20, 3.4e38, f64::from(f32::MAX), 0.1, f64::from(0.1f32), 9_007_199_254_740_993.0,
        ]),
        1 => any::<f64>(),
    ]
}

#[expect(clippy::cast_possible_truncation, reason = "any 32-bit float will do")]
fn narrow() -> impl Strategy<Value = f32> {
    floats().prop_map(|x| x as f32)
}

/// Around what 64-bit floats do not hold.
fn integers() -> impl Strategy<Value = i128> {
    let centres = prop::sample::select(vec![
        0,
        1 << 53,
        (1 << 53) + (1 << 20),
        -(1 << 53),
        1 << 62,
        i128::from(u64::MAX),
        i128::from(i64::MIN),
        i128::from(i64::MAX),
    ]);
    (centres, -5i128..6).prop_map(|(centre, offset)| centre + offset)
}

fn row() -> impl Strategy<Value = Row> {
    let unsigned = integers().prop_map(|x| u64::try_from(x).unwrap_or(7));
    let signed = integers().prop_map(|x| i64::try_from(x).unwrap_or(-7));
    (narrow(), floats(), unsigned, signed).prop_map(|(a, b, c, d)| Row(a, b, c, d))
}

/// Rows that are alike in some columns, so that intervals are narrow.
fn rows() -> impl Strategy<Value = Vec<Row>> {
    (row(), prop::collection::vec((row(), any::<[bool; 4]>()), 0..6)).prop_map(|(first, others)| {
        let mut rows = vec![first];
        rows.extend(others.into_iter().map(|(row, own)| {
            Row(
                if own[0] { row.0 } else { first.0 },
                if own[1] { row.1 } else { first.1 },
                if own[2] { row.2 } else { first.2 },
                if own[3] { row.3 } else { first.3 },
            )
        }));
        rows
    })
}

fn operator() -> impl Strategy<Value = Operator> {
    use Operator::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual, NotEqual};
    prop::sample::select(vec![Less, LessOrEqual, Greater, GreaterOrEqual, Equal, NotEqual])
}

fn expression() -> impl Strategy<Value = Expression> {
    let leaf = prop_oneof![floats().prop_map(Expression::Constant), (0usize..4).prop_map(Expression::Column)];
    leaf.prop_recursive(4, 12, 2, |inner| {
        use Arithmetic::{Minus, Over, Plus, Times};
        let function = prop::sample::select(vec![Function::Abs, Function::Sqrt, Function::Log10]);
        let arithmetic = prop::sample::select(vec![Plus, Minus, Times, Over]);
        prop_oneof![
            inner.clone().prop_map(|e| Expression::Negative(Box::new(e))),
            (inner.clone(), -16i32..17).prop_map(|(e, n)| Expression::Power(Box::new(e), n)),
            (function, inner.clone()).prop_map(|(f, e)| Expression::Call(f, Box::new(e))),
            (inner.clone(), arithmetic, inner).prop_map(|(a, operator, b)| Expression::Arithmetic(
                Box::new(a),
                operator,
                Box::new(b)
            )),
        ]
    })
}

fn test() -> impl Strategy<Value = CompiledTest> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(CompiledTest::Constant),
        (operator(), narrow()).prop_map(|(operator, threshold)| CompiledTest::Float32 {
            column: 0,
            operator,
            threshold
        }),
        (operator(), floats()).prop_map(|(operator, threshold)| CompiledTest::Float64 {
            column: 1,
            operator,
            threshold
        }),
        (2usize..4, operator(), integers()).prop_map(|(column, operator, threshold)| CompiledTest::Integer {
            column,
            operator,
            threshold
        }),
        (2usize..4, operator(), floats())
            .prop_map(|(column, operator, number)| CompiledTest::integer(column, operator, number)),
        (expression(), operator(), expression()).prop_map(|(left, operator, right)| CompiledTest::General {
            left,
            operator,
            right
        }),
    ];
    leaf.prop_recursive(3, 8, 3, |inner| {
        let several = prop::collection::vec(inner.clone(), 1..4);
        prop_oneof![
            several.clone().prop_map(CompiledTest::Any),
            several.prop_map(CompiledTest::All),
            inner.prop_map(|test| CompiledTest::Not(Box::new(test))),
        ]
    })
}

fn bound(test: CompiledTest) -> BoundCondition {
    let column = |dtype| ConditionColumn { path: String::new(), index: None, dtype };
    BoundCondition { columns: dtypes().map(column).into(), test }
}

/// The bytes of each column.
fn bytes_of(rows: &[Row]) -> [Vec<u8>; 4] {
    [
        rows.iter().flat_map(|row| row.0.to_le_bytes()).collect(),
        rows.iter().flat_map(|row| row.1.to_le_bytes()).collect(),
        rows.iter().flat_map(|row| row.2.to_le_bytes()).collect(),
        rows.iter().flat_map(|row| row.3.to_le_bytes()).collect(),
    ]
}

/// Whether any row satisfies the condition, and whether blocks of these rows are said to hold any.
fn looked_at(condition: &BoundCondition, rows: &[Row]) -> (bool, bool) {
    let bytes = bytes_of(rows);
    let blocks: Vec<ColumnBlock<'_>> =
        dtypes().iter().zip(&bytes).map(|(dtype, bytes)| ColumnBlock::new(dtype, bytes).unwrap()).collect();
    let extents: Vec<Interval> = blocks.iter().map(ColumnBlock::interval).collect();
    let found = condition.evaluate(&blocks, rows.len()).unwrap().n_wanted() > 0;
    (found, condition.may_hold(&extents))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(50_000))]

    #[test]
    fn no_block_with_a_match_is_passed_over(test in test(), rows in rows()) {
        let (found, may_hold) = looked_at(&bound(test), &rows);
        prop_assert!(may_hold || !found);
    }

    #[test]
    fn values_lie_in_the_interval_of_their_expression(expression in expression(), rows in rows()) {
        let bytes = bytes_of(&rows);
        let blocks: Vec<ColumnBlock<'_>> =
            dtypes().iter().zip(&bytes).map(|(dtype, bytes)| ColumnBlock::new(dtype, bytes).unwrap()).collect();
        let interval = expression.interval(&|column| blocks[*column].interval());
        for row in 0..rows.len() {
            let value = expression.value(&|column| blocks[column].float(row));
            let inside = if value.is_nan() { interval.has_nan } else { interval.low <= value && value <= interval.high };
            prop_assert!(inside, "{value} is not in {interval:?}");
        }
    }

    #[test]
    fn a_comparison_with_a_number_is_decided_exactly(operator in operator(), threshold in -5i32..6, values in prop::collection::vec(-4i32..5, 1..5)) {
        let rows: Vec<Row> = values.iter().map(|v| Row(0.0, f64::from(*v), 0, i64::from(*v))).collect();
        let tests = [
            CompiledTest::Float64 { column: 1, operator, threshold: f64::from(threshold) },
            CompiledTest::Integer { column: 3, operator, threshold: i128::from(threshold) },
        ];
        let (least, greatest) = (*values.iter().min().unwrap(), *values.iter().max().unwrap());
        // Any value between the ends could be there.
        let expected = (least..=greatest).any(|value| operator.holds(&value, &threshold));
        for test in tests {
            prop_assert_eq!(looked_at(&bound(test), &rows).1, expected);
        }
    }

    #[test]
    fn what_is_known_of_parts_holds_of_the_whole(rows in rows(), others in rows()) {
        let all: Vec<Row> = rows.iter().chain(&others).copied().collect();
        for (((dtype, a), b), both) in dtypes().iter().zip(&bytes_of(&rows)).zip(&bytes_of(&others)).zip(&bytes_of(&all)) {
            let extent = |bytes| ColumnBlock::new(dtype, bytes).unwrap().interval();
            prop_assert_eq!(extent(a).joined(extent(b)), extent(both));
        }
    }
}

#[test]
fn no_rows_hold_nothing() {
    let nothing = ColumnBlock::new(&u64::DTYPE, &[]).unwrap().interval();
    assert_eq!(nothing, Interval::EMPTY);
    assert_eq!(nothing.joined(Interval::of_integer(3)), Interval::of_number(3.0));
}
