//! Accounts and their roles.

use std::{collections::BTreeSet, fmt, str::FromStr};

use sqlx::{Row as _, Sqlite, Transaction};

use super::{Action, State, StateError, now};

/// The name of an account: 1 to 128 characters, none of them a colon (HTTP Basic ends the name there), white space or a control
/// character.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AccountName(String);

/// The name of a role: 1 to 64 of the characters `A-Z a-z 0-9 . _ -`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Role(String);

/// An account as the state file has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its name.
    pub name: String,
    /// Its roles.
    pub roles: BTreeSet<String>,
    /// Whether its password is stored here; otherwise only a login service can check it.
    pub has_password: bool,
    /// When it was created, in Unix seconds.
    pub created_at: i64,
    /// When its password was last set, in Unix seconds: JWTs issued before that are invalid.
    pub password_changed_at: i64,
}

impl State {
    /// Adds an account. `password_hash` is an argon2id hash in PHC form; `None` if a login service checks the password.
    ///
    /// Errors: [`StateError::AccountExists`].
    pub async fn add_account(
        &self,
        name: &AccountName,
        password_hash: Option<&str>,
        roles: &BTreeSet<Role>,
    ) -> Result<(), StateError> {
        let mut tx = self.begin().await?;
        let added = sqlx::query(
            "INSERT INTO accounts (name, password_hash, created_at, password_changed_at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
        )
        .bind(name.as_str())
        .bind(password_hash)
        .bind(now())
        .bind(now())
        .execute(&mut *tx)
        .await?;
        if added.rows_affected() == 0 {
            return Err(StateError::AccountExists(name.to_string()));
        }
        insert_roles(&mut tx, name, roles).await?;
        Self::record(&mut tx, Action::AccountAdded, name.as_str(), &join(roles)).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Removes an account with its roles and its API tokens.
    ///
    /// Errors: [`StateError::NoSuchAccount`].
    pub async fn remove_account(&self, name: &str) -> Result<(), StateError> {
        let mut tx = self.begin().await?;
        let removed = sqlx::query("DELETE FROM accounts WHERE name = ?").bind(name).execute(&mut *tx).await?;
        if removed.rows_affected() == 0 {
            return Err(StateError::NoSuchAccount(name.to_owned()));
        }
        Self::record(&mut tx, Action::AccountRemoved, name, "").await?;
        tx.commit().await?;
        Ok(())
    }

    /// Sets an account's password; its older JWTs become invalid.
    ///
    /// Errors: [`StateError::NoSuchAccount`].
    pub async fn set_password(&self, name: &str, password_hash: &str) -> Result<(), StateError> {
        let mut tx = self.begin().await?;
        let changed = sqlx::query("UPDATE accounts SET password_hash = ?, password_changed_at = ? WHERE name = ?")
            .bind(password_hash)
            .bind(now())
            .bind(name)
            .execute(&mut *tx)
            .await?;
        if changed.rows_affected() == 0 {
            return Err(StateError::NoSuchAccount(name.to_owned()));
        }
        Self::record(&mut tx, Action::PasswordChanged, name, "").await?;
        tx.commit().await?;
        Ok(())
    }

    /// Sets an account's roles to exactly these.
    ///
    /// Errors: [`StateError::NoSuchAccount`].
    pub async fn set_roles(&self, name: &AccountName, roles: &BTreeSet<Role>) -> Result<(), StateError> {
        let mut tx = self.begin().await?;
        let known =
            sqlx::query("SELECT 1 FROM accounts WHERE name = ?").bind(name.as_str()).fetch_optional(&mut *tx).await?;
        if known.is_none() {
            return Err(StateError::NoSuchAccount(name.to_string()));
        }
        sqlx::query("DELETE FROM account_roles WHERE account = ?").bind(name.as_str()).execute(&mut *tx).await?;
        insert_roles(&mut tx, name, roles).await?;
        Self::record(&mut tx, Action::RolesChanged, name.as_str(), &join(roles)).await?;
        tx.commit().await?;
        Ok(())
    }

    /// All accounts, sorted by name.
    pub async fn accounts(&self) -> Result<Vec<Account>, StateError> {
        let rows = sqlx::query(
            "SELECT name, password_hash IS NOT NULL AS has_password, created_at, password_changed_at,
                    (SELECT group_concat(role, ' ') FROM account_roles WHERE account = name) AS roles
             FROM accounts ORDER BY name",
        )
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(account).collect()
    }

    /// Whether there is any account.
    pub async fn has_accounts(&self) -> Result<bool, StateError> {
        Ok(sqlx::query("SELECT 1 FROM accounts LIMIT 1").fetch_optional(&self.pool).await?.is_some())
    }

    /// The account of that name.
    pub async fn account(&self, name: &str) -> Result<Option<Account>, StateError> {
        Ok(self.account_with_hash(name).await?.map(|(account, _)| account))
    }

    /// The account of that name, with its password hash in PHC form.
    pub(crate) async fn account_with_hash(&self, name: &str) -> Result<Option<(Account, Option<String>)>, StateError> {
        let row = sqlx::query(
            "SELECT name, password_hash, password_hash IS NOT NULL AS has_password, created_at, password_changed_at,
                    (SELECT group_concat(role, ' ') FROM account_roles WHERE account = name) AS roles
             FROM accounts WHERE name = ?",
        )
        .bind(name)
        .fetch_optional(&self.pool)
        .await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some((account(&row)?, row.try_get("password_hash")?)))
    }

