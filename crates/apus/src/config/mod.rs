//! What is served, to whom, within which limits. Flags override the environment, then `.env`, `apus.toml` and the defaults.
//!
//! [`Flags`] are the command line and the environment, [`FileConfig`] is `apus.toml`; [`Config::new`] merges them, and the
//! rest of the service reads only the result.

mod file;
mod flags;
mod limits;
mod listen;

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
};

use apus_data::store::{Mount, MountError};
use secrecy::SecretString;

use crate::state;

pub use file::{AuthSection, FileConfig, FolderSection, MountSection, Tables};
pub use flags::{Flags, MountArg};
pub use limits::{Caches, Limits};
pub use listen::parse_listen;

/// The address that the service listens on by default.
pub const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8000);

/// The configuration, complete and checked.
#[derive(Clone, Debug)]
pub struct Config {
    /// The address to listen on.
    pub listen: SocketAddr,
    /// Whether to serve to other machines without accounts or roles.
    pub public: bool,
    /// The folder of accounts, tokens, keys and the audit trail; `None` for `apus` in the user's data directory.
    pub state: Option<PathBuf>,
    /// The folder of zone maps; `None` keeps them in memory only.
    pub zone_maps: Option<PathBuf>,
    /// What is served.
    pub mounts: Vec<Mount>,
    /// Short names for paths under the mounts.
    pub aliases: BTreeMap<String, String>,
    /// The limits.
    pub limits: Limits,
    /// The caches.
    pub caches: Caches,
    /// How callers are authenticated.
    pub auth: AuthConfig,
    /// Web pages from these origins may read answers; `*` for all.
    pub cors_origins: Vec<String>,
}

/// How callers are authenticated.
#[derive(Clone, Debug, Default)]
pub struct AuthConfig {
    /// The login service that checks names and passwords.
    pub db_url: Option<String>,
    /// The key that signs JWTs.
    pub jwt_secret_key: Option<SecretString>,
    /// The operator's own proxies, whose `X-Forwarded-For` is trusted.
    pub trusted_proxies: Vec<IpAddr>,
}

/// What is wrong with the configuration.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{}: {source}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The file cannot be parsed.
    #[error("{}: {source}", .path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Where and why.
        source: Box<toml::de::Error>,
    },
    /// A mount cannot be served.
    #[error(transparent)]
    Mount(#[from] MountError),
    /// A value is not acceptable.
    #[error("{0}")]
    Value(String),
}

impl Config {
    /// Merges `flags` with the file that they name, or with `apus.toml` in the working directory if it exists.
    pub fn new(flags: Flags) -> Result<Self, ConfigError> {
        let file = FileConfig::load(flags.config.as_deref())?;
        Self::merge(flags, file)
    }

    /// A configuration of these mounts and defaults for everything else.
    pub fn of_mounts(mounts: Vec<Mount>) -> Self {
        Self {
            listen: DEFAULT_LISTEN,
            public: false,
            state: None,
            zone_maps: None,
            mounts,
            aliases: BTreeMap::new(),
            limits: Limits::default(),
            caches: Caches::default(),
            auth: AuthConfig::default(),
            cors_origins: Vec::new(),
        }
    }

    /// Whether access is restricted: a mount has roles or rules for folders, or there is a login service.
    pub fn has_rules(&self) -> bool {
        self.auth.db_url.is_some() || self.mounts.iter().any(|m| !m.roles.is_empty() || !m.folders.is_empty())
    }

    fn merge(flags: Flags, file: FileConfig) -> Result<Self, ConfigError> {
        let mut mounts = file.mounts.into_iter().map(MountSection::into_mount).collect::<Result<Vec<_>, _>>()?;
        mounts.extend(flags::mounts_of(&flags.mounts)?);
        check_mounts(&mounts)?;
        let mut limits = file.limits;
        flags.limits.lay_over(&mut limits);
        limits.check()?;
        let mut caches = file.caches;
        caches.open_files = flags.open_files.unwrap_or(caches.open_files);
        caches.metadata_bytes = flags.metadata_cache_bytes.unwrap_or(caches.metadata_bytes);
        caches.index_bytes = flags.index_cache_bytes.unwrap_or(caches.index_bytes);
        caches.chunk_bytes = flags.chunk_cache_bytes.unwrap_or(caches.chunk_bytes);
        caches.statistics_bytes = flags.statistics_cache_bytes.unwrap_or(caches.statistics_bytes);
        caches.zone_map_bytes = flags.zone_map_bytes.unwrap_or(caches.zone_map_bytes);
        caches.check()?;
        let state = flags.state.or(file.state);
        let zone_maps = state.clone().or_else(|| state::default_folder().ok()).map(|folder| folder.join("zone_maps"));
        Ok(Self {
            listen: flags.listen.or(file.listen).unwrap_or(DEFAULT_LISTEN),
            public: flags.public || file.public,
            state,
            zone_maps,
            mounts,
            aliases: file.aliases,
            limits,
            caches,
            auth: AuthConfig {
                db_url: flags.db_url.or(file.auth.db_url),
                jwt_secret_key: flags.jwt_secret_key.or(file.auth.jwt_secret_key),
                trusted_proxies: file.auth.trusted_proxies,
            },
            cors_origins: if flags.cors_origins.is_empty() { file.cors_origins } else { flags.cors_origins },
        })
    }
}

fn check_mounts(mounts: &[Mount]) -> Result<(), ConfigError> {
    let mut seen = BTreeSet::new();
    for mount in mounts {
        let fault = |reason: &str| {
            ConfigError::Mount(MountError::Mount { name: mount.name.clone(), reason: reason.to_owned() })
        };
        if mount.name.contains('/') || mount.name.starts_with('.') || mount.name.contains('\0') {
            return Err(fault("a mount's name may not contain '/' or NUL, nor start with '.'"));
        }
        if !seen.insert(&mount.name) {
            return Err(fault("two mounts have this name; rename one of them, with NAME=DIR on the command line"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use apus_data::store::MountSource;

    use super::*;

    fn folder(name: &str) -> Mount {
        Mount::new(name, MountSource::Folder(PathBuf::from("/")))
    }

    #[test]
    fn mount_names_are_single_and_unique() {
        assert!(check_mounts(&[folder(""), folder("a")]).is_ok());
        assert!(check_mounts(&[folder("a"), folder("a")]).is_err());
        assert!(check_mounts(&[folder("a/b")]).is_err());
        assert!(check_mounts(&[folder(".a")]).is_err());
    }
}
