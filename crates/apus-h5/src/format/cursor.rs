//! Reads the fields of one structure in order, never past its end.

use super::{Fault, Parse, Sizes};

/// A position in the bytes of one structure. All integers of the format are little-endian (specification, section I).
#[derive(Clone, Debug)]
pub(crate) struct Cursor<'a> {
    what: &'static str,
    bytes: &'a [u8],
    position: usize,
    sizes: Sizes,
}

impl<'a> Cursor<'a> {
    /// Starts at the first byte; `what` is what errors call the structure.
    pub(crate) fn new(what: &'static str, bytes: &'a [u8], sizes: Sizes) -> Self {
        Self { what, bytes, position: 0, sizes }
    }

    /// The name of the structure.
    pub(crate) fn what(&self) -> &'static str {
        self.what
    }

    /// The sizes of the file's addresses and lengths.
    pub(crate) fn sizes(&self) -> Sizes {
        self.sizes
    }

    /// The bytes before the position.
    pub(crate) fn position(&self) -> usize {
        self.position
    }

    /// The bytes from the position on.
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.position..).unwrap_or_default()
    }

    /// The number of bytes from the position on.
    pub(crate) fn remaining(&self) -> usize {
        self.rest().len()
    }

    /// The error that this structure breaks the format.
    pub(crate) fn damaged(&self, reason: impl std::fmt::Display) -> Fault {
        Fault::Damaged(format!("{}: {reason}", self.what))
    }

    /// The error that a part of HDF5 is not read here.
    pub(crate) fn unsupported(&self, feature: impl std::fmt::Display) -> Fault {
        Fault::Unsupported(format!("{}: {feature}", self.what))
    }

    /// The next `n` bytes.
    pub(crate) fn take(&mut self, n: usize) -> Parse<&'a [u8]> {
        let end = self.position.checked_add(n);
        match end.and_then(|end| self.bytes.get(self.position..end)) {
            Some(part) => {
                self.position += n;
                Ok(part)
            }
            None => Err(self.damaged(format_args!(
                "{n} bytes expected at byte {} of {}, {} are left",
                self.position,
                self.bytes.len(),
                self.remaining()
            ))),
        }
    }

    /// The next `n` bytes, where `n` comes from the file.
    pub(crate) fn take_u64(&mut self, n: u64) -> Parse<&'a [u8]> {
        let n = usize::try_from(n)
            .map_err(|_| self.damaged(format_args!("{n} bytes expected, {} are left", self.remaining())))?;
        self.take(n)
    }

    /// The next `N` bytes.
    pub(crate) fn array<const N: usize>(&mut self) -> Parse<[u8; N]> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    /// Passes over `n` bytes.
    pub(crate) fn skip(&mut self, n: usize) -> Parse<()> {
        self.take(n).map(drop)
    }

    /// Passes over padding, up to the next multiple of 8 bytes counted from `start` (a [`position`](Self::position)).
    pub(crate) fn align_8(&mut self, start: usize) -> Parse<()> {
        let length = self.position - start;
        self.skip(length.next_multiple_of(8) - length)
    }

    /// One byte.
    pub(crate) fn u8(&mut self) -> Parse<u8> {
        Ok(u8::from_le_bytes(self.array()?))
    }

    /// Two bytes.
    pub(crate) fn u16(&mut self) -> Parse<u16> {
        Ok(u16::from_le_bytes(self.array()?))
    }

    /// Four bytes.
    pub(crate) fn u32(&mut self) -> Parse<u32> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    /// Eight bytes.
    pub(crate) fn u64(&mut self) -> Parse<u64> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    /// An unsigned integer of `n` bytes, at most 8.
    pub(crate) fn uint(&mut self, n: u8) -> Parse<u64> {
        if n > 8 {
            return Err(self.unsupported(format_args!("an integer of {n} bytes")));
        }
        let mut array = [0; 8];
        array[..usize::from(n)].copy_from_slice(self.take(usize::from(n))?);
        Ok(u64::from_le_bytes(array))
    }

    /// An address, relative to the base address; `None` is the undefined address (all bits set).
    pub(crate) fn address(&mut self) -> Parse<Option<u64>> {
        let n = self.sizes.offset;
        let address = self.uint(n)?;
        Ok((address != all_ones(n)).then_some(address))
    }

    /// An address that must be defined; `of` is what it points to.
    pub(crate) fn defined_address(&mut self, of: &str) -> Parse<u64> {
        self.address()?.ok_or_else(|| self.damaged(format_args!("the address of the {of} is undefined")))
    }

    /// A length.
    pub(crate) fn length(&mut self) -> Parse<u64> {
        self.uint(self.sizes.length)
    }

    /// A length whose all-ones value means something of its own ("unlimited", "unknown").
    pub(crate) fn length_or_none(&mut self) -> Parse<Option<u64>> {
        let n = self.sizes.length;
        let length = self.uint(n)?;
        Ok((length != all_ones(n)).then_some(length))
    }

    /// A four-letter signature.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "literals of bytes are references")]
    pub(crate) fn signature(&mut self, expected: &[u8; 4]) -> Parse<()> {
        let found = self.array::<4>()?;
        if found == *expected {
            return Ok(());
        }
        let (expected, found) = (expected.escape_ascii(), found.escape_ascii());
        Err(self.damaged(format_args!("signature {expected} expected, {found} found")))
    }

    /// A version that must be `expected`.
    pub(crate) fn version(&mut self, expected: u8) -> Parse<()> {
        match self.u8()? {
            version if version == expected => Ok(()),
            version => Err(self.unsupported(format_args!("version {version}"))),
        }
    }

    /// The bytes up to the next NUL, which is passed over.
    pub(crate) fn c_string(&mut self) -> Parse<&'a [u8]> {
        let length = self
            .rest()
            .iter()
            .position(|&b| b == 0)
            .ok_or_else(|| self.damaged("a string without its terminating NUL"))?;
        let string = self.take(length)?;
        self.skip(1)?;
        Ok(string)
    }

    /// A name as text. Names are UTF-8 by the specification, though libhdf5 takes any bytes: those that are not are refused, for a
    /// replacement would be a name that nothing has.
    pub(crate) fn text(&self, name: &[u8]) -> Parse<String> {
        let text = str::from_utf8(name);
        let text =
            text.map_err(|_| self.unsupported(format_args!("the name b\"{}\", not UTF-8", name.escape_ascii())))?;
        Ok(text.to_owned())
    }
}

