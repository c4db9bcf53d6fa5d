//! API tokens: random text that stands for an account until it expires or is revoked.

use std::{fmt, str::FromStr};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use ring::{
    digest,
    rand::{SecureRandom as _, SystemRandom},
};
use secrecy::{ExposeSecret as _, SecretString};
use sqlx::Row as _;

use super::{Account, AccountName, Action, State, StateError, now};

/// The prefix of every API token, so that a leaked one is recognizable.
const PREFIX: &str = "apus_";

/// The use of a token is recorded at most this often.
const LAST_USED_STEP_S: i64 = 3600;

/// What a token allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Reading what its account may see.
    Read,
}

/// An API token as the state file has it: everything but the token itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiToken {
    /// Its id, for listing and revoking.
    pub id: String,
    /// Its account's name.
    pub account: String,
    /// What it allows.
    pub scope: Scope,
    /// When it was created, in Unix seconds.
    pub created_at: i64,
    /// When it expires, in Unix seconds; `None` for never.
    pub expires_at: Option<i64>,
    /// When it was last used, to within an hour, in Unix seconds.
    pub last_used_at: Option<i64>,
    /// When it was revoked, in Unix seconds.
    pub revoked_at: Option<i64>,
}

/// A token that was just created: the only time that its text is known.
#[derive(Debug)]
pub struct NewToken {
    /// Its id, for listing and revoking.
    pub id: String,
    /// The token.
    pub token: SecretString,
}

/// The account that a valid token stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenOwner {
    /// The account.
    pub account: Account,
    /// What the token allows.
    pub scope: Scope,
}

impl State {
    /// Creates a token for an account, valid for `lifetime_s` seconds or until it is revoked.
    ///
    /// Errors: [`StateError::NoSuchAccount`].
    pub async fn create_token(
        &self,
        account: &AccountName,
        scope: Scope,
        lifetime_s: Option<i64>,
    ) -> Result<NewToken, StateError> {
        let mut random = [0; 32];
        let mut id = [0; 5];
        let source = SystemRandom::new();
        source.fill(&mut random).map_err(|_| StateError::NoRandom)?;
        source.fill(&mut id).map_err(|_| StateError::NoRandom)?;
        let id = u64::from_be_bytes([0, 0, 0, id[0], id[1], id[2], id[3], id[4]]);
        let id = format!("{id:010x}");
        let token = SecretString::from(format!("{PREFIX}{}", BASE64_URL_SAFE_NO_PAD.encode(random)));
        let mut tx = self.begin().await?;
        let known = sqlx::query("SELECT 1 FROM accounts WHERE name = ?")
            .bind(account.as_str())
            .fetch_optional(&mut *tx)
            .await?;
        if known.is_none() {
            return Err(StateError::NoSuchAccount(account.to_string()));
        }
        sqlx::query(
            "INSERT INTO api_tokens (id, account, hash, scope, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?)",
        )
        .bind(&id)
        .bind(account.as_str())
        .bind(hash(token.expose_secret()))
        .bind(scope.as_str())
        .bind(now())
        .bind(lifetime_s.map(|s| now().saturating_add(s)))
        .execute(&mut *tx)
        .await?;
        Self::record(&mut tx, Action::TokenCreated, account.as_str(), &id).await?;
        tx.commit().await?;
        Ok(NewToken { id, token })
    }

    /// Revokes a token: the next request with it is refused.
    ///
    /// Errors: [`StateError::NoSuchToken`], also for a token that is already revoked.
    pub async fn revoke_token(&self, id: &str) -> Result<(), StateError> {
        let mut tx = self.begin().await?;
        let row =
            sqlx::query("UPDATE api_tokens SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL RETURNING account")
                .bind(now())
                .bind(id)
                .fetch_optional(&mut *tx)
                .await?;
        let Some(row) = row else { return Err(StateError::NoSuchToken(id.to_owned())) };
        Self::record(&mut tx, Action::TokenRevoked, &row.try_get::<String, _>(0)?, id).await?;
        tx.commit().await?;
        Ok(())
    }

    /// All tokens, or those of one account, oldest first.
    pub async fn tokens(&self, account: Option<&str>) -> Result<Vec<ApiToken>, StateError> {
        let rows = sqlx::query(
            "SELECT id, account, scope, created_at, expires_at, last_used_at, revoked_at FROM api_tokens
             WHERE ?1 IS NULL OR account = ?1 ORDER BY created_at, id",
        )
        .bind(account)
        .fetch_all(&self.pool)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(ApiToken {
                    id: row.try_get("id")?,
                    account: row.try_get("account")?,
                    scope: stored_scope(row.try_get("scope")?)?,
                    created_at: row.try_get("created_at")?,
                    expires_at: row.try_get("expires_at")?,
                    last_used_at: row.try_get("last_used_at")?,
                    revoked_at: row.try_get("revoked_at")?,
                })
            })
            .collect()
    }

    /// The owner of a token; `None` if it is unknown, revoked or expired.
    pub(crate) async fn token_owner(&self, token: &str) -> Result<Option<TokenOwner>, StateError> {
        let row = sqlx::query(
            "SELECT id, account, scope, last_used_at FROM api_tokens
             WHERE hash = ? AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?)",
        )
        .bind(hash(token))
        .bind(now())
        .fetch_optional(&self.pool)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let Some(account) = self.account(row.try_get("account")?).await? else { return Ok(None) };
        let scope = stored_scope(row.try_get("scope")?)?;
        let last_used: Option<i64> = row.try_get("last_used_at")?;
        if last_used.is_none_or(|t| now().saturating_sub(t) >= LAST_USED_STEP_S) {
            sqlx::query("UPDATE api_tokens SET last_used_at = ? WHERE id = ?")
                .bind(now())
                .bind(row.try_get::<String, _>("id")?)
                .execute(&self.pool)
                .await?;
        }
        Ok(Some(TokenOwner { account, scope }))
    }
}

/// Whether a text has the form of an API token. Such a text is never taken for a password.
pub(crate) fn is_api_token(text: &str) -> bool {
    text.strip_prefix(PREFIX).is_some_and(|rest| rest.len() == 43 && BASE64_URL_SAFE_NO_PAD.decode(rest).is_ok())
}

impl Scope {
    /// The scope as text.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Scope {
    type Err = StateError;

    fn from_str(text: &str) -> Result<Self, StateError> {
        match text {
            "read" => Ok(Self::Read),
            _ => Err(StateError::BadName {
                what: "scope",
                found: text.chars().take(80).collect(),
                reason: "the only scope is \"read\"",
            }),
        }
    }
}

fn stored_scope(text: String) -> Result<Scope, StateError> {
    text.parse().map_err(|_| StateError::Unknown { what: "api_tokens.scope", found: text })
}

/// A fast hash suffices: a token has 256 random bits.
fn hash(token: &str) -> Vec<u8> {
    digest::digest(&digest::SHA256, token.as_bytes()).as_ref().to_vec()
}
