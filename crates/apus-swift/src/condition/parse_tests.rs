//! The grammar, and errors at every position of it.

use proptest::prelude::*;

use super::*;

/// The tree in a form that shows how it was understood.
fn shown(text: &str) -> String {
    show_test(&text.parse::<Condition>().unwrap_or_else(|e| panic!("{text}: {e}")).root, text)
}

fn show_test(tree: &Test, text: &str) -> String {
    let join = |tests: &[Test], word: &str| {
        format!("({})", tests.iter().map(|t| show_test(t, text)).collect::<Vec<_>>().join(word))
    };
    match tree {
        Test::Any(tests) => join(tests, " or "),
        Test::All(tests) => join(tests, " and "),
        Test::Not(inner) => format!("not {}", show_test(inner, text)),
        Test::Compare { left, operator, right } => {
            let sign = match operator {
                Operator::Less => "<",
                Operator::LessOrEqual => "<=",
                Operator::Greater => ">",
                Operator::GreaterOrEqual => ">=",
                Operator::Equal => "==",
                Operator::NotEqual => "!=",
            };
            format!("{} {sign} {}", show_value(left, text), show_value(right, text))
        }
    }
}

fn show_value(value: &Value, text: &str) -> String {
    match value {
        Value::Quantity { number, unit, frame, .. } => {
            let unit = unit.clone().map_or(String::new(), |u| format!(" [{}]", &text[u]));
            let frame = frame.map_or(String::new(), |f| format!(" {f:?}"));
            format!("{number}{unit}{frame}")
        }
        Value::Field { name, index, .. } => format!("{name}{}", index.map_or(String::new(), |i| format!("[{i}]"))),
        Value::Negative(inner) => format!("-{}", show_value(inner, text)),
        Value::Power { base, exponent } => format!("({})**{exponent}", show_value(base, text)),
        Value::Call { function, argument, .. } => format!("{function:?}({})", show_value(argument, text)),
        Value::Arithmetic { left, operator, right } => {
            let sign = match operator {
                Arithmetic::Plus => '+',
                Arithmetic::Minus => '-',
                Arithmetic::Times => '*',
                Arithmetic::Over => '/',
            };
            format!("({} {sign} {})", show_value(left, text), show_value(right, text))
        }
    }
}

#[test]
fn conditions_are_understood_as_written() {
    let check = |text: &str, expected: &str| assert_eq!(shown(text), expected, "{text}");
    check("x>1", "x > 1");
    check(
        "temperatures > 1e5 K and metal_mass_fractions > 0.01",
        "(temperatures > 100000 [K] and metal_mass_fractions > 0.01)",
    );
    check("a < 1 or b < 2 and not c < 3", "(a < 1 or (b < 2 and not c < 3))");
    check("(a < 1 or b < 2) and c < 3", "((a < 1 or b < 2) and c < 3)");
    check("a<1||b<2&&!c<3", "(a < 1 or (b < 2 and not c < 3))");
    check("a = 1 and b == 2 and c != 3", "(a == 1 and b == 2 and c != 3)");
    check("1 < x <= 2", "(1 < x and x <= 2)");
    check("x in [1 K, 2 K)", "(x >= 1 [K] and x < 2 [K])");
    check("not x in (1, 2]", "not (x > 1 and x <= 2)");
    check("a + b * c - d / e > -1", "((a + (b * c)) - (d / e)) > -1");
    check("(a + b) * c > 0", "((a + b) * c) > 0");
    check("x**2 + y**-1 > 0", "((x)**2 + (y)**-1) > 0");
    check("-x ** 2 < 0", "-(x)**2 < 0");
    check("log10(x / 5 K) > abs(y) + sqrt(z)", "Log10((x / 5 [K])) > (Abs(y) + Sqrt(z))");
    check("gas.coordinates[0] < 5 Mpc comoving", "gas.coordinates[0] < 5 [Mpc] Comoving");
    check(
        "/PartType0/Densities > 1e-26 g/cm**3 physical",
        "/PartType0/Densities > 0.00000000000000000000000001 [g/cm**3] Physical",
    );
    check("5 physical < x", "5 Physical < x");
    check("v < 3 km / s", "v < 3 [km / s]");
    check("r < 5 Mpc/h", "r < 5 [Mpc/h]");
    check("r < 5 Mpc * 2", "r < (5 [Mpc] * 2)");
    check("r < 5 Mpc / n", "r < (5 [Mpc] / n)");
    check("n < 5 cm-3", "n < 5 [cm-3]");
    check("element_mass_fractions.carbon > .5", "element_mass_fractions.carbon > 0.5");
    check(
        "order > 1 and android < 2 or notes == 3 and inner > 4",
        "((order > 1 and android < 2) or (notes == 3 and inner > 4))",
    );
    check(" ( ( x ) ) > ( ( 1 ) ) ", "x > 1");
    check("particle_ids == 18446744073709551615", "particle_ids == 18446744073709552000");
}

