//! The memory that the slices of requests take, all together: sixteen million ranges are 256 MiB, and a client that reads
//! its answer slowly keeps them for as long.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time,
};

use crate::http::error::{ApiError, ApiResult};

/// What is counted in: no request needs leave for less.
const UNIT_BYTES: u64 = 64 << 10;
/// When a client that found no room may come again.
const RETRY_AFTER: Duration = Duration::from_secs(2);

/// The memory for slices.
pub(super) struct SliceMemory {
    units: Arc<Semaphore>,
    n_units: u32,
}

/// The part of it that one request has; it goes back with this.
pub(super) struct Held {
    units: Arc<Semaphore>,
    n_units: u32,
    permit: Option<OwnedSemaphorePermit>,
}

impl SliceMemory {
    /// So many bytes, for all requests together.
    pub(super) fn new(size_bytes: u64) -> Self {
        let n_units = u32::try_from(size_bytes / UNIT_BYTES).unwrap_or(u32::MAX).min(1 << 28);
        Self { units: Arc::new(Semaphore::new(n_units as usize)), n_units }
    }

    /// None of it, yet.
    pub(super) fn nothing(&self) -> Held {
        Held { units: Arc::clone(&self.units), n_units: self.n_units, permit: None }
    }
}

impl Held {
    /// Takes what is missing to `size_bytes`; waits for it no longer than `wait`.
    ///
    /// Errors: 413 where there never is that much, 503 where others have it.
    pub(super) async fn grow(&mut self, size_bytes: u64, wait: Duration) -> ApiResult<()> {
        let wanted = u32::try_from(size_bytes / UNIT_BYTES).unwrap_or(u32::MAX);
        if wanted > self.n_units {
            return Err(ApiError::too_large(format!(
                "the request's slices take more than {} bytes; ask for them in several requests",
                u64::from(self.n_units) * UNIT_BYTES
            )));
        }
        let missing = wanted.saturating_sub(self.n_held());
        if missing == 0 {
            return Ok(());
        }
        let more = Arc::clone(&self.units).acquire_many_owned(missing);
        let Ok(Ok(more)) = time::timeout(wait, more).await else {
            return Err(ApiError::Unavailable {
                detail: "other requests' slices take all the memory that there is for them; come again shortly".into(),
                retry_after: RETRY_AFTER,
            });
        };
        match &mut self.permit {
            Some(permit) => permit.merge(more),
            None => self.permit = Some(more),
        }
        Ok(())
    }

    /// Gives back what is beyond `size_bytes`.
    pub(super) fn shrink(&mut self, size_bytes: u64) {
        let needed = u32::try_from(size_bytes.div_ceil(UNIT_BYTES)).unwrap_or(u32::MAX);
        let surplus = self.n_held().saturating_sub(needed);
        if let Some(permit) = &mut self.permit {
            drop(permit.split(surplus as usize));
        }
    }

    fn n_held(&self) -> u32 {
        self.permit.as_ref().map_or(0, |permit| u32::try_from(permit.num_permits()).unwrap_or(u32::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WAIT: Duration = Duration::from_millis(10);

    #[tokio::test]
    async fn all_requests_together_hold_no_more_than_there_is() {
        let memory = SliceMemory::new(10 * UNIT_BYTES);
        let (mut a, mut b) = (memory.nothing(), memory.nothing());
        a.grow(6 * UNIT_BYTES, WAIT).await.unwrap();
        a.grow(5 * UNIT_BYTES, WAIT).await.unwrap();
        b.grow(UNIT_BYTES - 1, WAIT).await.unwrap();
        b.grow(4 * UNIT_BYTES, WAIT).await.unwrap();
        assert_eq!(b.grow(5 * UNIT_BYTES, WAIT).await.unwrap_err().status(), 503);
        assert_eq!(b.grow(11 * UNIT_BYTES, WAIT).await.unwrap_err().status(), 413);
        a.shrink(3 * UNIT_BYTES);
        b.grow(7 * UNIT_BYTES, WAIT).await.unwrap();
        drop((a, b));
        memory.nothing().grow(10 * UNIT_BYTES, WAIT).await.unwrap();
    }
}
