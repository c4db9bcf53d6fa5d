//! Work that stops when nobody waits for it any more.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use crate::error::{ApiError, ApiResult};

/// Held by the handler: when its request is dropped, the work before the first byte stops.
#[derive(Debug)]
pub(super) struct Waiting(Arc<AtomicBool>);

/// Held by the work.
#[derive(Clone, Debug)]
pub(super) struct Cancelled(Arc<AtomicBool>);

impl Waiting {
    pub(super) fn new() -> (Self, Cancelled) {
        let is_gone = Arc::new(AtomicBool::new(false));
        (Self(Arc::clone(&is_gone)), Cancelled(is_gone))
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Cancelled {
    /// Errors: an internal one, which nobody will see, where nobody waits.
    pub(super) fn check(&self) -> ApiResult<()> {
        if self.0.load(Ordering::Relaxed) {
            return Err(ApiError::internal("the client is gone"));
        }
        Ok(())
    }
}
