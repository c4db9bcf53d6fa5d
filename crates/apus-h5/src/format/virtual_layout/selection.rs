//! Selections as they stand in a mapping.
//!
//! Source: specification, section "Dataspace selections" of III.F: none, points, hyperslabs (versions 1 to 3), all.

use crate::format::{Cursor, Parse};

/// The most dimensions of a dataspace.
const MAX_RANK: u32 = 32;

/// Which elements of a dataset a mapping speaks of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum MappedSelection {
    /// None.
    None,
    /// All that there are.
    All,
    /// A regular hyperslab: equally spaced blocks on each axis.
    Regular(Vec<Dimension>),
    /// An irregular one: disjoint boxes, each with its first and last coordinates.
    Boxes(Vec<(Vec<u64>, Vec<u64>)>),
}

/// One axis of a regular hyperslab: `count` blocks of `block` indices, from `start` on, `stride` apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Dimension {
    /// The first index.
    pub(crate) start: u64,
    /// From the start of one block to that of the next.
    pub(crate) stride: u64,
    /// The number of blocks.
    pub(crate) count: Count,
    /// The indices of a block.
    pub(crate) block: Count,
}

/// A number that may be unlimited: as many as the extent has room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Count {
    /// So many.
    Limited(u64),
    /// As many as there is room for.
    Unlimited,
}

impl MappedSelection {
    /// Reads a serialised selection.
    pub(super) fn parse(cursor: &mut Cursor<'_>) -> Parse<Self> {
        match cursor.u32()? {
            0 => Self::parse_plain(cursor, Self::None),
            // The library refuses to create such mappings ("point selections not currently supported with virtual datasets").
            1 => Err(cursor.unsupported("point selections")),
            2 => Self::parse_hyperslab(cursor),
            3 => Self::parse_plain(cursor, Self::All),
            kind => Err(cursor.unsupported(format_args!("selections of type {kind}"))),
        }
    }

    fn parse_plain(cursor: &mut Cursor<'_>, selection: Self) -> Parse<Self> {
        match cursor.u32()? {
            1 => {
                cursor.skip(8)?; // reserved, and a length of 0
                Ok(selection)
            }
            version => Err(cursor.unsupported(format_args!("version {version} of a selection"))),
        }
    }

    fn parse_hyperslab(cursor: &mut Cursor<'_>) -> Parse<Self> {
        const REGULAR: u8 = 1;
        let version = cursor.u32()?;
        let (regular, number_bytes) = match version {
            1 => {
                cursor.skip(8)?; // reserved, length
                (false, 4)
            }
            2 => {
                let flags = cursor.u8()?;
                cursor.skip(4)?; // length
                (flags & REGULAR != 0, 8)
            }
            3 => {
                let flags = cursor.u8()?;
                (flags & REGULAR != 0, cursor.u8()?)
            }
            _ => return Err(cursor.unsupported(format_args!("version {version} of a hyperslab selection"))),
        };
        if !matches!(number_bytes, 2 | 4 | 8) {
            return Err(cursor.damaged(format_args!("a selection with numbers of {number_bytes} bytes")));
        }
        let rank = cursor.u32()?;
        if rank == 0 || rank > MAX_RANK {
            return Err(cursor.damaged(format_args!("a selection of rank {rank}")));
        }
        if regular {
            let dims = (0..rank).map(|_| Dimension::parse(cursor, number_bytes)).collect::<Parse<Vec<_>>>()?;
            if dims.iter().filter(|dim| dim.is_unlimited()).count() > 1 {
                return Err(cursor.damaged("a selection that is unlimited on more than one axis"));
            }
            return Ok(Self::Regular(dims));
        }
        let n_boxes = cursor.uint(number_bytes)?;
        let mut boxes = Vec::new();
        for _ in 0..n_boxes {
            let mut corner = || (0..rank).map(|_| cursor.uint(number_bytes)).collect::<Parse<Vec<u64>>>();
            let (first, last) = (corner()?, corner()?);
            if first.iter().zip(&last).any(|(a, b)| a > b || *b == u64::MAX) {
                return Err(cursor.damaged(format_args!("a box from {first:?} to {last:?}")));
            }
            boxes.push((first, last));
        }
        Ok(if boxes.is_empty() { Self::None } else { Self::Boxes(boxes) })
    }

    /// The axis on which the selection is unlimited.
    pub(crate) fn unlimited_axis(&self) -> Option<usize> {
        match self {
            Self::Regular(dims) => dims.iter().position(Dimension::is_unlimited),
            _ => None,
        }
    }

    /// The number of axes, where the selection says.
    pub(crate) fn rank(&self) -> Option<usize> {
        match self {
            Self::None | Self::All => None,
            Self::Regular(dims) => Some(dims.len()),
            Self::Boxes(boxes) => boxes.first().map(|(first, _)| first.len()),
        }
    }
}

impl Dimension {
    fn parse(cursor: &mut Cursor<'_>, number_bytes: u8) -> Parse<Self> {
        let unlimited = u64::MAX >> (64 - 8 * u32::from(number_bytes));
        let count = |n| if n == unlimited { Count::Unlimited } else { Count::Limited(n) };
        let (start, stride) = (cursor.uint(number_bytes)?, cursor.uint(number_bytes)?);
        let (n, block) = (count(cursor.uint(number_bytes)?), count(cursor.uint(number_bytes)?));
        let sound = match (n, block) {
            // Blocks of which there are several neither overlap nor pass what 64 bits can count.
            (Count::Limited(n), Count::Limited(block)) => {
                n > 0
                    && block > 0
                    && (n == 1 || stride >= block)
                    && (n - 1)
                        .checked_mul(stride)
                        .and_then(|last| last.checked_add(start)?.checked_add(block))
                        .is_some()
            }
            (Count::Unlimited, Count::Limited(block)) => block > 0 && stride >= block,
            (Count::Limited(n), Count::Unlimited) => n == 1,
            (Count::Unlimited, Count::Unlimited) => false,
        };
        if !sound {
            return Err(cursor.damaged(format_args!("{n:?} blocks of {block:?} from {start} on, {stride} apart")));
        }
        Ok(Self { start, stride, count: n, block })
    }

    /// Whether there are as many indices as there is room for.
    pub(crate) fn is_unlimited(&self) -> bool {
        self.count == Count::Unlimited || self.block == Count::Unlimited
    }
}
