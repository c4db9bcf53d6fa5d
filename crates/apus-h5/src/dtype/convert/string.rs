//! Strings of fixed length: what stands behind their end becomes zeros.
//!
//! What libhdf5 does (`H5T__conv_s_s`) when it is asked, as h5py asks it, for strings that are padded with NULs. Behind the end
//! of a NUL-terminated string a writer may have left whatever was in its memory.

use super::super::StringPadding;
use super::words::Words;

/// How the end of a string is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StringEnd {
    /// At the first NUL.
    FirstNul,
    /// Before the spaces at the end.
    TrailingSpaces,
}

impl StringEnd {
    /// `None` where the bytes are what they should be already.
    pub(super) fn new(padding: StringPadding) -> Option<Self> {
        match padding {
            StringPadding::NullTerminated => Some(Self::FirstNul),
            StringPadding::SpacePadded => Some(Self::TrailingSpaces),
            StringPadding::NullPadded => None,
        }
    }

    pub(super) fn convert(self, size: usize, words: Words) {
        match words {
            Words::Apart(stored, native) => {
                for (from, to) in stored.chunks_exact(size).zip(native.chunks_exact_mut(size)) {
                    to.copy_from_slice(from);
                    self.clear_behind(to);
                }
            }
            Words::InPlace(bytes) => bytes.chunks_exact_mut(size).for_each(|string| self.clear_behind(string)),
        }
    }

    fn clear_behind(self, string: &mut [u8]) {
        let end = match self {
            Self::FirstNul => string.iter().position(|byte| *byte == 0).unwrap_or(string.len()),
            Self::TrailingSpaces => string.iter().rposition(|byte| *byte != b' ').map_or(0, |last| last + 1),
        };
        string[end..].fill(0);
    }
}
