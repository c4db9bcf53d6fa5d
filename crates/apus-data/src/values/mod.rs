//! From a request to values: the one way, for every protocol and form.
//!
//! - An [`Archive`] is the catalogue with what reading takes: threads, limits, what is remembered of columns.
//! - [`Archive::pin`] begins a request: [`Pinned`] opens its files, follows their links, and knows from then on which bytes all of them
//!   were. It alone makes [`EntityTag`]s and bodies.
//! - [`mod@array`] reads one dataset, [`select`] fields of the rows that are wanted, [`image`] pictures them, [`histogram`] counts them. What they plan is [`Content`], whose [`Body`] is made
//!   block by block, whole or in part, and ends with an error where a file has changed meanwhile.

mod archive;
pub mod array;
mod array_statistics;
mod body;
mod content;
mod download;
mod element_form;
mod file;
pub mod histogram;
pub mod image;
mod memory;
mod pinned;
mod pins;
mod raster;
pub mod select;
mod statistics;
mod stream;
pub mod summary;
mod tag;
mod tar;
pub mod tiles;
mod zone_maps;

pub use apus_h5::{Cancelled, Pace, Stop, Waiting};
pub use archive::{Archive, ArchiveParts, Limits};
pub use array_statistics::{ArrayStatistics, Statistic};
pub use body::{Blocks, Body, CheckedBlocks};
pub use content::Content;
pub use download::{FileDownload, FolderDownload};
pub use element_form::ElementForm;
pub use memory::PictureMemory;
pub use pinned::{Pinned, PinnedFile};
pub use raster::Drawing;
pub use statistics::StatisticsCache;
pub use tag::EntityTag;
pub use tiles::TileCache;
pub use zone_maps::{IndexProgress, IndexReport, IndexRequest, ZoneMapFolder, ZoneMapStats, index_files};
