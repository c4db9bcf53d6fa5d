//! The protocols, a folder each. Handlers only: they parse text into types, ask the catalogue, and name an encoding.

pub mod hdfstream;
pub mod rest;
pub mod service;
pub(crate) mod skeleton;
pub(crate) mod swiftdata;
