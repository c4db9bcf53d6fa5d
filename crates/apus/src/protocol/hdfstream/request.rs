//! What a client asks for: the parameters of GET and the `MessagePack` body of POST.

use std::{fmt, ops::Range};

use super::slices::{self, MAX_DIMENSIONS, MAX_SLICES, Slices};
use super::tokens::{Token, Tokens};

/// The longest name of an object, in bytes.
const MAX_OBJECT_BYTES: usize = 4096;
/// The most members of a POST body.
const MAX_PARAMETERS: u32 = 4;

/// A request, well formed.
#[derive(Debug, PartialEq)]
pub(super) struct Request {
    /// The absolute path of an HDF5 object; without one the request is for the directory or file itself.
    pub(super) object: Option<String>,
    /// How deep groups (or directories) are expanded.
    pub(super) max_depth: u32,
    /// Contents of datasets of at most so many bytes come along.
    pub(super) data_size_limit: u64,
    /// Which part of the dataset is wanted, instead of its description.
    pub(super) slices: Option<Slices>,
}

impl Default for Request {
    fn default() -> Self {
        Self { object: None, max_depth: 0, data_size_limit: i32::MAX.unsigned_abs().into(), slices: None }
    }
}

impl Request {
    /// Reads the parameters of a GET; unknown ones are ignored, as clients expect.
    ///
    /// Errors: the texts that clients show.
    pub(super) fn from_query<'a>(parameters: impl Iterator<Item = (&'a str, &'a str)>) -> Result<Self, String> {
        let mut request = Self::default();
        for (name, value) in parameters {
            match name {
                "object" => request.object = Some(value.to_owned()),
                "max_depth" => request.max_depth = parse_integer(name, value)?,
                "data_size_limit" => request.data_size_limit = parse_integer(name, value)?.into(),
                "slice" => request.slices = Some(slices::parse_text(value)?),
                _ => {}
            }
        }
        request.checked()
    }

    fn checked(self) -> Result<Self, String> {
        match &self.object {
            Some(object) if object.len() > MAX_OBJECT_BYTES => Err("Object name is too long".to_owned()),
            Some(object) if object.chars().any(char::is_control) => {
                Err("Object names must contain printable characters only".to_owned())
            }
            None if self.slices.is_some() => Err("Can't specify slicing parameters without object name".to_owned()),
            _ => Ok(self),
        }
    }
}

fn parse_integer(name: &str, value: &str) -> Result<u32, String> {
    let number: i32 = value.parse().map_err(|_| format!("Unable to interpret {name} parameter as integer"))?;
    u32::try_from(number).map_err(|_| format!("{name} must not be negative"))
}

/// Reads the body of a POST as it arrives: sixteen million slices need no more memory than the slices themselves.
#[derive(Debug, Default)]
pub(super) struct BodyParser {
    tokens: Tokens,
    request: Request,
    n_parameters: usize,
    seen: Vec<Parameter>,
    slices: Slices,
    /// The number of slices, once it is known.
    n_announced: usize,
    rank: usize,
    state: Expected,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Parameter {
    Object,
    MaxDepth,
    DataSizeLimit,
    Slice,
}

/// What the next token must be.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Expected {
    #[default]
    Body,
    Key,
    Value(Parameter),
    /// The `[start, count]` of a dimension, or the end of the slices.
    Dimension,
    /// The start of a dimension: a number, or (first dimension) an array.
    Start,
    Starts {
        n_left: u32,
    },
    /// The count: a number for all, or an array.
    Count,
    Counts {
        next: usize,
        n_left: u32,
    },
    End,
}

impl BodyParser {
    /// Takes the next piece of the body.
    ///
    /// Errors: what is wrong with it; the texts that clients show.
    pub(super) fn feed(&mut self, piece: &[u8]) -> Result<(), String> {
        self.tokens.feed(piece);
        while let Some(token) = self.tokens.next().map_err(undecodable)? {
            self.state = self.accept(token)?;
        }
        Ok(())
    }

    /// The memory that it takes, or is going to take: all of it is known once the slices' number is.
    pub(super) fn held_bytes(&self) -> u64 {
        let slices = self.request.slices.as_ref().unwrap_or(&self.slices);
        let rows_bytes = slices.rows.capacity().max(self.n_announced) * size_of::<Range<u64>>();
        self.tokens.held_bytes().max(rows_bytes as u64)
    }

