//! Which state of which values a zone map is of.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use crate::store::Identity;

/// What tells the values of a dataset in one state of all files that they come from from all others.
///
/// It rests on which bytes these files have, not on the names that mounts give them or on the version of this program, so that it is the
/// same for whoever serves them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::values) struct StateKey {
    hash: [u8; 32],
    /// Whether it means the same after a restart: not of files in memory.
    is_lasting: bool,
}

/// A zone map: of which values it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::values) struct MapKey {
    pub(in crate::values) state: StateKey,
    pub(in crate::values) subject: Subject,
}

/// What of a dataset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::values) enum Subject {
    /// One of its columns, or the only one.
    Column(Option<u64>),
    /// All of it as positions.
    Positions,
}

/// Takes what a state is made of.
pub(in crate::values) struct StateHasher {
    hasher: Sha256,
    is_lasting: bool,
}

impl StateHasher {
    pub(in crate::values) fn new() -> Self {
        Self { hasher: Sha256::new_with_prefix("state of a dataset, 1"), is_lasting: true }
    }

    /// Which bytes a file has; `None` where there is none.
    pub(in crate::values) fn file(&mut self, identity: Option<Identity>) -> &mut Self {
        let Some(Identity { device, inode, size_bytes, modified_ns }) = identity else {
            self.hasher.update([0]);
            return self;
        };
        // No file of a file system is on device 0.
        self.is_lasting &= device != 0;
        self.hasher.update([1]);
        [device, inode, size_bytes].iter().for_each(|number| self.hasher.update(number.to_le_bytes()));
        self.hasher.update(modified_ns.to_le_bytes());
        self
    }

    pub(in crate::values) fn text(&mut self, text: &str) -> &mut Self {
        self.hasher.update((text.len() as u64).to_le_bytes());
        self.hasher.update(text);
        self
    }

    pub(in crate::values) fn finish(self) -> StateKey {
        StateKey { hash: self.hasher.finalize().into(), is_lasting: self.is_lasting }
    }
}

impl MapKey {
    /// The name of its file; `None` for what does not outlive the process.
    pub(super) fn file_name(&self) -> Option<String> {
        if !self.state.is_lasting {
            return None;
        }
        let mut hasher = Sha256::new_with_prefix(self.state.hash);
        hasher.update(self.kind().to_le_bytes());
        hasher.update(self.column().to_le_bytes());
        let mut name = String::with_capacity(64);
        for byte in hasher.finalize() {
            let _ = write!(name, "{byte:02x}");
        }
        Some(name)
    }

    pub(super) fn state_hash(&self) -> &[u8; 32] {
        &self.state.hash
    }

    /// A number for the kind of values.
    pub(super) fn kind(&self) -> u32 {
        match self.subject {
            Subject::Column(_) => 0,
            Subject::Positions => 1,
        }
    }

    /// A number for the column.
    pub(super) fn column(&self) -> u64 {
        match self.subject {
            Subject::Column(Some(column)) => column,
            Subject::Column(None) | Subject::Positions => u64::MAX,
        }
    }

    #[cfg(test)]
    pub(super) fn of_test(state: u8, subject: Subject) -> Self {
        Self { state: StateKey { hash: [state; 32], is_lasting: true }, subject }
    }
}
