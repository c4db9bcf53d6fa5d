//! The service: HTTP, protocols, accounts.
//!
//! The nouns, in the order in which a request meets them:
//!
//! - A [`Config`](config::Config) says what is served, to whom, within which limits.
//! - An [`App`](app::App) is what all requests share; [`router()`] builds every route on it, and [`server`](http::server)
//!   accepts connections.
//! - A [`Protocol`](http::protocol::Protocol) is a set of routes with the errors that its clients understand.
//! - A [`Caller`](auth::Caller) is who is asking.
//! - [`Work`](work::Work) runs blocking work and streams the body; [`apus_data`] decides what is read, and in which format it is sent.
//! - An [`ApiError`](http::error::ApiError) is an error with its HTTP status.

pub mod app;
pub mod auth;
pub mod config;
pub mod descriptors;
pub mod http;
mod memory;
pub mod metrics;
pub mod protocol;
pub mod state;
pub mod work;

/// Every route of every protocol, with the middleware.
pub fn router(app: app::App) -> axum::Router {
    let protocols = protocol::all(&app);
    http::router::router(app, protocols)
}
