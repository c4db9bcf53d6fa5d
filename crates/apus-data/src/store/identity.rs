//! Which bytes a path stands for.

use std::{
    fs, io,
    os::unix::fs::MetadataExt,
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde::Serialize;

use super::VPath;
use crate::{Error, Result};

/// Kernels tell the time of a write by their last tick, and ticks are at most this far apart: a file that was written to more lately may
/// be written to again and keep its time.
const TICK: Duration = Duration::from_millis(10);
/// Whoever writes without a pause is waited for this often.
const MAX_WAITS: usize = 5;

/// What tells one state of a file from another: everything that answers and caches rest on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Identity {
    /// The device.
    pub device: u64,
    /// The number of the inode.
    pub inode: u64,
    /// The length in bytes.
    pub size_bytes: u64,
    /// When it was last written, in nanoseconds since 1970.
    pub modified_ns: i128,
}

impl Identity {
    pub(crate) fn of(metadata: &fs::Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            size_bytes: metadata.len(),
            modified_ns: i128::from(metadata.mtime()) * 1_000_000_000 + i128::from(metadata.mtime_nsec()),
        }
    }

    /// The state of a file that `take` looks at, from which every later write changes it: one that was written to just now is waited for.
    ///
    /// Errors: those of `take`; [`Error::Unreadable`] where the file is written to all the time.
    pub(crate) fn settled(path: &VPath, mut take: impl FnMut() -> Result<Self>) -> Result<Self> {
        let mut identity = take()?;
        for _ in 0..MAX_WAITS {
            let Some(wait) = identity.wait(SystemTime::now()) else { return Ok(identity) };
            thread::sleep(wait);
            identity = take()?;
        }
        if identity.wait(SystemTime::now()).is_none() {
            return Ok(identity);
        }
        Err(Error::changed(format!("{path}: the file is being written to; ask again")))
    }

    /// How long after `now` another write may keep the time; `None` where none does. A time in the future, which no kernel gave, says
    /// nothing.
    fn wait(&self, now: SystemTime) -> Option<Duration> {
        let now_ns = i128::try_from(now.duration_since(UNIX_EPOCH).ok()?.as_nanos()).ok()?;
        let age = Duration::from_nanos(u64::try_from(now_ns - self.modified_ns).ok()?);
        TICK.checked_sub(age).filter(|wait| !wait.is_zero())
    }

    /// Whether the open file still is in this state.
    pub(crate) fn check(&self, file: &fs::File) -> io::Result<bool> {
        Ok(Self::of(&file.metadata()?) == *self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW_NS: i128 = 1_700_000_000_000_000_000;

    fn at(modified_ns: i128) -> Identity {
        Identity { device: 1, inode: 2, size_bytes: 3, modified_ns }
    }

    #[test]
    fn only_what_was_written_within_a_tick_is_waited_for() {
        let now = UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        let wait = |age_ms: i128| at(NOW_NS - age_ms * 1_000_000).wait(now);
        assert_eq!(wait(0), Some(Duration::from_millis(10)));
        assert_eq!(wait(7), Some(Duration::from_millis(3)));
        assert_eq!(wait(10), None);
        assert_eq!(wait(1_000_000), None);
        assert_eq!(wait(-1), None, "the future");
        assert_eq!(at(0).wait(now), None);
    }

    #[test]
    fn a_file_that_is_written_to_all_the_time_has_changed() {
        let path = VPath::parse("a/b").unwrap();
        let now_ns = || i128::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos()).unwrap();
        let mut n_taken = 0;
        let restless = Identity::settled(&path, || {
            n_taken += 1;
            Ok(at(now_ns()))
        });
        assert!(matches!(restless, Err(Error::Unreadable { fault: crate::Fault::Changed, .. })), "{restless:?}");
        assert_eq!(n_taken, MAX_WAITS + 1);
        let written = now_ns();
        assert_eq!(Identity::settled(&path, || Ok(at(written))).unwrap(), at(written));
    }
}
