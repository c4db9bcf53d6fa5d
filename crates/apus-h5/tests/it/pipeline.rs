//! What holds for filters and conversions whatever the bytes are: algebra, limits, and that garbage is refused.

use std::io::Write;

use apus_h5::{
    ByteOrder, Datatype, Filter, FloatFormat, Member,
    decode::{Converter, FilterError, Pipeline, Scratch},
};
use flate2::{Compression, write::ZlibEncoder};
use proptest::{collection::vec, prelude::*};

fn filter(id: u16, parameters: &[u32]) -> Filter {
    Filter { id, name: format!("name {id}"), optional: false, parameters: parameters.to_vec() }
}

fn decode(filters: &[Filter], raw: &[u8], chunk_len: usize) -> Result<Vec<u8>, FilterError> {
    Pipeline::new(filters, chunk_len)?.decode(raw, 0, &mut Scratch::default()).map(<[u8]>::to_vec)
}

fn deflated(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// The checksum by its definition: words of 16 bits, the high byte first.
fn checksum(bytes: &[u8]) -> u32 {
    let fold = |sum: u64| if sum > 0xffff { sum - 0xffff } else { sum };
    let words = bytes.chunks(2).map(|word| u64::from(word[0]) << 8 | u64::from(word.get(1).copied().unwrap_or(0)));
    let (sum1, sum2) = words.fold((0, 0), |(sum1, sum2), word| {
        let sum1 = fold(sum1 + word);
        (sum1, fold(sum2 + sum1))
    });
    u32::try_from(sum2 << 16 | sum1).unwrap()
}

/// The lowest `width` bits of each number, the highest bit first, and the byte that libhdf5 adds.
fn packed(numbers: &[u64], width: usize) -> Vec<u8> {
    let bits: Vec<bool> = numbers.iter().flat_map(|n| (0..width).rev().map(move |bit| n >> bit & 1 == 1)).collect();
    let bytes =
        bits.chunks(8).map(|bits| bits.iter().enumerate().fold(0, |byte, (i, bit)| byte | u8::from(*bit) << (7 - i)));
    bytes.chain([0]).collect()
}

#[test]
fn filters_that_are_not_decoded_are_named() {
    for (id, name) in [(4, "szip"), (32001, "blosc"), (32008, "bitshuffle"), (32026, "blosc2"), (12345, "name 12345")] {
        let error = Pipeline::new(&[filter(2, &[8]), filter(id, &[])], 64).unwrap_err();
        assert_eq!(error, FilterError::Unsupported(format!("filter {id} ({name})")));
    }
    let e_scaling = [1, 4, 8, 1, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let error = Pipeline::new(&[filter(6, &e_scaling)], 64).unwrap_err();
    assert_eq!(error, FilterError::Unsupported("scale-offset by E-scaling".to_owned()));
}

#[test]
fn parameters_that_no_writer_leaves_are_damage() {
    for (id, parameters) in [
        (2, &[][..]),
        (2, &[0]),
        (5, &[]),
        (5, &[8, 0, 4, 1, 4, 0, 33, 0]),
        (5, &[8, 0, 4, 1, 4, 2, 8, 0]),
        (5, &[7, 0, 4, 1, 4, 0, 8]),
        (5, &[9, 0, 4, 3, 4, 1, 1, 4, 4]),
        (6, &[2, 0, 4, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
        (6, &[2, 0, 4]),
    ] {
        let result = Pipeline::new(&[filter(id, parameters)], 16);
        assert!(matches!(result, Err(FilterError::Damaged(_))), "{id} {parameters:?}: {result:?}");
    }
    assert!(matches!(Pipeline::new(&vec![filter(3, &[]); 33], 16), Err(FilterError::Damaged(_))));
    // A stage that may be left out is no damage until a chunk needs it.
    let optional = Filter { optional: true, ..filter(2, &[]) };
    let pipeline = Pipeline::new(&[optional], 16).unwrap();
    assert_eq!(pipeline.decode(&[7; 16], 1, &mut Scratch::default()), Ok(&[7; 16][..]));
    assert!(matches!(pipeline.decode(&[7; 16], 0, &mut Scratch::default()), Err(FilterError::Damaged(_))));
    // Arrays in arrays, deeper than any stack.
    let deep: Vec<u32> = [60_003, 0, 1].into_iter().chain((0..30_000).flat_map(|_| [2, 4])).collect();
    assert!(matches!(Pipeline::new(&[filter(5, &deep)], 16), Err(FilterError::Damaged(_))));
}

#[test]
fn a_stream_that_inflates_without_end_stops_at_what_the_chunk_needs() {
    let bomb = deflated(&vec![0; 64 << 20]);
    let error = decode(&[filter(1, &[6])], &bomb, 1000).unwrap_err().to_string();
    assert!(error.contains("more than the 1000 bytes"), "{error}");
    // Behind a checksum the bound is 4 bytes higher, and behind another deflate what that can need.
    let error = decode(&[filter(3, &[]), filter(1, &[6])], &bomb, 1000).unwrap_err().to_string();
    assert!(error.contains("more than the 1004 bytes"), "{error}");
    let error = decode(&[filter(1, &[6]), filter(1, &[6])], &deflated(&bomb), 1000).unwrap_err().to_string();
    assert!(error.contains("deflate: more than"), "{error}");
}

#[test]
fn a_chunk_of_another_length_is_damage() {
    for len in [0, 99, 101] {
        let error = decode(&[filter(1, &[])], &deflated(&vec![7; len]), 100).unwrap_err().to_string();
        assert!(error.contains("100"), "{error}");
        decode(&[], &vec![7; len], 100).unwrap_err();
    }
    let cut = deflated(&[7; 100]);
    let error = decode(&[filter(1, &[])], &cut[..cut.len() - 5], 100).unwrap_err().to_string();
    assert!(error.contains("breaks off"), "{error}");
}

proptest! {
    #[test]
    fn unshuffling_undoes_shuffling(elements in vec(any::<u8>(), 0..3000), size in 1..40usize) {
        let n = elements.len() / size;
        let planes = (0..n * size).map(|i| elements[i % n * size + i / n]);
        let raw: Vec<u8> = planes.chain(elements[n * size..].iter().copied()).collect();
        let size = u32::try_from(size).unwrap();
        prop_assert_eq!(decode(&[filter(2, &[size])], &raw, elements.len()).unwrap(), elements);
    }

    #[test]
    fn checksums_are_verified(
        bytes in prop_oneof![vec(any::<u8>(), 1..40), vec(any::<u8>(), 8000..20_000), vec(Just(0xffu8), 1..20_000)],
        flipped in any::<prop::sample::Index>(),
        bit in 0..8u32,
    ) {
        let sum = checksum(&bytes);
        for sum in [sum, sum.swap_bytes().rotate_left(16)] {
            let mut raw = [&bytes[..], &sum.to_le_bytes()].concat();
            prop_assert_eq!(&decode(&[filter(3, &[])], &raw, bytes.len()).unwrap(), &bytes);
            let at = flipped.index(raw.len());
            raw[at] ^= 1 << bit;
            let error = decode(&[filter(3, &[])], &raw, bytes.len());
            // The checksum with its bytes swapped is accepted too, and for a byte or two a flipped bit can make it that.
            prop_assert!(error.is_err() || bytes.len() <= 2);
        }
    }

    #[test]
    fn nbit_gives_back_the_bits_that_count(
        numbers in vec(any::<u64>(), 1..300),
        size in prop::sample::select(vec![1u32, 2, 3, 4, 5, 8, 9, 16]),
        shape in any::<(prop::sample::Index, prop::sample::Index)>(),
        order in 0..2u32,
    ) {
        let bits = size as usize * 8;
        let precision = shape.0.index(bits.min(64)) + 1;
        let offset = shape.1.index(bits - precision + 1);
        let n = numbers.len();
        let parameters =
            [8, 0, u32::try_from(n).unwrap(), 1, size, order, u32::try_from(precision).unwrap(), u32::try_from(offset).unwrap()];
        let expected: Vec<u8> = numbers
            .iter()
            .flat_map(|number| {
                let counts = u128::from(number & (u64::MAX >> (64 - precision))) << offset;
                let mut bytes = counts.to_le_bytes()[..size as usize].to_vec();
                if order == 1 {
                    bytes.reverse();
                }
                bytes
            })
            .collect();
        let raw = packed(&numbers, precision);
        prop_assert_eq!(&decode(&[filter(5, &parameters)], &raw, expected.len()).unwrap(), &expected);
        // One byte less than the numbers take is too little.
        let cut = &raw[..raw.len() - 2];
        prop_assert!(decode(&[filter(5, &parameters)], cut, expected.len()).is_err());
    }

    /// Nothing that may stand in a file makes decoding panic, give a chunk of a wrong length, or depend on the way it is asked for.
    #[test]
    fn garbage_is_refused(
        filters in vec(any_filter(), 0..4),
        mask in prop_oneof![Just(0u32), any::<u32>()],
        chunk_len in 0..600usize,
        raw in prop_oneof![vec(any::<u8>(), 0..300), vec(any::<u8>(), 0..300).prop_map(|bytes| deflated(&bytes))],
    ) {
        let Ok(pipeline) = Pipeline::new(&filters, chunk_len) else { return Ok(()) };
        let mut scratch = Scratch::default();
        let mut out = vec![0; chunk_len];
        let decoded = pipeline.decode(&raw, mask, &mut scratch).map(<[u8]>::to_vec);
        let into = pipeline.decode_into(&raw, mask, &mut scratch, &mut out);
        match decoded {
            Ok(decoded) => {
                prop_assert_eq!(into, Ok(()));
                prop_assert_eq!(decoded.len(), chunk_len);
                prop_assert_eq!(decoded, out);
            }
            Err(error) => prop_assert_eq!(into, Err(error)),
        }
    }

    /// Nor does it when converting: the two ways agree, or the type is refused.
    #[test]
    fn any_type_converts_or_is_refused(stored in any_type(), bytes in vec(any::<u8>(), 0..400)) {
        let Ok(converter) = Converter::new(&stored, &stored.native()) else { return Ok(()) };
        let n = bytes.len() / converter.stored_size();
        let bytes = &bytes[..n * converter.stored_size()];
        let mut native = vec![0xaa; n * converter.native_size()];
        converter.convert(bytes, &mut native);
        if converter.is_in_place() {
            let mut in_place = bytes.to_vec();
            converter.convert_in_place(&mut in_place);
            // Between the members of a compound the one leaves what is there, the other zeros.
            if !has_members(&stored) {
                prop_assert_eq!(&in_place, &native);
            }
            if converter.is_identity() {
                prop_assert_eq!(&in_place, bytes);
            }
        }
    }
}

fn has_members(dtype: &Datatype) -> bool {
    match dtype {
        Datatype::Compound { .. } => true,
        Datatype::Array { base, .. } | Datatype::Enum { base, .. } => has_members(base),
        _ => false,
    }
}

fn any_filter() -> impl Strategy<Value = Filter> {
    let small = || prop_oneof![8 => 0..20u32, 1 => any::<u32>()];
    let plausible = (1..9u32, 0..2u32, 1..65u32, 0..20u32, 0..80u32);
    prop_oneof![
        (prop::sample::select(vec![1u16, 2, 3, 4, 5, 6, 32000, 32004, 32015]), vec(small(), 0..22))
            .prop_map(|(id, parameters)| filter(id, &parameters)),
        small().prop_map(|size| filter(2, &[size])),
        plausible
            .clone()
            .prop_map(|(size, order, precision, offset, n)| filter(5, &[8, 0, n, 1, size, order, precision, offset])),
        vec(small(), 0..20).prop_map(|mut types| {
            types.splice(0..0, [0, 0, 4]);
            types[0] = u32::try_from(types.len()).unwrap();
            filter(5, &types)
        }),
        (plausible, 0..3u32).prop_map(|((size, order, factor, fill, n), kind)| {
            let mut parameters = [0; 20];
            parameters[..9].copy_from_slice(&[
                kind,
                factor,
                n,
                u32::from(kind != 2),
                size,
                fill % 2,
                order,
                fill % 2,
                fill,
            ]);
            filter(6, &parameters)
        }),
    ]
}

fn any_type() -> impl Strategy<Value = Datatype> {
    let order = || prop::sample::select(vec![ByteOrder::Little, ByteOrder::Big, ByteOrder::Vax]);
    let integer = (0..18u32, any::<bool>(), order(), 0..70u16, 0..130u16).prop_map(
        |(size, signed, order, bit_offset, precision)| Datatype::Integer { size, signed, order, bit_offset, precision },
    );
    let format = (0..130u8, 0..130u8, 0..20u8, 0..130u8, 0..70u8, prop_oneof![0..2000u32, any::<u32>()], any::<bool>());
    let format =
        format.prop_map(|(sign, exponent, exponent_size, mantissa, mantissa_size, exponent_bias, implied_msb)| {
            FloatFormat {
                sign_position: sign,
                exponent_position: exponent,
                exponent_size,
                mantissa_position: mantissa,
                mantissa_size,
                exponent_bias,
                implied_msb,
            }
        });
    let format = prop_oneof![Just(FloatFormat::F16), Just(FloatFormat::F32), Just(FloatFormat::F64), format];
    let float = (0..18u32, order(), format).prop_map(|(size, order, format)| Datatype::Float {
        size,
        order,
        bit_offset: 0,
        precision: 8,
        format,
    });
    let leaf = prop_oneof![
        integer,
        float,
        (0..9u32, order()).prop_map(|(size, order)| Datatype::Bitfield { size, order }),
        (0..9u32).prop_map(|size| Datatype::Opaque { size, tag: String::new() }),
        (0..9u32).prop_map(|size| Datatype::Other { size, class: "time" }),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            (inner.clone(), vec(0..4u32, 0..3)).prop_map(|(base, dims)| Datatype::Array { base: Box::new(base), dims }),
            inner.clone().prop_map(|base| Datatype::Enum { base: Box::new(base), members: Vec::new() }),
            (0..60u32, vec((0..40u64, inner), 0..4)).prop_map(|(size, members)| {
                let named =
                    |(i, (offset, dtype)): (usize, (u64, Datatype))| Member { name: i.to_string(), offset, dtype };
                Datatype::Compound { size, members: members.into_iter().enumerate().map(named).collect() }
            }),
        ]
    })
}
