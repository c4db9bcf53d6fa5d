//! The command line and the environment.

use std::{
    ffi::{OsStr, OsString},
    net::SocketAddr,
    path::{Path, PathBuf},
};

use apus_data::store::{Mount, MountError, MountSource};
use clap::{Args, builder::OsStringValueParser, builder::TypedValueParser};
use secrecy::SecretString;

use super::{ConfigError, Limits};

/// The flags of `apus serve`. All are optional: missing ones come from `apus.toml`, then from the defaults.
#[derive(Args, Debug, Default)]
pub struct Flags {
    /// Folders to serve: each DIR under /NAME; a single DIR without a name at the root, several under their own names
    #[arg(value_name = "[NAME=]DIR", value_parser = OsStringValueParser::new().map(MountArg::from))]
    pub mounts: Vec<MountArg>,

    /// The configuration file [default: apus.toml in the working directory, if it exists]
    #[arg(long, value_name = "FILE", env = "APUS_CONFIG")]
    pub config: Option<PathBuf>,

    /// The address to listen on; a port alone is one of this machine [default: 127.0.0.1:8000]
    #[arg(long, value_name = "[ADDRESS:]PORT", env = "APUS_LISTEN", value_parser = super::parse_listen)]
    pub listen: Option<SocketAddr>,

    /// Serve to other machines even without accounts, roles or a login service
    #[arg(long, env = "APUS_PUBLIC")]
    pub public: bool,

    /// The folder for accounts, tokens, keys, the audit trail and zone maps [default: apus in the user's data directory]
    #[arg(long, value_name = "DIR", env = "APUS_STATE")]
    pub state: Option<PathBuf>,

    /// Let web pages from these origins read answers; * for all [default: none]
    #[arg(long = "cors-origin", value_name = "ORIGIN", env = "APUS_CORS_ORIGINS", value_delimiter = ',')]
    pub cors_origins: Vec<String>,

    /// Number of files to keep open [default: 128]
    #[arg(long, value_name = "N", env = "APUS_OPEN_FILES", help_heading = "Caches")]
    pub open_files: Option<usize>,

    /// Bytes of metadata to cache, over all open files [default: 67108864]
    #[arg(long, value_name = "BYTES", env = "APUS_METADATA_CACHE_BYTES", help_heading = "Caches")]
    pub metadata_cache_bytes: Option<usize>,

    /// Bytes of chunk indexes to cache, over all open files; a chunk takes 16 [default: 268435456]
    #[arg(long, value_name = "BYTES", env = "APUS_INDEX_CACHE_BYTES", help_heading = "Caches")]
    pub index_cache_bytes: Option<u64>,

    /// Bytes of decoded chunks to cache for small reads, over all open files; 0 disables the cache [default: 67108864]
    #[arg(long, value_name = "BYTES", env = "APUS_CHUNK_CACHE_BYTES", help_heading = "Caches")]
    pub chunk_cache_bytes: Option<u64>,

    /// Bytes of chunk minima and maxima to cache for conditions; a chunk takes 24, 0 disables the cache [default: 67108864]
    #[arg(long, value_name = "BYTES", env = "APUS_STATISTICS_CACHE_BYTES", help_heading = "Caches")]
    pub statistics_cache_bytes: Option<u64>,

    /// Bytes of zone maps to keep on disk, in the state folder; 0 keeps none there [default: 1073741824]
    #[arg(long, value_name = "BYTES", env = "APUS_ZONE_MAP_BYTES", help_heading = "Caches")]
    pub zone_map_bytes: Option<u64>,

    /// The limits.
    #[command(flatten)]
    pub limits: LimitFlags,

    /// Let the login service at this address check names and passwords, by HTTP Basic [default: Apus's own accounts]
    #[arg(long, value_name = "URL", env = "DB_URL", hide_env_values = true, help_heading = "Accounts")]
    pub db_url: Option<String>,

    /// The key that signs JWTs, at least 32 bytes [default: generated once, kept in the state folder]
    #[arg(long, value_name = "KEY", env = "JWT_SECRET_KEY", hide_env_values = true, help_heading = "Accounts")]
    #[arg(value_parser = |text: &str| Ok::<_, std::convert::Infallible>(SecretString::from(text)))]
    pub jwt_secret_key: Option<SecretString>,
}

/// The limits that have a flag; `[limits]` in `apus.toml` has them all.
#[derive(Args, Debug, Default)]
#[command(next_help_heading = "Limits")]
pub struct LimitFlags {
    /// Answers in progress at once, including those to slow clients [default: 256]
    #[arg(long, value_name = "N", env = "APUS_CONCURRENT_ANSWERS")]
    pub concurrent_answers: Option<usize>,

