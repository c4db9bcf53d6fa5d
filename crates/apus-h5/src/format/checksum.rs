//! Structures that end with the checksum of all bytes before it.

use super::{Fault, Parse, lookup3};

/// Checks a structure that ends with the checksum of all bytes before it, and returns those.
pub(crate) fn verified<'a>(what: &str, bytes: &'a [u8]) -> Parse<&'a [u8]> {
    let Some((body, stored)) = bytes.split_last_chunk::<4>() else {
        return Err(Fault::Damaged(format!("{what}: {} bytes have no room for a checksum", bytes.len())));
    };
    let (stored, computed) = (u32::from_le_bytes(*stored), lookup3(body));
    if stored == computed || cfg!(fuzzing) {
        return Ok(body);
    }
    Err(Fault::Damaged(format!("{what}: checksum {stored:#010x} stored, {computed:#010x} computed")))
}
