//! The memory that pictures, histograms and statistics take, all together: a slow client keeps one for as long as it reads.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::{Error, Result};

/// So many bytes, for all requests together. Cheap to clone.
#[derive(Clone)]
pub struct PictureMemory(Arc<Inner>);

struct Inner {
    limit_bytes: u64,
    taken_bytes: AtomicU64,
}

/// The part of it that one request has; it goes back with this.
pub(super) struct Held {
    memory: PictureMemory,
    n_bytes: u64,
}

impl PictureMemory {
    /// So many bytes.
    pub fn new(limit_bytes: u64) -> Self {
        Self(Arc::new(Inner { limit_bytes, taken_bytes: AtomicU64::new(0) }))
    }

    /// Takes what a picture needs.
    ///
    /// Errors: [`Error::TooLarge`] where there never is that much, [`Error::Busy`] where others have it.
    pub(super) fn take(&self, n_bytes: u64) -> Result<Held> {
        let limit = self.0.limit_bytes;
        if n_bytes > limit {
            return Err(Error::too_large(format!(
                "the answer takes {n_bytes} bytes of memory, over the limit of {limit}: ask for fewer pixels, bins or quantiles"
            )));
        }
        let more = |taken: u64| taken.checked_add(n_bytes).filter(|taken| *taken <= limit);
        match self.0.taken_bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more) {
            Ok(_) => Ok(Held { memory: self.clone(), n_bytes }),
            Err(_) => Err(Error::Busy(
                "other requests' pictures take all the memory that there is for them; come again shortly".into(),
            )),
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.memory.0.taken_bytes.fetch_sub(self.n_bytes, Ordering::Relaxed);
    }
}

impl fmt::Debug for PictureMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let taken_bytes = self.0.taken_bytes.load(Ordering::Relaxed);
        write!(f, "PictureMemory({taken_bytes} of {} bytes)", self.0.limit_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_pictures_together_take_no_more_than_there_is() {
        let memory = PictureMemory::new(10);
        let first = memory.take(6).unwrap();
        let _second = memory.take(4).unwrap();
        assert!(matches!(memory.take(1), Err(Error::Busy(_))));
        assert!(matches!(memory.take(11), Err(Error::TooLarge(_))));
        drop(first);
        assert!(memory.take(6).is_ok());
    }
}
