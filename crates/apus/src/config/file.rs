//! `apus.toml`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
};

use apus_data::store::{Mount, MountError, MountSource, Notes, Table};
use secrecy::SecretString;
use serde::Deserialize;

use super::{Caches, ConfigError, Limits};

/// The contents of `apus.toml`. An unknown key is an error that lists the known ones.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FileConfig {
    /// The address to listen on.
    #[serde(deserialize_with = "super::listen::deserialize")]
    pub listen: Option<SocketAddr>,
    /// Whether to serve to other machines without accounts or roles.
    pub public: bool,
    /// The folder of accounts, tokens, keys and the audit.
    pub state: Option<PathBuf>,
    /// What is served.
    pub mounts: Vec<MountSection>,
    /// Short names for paths under the mounts.
    pub aliases: BTreeMap<String, String>,
    /// The limits.
    pub limits: Limits,
    /// The caches.
    pub caches: Caches,
    /// How callers are authenticated.
    pub auth: AuthSection,
    /// Web pages from these origins may read answers; `*` for all.
    pub cors_origins: Vec<String>,
}

/// `[[mounts]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MountSection {
    /// The first component of the paths below it; empty for the root.
    pub name: String,
    /// The folder.
    pub path: Option<PathBuf>,
    /// In place of a folder: tables of the original hdfstream server, which say where each file lies.
    pub table: Option<Tables>,
    /// The roles, all of them, that a caller needs to see it.
    #[serde(default)]
    pub roles: BTreeSet<String>,
    /// Its description in listings, in Markdown.
    pub description: Option<String>,
    /// Labels in listings, by the names of its files and folders.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// Further roles and notes for folders and files in it.
    #[serde(default)]
    pub folders: Vec<FolderSection>,
}

/// One table, or several.
#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "expected the name of a table, or a list of names")]
pub enum Tables {
    /// One.
    One(PathBuf),
    /// Several, joined.
    Several(Vec<PathBuf>),
}

/// `[[mounts.folders]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FolderSection {
    /// The path under the mount, of a folder or of a file.
    pub path: String,
    /// The roles that a caller needs besides the mount's.
    #[serde(default)]
    pub roles: BTreeSet<String>,
    /// Its description in listings, in Markdown.
    pub description: Option<String>,
    /// Labels in listings, by the names of its files and folders.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
}

/// `[auth]`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AuthSection {
    /// The login service that checks names and passwords.
    pub db_url: Option<String>,
    /// The key that signs JWTs.
    pub jwt_secret_key: Option<SecretString>,
    /// The operator's own proxies, whose `X-Forwarded-For` is trusted.
    pub trusted_proxies: Vec<IpAddr>,
}

impl FileConfig {
    /// Reads the file at `path`; without a path, `apus.toml` in the working directory if it exists, else the defaults.
    /// Relative paths in it start at the file's folder.
    pub fn load(path: Option<&Path>) -> Result<Self, ConfigError> {
        let (path, must_exist) = path.map_or((Path::new("apus.toml"), false), |path| (path, true));
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound && !must_exist => return Ok(Self::default()),
            Err(source) => return Err(ConfigError::Unreadable { path: path.to_owned(), source }),
        };
        let mut config: Self = toml::from_str(&text)
            .map_err(|source| ConfigError::Malformed { path: path.to_owned(), source: Box::new(source) })?;
        let folder = path.parent().unwrap_or(Path::new(""));
        for mount in &mut config.mounts {
            mount.path = mount.path.take().map(|path| folder.join(path));
            if let Some(tables) = &mut mount.table {
                tables.paths_mut().iter_mut().for_each(|path| *path = folder.join(&*path));
            }
        }
        config.state = config.state.map(|state| folder.join(state));
        Ok(config)
    }
}

impl Tables {
    fn paths_mut(&mut self) -> &mut [PathBuf] {
        match self {
            Self::One(path) => std::slice::from_mut(path),
            Self::Several(paths) => paths,
        }
    }
}

impl MountSection {
    /// The mount, its tables read.
    ///
    /// Errors: a table's; neither a folder nor a table, or both.
    pub(super) fn into_mount(self) -> Result<Mount, ConfigError> {
        let mut mount = match (self.path, self.table) {
            (Some(path), None) => Mount::new(self.name, MountSource::Folder(path)),
            (None, Some(mut tables)) => {
                let mut table = Table::read(tables.paths_mut())?;
                let folders = std::mem::take(&mut table.roles);
                Mount { folders, ..Mount::new(self.name, MountSource::Table(table)) }
            }
            _ => {
                let reason = "give either path (a folder) or table (one or more table files)".to_owned();
                return Err(MountError::Mount { name: self.name, reason }.into());
            }
        };
        mount.roles = self.roles;
        mount.notes.insert(String::new(), Notes { description: self.description, labels: self.labels });
        for folder in self.folders {
            mount.notes.insert(folder.path.clone(), Notes { description: folder.description, labels: folder.labels });
            mount.folders.push((folder.path, folder.roles));
        }
        Ok(mount)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_section() {
        let config: FileConfig = toml::from_str(
            r#"
            listen = "0.0.0.0:80"
            cors_origins = ["https://example.org"]
            [[mounts]]
            name = "L0025"
            path = "data"
            roles = ["eagle"]
            description = "The smallest box"
            folders = [{ path = "private", roles = ["core"], labels = { "a.hdf5" = "not published" } }]
            [aliases]
            z0 = "L0025/snap_0023.hdf5"
            [limits]
            concurrent_reads = 3
            [caches]
            open_files = 7
            [auth]
            db_url = "https://example.org/"
            "#,
        )
        .unwrap();
        assert_eq!(config.mounts[0].folders[0].path, "private");
        assert_eq!(config.limits.concurrent_reads, 3);
        assert_eq!(config.caches.open_files, 7);
        assert_eq!(config.aliases["z0"], "L0025/snap_0023.hdf5");
    }

    #[test]
    fn an_unknown_key_is_named() {
        let error = toml::from_str::<FileConfig>("[limits]\nconcurrent_read = 3").unwrap_err().to_string();
        assert!(error.contains("concurrent_read") && error.contains("concurrent_reads"), "{error}");
    }
}
