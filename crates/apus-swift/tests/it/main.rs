//! The crate against swiftsimio: the same files, asked the same questions.
//!
//! Needs the Python of `scripts/python-env`, named by `APUS_PYTHON`; `scripts/test` sets it.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

mod cells;
mod description;
mod halos;
mod reference;
mod selection;
