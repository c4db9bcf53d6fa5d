//! The format of a zone map in a file. All numbers are little-endian.
//!
//! | bytes | what |
//! |---|---|
//! | 8 | `APUSZONE` |
//! | 4 | the version of the format |
//! | 4 | the kind: 0 a column, 1 positions |
//! | 32 | the hash of the state of all files that the values come from |
//! | 8 | the number of the column; all bits set for the only one |
//! | 8 | the rows |
//! | 8 | the rows of a block of a column; 0 for positions |
//! | 8 | n, the number of blocks or zones |
//! | n · 17 | of a column, for each block: least, greatest, whether there is NaN |
//! | n · 56 | of positions, for each zone: its first row; the least x, y, z; the greatest x, y, z |
//! | 32 | the SHA-256 of all that stands before |

use std::sync::Arc;

use apus_swift::{Bounds, ColumnStatistics, Interval, MAX_ZONES, ZoneBounds};
use sha2::{Digest, Sha256};

use super::{MapKey, Subject, ZoneValues};

const MAGIC: &[u8; 8] = b"APUSZONE";
const VERSION: u32 = 1;
const HEAD_BYTES: usize = 80;
const CHECKSUM_BYTES: usize = 32;
const BLOCK_BYTES: usize = 17;
const ZONE_BYTES: usize = 56;
/// No file is longer: that of the most zones. As many blocks take less.
pub(super) const MAX_FILE_BYTES: u64 = (HEAD_BYTES + CHECKSUM_BYTES + MAX_ZONES * ZONE_BYTES) as u64;

/// Why a file is not taken for a zone map of these values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refused {
    #[error("it is no zone map")]
    NoZoneMap,
    #[error("it is of another version of the format, or of another byte order")]
    OtherVersion,
    #[error("it is cut short, or longer than it says")]
    WrongLength,
    #[error("its checksum is wrong")]
    WrongChecksum,
    #[error("it is of other values")]
    OtherValues,
    #[error("what it says contradicts itself")]
    Contradictory,
}

/// The file of a map, and how many zones are known in it; `None` where there is nothing to be kept.
pub(super) fn encode(key: &MapKey, values: &ZoneValues) -> Option<(Vec<u8>, u64)> {
    let mut file = Vec::new();
    let n_known = match values {
        ZoneValues::Column(column) => {
            let (block_rows, blocks) = column.parts()?;
            file.reserve_exact(HEAD_BYTES + blocks.len() * BLOCK_BYTES + CHECKSUM_BYTES);
            put_head(&mut file, key, [column.n_rows(), block_rows, blocks.len() as u64]);
            for block in &blocks {
                let (low, high, has_nan) = block.parts();
                file.extend_from_slice(&low.to_le_bytes());
                file.extend_from_slice(&high.to_le_bytes());
                file.push(has_nan.into());
            }
            blocks.iter().filter(|block| **block != Interval::UNKNOWN).count()
        }
        ZoneValues::Positions(zones) => {
            let n_known = zones.n_known();
            let (starts, bounds) = zones.parts()?;
            file.reserve_exact(HEAD_BYTES + bounds.len() * ZONE_BYTES + CHECKSUM_BYTES);
            put_head(&mut file, key, [zones.n_rows(), 0, bounds.len() as u64]);
            for (start, bounds) in starts.iter().zip(&bounds) {
                file.extend_from_slice(&start.to_le_bytes());
                bounds.iter().flatten().for_each(|x| file.extend_from_slice(&x.to_le_bytes()));
            }
            // Others may have noted more meanwhile, which is then saved next time.
            n_known
        }
    };
    let checksum = Sha256::digest(&file);
    file.extend_from_slice(&checksum);
    Some((file, n_known as u64))
}

fn put_head(file: &mut Vec<u8>, key: &MapKey, numbers: [u64; 3]) {
    file.extend_from_slice(MAGIC);
    file.extend_from_slice(&VERSION.to_le_bytes());
    file.extend_from_slice(&key.kind().to_le_bytes());
    file.extend_from_slice(key.state_hash());
    file.extend_from_slice(&key.column().to_le_bytes());
    numbers.iter().for_each(|number| file.extend_from_slice(&number.to_le_bytes()));
}

