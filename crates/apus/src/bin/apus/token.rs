//! `apus token`: API tokens for scripts.

use std::process::ExitCode;

use anyhow::{Context as _, bail};
use apus::state::{AccountName, Scope};
use clap::{Args, Subcommand};
use secrecy::ExposeSecret as _;

use crate::{
    terminal::{block_on, date, note, print},
    user::{StateArgs, note_state},
};

/// Create, list and revoke API tokens
///
/// A token stands for an account wherever a bearer token or a password is accepted. It is shown once, when it is created; only
/// its hash is stored.
#[derive(Args)]
pub(crate) struct Token {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Create a token and print it
    Create {
        /// The account that the token stands for
        #[arg(long, value_name = "NAME")]
        user: AccountName,
        /// How long it is valid: a number with s, m, h, d or w, or "never"
        #[arg(long, value_name = "TIME", default_value = "30d", value_parser = lifetime)]
        expires: Lifetime,
        /// What it allows
        #[arg(long, default_value_t = Scope::Read)]
        scope: Scope,
        #[command(flatten)]
        state: StateArgs,
    },
    /// List the tokens' ids, accounts and status, never the tokens themselves
    List {
        /// List only the tokens of this account
        #[arg(long, value_name = "NAME")]
        user: Option<AccountName>,
        #[command(flatten)]
        state: StateArgs,
    },
    /// Revoke a token at once
    Revoke {
        /// The token's id, as `apus token list` shows it
        id: String,
        #[command(flatten)]
        state: StateArgs,
    },
}

/// Seconds; `None` never ends.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Lifetime(Option<i64>);

impl Token {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        block_on(async {
            match self.command {
                Command::Create { user, expires, scope, state } => {
                    let (state, folder) = state.open_quietly().await?;
                    let new = state.create_token(&user, scope, expires.0).await?;
                    // Only the token goes to standard output, so that it can be piped.
                    note(format_args!("token {} for {user}; it will not be shown again", new.id));
                    note_state(&folder);
                    if let Err(error) = print(new.token.expose_secret()) {
                        // A token that nobody has seen is of no use to anybody.
                        state.revoke_token(&new.id).await?;
                        note(format_args!("token {} was revoked: it could not be shown", new.id));
                        return Err(error);
                    }
                }
                Command::List { user, state } => {
                    let state = state.open().await?;
                    for token in state.tokens(user.as_ref().map(AccountName::as_str)).await? {
                        let expires = token.expires_at.map_or_else(|| "never".to_owned(), date);
                        let used = token.last_used_at.map_or_else(|| "unused".to_owned(), date);
                        let status =
                            token.revoked_at.map_or_else(|| "good".to_owned(), |at| format!("revoked {}", date(at)));
                        let (id, account, scope) = (token.id, token.account, token.scope);
                        print(format_args!("{id}\t{account}\t{scope}\texpires {expires}\tused {used}\t{status}"))?;
                    }
                }
                Command::Revoke { id, state } => state.open().await?.revoke_token(&id).await?,
            }
            Ok(ExitCode::SUCCESS)
        })
    }
}

/// `30d`, `12h`, `never`.
fn lifetime(text: &str) -> anyhow::Result<Lifetime> {
    if text == "never" {
        return Ok(Lifetime(None));
    }
    let unit_s = match text.chars().last() {
        Some('s') => 1,
        Some('m') => 60,
        Some('h') => 3600,
        Some('d') => 86_400,
        Some('w') => 7 * 86_400,
        _ => bail!("expected a number with s, m, h, d or w, such as 30d, or \"never\""),
    };
    let number: i64 = text[..text.len() - 1].parse().context("expected a whole number before the unit")?;
    match number.checked_mul(unit_s) {
        Some(seconds) if number > 0 => Ok(Lifetime(Some(seconds))),
        _ => bail!("the time must be positive and below 2^63 seconds"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_units() {
        assert_eq!(lifetime("30d").unwrap(), Lifetime(Some(2_592_000)));
        assert_eq!(lifetime("1w").unwrap(), Lifetime(Some(604_800)));
        assert_eq!(lifetime("never").unwrap(), Lifetime(None));
        for bad in ["", "30", "d", "-1d", "0s", "1.5h", "9223372036854775807w", "30é"] {
            assert!(lifetime(bad).is_err(), "{bad:?}");
        }
    }
}
