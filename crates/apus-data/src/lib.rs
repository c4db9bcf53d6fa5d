//! From SWIFT's files under mounts to values in a format: the one path that every protocol takes.
//!
//! The nouns, in the order in which a request meets them:
//!
//! - A [`Mount`](store::Mount) says where files lie, and which [`Roles`](store::Roles) may see them.
//! - The [`Catalog`](catalog::Catalog) finds what these roles may see, and nothing else.
//! - [`values`] reads: a [`Pinned`](values::Pinned) holds the files of one request, makes the tag of its answer, and checks at the end of
//!   every body that none of them has changed.
//! - [`encode`] has the formats in which values are sent, one file each.
//!
//! Everything here blocks, and knows no protocol.

pub mod catalog;
pub mod encode;
mod error;
pub mod store;
pub mod values;

pub use error::{Error, Fault, Result};
