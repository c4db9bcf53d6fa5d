//! How fast chunks are decoded: each filter alone, SWIFT's chains, and the conversion to native elements.
//!
//! Figures are bytes of decoded output per second of one core, for chunks of 8192 elements:
//! `cargo bench -p apus-h5 --bench decode`.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "made-up values of a few thousand rows"
)]
#![expect(clippy::unwrap_used, reason = "a bench that cannot decode what it made itself has nothing to time")]
#![expect(clippy::wildcard_imports, reason = "the modules only group the names of the figures")]

use std::io::Write;

use apus_h5::{
    ByteOrder, Datatype, Filter, FloatFormat,
    decode::{Converter, Pipeline, Scratch},
};
use divan::{Bencher, counter::BytesCount};
use flate2::{Compression, write::ZlibEncoder};

const N_ROWS: usize = 8192;

fn main() {
    divan::main();
}

fn filter(id: u16, parameters: &[u32]) -> Filter {
    Filter { id, name: String::new(), optional: false, parameters: parameters.to_vec() }
}

/// Times the decoding of one chunk into a buffer that is used again.
fn decode(bencher: Bencher, filters: &[Filter], raw: &[u8], chunk_len: usize) {
    let pipeline = Pipeline::new(filters, chunk_len).unwrap();
    let (mut scratch, mut out) = (Scratch::default(), vec![0; chunk_len]);
    pipeline.decode_into(raw, 0, &mut scratch, &mut out).unwrap();
    bencher.counter(BytesCount::new(chunk_len)).bench_local(|| {
        pipeline.decode_into(divan::black_box(raw), 0, &mut scratch, divan::black_box(&mut out)).unwrap();
    });
}

/// Sorted positions in a box, three to a row: what particle coordinates look like.
fn positions() -> Vec<u8> {
    let mut state = 1u64;
    let mut random = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1u64 << 53) as f64
    };
    (0..N_ROWS)
        .flat_map(|row| [0.0, 1.0, 2.0].map(|axis| axis + row as f64 / N_ROWS as f64 + random() / 64.0))
        .flat_map(f64::to_le_bytes)
        .collect()
}

fn shuffled(elements: &[u8], size: usize) -> Vec<u8> {
    let n = elements.len() / size;
    let whole = (0..n * size).map(|i| elements[i % n * size + i / n]);
    whole.chain(elements[n * size..].iter().copied()).collect()
}

fn deflated(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::new(4));
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// The bytes and their checksum, added up word by word.
fn summed(bytes: &[u8]) -> Vec<u8> {
    let (mut sum1, mut sum2) = (0u32, 0u32);
    for word in bytes.chunks(2) {
        sum1 = (sum1 + u32::from(word[0]) * 256 + word.get(1).map_or(0, |byte| u32::from(*byte))) % 65535;
        sum2 = (sum2 + sum1) % 65535;
    }
    [bytes, &(sum2 << 16 | sum1).to_le_bytes()].concat()
}

/// `n` numbers of `width` bits.
fn packed(n: usize, width: usize) -> Vec<u8> {
    (0..=(n * width).div_ceil(8)).map(|i| (i * 37 + i / 256) as u8).collect()
}

mod filters {
    use super::*;

    #[divan::bench(args = [1, 2, 4, 8, 12, 3])]
    fn shuffle(bencher: Bencher, size: u32) {
        let elements = positions();
        let raw = shuffled(&elements, size as usize);
        decode(bencher, &[filter(2, &[size])], &raw, elements.len());
    }

    #[divan::bench]
    fn fletcher32(bencher: Bencher) {
        let elements = positions();
        decode(bencher, &[filter(3, &[])], &summed(&elements), elements.len());
    }

    #[divan::bench]
    fn deflate(bencher: Bencher) {
        let elements = shuffled(&positions(), 8);
        decode(bencher, &[filter(1, &[4])], &deflated(&elements), elements.len());
    }

