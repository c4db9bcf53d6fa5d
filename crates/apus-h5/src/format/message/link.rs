//! The link message (specification, section IV.A.2.g).

use crate::{
    Link, LinkTarget,
    format::{Cursor, Parse, before_nul},
};

const HARD: u8 = 0;
const SOFT: u8 = 1;
const EXTERNAL: u8 = 64;

/// A link message, read as far as its name: a look-up passes over names that are no text.
#[derive(Debug)]
pub(crate) struct LinkMessage<'a> {
    /// The name, up to its first NUL.
    pub(crate) name: &'a [u8],
    class: u8,
    /// What follows the name.
    value: Cursor<'a>,
}

impl<'a> LinkMessage<'a> {
    /// Reads the message up to the name.
    pub(crate) fn parse(mut cursor: Cursor<'a>) -> Parse<Self> {
        cursor.version(1)?;
        let flags = cursor.u8()?;
        if flags & !0x1f != 0 {
            return Err(cursor.damaged(format_args!("flags {flags:#04x}")));
        }
        let class = if flags & 0x08 != 0 { cursor.u8()? } else { HARD };
        if flags & 0x04 != 0 {
            cursor.skip(8)?; // creation order
        }
        // ASCII is UTF-8 too.
        if flags & 0x10 != 0 && !matches!(cursor.u8()?, 0 | 1) {
            return Err(cursor.damaged("an unknown character set"));
        }
        let name_bytes = cursor.uint(1 << (flags & 3))?;
        let name = before_nul(cursor.take_u64(name_bytes)?);
        if name.is_empty() {
            return Err(cursor.damaged("a link without a name"));
        }
        Ok(Self { name, class, value: cursor })
    }

    /// Reads what the link points to.
    pub(crate) fn link(self) -> Parse<Link> {
        let Self { name, class, value: mut cursor } = self;
        let name = cursor.text(name)?;
        let target = match class {
            HARD => LinkTarget::Hard { address: cursor.defined_address("linked object")? },
            SOFT => {
                let size = cursor.u16()?;
                let path = before_nul(cursor.take(usize::from(size))?);
                LinkTarget::Soft { path: cursor.text(path)? }
            }
            EXTERNAL => {
                let size = cursor.u16()?;
                let value = cursor.take(usize::from(size))?;
                let mut value = Cursor::new("external link", value, cursor.sizes());
                match value.u8()? {
                    // The upper half is a version, the lower half flags.
                    0 => {}
                    version => {
                        return Err(value.unsupported(format_args!(
                            "version {} with flags {}",
                            version >> 4,
                            version & 15
                        )));
                    }
                }
                let (file, path) = (value.c_string()?, value.c_string()?);
                LinkTarget::External { file: value.text(file)?, path: value.text(path)? }
            }
            65.. => LinkTarget::UserDefined { class },
            _ => return Err(cursor.unsupported(format_args!("class {class}"))),
        };
        Ok(Link { name, target })
    }
}
