//! Noting the bounds of zones along a scan.

use std::{ops::Range, sync::Arc};

use apus_h5::{Datatype, write::Number};

use super::{
    ZoneBounds,
    bounds::{Bounds, EMPTY},
};

/// Goes along with a scan and notes of each zone that it has seen all of what its positions lie between.
#[derive(Debug)]
pub(crate) struct BoundsNotes {
    zones: Arc<ZoneBounds>,
    positions: Positions,
    /// The row that comes next in a zone that was seen from its first row on, and what the positions so far lie between.
    begun: Option<(u64, Bounds)>,
}

/// How positions are stored.
#[derive(Clone, Copy, Debug)]
enum Positions {
    F32,
    F64,
}

impl BoundsNotes {
    /// `None` for positions of a type whose bounds cannot be told.
    pub(crate) fn new(zones: Arc<ZoneBounds>, dtype: &Datatype) -> Option<Self> {
        let positions = if *dtype == f64::DTYPE {
            Positions::F64
        } else if *dtype == f32::DTYPE {
            Positions::F32
        } else {
            return None;
        };
        Some(Self { zones, positions, begun: None })
    }

    /// Takes the positions of rows that follow each other.
    pub(crate) fn see(&mut self, rows: Range<u64>, values: &[u8]) {
        let mut row = rows.start;
        let mut zone = self.zones.zone(row);
        while row < rows.end {
            let zone_rows = self.zones.rows(zone);
            let end = zone_rows.end.min(rows.end);
            if end <= row {
                // Rows that the positions did not have when zones were made.
                return;
            }
            let before = match self.begun.take() {
                Some((next, bounds)) if next == row => Some(bounds),
                _ => (row == zone_rows.start).then_some(EMPTY),
            };
            if let Some(before) = before
                && !self.zones.is_known(zone)
            {
                let Some(seen) = self.positions.bounds(before, values, row - rows.start..end - rows.start) else {
                    return;
                };
                if end == zone_rows.end {
                    self.zones.note(zone, seen);
                } else {
                    self.begun = Some((end, seen));
                }
            }
            row = end;
            zone += 1;
        }
    }
}

impl Positions {
    /// What these rows of the values lie between, and what is between `bounds`; `None` where the values are too few.
    fn bounds(self, bounds: Bounds, values: &[u8], rows: Range<u64>) -> Option<Bounds> {
        let row_bytes = match self {
            Self::F32 => 12,
            Self::F64 => 24,
        };
        let place = |row: u64| usize::try_from(row).ok()?.checked_mul(row_bytes);
        let values = values.get(place(rows.start)?..place(rows.end)?)?;
        Some(match self {
            Self::F32 => joined(bounds, values.as_chunks::<4>().0, |bytes| f64::from(f32::from_le_bytes(bytes))),
            Self::F64 => joined(bounds, values.as_chunks::<8>().0, f64::from_le_bytes),
        })
    }
}

fn joined<const N: usize>(
    [mut lower, mut upper]: Bounds,
    values: &[[u8; N]],
    number: impl Fn([u8; N]) -> f64,
) -> Bounds {
    for position in values.as_chunks::<3>().0 {
        for axis in 0..3 {
            let x = number(position[axis]);
            // NaN is nowhere, and neither comparison holds of it.
            if x < lower[axis] {
                lower[axis] = x;
            }
            if x > upper[axis] {
                upper[axis] = x;
            }
        }
    }
    [lower, upper]
}