    /// Threads that read and encode at once [default: two for each core, at least 4]
    #[arg(long, value_name = "N", env = "APUS_CONCURRENT_READS")]
    pub concurrent_reads: Option<usize>,

    /// Threads that decode chunks [default: one for each core]
    #[arg(long, value_name = "N", env = "APUS_DECODE_THREADS")]
    pub decode_threads: Option<usize>,

    /// Maximum bytes of values in one answer [default: 1099511627776]
    #[arg(long, value_name = "BYTES", env = "APUS_ANSWER_BYTES")]
    pub answer_bytes: Option<u64>,

    /// Maximum bytes of a request's body [default: 16777216]
    #[arg(long, value_name = "BYTES", env = "APUS_QUERY_BYTES")]
    pub query_bytes: Option<usize>,

    /// Maximum bytes of one decoded chunk [default: 268435456]
    #[arg(long, value_name = "BYTES", env = "APUS_CHUNK_BYTES")]
    pub chunk_bytes: Option<u64>,
}

/// `[NAME=]DIR`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MountArg {
    /// What stands before the `=`.
    pub name: Option<String>,
    /// The folder.
    pub path: PathBuf,
}

impl From<OsString> for MountArg {
    /// Splits at the first `=`, unless the part before it is empty or contains `/`: then the `=` belongs to the folder's path.
    fn from(text: OsString) -> Self {
        if let Some((name, path)) = text.to_str().and_then(|text| text.split_once('='))
            && !name.is_empty()
            && !name.contains('/')
        {
            return Self { name: Some(name.to_owned()), path: PathBuf::from(path) };
        }
        Self { name: None, path: PathBuf::from(text) }
    }
}

impl LimitFlags {
    pub(super) fn lay_over(&self, limits: &mut Limits) {
        fn set<T: Copy>(to: &mut T, from: Option<T>) {
            *to = from.unwrap_or(*to);
        }
        set(&mut limits.concurrent_answers, self.concurrent_answers);
        set(&mut limits.concurrent_reads, self.concurrent_reads);
        set(&mut limits.decode_threads, self.decode_threads);
        set(&mut limits.answer_bytes, self.answer_bytes);
        set(&mut limits.query_bytes, self.query_bytes);
        set(&mut limits.chunk_bytes, self.chunk_bytes);
    }
}

/// The mounts that the command line names: one folder without a name is the root, several take their folder's name.
pub(super) fn mounts_of(args: &[MountArg]) -> Result<Vec<Mount>, ConfigError> {
    let n_unnamed = args.iter().filter(|arg| arg.name.is_none()).count();
    args.iter()
        .map(|arg| {
            let name = match &arg.name {
                Some(name) => name.clone(),
                None if n_unnamed == 1 => String::new(),
                None => folder_name(&arg.path)?,
            };
            let source = MountSource::Folder(arg.path.clone());
            Ok(Mount::new(name, source))
        })
        .collect()
}

fn folder_name(path: &Path) -> Result<String, ConfigError> {
    // "." and ".." have a name only once they are resolved.
    let resolved = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    resolved.file_name().and_then(OsStr::to_str).map(str::to_owned).ok_or_else(|| {
        let (name, reason) = (path.display().to_string(), "this folder needs a name; write NAME=DIR".to_owned());
        MountError::Mount { name, reason }.into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(args: &[&str]) -> Vec<String> {
        let args: Vec<_> = args.iter().map(|arg| MountArg::from(OsString::from(arg))).collect();
        mounts_of(&args).unwrap().into_iter().map(|mount| mount.name).collect()
    }

    #[test]
    fn one_folder_is_the_root_and_several_take_their_names() {
        assert_eq!(names(&["/data/snap"]), [""]);
        assert_eq!(names(&["a=/data/snap"]), ["a"]);
        assert_eq!(names(&["a=/x", "/data/snap"]), ["a", ""]);
        assert_eq!(names(&["/data/snap", "/data/fof/"]), ["snap", "fof"]);
    }

    #[test]
    fn an_equals_sign_in_a_path_is_no_name() {
        assert_eq!(
            MountArg::from(OsString::from("/data/z=0")),
            MountArg { name: None, path: PathBuf::from("/data/z=0") }
        );
        assert_eq!(
            MountArg::from(OsString::from("a=/data/z=0")),
            MountArg { name: Some("a".to_owned()), path: PathBuf::from("/data/z=0") }
        );
    }
}
