//! Permits that are shared fairly: whoever has least comes next.
//!
//! A permit that comes free goes to the client that holds fewest of those who wait: counted by address first, then by connection, then by
//! who came first. An address or connection may have nearly all of them while nobody else wants any; what it has beyond its part is not
//! taken from it, but the next ones go to others. No address is limited to a number of its own, since two hundred people may share one
//! behind a proxy.

use std::{
    collections::HashMap,
    fmt,
    hash::Hash,
    net::IpAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::sync::oneshot;

use crate::http::origin::Origin;

/// A number of permits. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Turns(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    /// How many wait; read without the lock.
    n_waiting: AtomicUsize,
}

struct State {
    has_reserve: bool,
    n_free: usize,
    by_address: HashMap<Option<IpAddr>, usize>,
    by_connection: HashMap<u64, usize>,
    /// In the order in which they came.
    waiting: Vec<Waiter>,
}

struct Waiter {
    origin: Origin,
    granted: oneshot::Sender<Turn>,
}

/// A permit; it goes to the next when this is dropped.
pub(crate) struct Turn {
    /// `None` where it was given back already.
    shared: Option<Arc<Shared>>,
    origin: Origin,
}

impl Turns {
    /// So many permits, one at least, which are held for moments: all of them go to whoever wants some.
    pub(crate) fn new(n: usize) -> Self {
        Self::with_reserve(n, false)
    }

    /// So many permits, one at least, which may be held for long. So that there is always one for others, an address takes none beyond half
    /// of what it and nobody else holds, and a connection none beyond a fifth.
    pub(crate) fn reserved(n: usize) -> Self {
        Self::with_reserve(n, true)
    }

    fn with_reserve(n: usize, has_reserve: bool) -> Self {
        let state = State {
            has_reserve,
            n_free: n.max(1),
            by_address: HashMap::new(),
            by_connection: HashMap::new(),
            waiting: Vec::new(),
        };
        Self(Arc::new(Shared { state: Mutex::new(state), n_waiting: AtomicUsize::new(0) }))
    }

    /// Waits for a permit. Whoever stops waiting gives up its place in the queue.
    pub(crate) async fn take(&self, origin: Origin) -> Turn {
        loop {
            let granted = match self.ask(origin) {
                Ok(turn) => return turn,
                Err(granted) => granted,
            };
            if let Ok(turn) = granted.await {
                return turn;
            }
        }
    }

    /// The same for a thread that may block.
    pub(crate) fn take_blocking(&self, origin: Origin) -> Turn {
        loop {
            let granted = match self.ask(origin) {
                Ok(turn) => return turn,
                Err(granted) => granted,
            };
            if let Ok(turn) = granted.blocking_recv() {
                return turn;
            }
        }
    }

    /// Whether anybody waits.
    pub(crate) fn is_contended(&self) -> bool {
        self.0.n_waiting.load(Ordering::Relaxed) > 0
    }

    /// A permit, or where one will come.
    fn ask(&self, origin: Origin) -> Result<Turn, oneshot::Receiver<Turn>> {
        let mut state = self.0.state();
        if state.may_take(origin) {
            state.hold(origin);
            drop(state);
            return Ok(Turn { shared: Some(Arc::clone(&self.0)), origin });
        }
        let (granted, receiver) = oneshot::channel();
        state.waiting.push(Waiter { origin, granted });
        self.0.n_waiting.store(state.waiting.len(), Ordering::Relaxed);
        Err(receiver)
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// What the address and the connection hold.
    fn held(&self, origin: Origin) -> (usize, usize) {
        let by_address = self.by_address.get(&origin.address).copied().unwrap_or(0);
        (by_address, self.by_connection.get(&origin.connection).copied().unwrap_or(0))
    }

    fn may_take(&self, origin: Origin) -> bool {
        let (by_address, by_connection) = self.held(origin);
        let leaves_enough = by_address < self.n_free && by_connection.saturating_mul(4) < self.n_free;
        self.n_free > 0 && (leaves_enough || by_connection == 0 && by_address == 0 || !self.has_reserve)
    }

    fn hold(&mut self, origin: Origin) {
        self.n_free -= 1;
        *self.by_address.entry(origin.address).or_default() += 1;
        *self.by_connection.entry(origin.connection).or_default() += 1;
    }

    fn release(&mut self, origin: Origin) {
        self.n_free += 1;
        count_down(&mut self.by_address, &origin.address);
        count_down(&mut self.by_connection, &origin.connection);
    }

    /// Takes out whoever comes next.
    fn next(&mut self) -> Option<Waiter> {
        self.waiting.retain(|waiter| !waiter.granted.is_closed());
        let able = self.waiting.iter().enumerate().filter(|(_, waiter)| self.may_take(waiter.origin));
        let next = able.min_by_key(|(_, waiter)| self.held(waiter.origin)).map(|(i, _)| i)?;
        Some(self.waiting.remove(next))
    }
}

fn count_down<K: Hash + Eq>(counts: &mut HashMap<K, usize>, key: &K) {
    if let Some(count) = counts.get_mut(key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(key);
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let Some(shared) = self.shared.take() else { return };
        let mut state = shared.state();
        state.release(self.origin);
        while let Some(Waiter { origin, granted }) = state.next() {
            state.hold(origin);
            let turn = Self { shared: Some(Arc::clone(&shared)), origin };
            if let Err(mut refused) = granted.send(turn) {
                // Its client went at this moment. Dropping it here would lock what is locked.
                refused.shared = None;
                state.release(origin);
            }
        }
        shared.n_waiting.store(state.waiting.len(), Ordering::Relaxed);
    }
}

impl fmt::Debug for Turns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.0.state();
        write!(f, "Turns({} free, {} waiting)", state.n_free, state.waiting.len())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time;

