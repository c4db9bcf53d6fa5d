//! Passwords: hashed with argon2id, on threads of their own.
//!
//! A hash takes tens of milliseconds and 19 MiB on purpose, so the work is bounded: a few threads, a short queue, and
//! [`AuthError::Busy`] beyond that. Checking a password of an account that does not exist does the same work.

use std::{
    sync::{
        Arc, Mutex,
        mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    },
    thread,
};

use argon2::{
    Argon2, PasswordHasher as _, PasswordVerifier as _,
    password_hash::phc::{PasswordHash, Salt},
};
use ring::rand::{SecureRandom as _, SystemRandom};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::oneshot;

use super::AuthError;

/// The longest password that is hashed.
const MAX_PASSWORD_BYTES: usize = 1024;

/// How many checks may wait.
const QUEUE: usize = 64;

/// How many checks run at a time: memory and cores are for reading data.
const THREADS: usize = 2;

/// Checks passwords on its own threads.
#[derive(Debug)]
pub(crate) struct PasswordChecker {
    jobs: SyncSender<Job>,
}

/// A password that cannot be hashed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PasswordError {
    /// It is empty or too long.
    #[error("a password must have 1 to {MAX_PASSWORD_BYTES} bytes")]
    Length,
    /// The hash could not be made.
    #[error("the password could not be hashed")]
    Hash,
}

#[derive(Debug)]
struct Job {
    password: SecretString,
    hash: Option<String>,
    answer: oneshot::Sender<bool>,
}

/// The argon2id hash of a password with a new salt, in PHC form. Blocking.
pub fn hash_password(password: &SecretString) -> Result<String, PasswordError> {
    let bytes = password.expose_secret().as_bytes();
    if bytes.is_empty() || bytes.len() > MAX_PASSWORD_BYTES {
        return Err(PasswordError::Length);
    }
    let mut salt = [0; Salt::RECOMMENDED_LENGTH];
    SystemRandom::new().fill(&mut salt).map_err(|_| PasswordError::Hash)?;
    let hash = Argon2::default().hash_password_with_salt(bytes, &salt).map_err(|_| PasswordError::Hash)?;
    Ok(hash.to_string())
}

impl PasswordChecker {
    /// Starts the threads; they end with the checker.
    pub(crate) fn start() -> std::io::Result<Self> {
        let (jobs, queue) = sync_channel(QUEUE);
        let queue = Arc::new(Mutex::new(queue));
        for _ in 0..THREADS {
            let queue = Arc::clone(&queue);
            thread::Builder::new().name("password".into()).spawn(move || work(&queue))?;
        }
        Ok(Self { jobs })
    }

    /// Whether `password` matches `hash`; without a hash, false after the same time.
    ///
    /// Errors: [`AuthError::Busy`].
    pub(crate) async fn check(&self, password: SecretString, hash: Option<String>) -> Result<bool, AuthError> {
        let (answer, answered) = oneshot::channel();
        match self.jobs.try_send(Job { password, hash, answer }) {
            Ok(()) => answered.await.map_err(|_| AuthError::Busy),
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => Err(AuthError::Busy),
        }
    }
}

fn work(queue: &Mutex<Receiver<Job>>) {
    // Checked in place of the hash of an account that does not exist.
    let Ok(decoy) = hash_password(&SecretString::from("a password of nobody")) else { return };
    loop {
        let job = match queue.lock() {
            Ok(queue) => queue.recv(),
            Err(_) => return,
        };
        let Ok(Job { password, hash, answer }) = job else { return };
        if answer.is_closed() {
            continue;
        }
        let known = hash.is_some();
        let right = verify(&password, hash.as_deref().unwrap_or(&decoy));
        let _ = answer.send(right && known);
    }
}

fn verify(password: &SecretString, hash: &str) -> bool {
    let bytes = password.expose_secret().as_bytes();
    if bytes.len() > MAX_PASSWORD_BYTES {
        return false;
    }
    PasswordHash::new(hash).is_ok_and(|hash| Argon2::default().verify_password(bytes, &hash).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_right_password_and_only_that() {
        let hash = hash_password(&"wonder".to_owned().into()).unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        let checker = PasswordChecker::start().unwrap();
        assert!(checker.check("wonder".to_owned().into(), Some(hash.clone())).await.unwrap());
        assert!(!checker.check("wander".to_owned().into(), Some(hash.clone())).await.unwrap());
        assert!(!checker.check(String::new().into(), Some(hash)).await.unwrap());
        assert!(!checker.check("a password of nobody".to_owned().into(), None).await.unwrap());
    }

    #[test]
    fn a_hash_of_another_implementation_is_read() {
        // Made with Python's argon2-cffi: PasswordHasher(time_cost=1, memory_cost=1024, parallelism=2).hash("builder").
        let hash = "$argon2id$v=19$m=1024,t=1,p=2$nDdcqp6ejg/QYfIaA1YhTQ$RWlbiF/Ydc6KUyT4ohp1ne3ytqn0nuEF2sF3Wv9OsMs";
        assert!(verify(&"builder".to_owned().into(), hash));
        assert!(!verify(&"Builder".to_owned().into(), hash));
    }

    #[test]
    fn lengths_are_bounded() {
        assert!(hash_password(&String::new().into()).is_err());
        assert!(hash_password(&"x".repeat(1025).into()).is_err());
    }
}
