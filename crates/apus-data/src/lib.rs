//! From SWIFT's files under mounts to values in a form: the one way that every protocol takes.
//!
//! The nouns, in the order in which a request meets them:
//!
//! - A [`Mount`](store::Mount) says where files lie, and which [`Roles`](store::Roles) see them.
//! - The [`Catalog`](catalog::Catalog) finds what these roles may see, and nothing else.
//! - [`values`] reads: a [`Pinned`](values::Pinned) holds the files of one request, makes the tag of its answer, and checks at the end of
//!   every body that they still are what they were.
//! - [`encode`] has the forms in which values leave, a file each.
//!
//! Everything here blocks, and knows no protocol.

pub mod catalog;
pub mod encode;
mod error;
pub mod store;
pub mod values;

pub use error::{Error, Fault, Result};
