//! The link message (specification, section IV.A.2.g).

use crate::{
    Link, LinkTarget,
    format::{Cursor, Parse},
};

/// Reads a link message.
pub(crate) fn parse(mut cursor: Cursor<'_>) -> Parse<Link> {
    const HARD: u8 = 0;
    const SOFT: u8 = 1;
    const EXTERNAL: u8 = 64;
    cursor.version(1)?;
    let flags = cursor.u8()?;
    let class = if flags & 0x08 != 0 { cursor.u8()? } else { HARD };
    if flags & 0x04 != 0 {
        cursor.skip(8)?; // creation order
    }
    if flags & 0x10 != 0 {
        cursor.skip(1)?; // the name's character set: ASCII is UTF-8 too
    }
    let name_bytes = cursor.uint(1 << (flags & 3))?;
    let name = text(cursor.take_u64(name_bytes)?);
    if name.is_empty() {
        return Err(cursor.damaged("a link without a name"));
    }
    let target = match class {
        HARD => LinkTarget::Hard { address: cursor.defined_address("linked object")? },
        SOFT => {
            let size = cursor.u16()?;
            LinkTarget::Soft { path: text(cursor.take(usize::from(size))?) }
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
            LinkTarget::External { file: text(value.c_string()?), path: text(value.c_string()?) }
        }
        65.. => LinkTarget::UserDefined { class },
        _ => return Err(cursor.unsupported(format_args!("class {class}"))),
    };
    Ok(Link { name, target })
}

/// Names are UTF-8 by the specification; bytes that are not are replaced.
fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
