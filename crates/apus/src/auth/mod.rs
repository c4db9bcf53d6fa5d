//! Who asks, and what they may see.
//!
//! Credentials are the same on every protocol: HTTP Basic with an account (or with a token as the password), or a bearer token (a
//! JWT from `/token`, or an API token from `apus token create`). An [`Authenticator`] turns a request's headers into a
//! [`Caller`]; handlers take the caller as an argument, and hand it to the catalogue, which shows what the caller's roles allow.
//!
//! Passwords are decided by the accounts in the state file, or, where `DB_URL` is set, by another service. Nothing that a request
//! carries chooses a key, an algorithm or an identity. Guessing is slowed, and takes the same time for names that do not exist.

mod authenticator;
mod authorization;
mod client_address;
mod error;
mod jwt;
mod login_cache;
mod password;
mod remote_login;
mod throttle;

use std::{
    collections::BTreeSet,
    net::{IpAddr, SocketAddr},
};

use axum::{
    extract::{ConnectInfo, FromRequestParts},
    http::{Extensions, request::Parts},
};

pub use authenticator::{AuthSettings, Authenticator};
pub use error::{AuthError, AuthStartError};
pub use jwt::{LIFETIME, MIN_KEY_BYTES};
pub use password::{PasswordError, hash_password};

use crate::{app::App, error::ApiError};

/// Who asks: an account, or anybody.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Caller {
    /// The account's name; `None` for a request without credentials.
    pub name: Option<String>,
    /// The roles of the account.
    pub roles: BTreeSet<String>,
}

impl Caller {
    /// Somebody without credentials, who sees what is public.
    pub fn anonymous() -> Self {
        Self::default()
    }

    /// Whether the caller has every one of `required`: what has no required roles is public.
    pub fn has_all(&self, required: &BTreeSet<String>) -> bool {
        required.is_subset(&self.roles)
    }

    /// Writes the name into the request's span.
    pub(crate) fn note(&self) {
        if let Some(name) = &self.name {
            tracing::Span::current().record("user", name);
        }
    }
}

impl FromRequestParts<App> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let caller = app.auth.authenticate(&parts.headers, peer(&parts.extensions)).await?;
        caller.note();
        Ok(caller)
    }
}

/// The address at the other end of the connection.
pub(crate) fn peer(extensions: &Extensions) -> Option<IpAddr> {
    extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(address)| address.ip())
}
