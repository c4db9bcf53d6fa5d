//! Identifies callers by their credentials.

use std::{
    collections::BTreeSet,
    fmt,
    net::IpAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use http::HeaderMap;
use secrecy::{ExposeSecret as _, SecretSlice, SecretString};

use super::{
    AuthError, AuthStartError, Caller,
    authorization::Authorization,
    client_address::client_address,
    jwt::{JwtError, JwtKey},
    login_cache::LoginCache,
    password::{PasswordChecker, hash_password},
    remote_login::RemoteLogin,
    throttle::Throttle,
};
use crate::state::{Account, Action, State, StateError, is_api_token};

/// How logins are decided.
#[derive(Debug, Default)]
pub struct AuthSettings {
    /// The key that signs JWTs (`JWT_SECRET_KEY`); by default, one generated once and kept in the state file.
    pub jwt_secret_key: Option<SecretString>,
    /// The login service (`DB_URL`); without one, the accounts in the state file decide.
    pub db_url: Option<String>,
    /// The operator's own proxies, whose `X-Forwarded-For` is trusted.
    pub trusted_proxies: Vec<IpAddr>,
}

/// Identifies callers. Cheap to clone.
#[derive(Clone)]
pub struct Authenticator(Arc<Inner>);

struct Inner {
    state: State,
    jwt: JwtKey,
    logins: Logins,
    cache: LoginCache,
    throttle: Throttle,
    trusted_proxies: Vec<IpAddr>,
}

/// Who checks passwords.
enum Logins {
    /// The state file.
    Accounts(PasswordChecker),
    /// A login service; accounts in the state file only add roles.
    Remote(RemoteLogin),
}

impl Authenticator {
    /// An authenticator for the accounts in `state`.
    ///
    /// Errors: [`AuthStartError`], also for settings that are not safe.
    pub async fn new(state: State, settings: AuthSettings) -> Result<Self, AuthStartError> {
        let key = match settings.jwt_secret_key {
            Some(key) => SecretSlice::from(key.expose_secret().as_bytes().to_vec()),
            None => state.jwt_key().await?,
        };
        let found = key.expose_secret().len();
        let jwt = JwtKey::new(&key).ok_or(AuthStartError::ShortKey { found })?;
        let logins = match &settings.db_url {
            Some(url) => Logins::Remote(RemoteLogin::new(url)?),
            None => Logins::Accounts(PasswordChecker::start()?),
        };
        let cache = LoginCache::new()?;
        let trusted_proxies = settings.trusted_proxies.iter().map(IpAddr::to_canonical).collect();
        Ok(Self(Arc::new(Inner { state, jwt, logins, cache, throttle: Throttle::default(), trusted_proxies })))
    }

    /// For `apus demo`: one account, `demo` with password `demo`, in a state that touches no disk.
    pub async fn demo() -> Result<Self, AuthStartError> {
        let state = State::in_memory().await?;
        let hash = hash_password(&SecretString::from("demo"))?;
        state.add_account(&"demo".parse()?, Some(&hash), &BTreeSet::new()).await?;
        Self::new(state, AuthSettings::default()).await
    }

    /// The state that accounts are kept in.
    pub fn state(&self) -> &State {
        &self.0.state
    }

    /// Whether logins are possible: there are accounts, or there is a login service.
    pub async fn has_logins(&self) -> Result<bool, StateError> {
        Ok(matches!(self.0.logins, Logins::Remote(_)) || self.0.state.has_accounts().await?)
    }

    /// The address that a request counts for: the peer's, or what a trusted proxy says of it.
    pub(crate) fn client_address(&self, headers: &HeaderMap, peer: Option<IpAddr>) -> Option<IpAddr> {
        client_address(peer, headers, &self.0.trusted_proxies)
    }

    /// The caller of a request with these headers from that peer; anonymous without `Authorization`.
    ///
    /// Errors: [`AuthError`] for credentials that are not accepted.
    pub async fn authenticate(&self, headers: &HeaderMap, peer: Option<IpAddr>) -> Result<Caller, AuthError> {
        match Authorization::of(headers) {
            Authorization::Absent => Ok(Caller::anonymous()),
            Authorization::Incomplete => Err(AuthError::Incomplete),
            Authorization::Unreadable => Err(AuthError::Unreadable),
            Authorization::Bearer(token) => self.bearer(&token).await,
            Authorization::Basic { name, password } => {
                self.basic(&name, &password, client_address(peer, headers, &self.0.trusted_proxies)).await
            }
        }
    }

    /// Logs in with name and password, and issues a JWT for the name.
    ///
    /// Errors: [`AuthError::WrongPassword`], [`AuthError::Slowed`], [`AuthError::LoginServiceDown`], [`AuthError::Busy`].
    pub async fn issue_jwt(
        &self,
        name: &str,
        password: &SecretString,
        headers: &HeaderMap,
        peer: Option<IpAddr>,
    ) -> Result<SecretString, AuthError> {
        let caller = self.log_in(name, password, client_address(peer, headers, &self.0.trusted_proxies)).await?;
        let name = caller.name.ok_or(AuthError::WrongPassword)?;
        self.0.jwt.sign(&name).map_err(|error| {
            tracing::error!(%error, "a token could not be signed");
            AuthError::StateFailed
        })
    }

    /// The caller that a JWT or an API token stands for.
    async fn bearer(&self, token: &SecretString) -> Result<Caller, AuthError> {
        let token = token.expose_secret();
        if is_api_token(token) {
            let owner = self.0.state.token_owner(token).await.map_err(state_failed)?;
            return owner.map(|owner| caller(owner.account)).ok_or(AuthError::InvalidToken);
        }
        let claims = self.0.jwt.verify(token).map_err(|error| match error {
            JwtError::Invalid => AuthError::InvalidToken,
            JwtError::Expired => AuthError::ExpiredToken,
            JwtError::NoSubject => AuthError::NoSubject,
        })?;
        let account = self.0.state.account(&claims.subject).await.map_err(state_failed)?;
        match (&self.0.logins, account) {
            // A JWT is invalid if its account is gone, or if the password was set after it was issued.
            (Logins::Accounts(_), None) => Err(AuthError::InvalidToken),
            (Logins::Accounts(_), Some(account)) if claims.issued_at < account.password_changed_at => {
                Err(AuthError::InvalidToken)
            }
            (_, Some(account)) => Ok(caller(account)),
            (Logins::Remote(_), None) => Ok(Caller { name: Some(claims.subject), roles: BTreeSet::new() }),
        }
    }

    /// The caller of a name with a password, or with a token as the password; the name must then be empty or the token's own.
    async fn basic(&self, name: &str, password: &SecretString, address: Option<IpAddr>) -> Result<Caller, AuthError> {
        if !looks_like_token(password.expose_secret()) {
            return self.log_in(name, password, address).await;
        }
        let caller = self.bearer(password).await?;
        if name.is_empty() || caller.name.as_deref() == Some(name) { Ok(caller) } else { Err(AuthError::InvalidToken) }
    }

    async fn log_in(&self, name: &str, password: &SecretString, address: Option<IpAddr>) -> Result<Caller, AuthError> {
        let inner = &*self.0;
        let found = inner.state.account_with_hash(name).await.map_err(state_failed)?;
        let (account, hash) = found.map_or((None, None), |(account, hash)| (Some(account), hash));
        let against = match inner.logins {
            Logins::Accounts(_) => hash.as_deref().unwrap_or_default(),
            Logins::Remote(_) => "",
        };
        let key = inner.cache.key(name, password, against);
        let now = Instant::now();
        let remembered = inner.cache.get(key, now);
        if remembered != Some(true) {
            if let Err(wait) = inner.throttle.enter(name, address, now) {
                self.record(Action::LoginSlowed, name, address).await;
                return Err(AuthError::Slowed { retry_after_s: whole_seconds(wait) });
            }
            let checked = match (remembered, &inner.logins) {
                (Some(right), _) => Ok(right),
                (None, Logins::Accounts(checker)) => checker.check(password.clone(), hash.clone()).await,
                (None, Logins::Remote(service)) => service.check(name, password).await,
            };
            let right = match checked {
                Ok(right) => right,
                Err(error) => {
                    inner.throttle.cancelled(name, address);
                    return Err(error);
                }
            };
            inner.cache.insert(key, right, now);
            if !right {
                self.record(Action::LoginFailed, name, address).await;
                return Err(AuthError::WrongPassword);
            }
            inner.throttle.succeeded(name, address);
            self.record(Action::LoggedIn, name, address).await;
        }
        Ok(account.map_or_else(|| Caller { name: Some(name.to_owned()), roles: BTreeSet::new() }, caller))
    }

    /// Writes to the audit trail. A failure to do so does not fail the login.
    async fn record(&self, action: Action, name: &str, address: Option<IpAddr>) {
        let address = address.map(|a| a.to_string()).unwrap_or_default();
        if let Err(error) = self.0.state.record_login(action, name, &address).await {
            tracing::error!(%error, "the audit trail could not be written");
        }
    }
}

impl fmt::Debug for Authenticator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authenticator").finish_non_exhaustive()
    }
}

fn caller(account: Account) -> Caller {
    Caller { name: Some(account.name), roles: account.roles }
}

/// Whether a password is in fact a token: an API token, or three parts of which the first is the base64 of text starting with `{"`.
fn looks_like_token(password: &str) -> bool {
    is_api_token(password) || (password.starts_with("eyJ") && password.split('.').count() == 3)
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn state_failed(error: StateError) -> AuthError {
    tracing::error!(%error, "the state file failed");
    AuthError::StateFailed
}

/// Rounded up, at least one.
fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0)).max(1)
}
