//! PNG: pictures of three colours, of eight bits each, row by row from above.
//!
//! Source: the PNG specification, third edition (W3C 2025).

use std::io::Write;

use flate2::{Compression, write::ZlibEncoder};

use crate::{Error, Result};

/// The media type.
pub const CONTENT_TYPE: &str = "image/png";

const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";
/// Each row's bytes are differences to the pixel on their left.
const FILTER_SUB: u8 = 1;

/// Writes a picture: [`start`](Self::start), its rows in any number of pieces, [`finish`](Self::finish).
pub struct PngEncoder {
    width: u32,
    height: u32,
    compressor: ZlibEncoder<Vec<u8>>,
}

impl PngEncoder {
    /// Of so many pixels.
    pub fn new(width: u32, height: u32) -> Self {
        Self { width, height, compressor: ZlibEncoder::new(Vec::new(), Compression::new(4)) }
    }

    /// Writes what stands before the first row.
    pub fn start(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(SIGNATURE);
        let mut head = Vec::with_capacity(13);
        head.extend_from_slice(&self.width.to_be_bytes());
        head.extend_from_slice(&self.height.to_be_bytes());
        // Eight bits, three colours, deflated, with filters, not interlaced.
        head.extend_from_slice(&[8, 2, 0, 0, 0]);
        chunk(*b"IHDR", &head, out);
    }

    /// Writes a row of pixels.
    ///
    /// Errors: none that a buffer in memory gives; the type is the writer's.
    pub fn write_row(&mut self, pixels: &[[u8; 3]], out: &mut Vec<u8>) -> Result<()> {
        let mut row = Vec::with_capacity(1 + 3 * pixels.len());
        row.push(FILTER_SUB);
        let mut left = [0u8; 3];
        for pixel in pixels {
            row.extend((0..3).map(|i| pixel[i].wrapping_sub(left[i])));
            left = *pixel;
        }
        self.compressor.write_all(&row).map_err(Error::internal)?;
        let ready = self.compressor.get_mut();
        if ready.len() >= 1 << 15 {
            chunk(*b"IDAT", ready, out);
            ready.clear();
        }
        Ok(())
    }

    /// Writes the end, after all rows.
    ///
    /// Errors: as [`write_row`](Self::write_row).
    pub fn finish(self, out: &mut Vec<u8>) -> Result<()> {
        chunk(*b"IDAT", &self.compressor.finish().map_err(Error::internal)?, out);
        chunk(*b"IEND", &[], out);
        Ok(())
    }
}

fn chunk(name: [u8; 4], data: &[u8], out: &mut Vec<u8>) {
    let length = u32::try_from(data.len()).unwrap_or(u32::MAX);
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(&name);
    out.extend_from_slice(data);
    let mut checksum = crc32fast::Hasher::new();
    checksum.update(&name);
    checksum.update(data);
    out.extend_from_slice(&checksum.finalize().to_be_bytes());
}
