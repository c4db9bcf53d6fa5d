//! The service: catalogue, accounts, protocols, encodings.
//!
//! The nouns, in the order in which a request meets them:
//!
//! - A [`Config`](config::Config) says what is served, to whom, within which limits.
//! - An [`App`](app::App) is all that requests share; [`router`](router::router) puts every route in front of it, and
//!   [`server`] lets the network in.
//! - A [`Caller`](auth::Caller) is who asks.
//! - The [`Catalog`](catalog::Catalog) opens what the caller may see, and nothing else.
//! - A [`read_task`] does the blocking work and streams the answer; the encodings of [`encode`] give it its form.
//! - An [`ApiError`](error::ApiError) is what went wrong, and its HTTP status.

pub mod api;
pub mod app;
pub mod auth;
pub mod catalog;
pub mod config;
mod content_coding;
pub mod descriptors;
pub mod encode;
pub mod error;
pub mod metrics;
pub mod middleware;
pub mod read_task;
pub mod router;
pub mod server;
pub mod state;
pub mod statistics;