    /// Makes room for the slices that were announced, no more: growing step by step would end with up to twice as much.
    pub(super) fn reserve(&mut self) {
        if self.request.slices.is_none() {
            let n_missing = self.n_announced.saturating_sub(self.slices.rows.len());
            self.slices.rows.reserve_exact(n_missing);
        }
    }

    /// The request, once the whole body has come.
    pub(super) fn finish(self) -> Result<Request, String> {
        if self.state != Expected::End || !self.tokens.is_empty() {
            return Err(undecodable("the body ends too early"));
        }
        self.request.checked()
    }

    fn accept(&mut self, token: Token) -> Result<Expected, String> {
        match (self.state, token) {
            (Expected::Body, Token::Map(0)) => Ok(Expected::End),
            (Expected::Body, Token::Map(n)) if n > MAX_PARAMETERS => {
                Err("Too many parameters in msgpack request".to_owned())
            }
            (Expected::Body, Token::Map(n)) => {
                self.n_parameters = n as usize;
                Ok(Expected::Key)
            }
            (Expected::Key, Token::Str(key)) => self.key(&key),
            (Expected::Value(Parameter::Object), Token::Str(object)) => {
                self.request.object = Some(object);
                Ok(self.next_key())
            }
            (Expected::Value(Parameter::MaxDepth), Token::Unsigned(n)) => {
                self.request.max_depth = u32::try_from(n)
                    .ok()
                    .filter(|&n| i32::try_from(n).is_ok())
                    .ok_or_else(|| undecodable("max_depth is too large"))?;
                Ok(self.next_key())
            }
            (Expected::Value(Parameter::DataSizeLimit), Token::Unsigned(n)) => {
                self.request.data_size_limit = n;
                Ok(self.next_key())
            }
            (Expected::Value(Parameter::MaxDepth), Token::Negative(_)) => {
                Err("max_depth must not be negative".to_owned())
            }
            (Expected::Value(Parameter::DataSizeLimit), Token::Negative(_)) => {
                Err("data_size_limit must not be negative".to_owned())
            }
            (Expected::Value(Parameter::Slice), Token::Str(text)) => {
                self.request.slices = Some(slices::parse_text(&text).map_err(undecodable)?);
                Ok(self.next_key())
            }
            (Expected::Value(Parameter::Slice), Token::Array(rank)) => self.begin_slices(rank),
            (state, token) => self.accept_slices(state, token),
        }
    }

    fn accept_slices(&mut self, state: Expected, token: Token) -> Result<Expected, String> {
        match (state, token) {
            (Expected::Dimension, Token::Array(2)) => Ok(Expected::Start),
            (Expected::Start, Token::Unsigned(start)) => {
                self.push_start(start);
                Ok(Expected::Count)
            }
            (Expected::Start, Token::Array(n)) => {
                self.check_array(n, "starts")?;
                self.n_announced = self.n_announced.max(n as usize);
                Ok(Expected::Starts { n_left: n })
            }
            (Expected::Starts { n_left }, Token::Unsigned(start)) => {
                self.push_start(start);
                Ok(if n_left > 1 { Expected::Starts { n_left: n_left - 1 } } else { Expected::Count })
            }
            (Expected::Count, Token::Unsigned(count)) => {
                self.current().iter_mut().for_each(|range| set_count(range, count));
                Ok(self.next_dimension())
            }
            (Expected::Count, Token::Array(n)) => {
                self.check_array(n, "counts")?;
                if n != 1 && n as usize != self.current().len() {
                    return Err(undecodable(format!("{} slice starts but {n} counts", self.current().len())));
                }
                Ok(Expected::Counts { next: 0, n_left: n })
            }
            (Expected::Counts { next: 0, n_left: 1 }, Token::Unsigned(count)) => {
                self.current().iter_mut().for_each(|range| set_count(range, count));
                Ok(self.next_dimension())
            }
            (Expected::Counts { next, n_left }, Token::Unsigned(count)) => {
                if let Some(range) = self.current().get_mut(next) {
                    set_count(range, count);
                }
                Ok(if n_left > 1 {
                    Expected::Counts { next: next + 1, n_left: n_left - 1 }
                } else {
                    self.next_dimension()
                })
            }
            (
                Expected::Start | Expected::Starts { .. } | Expected::Count | Expected::Counts { .. },
                Token::Negative(_),
            ) => Err(undecodable("Slice indexes must not be negative")),
            (Expected::End, _) => Err(undecodable("there is something after the request's map")),
            (state, token) => Err(undecodable(format!("expected {}, found {}", state.expected(), token.kind()))),
        }
    }

