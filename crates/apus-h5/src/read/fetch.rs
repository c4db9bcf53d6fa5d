//! Which bytes of the file are read at once: requests sorted by position, neighbours joined.

/// Bytes between two requests that are read along rather than skipped: less than what a second system call costs.
const MAX_GAP_BYTES: u64 = 16 << 10;
/// One read is at most so long, unless a single request is longer.
const MAX_READ_BYTES: u64 = 8 << 20;

/// Bytes that are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) address: u64,
    pub(crate) len: u64,
}

/// One read, and where in the buffer of all reads its bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Read {
    pub(crate) address: u64,
    pub(crate) len: u64,
    pub(crate) at: u64,
}

/// Joins requests to reads. Gives the reads, where in the buffer each request's bytes begin, and the length of the buffer.
pub(crate) fn coalesce(requests: &[Request]) -> (Vec<Read>, Vec<u64>, u64) {
    let mut order: Vec<usize> = (0..requests.len()).collect();
    if !requests.is_sorted_by_key(|request| request.address) {
        order.sort_unstable_by_key(|i| requests[*i].address);
    }
    let mut reads: Vec<Read> = Vec::new();
    let mut starts = vec![0; requests.len()];
    let mut total = 0u64;
    for i in order {
        let Request { address, len } = requests[i];
        let end = address.saturating_add(len);
        match reads.last_mut() {
            Some(last)
                if address <= last.address.saturating_add(last.len).saturating_add(MAX_GAP_BYTES)
                    && end.saturating_sub(last.address) <= MAX_READ_BYTES =>
            {
                starts[i] = last.at + (address - last.address);
                let longer = (end - last.address).max(last.len);
                total += longer - last.len;
                last.len = longer;
            }
            _ => {
                reads.push(Read { address, len, at: total });
                starts[i] = total;
                total = total.saturating_add(len);
            }
        }
    }
    (reads, starts, total)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn joins_neighbours_and_skips_far_gaps() {
        let requests =
            [Request { address: 100_000, len: 10 }, Request { address: 0, len: 50 }, Request { address: 60, len: 40 }];
        let (reads, starts, total) = coalesce(&requests);
        assert_eq!(reads, [Read { address: 0, len: 100, at: 0 }, Read { address: 100_000, len: 10, at: 100 }]);
        assert_eq!((starts, total), (vec![100, 0, 60], 110));
    }

    proptest! {
        #[test]
        fn every_request_finds_its_bytes(requests in proptest::collection::vec((0u64..200_000, 0u64..30_000), 0..20)) {
            let requests: Vec<Request> = requests.into_iter().map(|(address, len)| Request { address, len }).collect();
            let (reads, starts, total) = coalesce(&requests);
            // A buffer in which every byte's position in the file is known.
            let at = |at: u64| usize::try_from(at).unwrap();
            let mut buffer = vec![u64::MAX; at(total)];
            for read in &reads {
                for i in 0..read.len {
                    buffer[at(read.at + i)] = read.address + i;
                }
            }
            prop_assert!(!buffer.contains(&u64::MAX));
            for (request, start) in requests.iter().zip(starts) {
                for i in 0..request.len {
                    prop_assert_eq!(buffer[at(start + i)], request.address + i);
                }
            }
            prop_assert!(reads.windows(2).all(|w| w[0].address <= w[1].address));
        }
    }
}
