//! The hdfstream protocol: what the Python module `hdfstream`, and through it swiftsimio, swiftgalaxy and `lightcone_io`
//! speak.

mod object;
mod request;
mod slices;
mod tokens;
