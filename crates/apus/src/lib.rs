//! The service: catalogue, accounts, protocols, encodings.

mod api;
pub mod auth;
mod encode;
