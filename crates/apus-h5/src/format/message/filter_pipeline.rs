//! The filter pipeline message, versions 1 and 2 (specification, section IV.A.2.l).

use crate::{
    Filter,
    filter::{Pipeline, Scratch},
    format::{Cursor, Fault, MAX_METADATA_BYTES, Parse},
};

/// The filters of a dataset or of a fractal heap, in the order of writing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct FilterPipeline {
    /// The stages.
    pub(crate) filters: Vec<Filter>,
}

impl FilterPipeline {
    /// Reads a filter pipeline message.
    pub(crate) fn parse(mut cursor: Cursor<'_>) -> Parse<Self> {
        /// The most stages that the library allows.
        const MAX_FILTERS: u8 = 32;
        let version = cursor.u8()?;
        let n_filters = cursor.u8()?;
        match version {
            1 => cursor.skip(6)?,
            2 => {}
            _ => return Err(cursor.unsupported(format_args!("version {version}"))),
        }
        if n_filters > MAX_FILTERS {
            return Err(cursor.damaged(format_args!("{n_filters} filters, over the format's {MAX_FILTERS}")));
        }
        let filters = (0..n_filters).map(|_| parse_filter(&mut cursor, version)).collect::<Parse<_>>()?;
        Ok(Self { filters })
    }

    /// The bytes from before the filters, which must be `size` many; a set bit N of `mask` says that stage N was left out.
    pub(crate) fn decode(&self, stored: &[u8], mask: u32, size: u64) -> Parse<Vec<u8>> {
        let size = usize::try_from(size).ok().filter(|_| size <= MAX_METADATA_BYTES).ok_or(Fault::OverLimit {
            what: "the size of a filtered block of a fractal heap in bytes",
            found: size,
            limit: MAX_METADATA_BYTES,
        })?;
        let pipeline = Pipeline::new(&self.filters, size)?;
        Ok(pipeline.decode(stored, mask, &mut Scratch::default())?.to_vec())
    }
}

fn parse_filter(cursor: &mut Cursor<'_>, version: u8) -> Parse<Filter> {
    /// From this number on, filters are not the library's own, and version 2 names them.
    const FIRST_FOREIGN: u16 = 256;
    let id = cursor.u16()?;
    let name_bytes = if version == 1 || id >= FIRST_FOREIGN { cursor.u16()? } else { 0 };
    let flags = cursor.u16()?;
    let n_parameters = cursor.u16()?;
    let name = cursor.take(usize::from(name_bytes))?;
    if version == 1 {
        cursor.skip(usize::from(name_bytes.next_multiple_of(8) - name_bytes))?;
    }
    let parameters = (0..n_parameters).map(|_| cursor.u32()).collect::<Parse<Vec<_>>>()?;
    if version == 1 && n_parameters % 2 == 1 {
        cursor.skip(4.min(cursor.remaining()))?;
    }
    let name = name.split(|&b| b == 0).next().unwrap_or_default();
    let name =
        if name.is_empty() { registered_name(id).to_owned() } else { String::from_utf8_lossy(name).into_owned() };
    Ok(Filter { id, name, optional: flags & 1 != 0, parameters })
}

/// The name of a filter in the HDF Group's registry.
fn registered_name(id: u16) -> &'static str {
    match id {
        1 => "deflate",
        2 => "shuffle",
        3 => "fletcher32",
        4 => "szip",
        5 => "nbit",
        6 => "scaleoffset",
        305 => "lzo",
        307 => "bzip2",
        32000 => "lzf",
        32001 => "blosc",
        32004 => "lz4",
        32008 => "bitshuffle",
        32013 => "zfp",
        32015 => "zstd",
        32026 => "blosc2",
        _ => "unregistered",
    }
}
