//! Memory that all clients together may hold: a number of bytes, out of which those fall first that make no progress for longest.
//!
//! A [`Budget`] counts what is held on behalf of clients whose speed the service does not choose: request bodies on their way, and answers
//! that wait to be read. Each has a [`Held`]. Whoever needs more than is free has those told to give up whose clients do nothing, the one that
//! has done nothing for longest first, so that holding much and doing nothing takes nothing from anybody who does something.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
    time::Duration,
};

use tokio::{
    sync::Notify,
    time::{self, Instant},
};

/// A client that has done something within this time does not have to give up.
const MIN_IDLE: Duration = Duration::from_secs(1);
/// How often it is looked whether anybody has been idle for long enough, by whoever waits for memory.
const RETRY: Duration = Duration::from_millis(100);

/// Bytes for all clients together. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Budget(Arc<Shared>);

struct Shared {
    limit_bytes: u64,
    state: Mutex<State>,
    freed: Notify,
}

#[derive(Default)]
struct State {
    used_bytes: u64,
    entries: HashMap<u64, Entry>,
    next: u64,
}

#[derive(Default)]
struct Entry {
    n_bytes: u64,
    /// Since when its client has done nothing; `None` where it is not the client who is waited for.
    idle_since: Option<Instant>,
    is_evicted: bool,
    waker: Option<Waker>,
}

/// What is held for one client. It is free again when this is dropped.
pub(crate) struct Held {
    shared: Arc<Shared>,
    id: u64,
}

/// Why memory was not granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoMemory {
    /// Others have it.
    Busy,
    /// There never is that much.
    TooMuch {
        /// All that there is.
        limit_bytes: u64,
    },
}

impl Budget {
    /// So many bytes.
    pub(crate) fn new(limit_bytes: u64) -> Self {
        Self(Arc::new(Shared { limit_bytes, state: Mutex::default(), freed: Notify::new() }))
    }

    /// Nothing is held yet.
    pub(crate) fn nothing(&self) -> Held {
        let mut state = self.0.state();
        let id = state.next;
        state.next += 1;
        state.entries.insert(id, Entry::default());
        Held { shared: Arc::clone(&self.0), id }
    }

    /// The bytes that are held now.
    pub(crate) fn used_bytes(&self) -> u64 {
        self.0.state().used_bytes
    }
}

impl Held {
    /// Holds so many bytes from now on; for more of them waits for others, no longer than `wait`.
    ///
    /// Errors: [`NoMemory`]; what was held before stays so.
    pub(crate) async fn resize(&self, n_bytes: u64, wait: Duration) -> Result<(), NoMemory> {
        if n_bytes > self.shared.limit_bytes {
            return Err(NoMemory::TooMuch { limit_bytes: self.shared.limit_bytes });
        }
        let end = Instant::now() + wait;
        loop {
            let freed = self.shared.freed.notified();
            if self.shared.state().try_resize(self.id, n_bytes, self.shared.limit_bytes, Instant::now()) {
                return Ok(());
            }
            let now = Instant::now();
            if now >= end {
                return Err(NoMemory::Busy);
            }
            let _ = time::timeout_at(end.min(now + RETRY), freed).await;
        }
    }

    /// Counts so many bytes that are held already. Where that is more than all may hold, those have to give up that were idle for longest,
    /// this one perhaps.
    pub(crate) fn count(&self, n_bytes: u64) {
        let mut state = self.shared.state();
        state.set(self.id, n_bytes);
        let over = state.used_bytes.saturating_sub(self.shared.limit_bytes);
        state.evict(over, Duration::ZERO, Instant::now());
    }

    /// Holds less from now on, if it is less.
    pub(crate) fn shrink(&self, n_bytes: u64) {
        let mut state = self.shared.state();
        if state.entries.get(&self.id).is_some_and(|entry| entry.n_bytes > n_bytes) {
            state.set(self.id, n_bytes);
            drop(state);
            self.shared.freed.notify_waiters();
        }
    }

    /// Says that the client did something now, and is waited for.
    pub(crate) fn waits_for_client(&self) {
        self.set_idle(Some(Instant::now()));
    }

    /// Says that it is not the client who is waited for.
    pub(crate) fn works(&self) {
        self.set_idle(None);
    }

    /// Ready when this has to give up.
    pub(crate) fn poll_evicted(&self, context: &mut Context<'_>) -> Poll<()> {
        let mut state = self.shared.state();
        let Some(entry) = state.entries.get_mut(&self.id) else { return Poll::Pending };
        if entry.is_evicted {
            return Poll::Ready(());
        }
        entry.waker = Some(context.waker().clone());
        Poll::Pending
    }

    /// Waits until this has to give up.
    pub(crate) async fn evicted(&self) {
        std::future::poll_fn(|context| self.poll_evicted(context)).await;
    }

