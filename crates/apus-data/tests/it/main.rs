//! Tests at the library's boundary; the reference is what reads the forms: numpy and pyarrow.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod npz;
mod python;
mod tables;
