//! `MessagePack` as it arrives: tokens out of a body that comes in pieces.

use rmp::Marker;

/// The longest string that a request may hold: slices as text.
const MAX_STRING_BYTES: usize = 8 << 20;

/// One token of a `MessagePack` document.
#[derive(Debug, PartialEq)]
pub(super) enum Token {
    Map(u32),
    Array(u32),
    Unsigned(u64),
    Negative(i64),
    Str(String),
    /// A kind that no request has: nil, booleans, floats, binaries, extensions.
    Other(&'static str),
}

impl Token {
    /// What it is, in words.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Map(_) => "a map",
            Self::Array(_) => "an array of another length or in another place",
            Self::Unsigned(_) => "an integer",
            Self::Negative(_) => "a negative integer",
            Self::Str(_) => "a string",
            Self::Other(kind) => kind,
        }
    }
}

/// Cuts tokens from the pieces of a body; keeps only what is not yet a whole token.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    buffer: Vec<u8>,
    position: usize,
}

impl Tokens {
    /// Takes the next piece of the body.
    pub(super) fn feed(&mut self, piece: &[u8]) {
        self.buffer.drain(..self.position);
        self.position = 0;
        self.buffer.extend_from_slice(piece);
    }

    /// The memory that is taken by what is not yet a whole token.
    pub(super) fn held_bytes(&self) -> u64 {
        self.buffer.capacity() as u64
    }

    /// Whether every byte that came was part of a token.
    pub(super) fn is_empty(&self) -> bool {
        self.position == self.buffer.len()
    }

    /// The next token, or `None` where more bytes are needed.
    ///
    /// Errors: a string that is not UTF-8 or too long.
    pub(super) fn next(&mut self) -> Result<Option<Token>, String> {
        let rest = self.buffer.get(self.position..).unwrap_or_default();
        let Some((&first, rest)) = rest.split_first() else { return Ok(None) };
        let marker = Marker::from_u8(first);
        let width = match marker {
            Marker::U8 | Marker::I8 | Marker::Str8 => 1,
            Marker::U16 | Marker::I16 | Marker::Str16 | Marker::Map16 | Marker::Array16 => 2,
            Marker::U32 | Marker::I32 | Marker::Str32 | Marker::Map32 | Marker::Array32 => 4,
            Marker::U64 | Marker::I64 => 8,
            _ => 0,
        };
        let Some((number, payload)) = rest.split_at_checked(width) else { return Ok(None) };
        let unsigned = number.iter().fold(0u64, |n, &b| n << 8 | u64::from(b));
        let token = match marker {
            Marker::FixPos(n) => Token::Unsigned(n.into()),
            Marker::U8 | Marker::U16 | Marker::U32 | Marker::U64 => Token::Unsigned(unsigned),
            Marker::FixNeg(n) => Token::Negative(n.into()),
            Marker::I8 | Marker::I16 | Marker::I32 | Marker::I64 => {
                let shift = 64 - 8 * width;
                let value = (unsigned << shift).cast_signed() >> shift;
                u64::try_from(value).map_or(Token::Negative(value), Token::Unsigned)
            }
            Marker::FixMap(n) => Token::Map(n.into()),
            Marker::FixArray(n) => Token::Array(n.into()),
            Marker::Map16 | Marker::Map32 => Token::Map(length(unsigned)?),
            Marker::Array16 | Marker::Array32 => Token::Array(length(unsigned)?),
            Marker::FixStr(_) | Marker::Str8 | Marker::Str16 | Marker::Str32 => {
                let n_bytes = if let Marker::FixStr(n) = marker { n.into() } else { length(unsigned)? as usize };
                if n_bytes > MAX_STRING_BYTES {
                    return Err(format!("a string of {n_bytes} bytes is longer than {MAX_STRING_BYTES}"));
                }
                let Some(bytes) = payload.get(..n_bytes) else { return Ok(None) };
                let text = str::from_utf8(bytes).map_err(|_| "a string is not UTF-8".to_owned())?.to_owned();
                self.position += n_bytes;
                Token::Str(text)
            }
            Marker::Null => Token::Other("nil"),
            Marker::True | Marker::False => Token::Other("boolean"),
            Marker::F32 | Marker::F64 => Token::Other("float"),
            _ => Token::Other("binary or extension value"),
        };
        self.position += 1 + width;
        Ok(Some(token))
    }
}

fn length(value: u64) -> Result<u32, String> {
    u32::try_from(value).map_err(|_| format!("a length of {value} is too large"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(bytes: &[u8], piece: usize) -> Vec<Token> {
        let mut tokens = Tokens::default();
        let mut out = Vec::new();
        for part in bytes.chunks(piece) {
            tokens.feed(part);
            while let Some(token) = tokens.next().unwrap() {
                out.push(token);
            }
        }
        assert!(tokens.is_empty());
        out
    }

    /// The bytes are what Python's `msgpack.packb` gives for the values beside them.
    #[test]
    fn tokens_do_not_depend_on_where_the_body_is_cut() {
        let bytes = b"\x82\xa6object\xa2/x\xa1n\x96\x00\xcc\xff\xcd\x01\x00\xce\x00\x01\x00\x00\xcf\x00\x00\x00\x01\x00\x00\x00\x00\xd1\xff\x00";
        let expected = || {
            vec![
                Token::Map(2),
                Token::Str("object".into()),
                Token::Str("/x".into()),
                Token::Str("n".into()),
                Token::Array(6),
                Token::Unsigned(0),
                Token::Unsigned(255),
                Token::Unsigned(256),
                Token::Unsigned(65536),
                Token::Unsigned(1 << 32),
                Token::Negative(-256),
            ]
        };
        for piece in 1..=bytes.len() {
            assert_eq!(all(bytes, piece), expected(), "pieces of {piece}");
        }
    }

    #[test]
    fn strings_beyond_the_limit_are_refused_before_they_arrive() {
        let mut tokens = Tokens::default();
        tokens.feed(b"\xdb\xff\xff\xff\xff");
        assert!(tokens.next().is_err());
    }
}
