//! Work that stops when nobody waits for its outcome.
//!
//! Blocking work runs on one thread from beginning to end, so a [`Cancelled`] belongs to the thread while that work runs
//! ([`Cancelled::scope`]), and a loop anywhere below asks [`check_cancelled`]: no signature has to carry it, and no caller can forget to
//! hand it on. Whatever outlives the request, such as an entry of a cache, is kept only after such a check.

use std::{
    cell::RefCell,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use crate::{Error, Result};

/// How many elements a loop that does little with each may go through between two checks: a few milliseconds.
const CHECK_INTERVAL: usize = 1 << 10;

thread_local! {
    static CURRENT: RefCell<Cancelled> = RefCell::default();
    static PAUSE: RefCell<Option<Pause>> = const { RefCell::new(None) };
}

/// Lets others have the core for a while.
type Pause = Rc<dyn Fn()>;

/// Ends all work that was begun under it, whoever waits: the service stops. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<AtomicBool>);

/// Held by whoever waits: when it is dropped, the work stops.
#[derive(Debug, Default)]
pub struct Waiting(Cancelled);

/// Held by the work. Cheap to clone; the default is never cancelled.
#[derive(Clone, Debug, Default)]
pub struct Cancelled {
    gone: Arc<AtomicBool>,
    stop: Stop,
}

impl Stop {
    /// Ends all work.
    pub fn stop(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Somebody who waits, no longer than until this stops.
    pub fn waiting(&self) -> Waiting {
        Waiting(Cancelled { gone: Arc::default(), stop: self.clone() })
    }
}

impl Waiting {
    /// Somebody who waits.
    pub fn new() -> Self {
        Self::default()
    }

    /// What the work asks.
    pub fn cancelled(&self) -> Cancelled {
        self.0.clone()
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.gone.store(true, Ordering::Relaxed);
    }
}

impl Cancelled {
    /// Whether nobody waits any more. Once true, it stays so.
    pub fn is_cancelled(&self) -> bool {
        self.gone.load(Ordering::Relaxed) || self.stop.0.load(Ordering::Relaxed)
    }

    /// Runs work to which [`check_cancelled`] answers for this.
    pub fn scope<T>(&self, work: impl FnOnce() -> T) -> T {
        struct Restore(Option<Cancelled>);
        impl Drop for Restore {
            fn drop(&mut self) {
                if let Some(before) = self.0.take() {
                    CURRENT.set(before);
                }
            }
        }
        let _restore = Restore(Some(CURRENT.replace(self.clone())));
        work()
    }
}

/// Runs work that calls `pause` wherever it asks [`check_cancelled`]: there it can let others go first.
pub fn with_pauses<T>(pause: impl Fn() + 'static, work: impl FnOnce() -> T) -> T {
    pausing_by(Some(Rc::new(pause)), work)
}

/// Runs work that does not pause, since others wait until it is done: what is made for a cache.
pub fn without_pauses<T>(work: impl FnOnce() -> T) -> T {
    pausing_by(None, work)
}

fn pausing_by<T>(pause: Option<Pause>, work: impl FnOnce() -> T) -> T {
    struct Restore(Option<Pause>);
    impl Drop for Restore {
        fn drop(&mut self) {
            PAUSE.set(self.0.take());
        }
    }
    let _restore = Restore(PAUSE.replace(pause));
    work()
}

/// Asks whether anybody waits for the work of this thread. Loops ask at least every 100 ms, and hold no lock meanwhile that other
/// requests may want ([`without_pauses`] where they must): this is also where long work lets others go first.
///
/// Errors: [`Error::Cancelled`].
pub fn check_cancelled() -> Result<()> {
    if let Some(pause) = PAUSE.with_borrow(Clone::clone) {
        pause();
    }
    if CURRENT.with_borrow(Cancelled::is_cancelled) { Err(Error::Cancelled) } else { Ok(()) }
}

/// The same in the middle of an iteration that does little with each element: asks now and then.
///
/// Errors: [`Error::Cancelled`].
pub fn check_cancelled_at(index: usize) -> Result<()> {
    if index.is_multiple_of(CHECK_INTERVAL) { check_cancelled() } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_is_cancelled_when_nobody_waits_and_when_all_stops() {
        let stop = Stop::default();
        let (gone, still) = (stop.waiting(), stop.waiting());
        let (gone_work, still_work) = (gone.cancelled(), still.cancelled());
        drop(gone);
        assert!(gone_work.scope(check_cancelled).is_err());
        still_work.scope(|| {
            assert!(check_cancelled().is_ok());
            assert!(gone_work.scope(check_cancelled).is_err());
            assert!(check_cancelled().is_ok(), "the outer scope is back");
            stop.stop();
            assert!(check_cancelled().is_err());
        });
        assert!(check_cancelled().is_ok(), "outside, nothing is cancelled");
    }
}
