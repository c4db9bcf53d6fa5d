//! Who is asking, and what they may see.
//!
//! Every protocol takes the same credentials: HTTP Basic with an account (or with a token as the password), or a bearer token (a
//! JWT from `/token`, or an API token from `apus token create`). An [`Authenticator`] turns a request's headers into a
//! [`Caller`]; handlers take the caller as an argument and pass it to the catalog, which shows what the caller's roles allow.
//!
//! The accounts in the state file check passwords, or, if `DB_URL` is set, a login service. Nothing that a request carries chooses
//! a key, an algorithm or an identity. Password guessing is throttled, and a check takes the same time for names that do not exist.

mod authenticator;
mod authorization;
mod client_address;
mod error;
mod jwt;
mod login_cache;
mod password;
mod remote_login;
mod throttle;

use apus_data::store::Roles;

pub use authenticator::{AuthSettings, Authenticator};
pub use error::{AuthError, AuthStartError};
pub use jwt::{LIFETIME, MIN_KEY_BYTES};
pub use password::{PasswordError, hash_password};

/// Who is asking: an account, or an anonymous caller.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Caller {
    /// The account's name; `None` for a request without credentials.
    pub name: Option<String>,
    /// The roles of the account.
    pub roles: Roles,
}

impl Caller {
    /// A caller without credentials, who sees what is public.
    pub fn anonymous() -> Self {
        Self::default()
    }

    /// Whether the caller has all of `required`; what requires no roles is public.
    pub fn has_all(&self, required: &Roles) -> bool {
        required.is_subset(&self.roles)
    }
}
