//! Zone maps: what the values of columns and the positions of cells lie between, learned once and kept.
//!
//! - A [`ZoneMap`] is of one column, or of the positions of one group, in one state of all files that its values come from: its
//!   [`MapKey`] says which.
//! - Requests fill it in as they read ([`StatisticsCache`](super::StatisticsCache) holds it between them), and [`index_files`] reads for
//!   nothing else.
//! - A [`ZoneMapFolder`] keeps it across restarts, in a [`mod@format`] of its own. Nothing there is needed: whatever is lost, stale or damaged
//!   is learned again.

mod folder;
mod format;
mod index;
mod key;
mod map;

pub use folder::{ZoneMapFolder, ZoneMapStats};
pub use index::{IndexProgress, IndexReport, IndexRequest, index_files};
pub(super) use key::{MapKey, StateHasher, StateKey, Subject};
pub(super) use map::{ZoneMap, ZoneValues};
