//! The audit trail: what was done to accounts and tokens, and who logged in.

use sqlx::{Row as _, Sqlite, Transaction};

use super::{State, StateError, now};

/// The most entries that are kept: password guessing must not fill the disk.
const MAX_ENTRIES: i64 = 200_000;

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// An account was added; the detail names its roles.
    AccountAdded,
    /// An account was removed.
    AccountRemoved,
    /// A password was set.
    PasswordChanged,
    /// The roles were set; the detail names them.
    RolesChanged,
    /// An API token was created; the detail is its id.
    TokenCreated,
    /// An API token was revoked; the detail is its id.
    TokenRevoked,
    /// The key that signs JWTs was generated.
    KeyMade,
    /// A login succeeded; the detail is the address.
    LoggedIn,
    /// A login failed; the detail is the address.
    LoginFailed,
    /// A login was throttled after many failures; the detail is the address.
    LoginSlowed,
}

/// One entry of the audit trail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// Unix seconds.
    pub at: i64,
    /// What was done, as [`Action::as_str`] gives it.
    pub action: String,
    /// The account concerned.
    pub account: String,
    /// Roles, a token's id, or an address.
    pub detail: String,
}

impl Action {
    /// The text in the audit trail.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AccountAdded => "account added",
            Self::AccountRemoved => "account removed",
            Self::PasswordChanged => "password changed",
            Self::RolesChanged => "roles changed",
            Self::TokenCreated => "token created",
            Self::TokenRevoked => "token revoked",
            Self::KeyMade => "key made",
            Self::LoggedIn => "logged in",
            Self::LoginFailed => "login failed",
            Self::LoginSlowed => "login slowed",
        }
    }
}

impl State {
    /// The newest `limit` entries, newest first.
    pub async fn audit(&self, limit: u32) -> Result<Vec<AuditEntry>, StateError> {
        let rows = sqlx::query("SELECT at, action, account, detail FROM audit ORDER BY id DESC LIMIT ?")
            .bind(limit)
            .fetch_all(&self.pool)
            .await?;
        rows.iter()
            .map(|row| {
                Ok(AuditEntry {
                    at: row.try_get("at")?,
                    action: row.try_get("action")?,
                    account: row.try_get("account")?,
                    detail: row.try_get("detail")?,
                })
            })
            .collect()
    }

    /// Adds an entry in a transaction of its own.
    pub(crate) async fn record_login(&self, action: Action, account: &str, detail: &str) -> Result<(), StateError> {
        let mut tx = self.begin().await?;
        // The name of a failed login is untrusted text: keep a bounded part of it.
        let account: String = account.chars().take(128).collect();
        Self::record(&mut tx, action, &account, detail).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Adds an entry in the transaction of a change.
    pub(super) async fn record(
        tx: &mut Transaction<'static, Sqlite>,
        action: Action,
        account: &str,
        detail: &str,
    ) -> Result<(), StateError> {
        let added = sqlx::query("INSERT INTO audit (at, action, account, detail) VALUES (?, ?, ?, ?)")
            .bind(now())
            .bind(action.as_str())
            .bind(account)
            .bind(detail)
            .execute(&mut **tx)
            .await?;
        sqlx::query("DELETE FROM audit WHERE id <= ?")
            .bind(added.last_insert_rowid().saturating_sub(MAX_ENTRIES))
            .execute(&mut **tx)
            .await?;
        Ok(())
    }
}
