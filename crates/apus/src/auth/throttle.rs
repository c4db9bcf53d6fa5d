//! Throttles password guessing, per account and per address.
//!
//! Each address and each account has a bucket of permitted failures, which refills with time. Nobody is locked out: an empty
//! bucket only means a wait of some seconds. Guesses at an account do not slow addresses from which it has logged in before, and
//! bearer tokens are not throttled (they have too many bits to be guessed).

use std::{
    collections::{HashMap, HashSet},
    hash::Hash,
    net::{IpAddr, Ipv6Addr},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// How many failures in a row an address may cause, and how soon one of them is forgotten.
const PER_ADDRESS: Limit = Limit { burst: 30.0, refill_s: 2.0 };

/// How many failures in a row an account may have, and how soon one of them is forgotten.
const PER_ACCOUNT: Limit = Limit { burst: 10.0, refill_s: 5.0 };

/// How many addresses, accounts, and pairs of them are remembered.
const MAX_ENTRIES: usize = 20_000;

/// Counts failed logins.
#[derive(Debug, Default)]
pub(crate) struct Throttle {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    addresses: HashMap<Option<IpAddr>, Bucket>,
    accounts: HashMap<String, Bucket>,
    /// The addresses from which each account has logged in before.
    known: HashSet<(String, Option<IpAddr>)>,
}

#[derive(Clone, Copy, Debug)]
struct Limit {
    burst: f64,
    refill_s: f64,
}

#[derive(Clone, Copy, Debug)]
struct Bucket {
    left: f64,
    at: Instant,
}

impl Throttle {
    /// Takes one try from the account's and the address's buckets, or returns how long to wait. [`Throttle::succeeded`] returns a
    /// successful try; taking it first keeps concurrent tries within the limit.
    pub(crate) fn enter(&self, account: &str, address: Option<IpAddr>, now: Instant) -> Result<(), Duration> {
        let address = address.map(network);
        let mut inner = self.lock();
        let inner = &mut *inner;
        prune(&mut inner.addresses, PER_ADDRESS, now);
        prune(&mut inner.accounts, PER_ACCOUNT, now);
        let known = inner.known.contains(&(account.to_owned(), address));
        let by_address = inner.addresses.entry(address).or_insert_with(|| Bucket::full(PER_ADDRESS, now));
        let by_account = inner.accounts.entry(account.to_owned()).or_insert_with(|| Bucket::full(PER_ACCOUNT, now));
        let wait = by_address.wait(PER_ADDRESS, now).max(if known {
            Duration::ZERO
        } else {
            by_account.wait(PER_ACCOUNT, now)
        });
        if wait > Duration::ZERO {
            return Err(wait);
        }
        by_address.left -= 1.0;
        if !known {
            by_account.left -= 1.0;
        }
        Ok(())
    }

    /// Returns a try, and remembers that the account logs in from that address.
    pub(crate) fn succeeded(&self, account: &str, address: Option<IpAddr>) {
        self.cancelled(account, address);
        let mut inner = self.lock();
        if inner.known.len() >= MAX_ENTRIES {
            inner.known.clear();
        }
        inner.known.insert((account.to_owned(), address.map(network)));
    }

    /// Returns a try that could not be checked.
    pub(crate) fn cancelled(&self, account: &str, address: Option<IpAddr>) {
        let address = address.map(network);
        let mut inner = self.lock();
        let known = inner.known.contains(&(account.to_owned(), address));
        if let Some(bucket) = inner.addresses.get_mut(&address) {
            bucket.left = (bucket.left + 1.0).min(PER_ADDRESS.burst);
        }
        if !known && let Some(bucket) = inner.accounts.get_mut(account) {
            bucket.left = (bucket.left + 1.0).min(PER_ACCOUNT.burst);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // The numbers are consistent after any panic: each is changed in one step.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Bucket {
    fn full(limit: Limit, now: Instant) -> Self {
        Self { left: limit.burst, at: now }
    }

    /// Refills the bucket for the time that has passed, and returns the wait until the next try.
    fn wait(&mut self, limit: Limit, now: Instant) -> Duration {
        let passed_s = now.saturating_duration_since(self.at).as_secs_f64();
        self.left = (self.left + passed_s / limit.refill_s).min(limit.burst);
        self.at = now;
        if self.left >= 1.0 { Duration::ZERO } else { Duration::from_secs_f64((1.0 - self.left) * limit.refill_s) }
    }
}

/// An IPv6 customer usually has a whole /64, which counts as one address.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << 64)).into(),
        v4 @ IpAddr::V4(_) => v4,
    }
}

/// Drops full buckets; if that is not enough, also the half with the fewest failures.
fn prune<K: Hash + Eq>(buckets: &mut HashMap<K, Bucket>, limit: Limit, now: Instant) {
    if buckets.len() < MAX_ENTRIES {
        return;
    }
    for bucket in buckets.values_mut() {
        bucket.wait(limit, now);
    }
    buckets.retain(|_, bucket| bucket.left < limit.burst);
    if buckets.len() >= MAX_ENTRIES {
        let mut left: Vec<f64> = buckets.values().map(|b| b.left).collect();
        let (_, &mut middle, _) = left.select_nth_unstable_by(MAX_ENTRIES / 2, f64::total_cmp);
        buckets.retain(|_, bucket| bucket.left < middle);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Option<IpAddr> = Some(IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1)));

    #[expect(clippy::unnecessary_wraps, reason = "as the throttle takes it")]
    fn address(n: u32) -> Option<IpAddr> {
        Some(IpAddr::V4(std::net::Ipv4Addr::from_bits(0x0a00_0000 + n)))
    }

    #[test]
    fn guesses_at_an_account_are_slowed_from_many_addresses_too() {
        let (throttle, start) = (Throttle::default(), Instant::now());
        let tries = (0..1000).filter(|&n| throttle.enter("alice", address(n), start).is_ok()).count();
        assert_eq!(tries, 10);
        // In an hour, one each five seconds.
        let hour: usize = (0..3600)
            .filter(|&s| throttle.enter("alice", address(2000 + s), start + Duration::from_secs(s.into())).is_ok())
            .count();
        assert!((700..=740).contains(&hour), "{hour}");
    }

    #[test]
    fn guesses_from_an_address_are_slowed_at_many_accounts_too() {
        let (throttle, start) = (Throttle::default(), Instant::now());
        let tries = (0..1000).filter(|n| throttle.enter(&format!("user{n}"), A, start).is_ok()).count();
        assert_eq!(tries, 30);
    }

    #[test]
    fn the_owner_gets_in_while_others_guess() {
        let (throttle, start) = (Throttle::default(), Instant::now());
        assert!(throttle.enter("alice", A, start).is_ok());
        throttle.succeeded("alice", A);
        while throttle.enter("alice", address(7), start).is_ok() {}
        assert!(throttle.enter("alice", A, start).is_ok());
    }

    #[test]
    fn success_costs_nothing_and_waiting_helps() {
        let (throttle, start) = (Throttle::default(), Instant::now());
        for _ in 0..1000 {
            assert!(throttle.enter("alice", A, start).is_ok());
            throttle.succeeded("alice", A);
        }
        while throttle.enter("bob", A, start).is_ok() {}
        let wait = throttle.enter("bob", A, start).unwrap_err();
        assert!(wait <= Duration::from_secs(5));
        assert!(throttle.enter("bob", A, start + wait).is_ok());
    }

    #[test]
    fn memory_is_bounded() {
        let (throttle, start) = (Throttle::default(), Instant::now());
        for n in 0..100_000 {
            let _ = throttle.enter(&format!("user{n}"), address(n), start);
        }
        let inner = throttle.lock();
        assert!(inner.accounts.len() <= MAX_ENTRIES && inner.addresses.len() <= MAX_ENTRIES);
    }

    #[test]
    fn an_ipv6_network_counts_as_one_address() {
        let (throttle, start) = (Throttle::default(), Instant::now());
        let of = |n: u16| Some(IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, n, n, n, n)));
        assert_eq!((0..1000).filter(|&n| throttle.enter(&format!("user{n}"), of(n), start).is_ok()).count(), 30);
    }
}
