//! Why somebody is not let in.

/// Why a request's credentials are not accepted, or cannot be checked. None of them carries a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AuthError {
    /// The `Authorization` header has no scheme or no credentials.
    #[error("the Authorization header is incomplete")]
    Incomplete,
    /// The scheme is neither Basic nor Bearer, or its credentials cannot be read.
    #[error("the Authorization header cannot be read: Basic and Bearer are accepted")]
    Unreadable,
    /// The name and password are not right together.
    #[error("the name or the password is wrong")]
    WrongPassword,
    /// The bearer token is not one of ours, or is void.
    #[error("the token is not valid")]
    InvalidToken,
    /// The JWT was good and has expired.
    #[error("the token has expired")]
    ExpiredToken,
    /// The JWT is good and names nobody.
    #[error("the token names nobody")]
    NoSubject,
    /// There were many failures for this account or from this address.
    #[error("too many failed logins: try again in {retry_after_s} s")]
    Slowed {
        /// When to try again.
        retry_after_s: u64,
    },
    /// The login service cannot be reached or gives no usable answer.
    #[error("the login service is not available")]
    LoginServiceDown,
    /// More logins are under way than are checked at a time.
    #[error("too many logins are under way")]
    Busy,
    /// The state file failed; the log says how.
    #[error("the accounts are not available")]
    StateFailed,
}

/// Why the service does not start with these settings.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuthStartError {
    /// The key for JWTs is too short.
    #[error("JWT_SECRET_KEY has {found} bytes; at least {} are needed", super::MIN_KEY_BYTES)]
    ShortKey {
        /// Its length.
        found: usize,
    },
    /// The address of the login service is not usable.
    #[error("DB_URL is not usable: {reason}")]
    DbUrl {
        /// Why not.
        reason: String,
    },
    /// The operating system gave no random bytes.
    #[error("the operating system gave no random bytes")]
    NoRandom,
    /// The threads that check passwords could not be started.
    #[error("the threads that check passwords could not be started: {0}")]
    Threads(#[from] std::io::Error),
    /// The state file failed.
    #[error(transparent)]
    State(#[from] crate::state::StateError),
    /// The password of the demonstration's account could not be hashed.
    #[error(transparent)]
    Password(#[from] super::PasswordError),
}