    #[divan::bench(args = [(4, 18), (4, 16), (8, 21), (8, 33), (8, 40), (8, 62)])]
    fn nbit(bencher: Bencher, (size, width): (u32, u32)) {
        let parameters = [8, 0, N_ROWS as u32, 1, size, 0, width, 0];
        decode(bencher, &[filter(5, &parameters)], &packed(N_ROWS, width as usize), N_ROWS * size as usize);
    }

    #[divan::bench]
    fn nbit_compound(bencher: Bencher) {
        let parameters = [18, 0, N_ROWS as u32, 3, 16, 3, 0, 1, 4, 0, 18, 0, 4, 1, 4, 1, 20, 5];
        let parameters = [&parameters[..], &[8, 4, 8]].concat();
        let parameters = [&[21], &parameters[1..]].concat();
        decode(bencher, &[filter(5, &parameters)], &packed(N_ROWS, 18 + 20 + 64), N_ROWS * 16);
    }

    #[divan::bench(args = [(1, 4, 12), (1, 4, 20), (1, 8, 20), (1, 8, 40), (0, 8, 40), (0, 4, 12)])]
    fn scale_offset(bencher: Bencher, (class, size, width): (u32, u32, u32)) {
        let parameters = [2 - 2 * class, 3 * class, N_ROWS as u32, class, size, 0, 0, 1];
        let parameters = [&parameters[..], &[0; 12]].concat();
        let mut header = [0; 21];
        header[0] = width as u8;
        header[4] = 8;
        let raw = [&header[..], &packed(N_ROWS, width as usize)].concat();
        decode(bencher, &[filter(6, &parameters)], &raw, N_ROWS * size as usize);
    }

    #[divan::bench]
    fn gzip_shuffle_fletcher32(bencher: Bencher) {
        let elements = positions();
        let raw = summed(&deflated(&shuffled(&elements, 8)));
        decode(bencher, &[filter(2, &[8]), filter(1, &[4]), filter(3, &[])], &raw, elements.len());
    }
}

mod convert {
    use super::*;

    fn run(bencher: Bencher, stored: &Datatype, native: &Datatype) {
        let converter = Converter::new(stored, native).unwrap();
        let mut words = vec![0x2a; N_ROWS * converter.stored_size()];
        bencher
            .counter(BytesCount::new(words.len()))
            .bench_local(|| converter.convert_in_place(divan::black_box(&mut words)));
    }

    fn float(size: u32, order: ByteOrder, format: FloatFormat) -> Datatype {
        let precision = u16::from(format.mantissa_size) + u16::from(format.exponent_size) + 1;
        Datatype::Float { size, order, bit_offset: 0, precision, format }
    }

    fn narrow(exponent_size: u8, mantissa_size: u8, exponent_bias: u32) -> FloatFormat {
        FloatFormat {
            sign_position: exponent_size + mantissa_size,
            exponent_position: mantissa_size,
            exponent_size,
            mantissa_position: 0,
            mantissa_size,
            exponent_bias,
            implied_msb: true,
        }
    }

    #[divan::bench]
    fn f32_big_endian(bencher: Bencher) {
        run(bencher, &float(4, ByteOrder::Big, FloatFormat::F32), &float(4, ByteOrder::Little, FloatFormat::F32));
    }

    #[divan::bench]
    fn float_8_13_to_f32(bencher: Bencher) {
        run(bencher, &float(4, ByteOrder::Little, narrow(8, 13, 127)), &float(4, ByteOrder::Little, FloatFormat::F32));
    }

    #[divan::bench]
    fn float_5_10_to_f32(bencher: Bencher) {
        run(bencher, &float(4, ByteOrder::Little, narrow(5, 10, 15)), &float(4, ByteOrder::Little, FloatFormat::F32));
    }

    #[divan::bench]
    fn float_11_21_to_f64(bencher: Bencher) {
        run(
            bencher,
            &float(8, ByteOrder::Little, narrow(11, 21, 1023)),
            &float(8, ByteOrder::Little, FloatFormat::F64),
        );
    }

    #[divan::bench]
    fn integer_40_to_i64(bencher: Bencher) {
        let integer =
            |precision| Datatype::Integer { size: 8, signed: true, order: ByteOrder::Little, bit_offset: 0, precision };
        run(bencher, &integer(40), &integer(64));
    }
}
