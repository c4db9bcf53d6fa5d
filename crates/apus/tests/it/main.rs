//! One suite over every protocol, route, form of answer and kind of file. What it asks comes from the documents of the protocols: see
//! [`operations`]. A protocol that documents its examples is in it without a line here.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod addresses;
mod documents;
mod errors;
mod files;
mod gone;
mod limits;
mod operations;
mod overwritten;
mod python;
mod regression;
mod removed;
mod replaced;
mod roles;
mod service;
mod tags;
