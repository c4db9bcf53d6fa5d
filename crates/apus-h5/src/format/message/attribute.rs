//! The attribute message, versions 1 to 3 (specification, section IV.A.2.m).

use std::borrow::Cow;

use crate::{
    Dataspace, Datatype,
    format::{Cursor, Meta, Parse, object_header::kind, shared},
};

const WHAT: &str = "attribute message";

/// An attribute as stored.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct AttributeMessage {
    /// Its name.
    pub(crate) name: String,
    /// Its type as stored.
    pub(crate) dtype: Datatype,
    /// Its extent.
    pub(crate) space: Dataspace,
    /// Its elements as stored (heap references where they are of variable length).
    pub(crate) data: Vec<u8>,
}

impl AttributeMessage {
    /// The name alone, so that looking for one attribute does not parse all.
    pub(crate) fn parse_name<'a>(meta: &Meta, body: &'a [u8]) -> Parse<&'a [u8]> {
        let mut cursor = meta.cursor(WHAT, body);
        let version = cursor.u8()?;
        cursor.skip(1)?;
        let name_bytes = cursor.u16()?;
        cursor.skip(if version >= 3 { 5 } else { 4 })?;
        let name = cursor.take(usize::from(name_bytes))?;
        without_terminator(&cursor, name)
    }

    /// The name alone, as text.
    pub(crate) fn parse_text_name(meta: &Meta, body: &[u8]) -> Parse<String> {
        meta.cursor(WHAT, body).text(Self::parse_name(meta, body)?)
    }

    /// Reads an attribute message.
    pub(crate) fn parse(meta: &Meta, body: &[u8]) -> Parse<Self> {
        let mut cursor = meta.cursor(WHAT, body);
        let version = cursor.u8()?;
        if !(1..=3).contains(&version) {
            return Err(cursor.unsupported(format_args!("version {version}")));
        }
        // Bit 0: the type's message is shared; bit 1: the dataspace's is. Reserved in version 1.
        let flags = match cursor.u8()? {
            _ if version == 1 => 0,
            flags => flags,
        };
        let (name_bytes, type_bytes, space_bytes) = (cursor.u16()?, cursor.u16()?, cursor.u16()?);
        if version == 3 && !matches!(cursor.u8()?, 0 | 1) {
            return Err(cursor.damaged("a name of an unknown character set"));
        }
        let mut part = |size: u16| {
            let start = cursor.position();
            let part = cursor.take(usize::from(size))?;
            if version == 1 {
                cursor.align_8(start)?;
            }
            Parse::Ok(part)
        };
        let (name, dtype, space) = (part(name_bytes)?, part(type_bytes)?, part(space_bytes)?);
        let name = cursor.text(without_terminator(&cursor, name)?)?;
        let resolved = |shared: bool, kind: u16, body| {
            if shared { shared::shared_body(meta, kind, body).map(Cow::Owned) } else { Parse::Ok(Cow::Borrowed(body)) }
        };
        let dtype = resolved(flags & 1 != 0, kind::DATATYPE, dtype)?;
        let dtype = Datatype::parse(meta.cursor("datatype of an attribute", &dtype))?;
        let space = resolved(flags & 2 != 0, kind::DATASPACE, space)?;
        let space = Dataspace::parse(meta.cursor("dataspace of an attribute", &space))?;
        let size = space.n_elements().and_then(|n| n.checked_mul(dtype.size_bytes()));
        let size = size.ok_or_else(|| cursor.damaged(format_args!("attribute {name:?} has more than 2^64 bytes")))?;
        let data = cursor.take_u64(size)?.to_vec();
        Ok(Self { name, dtype, space, data })
    }
}

/// A name without the byte after it: as in libhdf5, which does not look whether that is a NUL, but refuses one before.
fn without_terminator<'a>(cursor: &Cursor<'_>, name: &'a [u8]) -> Parse<&'a [u8]> {
    match name.split_last() {
        Some((_, name)) if !name.contains(&0) => Ok(name),
        _ => Err(cursor.damaged(format_args!("the name b\"{}\"", name.escape_ascii()))),
    }
}
