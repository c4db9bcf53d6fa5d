//! Tests at the library's boundary. The references: h5py and swiftsimio for values and rows, numpy and pyarrow for forms.
//!
//! Needs the Python of `scripts/python-env`.

#![expect(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod archive;
mod npz;
mod python;
mod tables;
mod zone_maps;
