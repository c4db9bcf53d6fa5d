//! HTTP: what every protocol needs.
//!
//! [`server`] accepts connections, `router` joins the routes of every [`protocol`], [`middleware`] sees every request and knows its
//! `origin`, `body` guards what clients send. A handler takes
//! the `caller` and its parameters (`params`), and returns an `answer`, which `preconditions` may reduce to a part or to a 304;
//! [`error`] is the only map from errors to a status.

pub(crate) mod answer;
pub(crate) mod body;
pub(crate) mod caller;
pub(crate) mod content_coding;
pub(crate) mod download;
pub mod error;
pub mod headers;
mod heads;
pub mod middleware;
pub(crate) mod origin;
mod paced_stream;
pub(crate) mod params;
pub(crate) mod preconditions;
pub mod protocol;
pub(crate) mod router;
pub mod server;
