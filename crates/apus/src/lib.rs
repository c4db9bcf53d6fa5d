//! The service: catalogue, accounts, protocols, encodings.

pub mod auth;
