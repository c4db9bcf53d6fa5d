//! Errors of authentication.

/// Why a request's credentials are not accepted, or cannot be checked. No text contains a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AuthError {
    /// The `Authorization` header has no scheme or no credentials.
    #[error("the Authorization header is incomplete")]
    Incomplete,
    /// The scheme is neither Basic nor Bearer, or its credentials are malformed.
    #[error("the Authorization header is malformed or of an unknown scheme; use Basic or Bearer")]
    Unreadable,
    /// The name is unknown, or the password does not match it.
    #[error("wrong name or password")]
    WrongPassword,
    /// The bearer token was not issued here, or is revoked or outdated.
    #[error("the token is not valid")]
    InvalidToken,
    /// The JWT was valid and has expired.
    #[error("the token has expired")]
    ExpiredToken,
    /// The JWT is valid but has no subject.
    #[error("the token has no subject")]
    NoSubject,
    /// Too many logins failed for this account or from this address.
    #[error("too many failed logins; try again in {retry_after_s} s")]
    Slowed {
        /// When to try again.
        retry_after_s: u64,
    },
    /// The login service cannot be reached or gives no usable answer.
    #[error("the login service is unavailable")]
    LoginServiceDown,
    /// More logins are waiting than the service takes.
    #[error("too many logins are in progress")]
    Busy,
    /// The state file failed; the log says how.
    #[error("the accounts are unavailable")]
    StateFailed,
}

/// Why authentication does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuthStartError {
    /// The key for JWTs is too short.
    #[error("JWT_SECRET_KEY has {found} bytes; it needs at least {}", super::MIN_KEY_BYTES)]
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
    #[error("cannot start the threads that check passwords: {0}")]
    Threads(#[from] std::io::Error),
    /// The state file failed.
    #[error(transparent)]
    State(#[from] crate::state::StateError),
    /// The password of the demo account could not be hashed.
    #[error(transparent)]
    Password(#[from] super::PasswordError),
}
