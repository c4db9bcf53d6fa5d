//! The service: HTTP, protocols, accounts.
//!
//! The nouns, in the order in which a request meets them:
//!
//! - A [`Config`](config::Config) says what is served, to whom, within which limits.
//! - An [`App`](app::App) is all that requests share; [`router()`] puts every route in front of it, and
//!   [`server`](http::server) lets the network in.
//! - A [`Protocol`](http::protocol::Protocol) is a set of routes with the errors that its clients understand.
//! - A [`Caller`](auth::Caller) is who asks.
//! - [`Work`](work::Work) does what blocks and streams the body; what is read, and in which form it leaves, is for [`apus_data`] to say.
//! - An [`ApiError`](http::error::ApiError) is what went wrong, and its HTTP status.

pub mod app;
pub mod auth;
pub mod config;
pub mod descriptors;
pub mod http;
pub mod metrics;
pub mod protocol;
pub mod state;
pub mod work;

/// Every route of every protocol, with all that happens to every request.
pub fn router(app: app::App) -> axum::Router {
    let protocols = protocol::all(&app);
    http::router::router(app, protocols)
}
