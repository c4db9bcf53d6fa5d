//! Tests at the crate's boundary; the reference is h5py, never this crate's own reader or writer.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod chunks;
mod damage;
mod data;
mod folder;
mod hostile;
mod links;
mod metadata;
mod pipeline;
mod python;
mod skeleton;
mod sources;
mod write;
