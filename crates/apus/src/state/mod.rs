//! The persistent state: accounts, API tokens, the signing key, and an audit trail, in one `SQLite` file.
//!
//! Every change is one transaction that is on disk before it is reported as done (write-ahead log, `synchronous = FULL`): a process
//! killed at any instant leaves either the old state or the new one. The command line and a running service may use the file at the
//! same time; the service reads it at every request, so that changes take effect at once. The migrations in
//! `crates/apus/migrations` version the schema; an older file is copied aside and migrated when it is opened.

mod accounts;
mod audit;
mod error;
mod keys;
mod tokens;

use std::{
    env, fs,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use sqlx::{
    Connection as _, Row as _, SqliteConnection, SqlitePool,
    migrate::{MigrateError, Migrator},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

pub use accounts::{Account, AccountName, Role};
pub use audit::{Action, AuditEntry};
pub use error::StateError;
pub(crate) use tokens::is_api_token;
pub use tokens::{ApiToken, NewToken, Scope, TokenOwner};

static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// The name of the state file in its folder.
const FILE_NAME: &str = "apus.sqlite";

/// How long a change waits while another process is writing.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// The open state file. Cheap to clone.
#[derive(Clone, Debug)]
pub struct State {
    pool: SqlitePool,
    /// Keeps a state in memory, which is gone with the last connection to it; a request that is given up may close that of the pool.
    _anchor: Option<Arc<Mutex<SqliteConnection>>>,
}

impl State {
    /// Opens the state file in `folder`. Creates what is missing: the file with mode 0600, the folder with mode 0700. A file with
    /// an older schema is first copied aside, then migrated.
    ///
    /// Errors: [`StateError::Open`], [`StateError::NewerSchema`].
    pub async fn open(folder: &Path) -> Result<Self, StateError> {
        let path = folder.join(FILE_NAME);
        let open_error = |source| StateError::Open { path: path.clone(), source };
        make_private_folder(folder).map_err(open_error)?;
        make_private_file(&path).map_err(open_error)?;
        let options = SqliteConnectOptions::new()
            .filename(&path)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY_TIMEOUT);
        let pool = SqlitePoolOptions::new()
            .max_connections(4)
            .acquire_timeout(Duration::from_secs(15))
            .connect_with(silent(options))
            .await?;
        let state = Self { pool, _anchor: None };
        state.copy_if_older(&path).await?;
        state.migrate(&path).await?;
        Ok(state)
    }

    /// A state that lives as long as the process and touches no disk.
    pub async fn in_memory() -> Result<Self, StateError> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        // Connections of one name share one database; a name is one only where it is a URI.
        let name = format!("file:apus-state-{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let options = SqliteConnectOptions::new().filename(name).in_memory(true).shared_cache(true).foreign_keys(true);
        let options = silent(options);
        let anchor = SqliteConnection::connect_with(&options).await?;
        // One connection: several would lock each other's tables.
        let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await?;
        let state = Self { pool, _anchor: Some(Arc::new(Mutex::new(anchor))) };
        state.migrate(Path::new(":memory:")).await?;
        Ok(state)
    }

    /// Finishes running transactions and closes the file.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    async fn migrate(&self, path: &Path) -> Result<(), StateError> {
        match MIGRATIONS.run(&self.pool).await {
            Ok(()) => Ok(()),
            Err(MigrateError::VersionMissing(version)) => {
                Err(StateError::NewerSchema { path: path.to_owned(), found: version, known: newest_schema() })
            }
            Err(source) => Err(StateError::Migrate { path: path.to_owned(), source: Box::new(source) }),
        }
    }

    /// Copies a file with an older schema to `apus.sqlite.schema-N`, so that one can return to an older binary.
    async fn copy_if_older(&self, path: &Path) -> Result<(), StateError> {
        let table = sqlx::query("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = '_sqlx_migrations'");
        if table.fetch_optional(&self.pool).await?.is_none() {
            return Ok(());
        }
        let found: Option<i64> =
            sqlx::query("SELECT max(version) FROM _sqlx_migrations").fetch_one(&self.pool).await?.try_get(0)?;
        let Some(found) = found.filter(|&v| v < newest_schema()) else { return Ok(()) };
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".schema-{found}"));
        let copy = PathBuf::from(name);
        if copy.exists() {
            return Ok(());
        }
        // `VACUUM INTO` writes a consistent copy. It accepts an empty file, so the copy has its mode before its bytes; writing under
        // another name first keeps an incomplete copy from being taken for a complete one.
        let mut name = copy.as_os_str().to_owned();
        name.push(".part");
        let part = PathBuf::from(name);
        let open_error = |source| StateError::Open { path: part.clone(), source };
        let Some(part_text) = part.to_str() else { return Ok(()) };
        if part.exists() {
            fs::remove_file(&part).map_err(open_error)?;
        }
        make_private_file(&part).map_err(open_error)?;
        sqlx::query("VACUUM INTO ?").bind(part_text).execute(&self.pool).await?;
        fs::File::open(&part).and_then(|f| f.sync_all()).map_err(open_error)?;
        fs::rename(&part, &copy).map_err(open_error)?;
        Ok(())
    }
}

/// The default state folder: `apus` in the user's data directory.
///
/// Errors: [`StateError::NoHome`] if the environment names none.
pub fn default_folder() -> Result<PathBuf, StateError> {
    let named = |variable| env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute());
    let data =
        named("XDG_DATA_HOME").or_else(|| Some(named("HOME")?.join(".local/share"))).ok_or(StateError::NoHome)?;
    Ok(data.join("apus"))
}

/// Unix seconds.
pub(crate) fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).ok().and_then(|d| i64::try_from(d.as_secs()).ok()).unwrap_or(0)
}

fn newest_schema() -> i64 {
    MIGRATIONS.iter().map(|m| m.version).max().unwrap_or(0)
}

/// Keeps statements out of the log: some contain names.
fn silent(options: SqliteConnectOptions) -> SqliteConnectOptions {
    use sqlx::ConnectOptions as _;
    options.disable_statement_logging()
}

#[cfg(unix)]
fn make_private_folder(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

#[cfg(not(unix))]
fn make_private_folder(folder: &Path) -> std::io::Result<()> {
    fs::create_dir_all(folder)
}

/// `SQLite` gives the write-ahead log the mode of the file itself.
#[cfg(unix)]
fn make_private_file(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
    let file = fs::OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path)?;
    if file.metadata()?.permissions().mode() & 0o077 != 0 {
        file.set_permissions(fs::Permissions::from_mode(0o600))?;
    }
    Ok(())
}

#[cfg(not(unix))]
fn make_private_file(path: &Path) -> std::io::Result<()> {
    fs::OpenOptions::new().read(true).append(true).create(true).open(path).map(drop)
}
