//! Conditions: which rows are wanted by what they hold.
//!
//! ```text
//! temperatures > 1e5 K and metal_mass_fractions > 0.01
//! densities in [1e-27 g/cm**3 physical, 1e-24 g/cm**3 physical)
//! 10 < log10(gas.temperatures / (1 K)) * 2.5 or not element_mass_fractions.carbon == 0
//! coordinates[0] < 5 Mpc comoving and velocities.x**2 + velocities.y**2 < 1e4 km**2/s**2
//! ```
//!
//! The grammar:
//!
//! ```text
//! condition  = conjunction { ("or" | "||") conjunction }
//! conjunction = negation { ("and" | "&&") negation }
//! negation   = ("not" | "!") negation | comparison
//! comparison = sum { ("<" | "<=" | ">" | ">=" | "==" | "=" | "!=") sum }
//!            | sum "in" ("[" | "(") sum "," sum ("]" | ")")
//! sum        = product { ("+" | "-") product }
//! product    = signed { ("*" | "/") signed }
//! signed     = "-" signed | power
//! power      = atom [ "**" ["-"] digits ]
//! atom       = number [unit] ["comoving" | "physical"]
//!            | field [ "[" digits "]" ]
//!            | ("abs" | "sqrt" | "log10") "(" sum ")"
//!            | "(" condition ")"
//! field      = name { "." name } | path
//! ```
//!
//! A chain such as `1 < x <= 2` means each of its links. A `field` is swiftsimio's name, with the type in front or without, with
//! a named column behind or `.x`, `.y`, `.z` where there are three columns; or the path in the file. A `unit` is one of
//! [`Unit::parse`](crate::Unit::parse) that stands right behind its number.
//!
//! Units are checked and converted. A bare number is compared with a field that has a unit only where it is 0. A quantity that
//! differs between frames must say which it is in, or the request must.
//!
//! How numbers are compared, after what numpy does with an array and a Python number:
//!
//! - a field of 32-bit floats with a number: the number, in the field's unit and frame, is rounded to 32 bits;
//! - a field of integers with a number: exactly, however large;
//! - all else, and all arithmetic: in 64-bit floats, with integers and 32-bit floats converted;
//! - comparisons with NaN are false, but for `!=`.

mod bind;
mod evaluate;
mod formula;
mod interval;
mod parse;
mod syntax;
mod value;

pub(crate) use bind::number_type;
pub use bind::{BoundCondition, ConditionColumn};
pub use evaluate::ColumnBlock;
pub use formula::{BoundFormula, Formula};
pub use interval::Interval;
pub use syntax::Condition;
