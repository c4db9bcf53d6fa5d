//! `apus user`: the accounts.

use std::{
    collections::BTreeSet,
    io::{self, IsTerminal as _, Read as _},
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context as _, bail, ensure};
use apus::{
    auth::hash_password,
    config::FileConfig,
    state::{self, AccountName, Role, State},
};
use clap::{Args, Subcommand};
use secrecy::{ExposeSecret as _, SecretString};

use crate::terminal::{block_on, date, note, print};

/// Add, change and remove accounts
///
/// Changes take effect at once, also in a running service.
#[derive(Args)]
pub(crate) struct User {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Add an account
    Add {
        /// The account's name
        name: AccountName,
        #[command(flatten)]
        password: PasswordArgs,
        /// Store no password: for an account whose logins another service decides (`DB_URL`)
        #[arg(long, conflicts_with = "password_stdin")]
        no_password: bool,
        /// A role that the account has; may be given several times
        #[arg(long = "role", value_name = "ROLE")]
        roles: Vec<Role>,
        #[command(flatten)]
        state: StateArgs,
    },
    /// List the accounts and their roles
    List {
        #[command(flatten)]
        state: StateArgs,
    },
    /// Remove an account and its tokens
    Remove {
        /// The account's name
        name: AccountName,
        #[command(flatten)]
        state: StateArgs,
    },
    /// Set an account's password; its JWTs become invalid, its API tokens do not
    Passwd {
        /// The account's name
        name: AccountName,
        #[command(flatten)]
        password: PasswordArgs,
        #[command(flatten)]
        state: StateArgs,
    },
    /// Set an account's roles to exactly these
    Roles {
        /// The account's name
        name: AccountName,
        /// A role that the account has; may be given several times
        #[arg(long = "role", value_name = "ROLE")]
        roles: Vec<Role>,
        #[command(flatten)]
        state: StateArgs,
    },
    /// Show changes to accounts and tokens, and logins, newest first
    Audit {
        /// The number of entries to show
        #[arg(long, value_name = "N", default_value_t = 50)]
        limit: u32,
        #[command(flatten)]
        state: StateArgs,
    },
}

/// Where the state is.
#[derive(Args)]
pub(crate) struct StateArgs {
    /// The folder of accounts, tokens, keys and the audit [default: apus in the user's data directory]
    #[arg(long = "state", value_name = "DIR", env = "APUS_STATE")]
    folder: Option<PathBuf>,
    /// The configuration file of the service, whose `state` it is [default: apus.toml in the working directory, if it exists]
    #[arg(long, value_name = "FILE", env = "APUS_CONFIG")]
    config: Option<PathBuf>,
}

#[derive(Args)]
struct PasswordArgs {
    /// Read the password from the first line of standard input
    #[arg(long)]
    password_stdin: bool,
}

impl StateArgs {
    /// Opens the state file that `apus serve` would open, and says which it is.
    pub(crate) async fn open(self) -> anyhow::Result<State> {
        let (state, folder) = self.open_quietly().await?;
        note_state(&folder);
        Ok(state)
    }

    /// The same, to be told where the command has said what comes first.
    pub(crate) async fn open_quietly(self) -> anyhow::Result<(State, PathBuf)> {
        let folder = match self.folder {
            Some(folder) => folder,
            None => match FileConfig::load(self.config.as_deref())?.state {
                Some(folder) => folder,
                None => state::default_folder()?,
            },
        };
        Ok((State::open(&folder).await?, folder))
    }
}

/// Says which state a command used.
pub(crate) fn note_state(folder: &Path) {
    let shown = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    note(format_args!("state: {}", shown.display()));
}

impl User {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        block_on(async {
            match self.command {
                Command::Add { name, password, no_password, roles, state } => {
                    let hash = if no_password { None } else { Some(hash_password(&password.read(&name)?)?) };
                    let roles: BTreeSet<Role> = roles.into_iter().collect();
                    state.open().await?.add_account(&name, hash.as_deref(), &roles).await?;
                }
                Command::List { state } => list(&state.open().await?).await?,
                Command::Remove { name, state } => state.open().await?.remove_account(name.as_str()).await?,
                Command::Passwd { name, password, state } => {
                    let state = state.open().await?;
                    // Fail before asking for a password.
                    ensure!(state.account(name.as_str()).await?.is_some(), "there is no account {:?}", name.as_str());
                    state.set_password(name.as_str(), &hash_password(&password.read(&name)?)?).await?;
                }
                Command::Roles { name, roles, state } => {
                    state.open().await?.set_roles(&name, &roles.into_iter().collect()).await?;
                }
                Command::Audit { limit, state } => audit(&state.open().await?, limit).await?,
            }
            Ok(ExitCode::SUCCESS)
        })
    }
}

impl PasswordArgs {
    /// Asks at the terminal, twice, or reads a line.
    fn read(&self, name: &AccountName) -> anyhow::Result<SecretString> {
        if self.password_stdin {
            let mut text = String::new();
            io::stdin().take(4096).read_to_string(&mut text).context("cannot read the password from standard input")?;
            let line = text.lines().next().unwrap_or_default();
            ensure!(!line.is_empty(), "no password on standard input");
            return Ok(line.to_owned().into());
        }
        if !io::stdin().is_terminal() {
            bail!("standard input is not a terminal: use --password-stdin to read the password from it");
        }
        let ask = |prompt: String| {
            rpassword::prompt_password(prompt).map(SecretString::from).context("cannot read the password")
        };
        let password = ask(format!("Password for {name}: "))?;
        let again = ask(format!("Password for {name}, again: "))?;
        ensure!(password.expose_secret() == again.expose_secret(), "the two passwords differ");
        Ok(password)
    }
}

async fn list(state: &State) -> anyhow::Result<()> {
    for account in state.accounts().await? {
        let roles: Vec<&str> = account.roles.iter().map(String::as_str).collect();
        let login = if account.has_password { "password" } else { "external" };
        let (created, roles) = (date(account.created_at), roles.join(" "));
        print(format_args!("{}\t{login}\t{created}\t{roles}", account.name))?;
    }
    Ok(())
}

async fn audit(state: &State, limit: u32) -> anyhow::Result<()> {
    for entry in state.audit(limit).await? {
        // Names of failed logins are untrusted text.
        let (account, detail) = (entry.account.escape_debug(), entry.detail.escape_debug());
        print(format_args!("{}\t{}\t{account}\t{detail}", date(entry.at), entry.action))?;
    }
    Ok(())
}