    pub(super) async fn begin(&self) -> Result<Transaction<'static, Sqlite>, StateError> {
        // IMMEDIATE: a second writer waits at the start instead of failing half-way.
        Ok(self.pool.begin_with("BEGIN IMMEDIATE").await?)
    }
}

impl AccountName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for AccountName {
    type Err = StateError;

    fn from_str(text: &str) -> Result<Self, StateError> {
        let bad = |reason| StateError::BadName { what: "account", found: text.chars().take(140).collect(), reason };
        if text.is_empty() || text.chars().count() > 128 {
            return Err(bad("must have 1 to 128 characters"));
        }
        if text.contains(|c: char| c == ':' || c.is_whitespace() || c.is_control()) {
            return Err(bad("may not contain a colon, white space or control characters"));
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for AccountName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Role {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Role {
    type Err = StateError;

    fn from_str(text: &str) -> Result<Self, StateError> {
        let good =
            (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
        if good {
            return Ok(Self(text.to_owned()));
        }
        let reason = "must be 1 to 64 of the characters A-Z a-z 0-9 . _ -";
        Err(StateError::BadName { what: "role", found: text.chars().take(80).collect(), reason })
    }
}

fn account(row: &sqlx::sqlite::SqliteRow) -> Result<Account, StateError> {
    let roles: Option<String> = row.try_get("roles")?;
    Ok(Account {
        name: row.try_get("name")?,
        roles: roles.unwrap_or_default().split_ascii_whitespace().map(str::to_owned).collect(),
        has_password: row.try_get("has_password")?,
        created_at: row.try_get("created_at")?,
        password_changed_at: row.try_get("password_changed_at")?,
    })
}

async fn insert_roles(
    tx: &mut Transaction<'static, Sqlite>,
    name: &AccountName,
    roles: &BTreeSet<Role>,
) -> Result<(), StateError> {
    for role in roles {
        sqlx::query("INSERT INTO account_roles (account, role) VALUES (?, ?)")
            .bind(name.as_str())
            .bind(role.as_str())
            .execute(&mut **tx)
            .await?;
    }
    Ok(())
}

fn join(roles: &BTreeSet<Role>) -> String {
    roles.iter().map(Role::as_str).collect::<Vec<_>>().join(" ")
}
