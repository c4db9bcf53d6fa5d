//! HTTP: what every protocol needs.
//!
//! [`server`] accepts connections, [`router`] puts the routes of every [`protocol`] together, [`middleware`] sees every request. A handler takes the [`caller`] and its
//! parameters ([`params`]), and gives an [`answer`], of which [`preconditions`] may want nothing or a part; [`error`] is the one map from
//! what went wrong to a status.

pub(crate) mod answer;
pub(crate) mod caller;
pub(crate) mod content_coding;
pub(crate) mod download;
pub mod error;
pub mod middleware;
pub(crate) mod params;
pub(crate) mod preconditions;
pub mod protocol;
pub(crate) mod router;
pub mod server;
