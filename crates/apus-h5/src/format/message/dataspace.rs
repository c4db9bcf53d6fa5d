//! The dataspace message, versions 1 and 2 (specification, section IV.A.2.b).

use crate::{
    Dataspace,
    format::{Cursor, Parse},
};

/// The most dimensions that the library allows.
const MAX_RANK: u8 = 32;

impl Dataspace {
    /// Reads a dataspace message.
    pub(crate) fn parse(mut cursor: Cursor<'_>) -> Parse<Self> {
        let version = cursor.u8()?;
        let rank = cursor.u8()?;
        let flags = cursor.u8()?;
        let kind = match version {
            1 => {
                cursor.skip(5)?;
                u8::from(rank > 0)
            }
            2 => cursor.u8()?,
            _ => return Err(cursor.unsupported(format_args!("version {version}"))),
        };
        if rank > MAX_RANK {
            return Err(cursor.damaged(format_args!("{rank} dimensions, over the format's {MAX_RANK}")));
        }
        match (kind, rank) {
            (0, 0) => return Ok(Self::Scalar),
            (2, _) => return Ok(Self::Null),
            (1, 1..) => {}
            _ => return Err(cursor.damaged(format_args!("kind {kind} with {rank} dimensions"))),
        }
        let dims = (0..rank).map(|_| cursor.length()).collect::<Parse<Vec<u64>>>()?;
        let max_dims = if flags & 1 != 0 {
            (0..rank).map(|_| cursor.length_or_none()).collect::<Parse<Vec<_>>>()?
        } else {
            dims.iter().copied().map(Some).collect()
        };
        if let Some((dim, max)) = dims.iter().zip(&max_dims).find(|(dim, max)| max.is_some_and(|max| **dim > max)) {
            return Err(cursor.damaged(format_args!("a dimension of {dim} over its maximum {max:?}")));
        }
        Ok(Self::Simple { dims, max_dims })
    }
}
