//! Caches for a short time whether a name and password were right, so that a client which sends HTTP Basic with each request does
//! not cost a slow hash, or a request to the login service, each time.

use std::time::{Duration, Instant};

use quick_cache::sync::Cache;
use ring::{
    hmac,
    rand::{SystemRandom, generate},
};
use secrecy::{ExposeSecret as _, SecretString};

use super::AuthStartError;

/// How long a right password is cached.
const RIGHT: Duration = Duration::from_mins(1);

/// How long a wrong password is cached.
const WRONG: Duration = Duration::from_secs(10);

/// How many logins are cached.
const MAX_ENTRIES: usize = 10_000;

/// The results of recent logins, by a keyed digest of name, password and what they were checked against.
pub(crate) struct LoginCache {
    key: hmac::Key,
    /// Whether each was right, and when the entry expires.
    results: Cache<LoginKey, (bool, Instant)>,
}

/// Stands for a name, a password and a password hash; reveals nothing about them outside this process.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct LoginKey([u8; 32]);

impl LoginCache {
    /// An empty cache with a key of its own.
    pub(crate) fn new() -> Result<Self, AuthStartError> {
        let key: [u8; 32] = generate(&SystemRandom::new()).map_err(|_| AuthStartError::NoRandom)?.expose();
        Ok(Self { key: hmac::Key::new(hmac::HMAC_SHA256, &key), results: Cache::new(MAX_ENTRIES) })
    }

    /// The key of a login. `against` is the password hash that it is checked against: a changed password has another hash, and so
    /// takes effect at once.
    pub(crate) fn key(&self, name: &str, password: &SecretString, against: &str) -> LoginKey {
        let mut mac = hmac::Context::with_key(&self.key);
        for part in [name, password.expose_secret(), against] {
            mac.update(&part.len().to_le_bytes());
            mac.update(part.as_bytes());
        }
        let mut key = [0; 32];
        key.copy_from_slice(mac.sign().as_ref());
        LoginKey(key)
    }

    /// Whether that login was right, if it is cached.
    pub(crate) fn get(&self, key: LoginKey, now: Instant) -> Option<bool> {
        self.results.get(&key).and_then(|(right, until)| (now < until).then_some(right))
    }

    /// Caches a result.
    pub(crate) fn insert(&self, key: LoginKey, right: bool, now: Instant) {
        self.results.insert(key, (right, now + if right { RIGHT } else { WRONG }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remembers_for_a_while_and_tells_parts_apart() {
        let (cache, start) = (LoginCache::new().unwrap(), Instant::now());
        let secret = |s: &str| SecretString::from(s.to_owned());
        let key = cache.key("ab", &secret("c"), "");
        cache.insert(key, true, start);
        assert_eq!(cache.get(key, start), Some(true));
        assert_eq!(cache.get(key, start + RIGHT), None);
        for other in
            [cache.key("a", &secret("bc"), ""), cache.key("ab", &secret("c"), "x"), cache.key("ab", &secret(""), "c")]
        {
            assert_eq!(cache.get(other, start), None);
        }
    }

    #[test]
    fn memory_is_bounded() {
        let (cache, start) = (LoginCache::new().unwrap(), Instant::now());
        for n in 0..20_000 {
            cache.insert(cache.key(&n.to_string(), &String::new().into(), ""), false, start);
        }
        assert!(cache.results.len() <= MAX_ENTRIES);
    }
}