    fn key(&mut self, key: &str) -> Result<Expected, String> {
        let parameter = match key {
            "object" => Parameter::Object,
            "max_depth" => Parameter::MaxDepth,
            "data_size_limit" => Parameter::DataSizeLimit,
            "slice" => Parameter::Slice,
            _ => return Err(format!("Unrecognized parameter: {}", key.chars().take(100).collect::<String>())),
        };
        if self.seen.contains(&parameter) {
            return Err(format!("Duplicate parameter: {key}"));
        }
        self.seen.push(parameter);
        Ok(Expected::Value(parameter))
    }

    fn next_key(&self) -> Expected {
        if self.seen.len() == self.n_parameters { Expected::End } else { Expected::Key }
    }

    fn begin_slices(&mut self, rank: u32) -> Result<Expected, String> {
        self.rank = rank as usize;
        if self.rank > MAX_DIMENSIONS {
            return Err(undecodable("Too many dimensions!"));
        }
        Ok(self.next_dimension())
    }

    /// Dimensions fill up one after the other; after the last the slices are whole.
    fn next_dimension(&mut self) -> Expected {
        if self.slices.rank < self.rank {
            self.slices.rank += 1;
            return Expected::Dimension;
        }
        self.request.slices = Some(std::mem::take(&mut self.slices));
        self.next_key()
    }

    /// The ranges of the dimension that is being read: many in the first, one in each other.
    fn current(&mut self) -> &mut [Range<u64>] {
        if self.slices.rank == 1 {
            &mut self.slices.rows
        } else {
            self.slices.inner.as_mut_slice().split_at_mut(self.slices.rank - 2).1
        }
    }

    fn push_start(&mut self, start: u64) {
        let ranges = if self.slices.rank == 1 { &mut self.slices.rows } else { &mut self.slices.inner };
        ranges.push(start..start);
    }

    fn check_array(&self, n: u32, what: &str) -> Result<(), String> {
        match n as usize {
            0 => Err(undecodable(format!("slice {what} must not be empty"))),
            1 => Ok(()),
            _ if self.slices.rank > 1 => Err(undecodable("only the first dimension can have several slices")),
            n if n > MAX_SLICES => Err(undecodable("Too many slices!")),
            _ => Ok(()),
        }
    }
}

impl Expected {
    fn expected(self) -> &'static str {
        match self {
            Self::Body => "a map",
            Self::Key => "a parameter's name",
            Self::Value(Parameter::Object) => "a string as object",
            Self::Value(Parameter::MaxDepth) => "an integer as max_depth",
            Self::Value(Parameter::DataSizeLimit) => "an integer as data_size_limit",
            Self::Value(Parameter::Slice) => "a string or arrays as slice",
            Self::Dimension => "[start, count] for a dimension",
            Self::Start | Self::Starts { .. } => "a slice start",
            Self::Count | Self::Counts { .. } => "a slice count",
            Self::End => "nothing",
        }
    }
}

/// A range that would pass 64 bits ends at their limit, which no dataset reaches.
fn set_count(range: &mut Range<u64>, count: u64) {
    range.end = range.start.saturating_add(count);
}

