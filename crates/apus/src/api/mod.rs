//! The protocols, a folder each. Handlers only: they parse text into types, ask the catalogue, and name an encoding.

mod hdfstream;
pub mod rest;
pub mod service;
