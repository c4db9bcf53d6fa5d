//! The file format, one file per structure of the specification.