fn undecodable(why: impl fmt::Display) -> String {
    format!("Unable to decode request: {why}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(body: &[u8], piece: usize) -> Result<Request, String> {
        let mut parser = BodyParser::default();
        body.chunks(piece).try_for_each(|part| parser.feed(part))?;
        parser.finish()
    }

    /// The bytes that the client sends for `Coordinates[[5..8,17,19,20,100..103],:]`.
    const SLICES: &[u8] = b"\x82\xa6object\xb6/PartType1/Coordinates\xa5slice\x92\x92\x94\x05\x11\x13\x64\x94\x04\x01\x02\x04\x92\x00\x03";

    #[test]
    fn a_clients_slices_are_read_however_the_body_is_cut() {
        let expected =
            Slices { rank: 2, rows: vec![5..9, 17..18, 19..21, 100..104], inner: vec![0..3], inner_differs: false };
        for piece in 1..SLICES.len() {
            let request = parse(SLICES, piece).unwrap();
            assert_eq!(request.object.as_deref(), Some("/PartType1/Coordinates"));
            assert_eq!(request.slices.as_ref(), Some(&expected), "pieces of {piece}");
        }
        assert!(parse(&SLICES[..SLICES.len() - 1], 7).unwrap_err().contains("ends too early"));
    }

    #[test]
    fn the_other_forms_are_read() {
        assert_eq!(parse(b"\x80", 1).unwrap(), Request::default());
        let scalar = parse(b"\x82\xa6object\xa2/x\xa5slice\x90", 3).unwrap();
        assert_eq!(scalar.slices, Some(Slices::default()));
        let one_count = parse(b"\x82\xa6object\xa2/x\xa5slice\x91\x92\x92\x01\x05\x02", 100).unwrap();
        assert_eq!(one_count.slices.unwrap().rows, [1..3, 5..7]);
        let tolerated = parse(b"\x82\xa6object\xa2/x\xa5slice\x92\x92\x01\x02\x92\x91\x00\x91\x03", 100).unwrap();
        assert_eq!(tolerated.slices.unwrap().inner, [0..3]);
        let text = parse(b"\x82\xa6object\xa2/x\xa5slice\xa30:2", 100).unwrap();
        assert_eq!(text.slices.unwrap().rows, [0..2]);
        let depth = parse(b"\x83\xa6object\xa1/\xafdata_size_limit\xce\x00\x10\x00\x00\xa9max_depth\x05", 4).unwrap();
        assert_eq!((depth.max_depth, depth.data_size_limit), (5, 1 << 20));
    }

    #[test]
    fn bad_bodies_are_refused_with_what_is_wrong() {
        for (body, error) in [
            (&b""[..], "Unable to decode request: the body ends too early"),
            (b"\xc0", "Unable to decode request: expected a map, found nil"),
            (b"\x80\x80", "Unable to decode request: there is something after the request's map"),
            (b"\x85", "Too many parameters in msgpack request"),
            (b"\x81\xa1x\x01", "Unrecognized parameter: x"),
            (b"\x82\xa6object\xa1/\xa6object\xa1/", "Duplicate parameter: object"),
            (b"\x81\xa9max_depth\xff", "max_depth must not be negative"),
            (b"\x81\xafdata_size_limit\xff", "data_size_limit must not be negative"),
            (b"\x81\xa5slice\x90", "Can't specify slicing parameters without object name"),
            (b"\x81\xa5slice\xa2-1", "Unable to decode request: Slice indexes must not be negative"),
            (b"\x81\xa5slice\x91\x92\xff\x01", "Unable to decode request: Slice indexes must not be negative"),
            (b"\x81\xa5slice\x91\x92\x90", "Unable to decode request: slice starts must not be empty"),
            (b"\x81\xa5slice\x91\x92\x92\x01\x02\x93", "Unable to decode request: 2 slice starts but 3 counts"),
            (
                b"\x81\xa5slice\x92\x92\x00\x01\x92\x92",
                "Unable to decode request: only the first dimension can have several slices",
            ),
            (b"\x81\xa5slice\x99", "Unable to decode request: Too many dimensions!"),
            (b"\x81\xa5slice\x91\x92\xdd\x01\x00\x00\x01", "Unable to decode request: Too many slices!"),
        ] {
            assert_eq!(parse(body, 1000).unwrap_err(), error, "{body:x?}");
        }
    }

    #[test]
    fn queries_are_read_strictly() {
        let request = Request::from_query([("object", "/x"), ("slice", "0:3"), ("page", "1")].into_iter()).unwrap();
        assert_eq!(request.slices.unwrap().rows, [0..3]);
        for value in [" 10", "10 ", "", "3.0", "abc", "4294967296"] {
            let error = Request::from_query([("max_depth", value)].into_iter()).unwrap_err();
            assert_eq!(error, "Unable to interpret max_depth parameter as integer");
        }
        let error = Request::from_query([("data_size_limit", "-1")].into_iter()).unwrap_err();
        assert_eq!(error, "data_size_limit must not be negative");
    }
}
