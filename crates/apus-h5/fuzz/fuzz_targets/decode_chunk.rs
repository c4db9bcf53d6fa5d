//! Takes arbitrary bytes as a filter pipeline and a chunk, and decodes it in both ways that there are.
//!
//! The input: the number of stages (1 byte), for each its number (u16) and how many parameters (1 byte) follow (u32 each),
//! the filter mask (u32), the length of the decoded chunk (u32), and the chunk; all little-endian.
#![no_main]

use apus_h5::{
    Filter,
    decode::{Pipeline, Scratch},
};
use libfuzzer_sys::fuzz_target;

/// Larger chunks only take longer.
const MAX_CHUNK_BYTES: usize = 1 << 18;

fuzz_target!(|input: &[u8]| {
    let _ = decode(input);
});

fn decode(mut input: &[u8]) -> Option<()> {
    let input = &mut input;
    let n_stages = take::<1>(input)?[0];
    let filters = (0..n_stages % 8).map(|_| filter(input)).collect::<Option<Vec<_>>>()?;
    let filter_mask = u32::from_le_bytes(take(input)?);
    let chunk_len = usize::try_from(u32::from_le_bytes(take(input)?)).ok()?.min(MAX_CHUNK_BYTES);
    let pipeline = Pipeline::new(&filters, chunk_len).ok()?;
    if input.len() > pipeline.max_raw_len() {
        return None;
    }
    let mut scratch = Scratch::default();
    let mut into = vec![0; chunk_len];
    let lent = pipeline.decode(input, filter_mask, &mut scratch).map(<[u8]>::to_vec);
    let placed = pipeline.decode_into(input, filter_mask, &mut Scratch::default(), &mut into);
    // Both ways agree, in what they give and in whether they give anything.
    match (lent, placed) {
        (Ok(lent), Ok(())) => assert!(lent == into, "the two ways of decoding differ"),
        (Err(_), Err(_)) => {}
        (lent, placed) => panic!("one way of decoding fails: {:?} {placed:?}", lent.map(|bytes| bytes.len())),
    }
    Some(())
}

fn filter(input: &mut &[u8]) -> Option<Filter> {
    let id = u16::from_le_bytes(take(input)?);
    let n_parameters = take::<1>(input)?[0];
    let parameters = (0..n_parameters).map(|_| Some(u32::from_le_bytes(take(input)?))).collect::<Option<_>>()?;
    Some(Filter { id, name: String::new(), optional: false, parameters })
}

fn take<const N: usize>(input: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, rest) = input.split_first_chunk()?;
    *input = rest;
    Some(*taken)
}
