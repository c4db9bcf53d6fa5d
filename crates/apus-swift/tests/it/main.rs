//! The crate against swiftsimio: the same files, asked the same questions.
//!
//! Needs the Python of `scripts/python-env`, named by `APUS_PYTHON`; `scripts/test` sets it.

mod description;
mod reference;
