//! Logins decided by a login service: HTTP Basic against the address in `DB_URL` (VirgoDB, for the older service's users).
//!
//! 200 accepts, 401 and 403 reject. Anything else (another status, a redirect, no answer in time) is a failure of that service,
//! and never a login. The certificate is verified, redirects are not followed, cookies are not kept: the answer for one user
//! depends on that user's name and password alone.

use std::{sync::Once, time::Duration};

use http::{StatusCode, header};
use reqwest::{Client, Url, redirect};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::Semaphore;

use super::{AuthError, AuthStartError};

/// How long the login service may take, from the connection to the head of its answer.
const TIME_LIMIT: Duration = Duration::from_secs(10);

/// How many requests to it may be in progress.
const MAX_UNDER_WAY: usize = 32;

/// The login service.
#[derive(Debug)]
pub(crate) struct RemoteLogin {
    client: Client,
    url: Url,
    under_way: Semaphore,
}

impl RemoteLogin {
    /// A login service at `url`, which must be http or https and carry no credentials.
    pub(crate) fn new(url: &str) -> Result<Self, AuthStartError> {
        let bad = |reason: String| AuthStartError::DbUrl { reason };
        let url = Url::parse(url).map_err(|e| bad(e.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(bad("it is neither http nor https".into()));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(bad("it contains a user name or password".into()));
        }
        let host = url.host_str().unwrap_or_default().to_owned();
        let is_loopback = host == "localhost" || host.starts_with("127.") || host == "[::1]";
        if url.scheme() == "http" && !is_loopback {
            tracing::warn!(host, "passwords are sent to the login service unencrypted: DB_URL should be https");
        }
        install_tls();
        let client = Client::builder()
            .redirect(redirect::Policy::none())
            .no_proxy()
            .timeout(TIME_LIMIT)
            .user_agent(concat!("apus/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|e| bad(e.to_string()))?;
        Ok(Self { client, url, under_way: Semaphore::new(MAX_UNDER_WAY) })
    }

    /// Whether the login service accepts the name and password.
    ///
    /// Errors: [`AuthError::LoginServiceDown`], [`AuthError::Busy`].
    pub(crate) async fn check(&self, name: &str, password: &SecretString) -> Result<bool, AuthError> {
        // HTTP Basic ends the name at a colon: "a:b" with password "c" must not become "a" with password "b:c".
        if name.is_empty() || name.contains(|c: char| c == ':' || c.is_control()) {
            return Ok(false);
        }
        let Ok(_permit) = self.under_way.try_acquire() else { return Err(AuthError::Busy) };
        let request = self.client.get(self.url.clone()).basic_auth(name, Some(password.expose_secret()));
        match request.send().await {
            Ok(answer) => match answer.status() {
                StatusCode::OK => Ok(true),
                StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Ok(false),
                status => {
                    let location = answer.headers().contains_key(header::LOCATION);
                    tracing::error!(
                        status = status.as_u16(),
                        redirect = location,
                        "the login service gave no usable answer"
                    );
                    Err(AuthError::LoginServiceDown)
                }
            },
            Err(error) => {
                // The address is the operator's own; it carries no credentials (see `new`).
                tracing::error!(error = %error, timeout = error.is_timeout(), "the login service cannot be reached");
                Err(AuthError::LoginServiceDown)
            }
        }
    }
}

/// Installs `ring` as the process's cryptography for TLS.
fn install_tls() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // An error means that one is installed already, which serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}
