//! File descriptors: connections and open files together must fit the process's limit (`ulimit -n`).

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::config::{Config, ConfigError};

/// Descriptors for the runtime, the accounts, listings and logins, a few to spare; and for answers that wait for their clients, which may hold
/// files that were evicted from the open files.
const N_OTHERS: usize = 64 + 240;
/// With fewer connections than this, the service does not start.
const MIN_CONNECTIONS: usize = 16;

/// Makes room for everything that the configuration allows: raises the soft limit of this process as far as needed and as the
/// hard limit allows; if that is not enough, lowers the number of connections and logs a warning.
///
/// Errors: [`ConfigError::Value`] if files alone take all descriptors.
pub fn make_room(config: &mut Config) -> Result<(), ConfigError> {
    let needed = config.limits.connections.saturating_add(n_for_files(config));
    let granted = raise_to(needed as u64);
    let connections = connections_within(granted, config)?;
    if connections < config.limits.connections {
        tracing::warn!(
            connections,
            configured = config.limits.connections,
            granted,
            needed,
            "ulimit -n leaves descriptors for fewer connections than configured: the others must wait"
        );
        config.limits.connections = connections;
    }
    Ok(())
}

/// Every answer that is begun may hold a file that was evicted from the open files.
fn n_for_files(config: &Config) -> usize {
    config.caches.open_files.saturating_add(config.limits.concurrent_answers).saturating_add(N_OTHERS)
}

/// The connections that `granted` descriptors leave room for.
fn connections_within(granted: u64, config: &Config) -> Result<usize, ConfigError> {
    let left = usize::try_from(granted).unwrap_or(usize::MAX).saturating_sub(n_for_files(config));
    if left < MIN_CONNECTIONS.min(config.limits.connections) {
        return Err(ConfigError::Value(format!(
            "ulimit -n grants {granted} descriptors; caches.open_files ({}), limits.concurrent_answers ({}) and {N_OTHERS} \
             for everything else leave {left} for connections: raise ulimit -n, or lower these settings",
            config.caches.open_files, config.limits.concurrent_answers
        )));
    }
    Ok(left.min(config.limits.connections))
}

/// Raises the soft limit towards `needed`, and returns the limit that then holds.
fn raise_to(needed: u64) -> u64 {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    // `None` is no limit.
    let current = current.unwrap_or(u64::MAX);
    let wanted = needed.min(maximum.unwrap_or(u64::MAX));
    if wanted > current && setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum }).is_ok() {
        return wanted;
    }
    current
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(granted: u64, expect: Option<usize>) {
        let mut config = Config::of_mounts(Vec::new());
        (config.limits.connections, config.limits.concurrent_answers, config.caches.open_files) = (1000, 100, 36);
        let connections = connections_within(granted, &config);
        assert_eq!(connections.as_ref().ok(), expect.as_ref(), "{connections:?}");
    }

    #[test]
    fn connections_have_what_files_leave() {
        check(1440, Some(1000));
        check(u64::MAX, Some(1000));
        check(1439, Some(999));
        check(456, Some(16));
        check(455, None);
        check(0, None);
    }
}