    fn set_idle(&self, since: Option<Instant>) {
        if let Some(entry) = self.shared.state().entries.get_mut(&self.id) {
            entry.idle_since = since;
        }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn set(&mut self, id: u64, n_bytes: u64) {
        let Some(entry) = self.entries.get_mut(&id) else { return };
        self.used_bytes = self.used_bytes.saturating_sub(entry.n_bytes).saturating_add(n_bytes);
        entry.n_bytes = n_bytes;
    }

    fn try_resize(&mut self, id: u64, n_bytes: u64, limit_bytes: u64, now: Instant) -> bool {
        let held = self.entries.get(&id).map_or(0, |entry| entry.n_bytes);
        let needed = self.used_bytes.saturating_sub(held).saturating_add(n_bytes);
        if needed > limit_bytes {
            self.evict(needed - limit_bytes, MIN_IDLE, now);
            return false;
        }
        self.set(id, n_bytes);
        true
    }

    /// Has entries give up so many bytes, of those that have been idle for so long: those that were it for longest first.
    fn evict(&mut self, n_bytes: u64, min_idle: Duration, now: Instant) {
        let leaving: u64 = self.entries.values().filter(|e| e.is_evicted).map(|e| e.n_bytes).sum();
        let mut missing = n_bytes.saturating_sub(leaving);
        if missing == 0 {
            return;
        }
        let idle = self.entries.values_mut().filter(|e| !e.is_evicted && e.n_bytes > 0);
        let mut idle: Vec<(Instant, &mut Entry)> = idle.filter_map(|e| Some((e.idle_since?, e))).collect();
        idle.retain(|(since, _)| now.saturating_duration_since(*since) >= min_idle);
        idle.sort_by_key(|(since, _)| *since);
        for (_, entry) in idle {
            if missing == 0 {
                break;
            }
            missing = missing.saturating_sub(entry.n_bytes);
            entry.is_evicted = true;
            if let Some(waker) = entry.waker.take() {
                waker.wake();
            }
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut state = self.shared.state();
        state.set(self.id, 0);
        state.entries.remove(&self.id);
        drop(state);
        self.shared.freed.notify_waiters();
    }
}

impl fmt::Debug for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Budget({} of {} bytes)", self.used_bytes(), self.0.limit_bytes)
    }
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Held({})", self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WAIT: Duration = Duration::from_millis(10);

    fn is_evicted(held: &Held) -> bool {
        held.poll_evicted(&mut Context::from_waker(Waker::noop())).is_ready()
    }

    #[tokio::test]
    async fn all_together_hold_no_more_than_there_is() {
        let budget = Budget::new(10);
        let (a, b) = (budget.nothing(), budget.nothing());
        a.resize(6, WAIT).await.unwrap();
        b.resize(4, WAIT).await.unwrap();
        assert_eq!(b.resize(5, WAIT).await, Err(NoMemory::Busy), "who works gives nothing up");
        assert_eq!(b.resize(11, WAIT).await, Err(NoMemory::TooMuch { limit_bytes: 10 }));
        a.shrink(3);
        b.resize(7, WAIT).await.unwrap();
        drop((a, b));
        assert_eq!(budget.used_bytes(), 0);
    }

    #[test]
    fn who_was_idle_for_longest_gives_up_first() {
        let budget = Budget::new(10);
        let [first, second, third] = [(); 3].map(|()| budget.nothing());
        let start = Instant::now();
        let resize = |held: &Held, n_bytes, now| budget.0.state().try_resize(held.id, n_bytes, 10, now);
        for (held, since) in [(&first, start), (&second, start + MIN_IDLE)] {
            assert!(resize(held, 4, since));
            held.set_idle(Some(since));
        }
        assert!(resize(&third, 2, start));
        assert!(!resize(&third, 5, start + MIN_IDLE / 2));
        assert_eq!((is_evicted(&first), is_evicted(&second)), (false, false), "nobody was idle for long enough");
        let later = start + 3 * MIN_IDLE;
        assert!(!resize(&third, 5, later));
        assert_eq!((is_evicted(&first), is_evicted(&second)), (true, false));
        assert!(!resize(&third, 5, later), "until the first has given up");
        assert!(!is_evicted(&second), "the first is on its way out, and that is enough");
        drop(first);
        assert!(resize(&third, 5, later));
    }

    #[test]
    fn what_is_held_already_is_counted_and_others_give_up() {
        let budget = Budget::new(10);
        let [first, second] = [(); 2].map(|()| budget.nothing());
        first.set_idle(Some(Instant::now() - MIN_IDLE));
        first.count(8);
        second.waits_for_client();
        second.count(8);
        assert_eq!((is_evicted(&first), is_evicted(&second)), (true, false));
        drop(first);
        assert_eq!(budget.used_bytes(), 8);
    }
}