    use super::*;

    fn origin(address: u8, connection: u64) -> Origin {
        Origin { address: Some([192, 0, 2, address].into()), connection }
    }

    /// Takes permits in this order while all are held, and tells in which order they were granted.
    async fn granted(held: &[Origin], wanted: &[Origin]) -> Vec<usize> {
        let turns = Turns::new(held.len());
        let mut holders = Vec::new();
        for holder in held {
            holders.push(turns.take(*holder).await);
        }
        let (sender, mut order) = tokio::sync::mpsc::unbounded_channel();
        for (i, origin) in wanted.iter().enumerate() {
            let (of_waiter, sender, origin) = (turns.clone(), sender.clone(), *origin);
            tokio::spawn(async move {
                let turn = of_waiter.take(origin).await;
                sender.send(i).unwrap();
                drop(turn);
            });
            // Until it stands in the queue.
            while turns.0.state().waiting.len() <= i {
                tokio::task::yield_now().await;
            }
        }
        drop(sender);
        drop(holders.pop());
        let mut all = Vec::new();
        while let Some(i) = order.recv().await {
            all.push(i);
        }
        all
    }

    #[tokio::test]
    async fn whoever_has_least_comes_next() {
        let greedy = [origin(1, 1), origin(1, 2), origin(1, 1)];
        // Another address, then another connection of the same, then who came first.
        let wanted = [origin(1, 1), origin(1, 3), origin(2, 4), origin(1, 3)];
        assert_eq!(granted(&greedy, &wanted).await, [2, 1, 3, 0]);
    }

    #[tokio::test]
    async fn behind_one_address_all_connections_have_their_turn() {
        let wanted: Vec<Origin> = [5, 5, 5, 6, 7].map(|connection| origin(1, connection)).to_vec();
        assert_eq!(granted(&[origin(1, 5), origin(1, 5)], &wanted).await, [3, 4, 0, 1, 2]);
    }

    #[tokio::test]
    async fn an_address_alone_may_have_all_but_leaves_some_where_they_are_held_for_long() {
        let wait = Duration::from_millis(1);
        let (moments, long) = (Turns::new(8), Turns::reserved(8));
        let mut held = Vec::new();
        for connection in 0..8 {
            held.push(time::timeout(wait, moments.take(origin(1, connection))).await.unwrap());
        }
        let mut n = 0;
        while let Ok(turn) = time::timeout(wait, long.take(origin(1, n))).await {
            held.push(turn);
            n += 1;
        }
        assert_eq!(n, 4, "half of them");
        for address in 2..5 {
            held.push(time::timeout(wait, long.take(origin(address, 100 + u64::from(address)))).await.unwrap());
        }
    }

    #[tokio::test]
    async fn who_no_longer_waits_is_passed_over() {
        let turns = Turns::new(1);
        let held = turns.take(origin(1, 1)).await;
        assert!(time::timeout(Duration::from_millis(1), turns.take(origin(1, 2))).await.is_err());
        drop(held);
        drop(turns.take(origin(1, 3)).await);
        assert_eq!(turns.0.state().n_free, 1);
        assert!(turns.0.state().by_address.is_empty() && turns.0.state().by_connection.is_empty());
    }
}