/// The bytes before the first NUL, where libhdf5's strings end.
pub(crate) fn before_nul(bytes: &[u8]) -> &[u8] {
    bytes.split(|&byte| byte == 0).next().unwrap_or_default()
}

/// The value of `n` bytes with all bits set.
fn all_ones(n: u8) -> u64 {
    if n >= 8 { u64::MAX } else { (1 << (8 * u32::from(n))) - 1 }
}

/// The number of bytes that hold every value up to `limit`, as the library computes it (`H5VM_limit_enc_size`).
pub(crate) fn encoded_size(limit: u64) -> u8 {
    let bits = limit.checked_ilog2().unwrap_or(0);
    u8::try_from(bits / 8 + 1).unwrap_or(8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn undefined_addresses_are_all_ones_of_their_size() {
        let sizes = Sizes { offset: 4, length: 2 };
        let bytes = [255, 255, 255, 255, 254, 255, 255, 255, 255, 255, 1, 0];
        let mut cursor = Cursor::new("test", &bytes, sizes);
        assert_eq!(cursor.address().unwrap(), None);
        assert_eq!(cursor.address().unwrap(), Some(0xffff_fffe));
        assert_eq!(cursor.length_or_none().unwrap(), None);
        assert_eq!(cursor.length().unwrap(), 1);
        assert!(cursor.u8().is_err());
    }

    #[test]
    fn encoded_sizes_are_those_of_the_library() {
        for (limit, size) in [(0, 1), (1, 1), (255, 1), (256, 2), (65_535, 2), (65_536, 3), (u64::MAX, 8)] {
            assert_eq!(encoded_size(limit), size, "{limit}");
        }
    }
}
