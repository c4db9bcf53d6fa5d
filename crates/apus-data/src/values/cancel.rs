//! Work that stops when nobody waits for it any more.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use crate::{Error, Result};

/// Held by whoever waits: when it is dropped, the work before the first byte stops.
#[derive(Debug)]
pub struct Waiting(Arc<AtomicBool>);

/// Held by the work.
#[derive(Clone, Debug, Default)]
pub struct Cancelled(Arc<AtomicBool>);

impl Waiting {
    /// Somebody who waits.
    pub fn new() -> Self {
        Self(Arc::default())
    }

    /// What the work looks at.
    pub fn cancelled(&self) -> Cancelled {
        Cancelled(Arc::clone(&self.0))
    }
}

impl Default for Waiting {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Cancelled {
    /// Looks whether anybody waits; whoever loops asks between two steps.
    ///
    /// Errors: [`Error::Gone`] where nobody waits.
    pub fn check(&self) -> Result<()> {
        if self.0.load(Ordering::Relaxed) {
            return Err(Error::Gone);
        }
        Ok(())
    }
}
