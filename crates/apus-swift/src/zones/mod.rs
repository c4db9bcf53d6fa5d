//! Zones: rows that follow each other, and what their positions lie between.
//!
//! Files whose cells have no bounds (SWIFT before April 2022, and catalogues) cannot tell where the particles of a cell are. The
//! particles themselves can: [`ZoneBounds`] has the least and greatest position of each zone, which is a cell where there are cells. Scans
//! fill it in as they pass by ([`RowScan::with_bounds`](crate::RowScan::with_bounds)), and a [`LearningScan`] reads for nothing else. As
//! it is taken from the stored values alone, it holds wherever particles have drifted to, and regions rest on it as they do on stored
//! bounds.

mod bounds;
mod learn;
mod notes;

pub use bounds::{Bounds, FoundZones, MAX_ZONES, ZoneBounds};
pub use learn::LearningScan;
pub(crate) use notes::BoundsNotes;