#[test]
fn errors_point_at_the_column() {
    let check = |text: &str, column: usize, expected: &str| match text.parse::<Condition>() {
        Err(Error::BadCondition { column: found, reason }) => {
            assert!(reason.contains(expected), "{text}: {reason}");
            assert_eq!(found, column, "{text}: {reason}");
        }
        other => panic!("{text}: {other:?}"),
    };
    check("", 1, "ends where a field or a number is expected");
    check("x", 2, "\"x\" is not compared with anything");
    check("x >", 4, "ends where");
    check("> 5", 1, "'>' where");
    check("x > 5 furlongs", 7, "'f' was not expected");
    check("x > 5 and", 10, "ends where");
    check("x > 5 and y", 12, "\"y\" is not compared");
    check("(x > 5", 1, "parenthesis is not closed");
    check("x > 5)", 6, "')' was not expected");
    check("(x > 5) + 1 > 2", 1, "\"(x > 5)\" is true or false");
    check("x > (y > 2)", 5, "is true or false");
    check("x[a] > 1", 3, "number of a column");
    check("x[1 > 1", 5, "expected ]");
    check("x in 1, 2", 6, "expected [ or (");
    check("x in [1 2]", 9, "expected ,");
    check("x in [1, 2", 11, "expected ] or )");
    check("x ** y > 1", 6, "an exponent is a whole number");
    check("x ** 99 > 1", 6, "up to 16");
    check("x > 1e999", 5, "out of range");
    check("x > and", 5, "\"and\" where");
    check("sqrt(x > 1", 8, "expected ) after what sqrt");
    check("µ > 1", 1, "'µ' where");
    check("x > 1 µ", 7, "'µ' was not expected");
    check("x > .", 5, "is no number");
    check(&"(".repeat(100), 34, "nested more than 32 deep");
    check(&format!("{}x > 1", "not ".repeat(40)), 133, "nested more than 32 deep");
    check(&format!("x > {}1", "-".repeat(40)), 38, "nested more than 32 deep");
    check(&format!("x > {}", "1".repeat(5000)), 4096, "bytes long");
}

#[test]
fn comparisons_have_a_bounded_number_of_operations() {
    let check = |text: &str, column: usize| match text.parse::<Condition>() {
        Err(Error::BadCondition { column: found, reason }) => {
            assert!(reason.contains("more than 128 arithmetic operations"), "{text}: {reason}");
            assert_eq!(found, column, "{text}: {reason}");
        }
        other => panic!("{text}: {other:?}"),
    };
    check(&format!("0{} > 0", "+1".repeat(129)), 258);
    check(&format!("0 < x{}", "*2".repeat(2000)), 262);
    check(&format!("(x{})*2/3 > 0", "+1".repeat(127)), 260);
    // Each comparison has its own.
    let one = format!("x{} > 0", "+1".repeat(128));
    assert!(format!("{one} and ({one} or not {one})").parse::<Condition>().is_ok());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn any_text_gives_a_tree_or_an_error(text in "\\PC{0,60}") {
        let _ = text.parse::<Condition>();
    }

    #[test]
    fn pieces_of_the_grammar_in_any_order_give_a_tree_or_an_error(
        pieces in prop::collection::vec(
            prop::sample::select(vec![
                "x", "gas.x", "/P/x", "1", "1e5", ".5", "K", "km/s", "Mpc/h", "cm-3", "comoving", "physical", "and", "or", "not",
                "in", "<", "<=", ">", "==", "=", "!=", "!", "&&", "||", "+", "-", "*", "**", "/", "(", ")", "[", "]", ",", "abs",
                "sqrt(", "log10", ".", "é", "\u{3000}",
            ]),
            0..14,
        ),
        separator in prop::sample::select(vec!["", " "]),
    ) {
        let text = pieces.join(separator);
        if let Err(error) = text.parse::<Condition>() {
            let Error::BadCondition { column, .. } = error else { panic!("{error:?}") };
            prop_assert!((1..=text.chars().count() + 1).contains(&column), "{text}: {column}");
        }
    }
}
