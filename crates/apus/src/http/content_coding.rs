//! HTTP content codings: negotiation with the client, and compression of whole bodies.
//!
//! For bodies that are made once and cached, such as descriptions of files, which repeat the same names and compress well.
//! Streams of values are never compressed: it would cost more than it saves.

use std::io::{self, Write};

use flate2::{Compression, write::GzEncoder};
use ruzstd::encoding::CompressionLevel;

/// On descriptions of 0.3 to 4 MB, level 1 takes a quarter of the time of level 6, for output that is 2 to 5 % longer.
const LEVEL: u32 = 1;
/// Shorter bodies fit one packet anyway.
const MIN_BYTES: usize = 1024;

/// A content coding (RFC 9110, section 8.4.1; zstd: RFC 8878).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum ContentCoding {
    /// `gzip`.
    Gzip,
    /// `zstd`.
    Zstd,
}

impl ContentCoding {
    /// The best coding for a client with this `Accept-Encoding`; `None` if it accepts none of ours. The client's highest rank
    /// wins; in a tie gzip, which compresses these bodies better than the available pure-Rust zstd.
    ///
    /// Source: RFC 9110, section 12.5.3.
    pub(crate) fn accepted(accept_encoding: &str) -> Option<Self> {
        let weight_of = |name: &str| {
            let mut any = 0;
            for item in accept_encoding.split(',') {
                let (coding, parameters) = item.split_once(';').unwrap_or((item, ""));
                let coding = coding.trim();
                if coding.eq_ignore_ascii_case(name) {
                    return weight(parameters);
                }
                if coding == "*" {
                    any = weight(parameters);
                }
            }
            any
        };
        let (gzip, zstd) = (weight_of("gzip"), weight_of("zstd"));
        match gzip.max(zstd) {
            0 => None,
            _ if zstd > gzip => Some(Self::Zstd),
            _ => Some(Self::Gzip),
        }
    }

    /// Its name in `Content-Encoding`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }

    /// The body in this coding; `None` if it is too short, or would not shrink.
    ///
    /// Errors: none in practice; writing to memory does not fail.
    pub(crate) fn encode(self, body: &[u8]) -> io::Result<Option<Vec<u8>>> {
        if body.len() < MIN_BYTES {
            return Ok(None);
        }
        let encoded = match self {
            Self::Gzip => {
                let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 4), Compression::new(LEVEL));
                encoder.write_all(body)?;
                encoder.finish()?
            }
            Self::Zstd => ruzstd::encoding::compress_to_vec(body, CompressionLevel::Fastest),
        };
        Ok((encoded.len() < body.len()).then_some(encoded))
    }
}

/// The weight in thousandths; 1000 if there is none, 0 if it is malformed.
fn weight(parameters: &str) -> u32 {
    let parameters = parameters.trim();
    if parameters.is_empty() {
        return 1000;
    }
    let value = parameters.strip_prefix(['q', 'Q']).and_then(|rest| rest.trim_start().strip_prefix('='));
    let Some((whole, decimals)) = value.map(|value| value.trim().split_once('.').unwrap_or((value.trim(), ""))) else {
        return 0;
    };
    let is_number = decimals.len() <= 3 && decimals.bytes().all(|b| b.is_ascii_digit());
    match whole {
        "1" if is_number => 1000,
        "0" if is_number => format!("{decimals:0<3}").parse().unwrap_or(0),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn the_coding_is_the_one_that_the_client_ranks_highest() {
        for (header, expected) in [
            ("", None),
            ("identity", None),
            ("deflate, br", None),
            ("gzip, deflate", Some(ContentCoding::Gzip)),
            ("gzip, deflate, br, zstd", Some(ContentCoding::Gzip)),
            ("zstd", Some(ContentCoding::Zstd)),
            ("ZSTD;q=1.0, gzip;q=0.5", Some(ContentCoding::Zstd)),
            ("gzip;q=0", None),
            ("gzip;q=0, *", Some(ContentCoding::Zstd)),
            ("*;q=0.1", Some(ContentCoding::Gzip)),
            ("gzip;q=nan, zstd;q=0.001", Some(ContentCoding::Zstd)),
            ("gzip;q=2", None),
            ("gzip;q=0.00001", None),
        ] {
            assert_eq!(ContentCoding::accepted(header), expected, "{header:?}");
        }
    }

    #[test]
    fn bodies_come_back_as_they_were() {
        let body: Vec<u8> = (0..300_000u32).flat_map(|i| (i / 7).to_le_bytes()).collect();
        let gzip = ContentCoding::Gzip.encode(&body).unwrap().unwrap();
        let mut decoded = Vec::new();
        flate2::read::GzDecoder::new(gzip.as_slice()).read_to_end(&mut decoded).unwrap();
        assert!(decoded == body && gzip.len() < body.len() / 2);
        let zstd = ContentCoding::Zstd.encode(&body).unwrap().unwrap();
        let mut decoded = Vec::new();
        let mut decoder = ruzstd::decoding::StreamingDecoder::new(zstd.as_slice()).unwrap();
        decoder.read_to_end(&mut decoded).unwrap();
        assert!(decoded == body && zstd.len() < body.len());
        assert_eq!(ContentCoding::Gzip.encode(&body[..100]).unwrap(), None);
    }
}
