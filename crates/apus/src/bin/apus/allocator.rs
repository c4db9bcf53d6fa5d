//! How the allocator of the C library keeps memory that is free.
//!
//! By itself, glibc opens eight heaps for each core and keeps what was freed in the middle of them: after a thousand slow clients the service
//! would stay as large as it ever was. It takes its settings from the environment, before the program begins, so the service starts itself
//! once more with them, as the same process.

use std::{env, num::NonZero, os::unix::process::CommandExt as _, process::Command, thread};

/// Longer allocations are given back to the system as soon as they are free.
const MMAP_THRESHOLD_BYTES: usize = 256 << 10;
/// So much may stay free at the end of a heap.
const TRIM_THRESHOLD_BYTES: usize = 1 << 20;
/// Whoever sets this has settings of their own.
const ARENAS: &str = "MALLOC_ARENA_MAX";

/// Starts the program once more with these settings, unless the environment has some. Where that fails, it goes on without.
pub(crate) fn tune() {
    if !cfg!(target_env = "gnu") || env::var_os(ARENAS).is_some() || env::var_os("GLIBC_TUNABLES").is_some() {
        return;
    }
    let (Ok(program), mut arguments) = (env::current_exe(), env::args_os()) else { return };
    let n_arenas = thread::available_parallelism().map_or(2, NonZero::get).clamp(2, 16);
    let mut command = Command::new(program);
    if let Some(name) = arguments.next() {
        command.arg0(name);
    }
    command
        .args(arguments)
        .env(ARENAS, n_arenas.to_string())
        .env("MALLOC_MMAP_THRESHOLD_", MMAP_THRESHOLD_BYTES.to_string())
        .env("MALLOC_TRIM_THRESHOLD_", TRIM_THRESHOLD_BYTES.to_string());
    // Returns only where it fails.
    let _ = command.exec();
}
