//! Units: what a field's numbers are measured in.
//!
//! A file says so in powers of its own [`UnitSystem`], five numbers in cgs. Values keep the file's unit; names such as
//! `Msun/Mpc**3` are for people and for unyt and astropy, which both parse what [`UnitSystem::unit_string`] writes.
//!
//! Codes disagree about the solar mass in its fifth digit (unyt 1.98841586e33 g, astropy and SWIFT 1.98841e33 g, older SWIFT
//! runs 1.98848e33 g). Where the file's unit is a power of ten of a solar mass, a parsec or a year up to such a difference,
//! the writer meant exactly that, and for this file the name is worth what the file says: `1e10 Msun` is then one unit of
//! mass, without a residue. swiftsimio rounds in the same way.

mod context;
mod dimensions;
mod length;
mod parse;
mod product;
mod symbols;
mod system;

pub use context::UnitContext;
pub use dimensions::Dimensions;
pub(crate) use dimensions::meant_power;
pub use length::Length;
pub use parse::Unit;
pub(crate) use parse::{number_length, parse_prefix};
pub(crate) use symbols::Symbols;
pub use system::UnitSystem;
