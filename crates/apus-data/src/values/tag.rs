//! Entity tags: what tells an answer from every other.

use std::{fmt, io};

use apus_h5::check_cancelled;
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::{Error, Result};

/// Tells an answer from every other: of other files, of another request, in another form, by another version. As it stands in a header,
/// with its quotes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct EntityTag(String);

struct Hasher {
    sha: Sha256,
    /// Bytes since it was looked whether anybody waits.
    n_bytes: usize,
}

/// So many bytes are hashed between two looks at whether anybody waits: the ranges of a request may be millions.
const CHECKED_BYTES: usize = 1 << 20;

impl EntityTag {
    /// A hash of the version, since another may encode otherwise, of all files, and of the request with all that it says.
    ///
    /// Errors: a request that cannot be serialised.
    pub(super) fn new(identities: &impl Serialize, request: &impl Serialize) -> Result<Self> {
        let mut hasher = Hasher { sha: Sha256::new(), n_bytes: 0 };
        let all = (env!("CARGO_PKG_VERSION"), identities, request);
        // Named, so that a member that is left out and one that comes after it are not alike.
        all.serialize(&mut rmp_serde::Serializer::new(&mut hasher).with_struct_map()).map_err(|error| {
            match check_cancelled() {
                Ok(()) => Error::internal(error),
                Err(cancelled) => cancelled.into(),
            }
        })?;
        let mut text = String::with_capacity(34);
        text.push('"');
        for byte in hasher.sha.finalize().iter().take(16) {
            use fmt::Write;
            let _ = write!(text, "{byte:02x}");
        }
        text.push('"');
        Ok(Self(text))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The same as a weak tag, for answers that leave compressed or not.
    #[must_use]
    pub fn weak(&self) -> Self {
        Self(format!("W/{}", self.0))
    }
}

impl io::Write for Hasher {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.n_bytes = self.n_bytes.wrapping_add(bytes.len());
        if self.n_bytes >= CHECKED_BYTES {
            self.n_bytes = 0;
            check_cancelled().map_err(io::Error::other)?;
        }
        self.sha.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
