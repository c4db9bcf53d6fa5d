//! The fill value messages: the old one, and versions 1 to 3 of the new one (specification, sections IV.A.2.e, IV.A.2.f).

use crate::format::{Cursor, Parse};

/// What stands for elements that were never written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct FillValue {
    /// One element in the stored type; `None` is zeros (the default, or that the writer left the value undefined).
    pub(crate) value: Option<Vec<u8>>,
}

impl FillValue {
    /// Reads the message number 4, which older writers leave.
    pub(crate) fn parse_old(mut cursor: Cursor<'_>) -> Parse<Self> {
        let size = cursor.u32()?;
        Self::take(&mut cursor, size)
    }

    /// Reads the message number 5.
    pub(crate) fn parse(mut cursor: Cursor<'_>) -> Parse<Self> {
        /// The value is never written, and what was not written reads as zeros, whatever the value (as h5py has it, which
        /// hands libhdf5 a zeroed buffer that this leaves alone).
        const NEVER: u8 = 1;
        /// The highest number that has a meaning.
        const IF_SET: u8 = 2;
        let (fill_time, defined) = match cursor.u8()? {
            // When space is allocated matters to writers only.
            1 | 2 => {
                cursor.skip(1)?;
                (cursor.u8()?, cursor.u8()? != 0)
            }
            3 => {
                let flags = cursor.u8()?;
                (flags >> 2 & 3, flags & 0x20 != 0)
            }
            version => return Err(cursor.unsupported(format_args!("version {version}"))),
        };
        if fill_time > IF_SET {
            return Err(cursor.damaged(format_args!("a value that is written at time {fill_time}")));
        }
        if !defined || fill_time == NEVER {
            return Ok(Self::default());
        }
        let size = cursor.u32()?;
        // Writers put a size of -1 where they have no value.
        if size == u32::MAX { Ok(Self::default()) } else { Self::take(&mut cursor, size) }
    }

    fn take(cursor: &mut Cursor<'_>, size: u32) -> Parse<Self> {
        let value = cursor.take_u64(u64::from(size))?;
        Ok(Self { value: (!value.is_empty()).then(|| value.to_vec()) })
    }
}
