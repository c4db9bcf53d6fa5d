//! The bodies of object header messages, one file per message (specification, section IV.A.2).

mod attribute;
mod dataspace;
mod datatype;
mod fill_value;
mod filter_pipeline;
mod info;
mod layout;
mod link;

pub(crate) use attribute::AttributeMessage;
pub(crate) use fill_value::FillValue;
pub(crate) use filter_pipeline::FilterPipeline;
pub(crate) use info::{AttributeInfo, Dense, LinkInfo, SymbolTable};
pub(crate) use layout::{ChunkIndex, Chunked, LayoutMessage};
pub(crate) use link::LinkMessage;