/// Takes the values from the bytes of a file.
///
/// Errors: why it is not the map of this key.
pub(super) fn decode(key: &MapKey, file: &[u8]) -> Result<ZoneValues, Refused> {
    let mut head = file;
    if take(&mut head).ok_or(Refused::NoZoneMap)? != *MAGIC {
        return Err(Refused::NoZoneMap);
    }
    if u32::from_le_bytes(take(&mut head).ok_or(Refused::WrongLength)?) != VERSION {
        return Err(Refused::OtherVersion);
    }
    let (body, checksum) = file.split_last_chunk::<CHECKSUM_BYTES>().ok_or(Refused::WrongLength)?;
    if Sha256::digest(body).as_slice() != checksum {
        return Err(Refused::WrongChecksum);
    }
    let payload = body.get(HEAD_BYTES..).ok_or(Refused::WrongLength)?;
    let kind = u32::from_le_bytes(take(&mut head).ok_or(Refused::WrongLength)?);
    let state: [u8; 32] = take(&mut head).ok_or(Refused::WrongLength)?;
    let mut number = || take(&mut head).map(u64::from_le_bytes).ok_or(Refused::WrongLength);
    let (column, n_rows, block_rows, n_zones) = (number()?, number()?, number()?, number()?);
    if (kind, &state, column) != (key.kind(), key.state_hash(), key.column()) {
        return Err(Refused::OtherValues);
    }
    let zone_bytes = match key.subject {
        Subject::Column(_) => BLOCK_BYTES,
        Subject::Positions => ZONE_BYTES,
    };
    // So what is allocated for the zones is no more than what was read of them.
    if n_zones.checked_mul(zone_bytes as u64) != Some(payload.len() as u64) {
        return Err(Refused::WrongLength);
    }
    let values = match key.subject {
        Subject::Column(_) => column_of(n_rows, block_rows, payload).map(|column| ZoneValues::Column(Arc::new(column))),
        Subject::Positions => positions_of(n_rows, payload).map(|zones| ZoneValues::Positions(Arc::new(zones))),
    };
    values.ok_or(Refused::Contradictory)
}

fn column_of(n_rows: u64, block_rows: u64, payload: &[u8]) -> Option<ColumnStatistics> {
    let block = |mut bytes: &[u8]| {
        let [low, high] = [take(&mut bytes)?, take(&mut bytes)?].map(f64::from_le_bytes);
        let has_nan = match take(&mut bytes)? {
            [0] => false,
            [1] => true,
            _ => return None,
        };
        Interval::from_parts(low, high, has_nan)
    };
    let blocks = payload.as_chunks::<BLOCK_BYTES>().0.iter().map(|bytes| block(bytes)).collect::<Option<_>>()?;
    ColumnStatistics::from_parts(n_rows, block_rows, blocks)
}

fn positions_of(n_rows: u64, payload: &[u8]) -> Option<ZoneBounds> {
    let zones = payload.as_chunks::<ZONE_BYTES>().0;
    let (mut starts, mut bounds): (Vec<u64>, Vec<Bounds>) =
        (Vec::with_capacity(zones.len()), Vec::with_capacity(zones.len()));
    for zone in zones {
        let mut bytes = zone.as_slice();
        starts.push(u64::from_le_bytes(take(&mut bytes)?));
        let mut corner = || {
            let [x, y, z] = [take(&mut bytes)?, take(&mut bytes)?, take(&mut bytes)?].map(f64::from_le_bytes);
            Some([x, y, z])
        };
        bounds.push([corner()?, corner()?]);
    }
    ZoneBounds::from_parts(n_rows, starts, bounds)
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (first, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(*first)
}

#[cfg(test)]
#[path = "format_tests.rs"]
mod tests;
