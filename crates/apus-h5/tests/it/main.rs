//! Tests at the crate's boundary. h5py writes the files and says what is in them.

mod chunks;
mod python;
