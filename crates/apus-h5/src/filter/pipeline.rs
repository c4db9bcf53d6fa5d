//! The stages in a row.

use super::{
    Filter, FilterError,
    deflate::{self, Deflate},
    fletcher32::{self, Fletcher32},
    lz4::{self, Lz4},
    lzf::{self, Lzf},
    nbit::{self, Nbit},
    registered,
    scale_offset::{self, ScaleOffset},
    shuffle::{self, Shuffle},
    zstd::{self, Zstd, ZstdState},
};

/// The most stages that libhdf5 allows, and that a filter mask can speak of.
const MAX_STAGES: usize = 32;

/// The filters of a dataset, checked. Shared by all threads; each brings its own [`Scratch`].
#[derive(Debug)]
pub struct Pipeline {
    /// In the order of writing.
    stages: Vec<Stage>,
    /// The bytes of a decoded chunk.
    chunk_len: usize,
}

/// A filter whose parameters were checked.
#[derive(Debug)]
enum Stage {
    Deflate(Deflate),
    Shuffle(Shuffle),
    Fletcher32(Fletcher32),
    Nbit(Nbit),
    ScaleOffset(ScaleOffset),
    Lzf(Lzf),
    Lz4(Lz4),
    Zstd(Zstd),
    /// A stage that its parameters turn off.
    Off,
    /// Optional, with parameters that no chunk can be decoded with: libhdf5 leaves them to filters of elements of variable length,
    /// and the filters out of every chunk.
    Broken(FilterError),
}

/// What a thread keeps between chunks, so that decoding allocates nothing once the buffers have grown.
#[derive(Debug, Default)]
pub struct Scratch {
    states: States,
    /// Two buffers that take turns. Their length is the largest so far; only a part is in use.
    front: Vec<u8>,
    back: Vec<u8>,
}

/// The states of decoders that have one, each made when it is first needed.
#[derive(Debug, Default)]
struct States {
    inflater: deflate::Inflater,
    zstd: ZstdState,
}

/// Where the bytes are between two stages.
#[derive(Clone, Copy)]
enum At {
    Raw,
    Front,
    Back,
    Out,
}

impl Pipeline {
    /// Checks the filters of a dataset whose decoded chunks have `chunk_len` bytes.
    ///
    /// Errors: [`FilterError::Unsupported`] names a filter that is not known here, [`FilterError::Damaged`] parameters that no
    /// writer leaves.
    pub fn new(filters: &[Filter], chunk_len: usize) -> Result<Self, FilterError> {
        if filters.len() > MAX_STAGES {
            return Err(FilterError::Damaged(format!(
                "filter pipeline: {} filters, and at most {MAX_STAGES} are possible",
                filters.len()
            )));
        }
        let stages = filters.iter().map(|filter| match Stage::new(filter) {
            Err(error @ FilterError::Damaged(_)) if filter.optional => Ok(Stage::Broken(error)),
            stage => stage,
        });
        let stages = stages.collect::<Result<_, _>>()?;
        Ok(Self { stages, chunk_len })
    }

    /// Whether a chunk with this mask is stored as it is.
    pub fn is_identity(&self, filter_mask: u32) -> bool {
        self.applied(filter_mask).next().is_none()
    }

    /// Whether a chunk with this mask is stored as it is, perhaps with checksums after it.
    pub fn keeps_bytes(&self, filter_mask: u32) -> bool {
        self.applied(filter_mask).all(|stage| matches!(stage, Stage::Fletcher32(_)))
    }

    /// Checks the checksums of a chunk that [`keeps its bytes`](Self::keeps_bytes).
    ///
    /// Errors: as for [`decode`](Self::decode).
    pub fn check(&self, raw: &[u8], filter_mask: u32) -> Result<(), FilterError> {
        let mut bytes = raw;
        for stage in self.applied(filter_mask) {
            if let Stage::Fletcher32(stage) = stage {
                bytes = stage.check(bytes)?;
            }
        }
        self.check_len(bytes.len())
    }

    /// The bytes of a decoded chunk.
    pub fn chunk_len(&self) -> usize {
        self.chunk_len
    }

    /// The most bytes that a chunk can take in the file; more is damage, and need not be fetched.
    pub fn max_raw_len(&self) -> usize {
        self.stages.iter().fold(self.chunk_len, |len, stage| len.max(stage.max_encoded_len(len)))
    }

    /// Decodes a chunk. The result lies in `raw` itself where nothing had to be moved, else in the scratch.
    ///
    /// Errors: [`FilterError::Damaged`] where a stage objects, or where the result is not a chunk long.
    pub fn decode<'a>(
        &self,
        raw: &'a [u8],
        filter_mask: u32,
        scratch: &'a mut Scratch,
    ) -> Result<&'a [u8], FilterError> {
        let (at, len) = self.run(raw, filter_mask, scratch, None)?;
        self.check_len(len)?;
        let whole: &[u8] = match at {
            At::Raw => raw,
            At::Front => &scratch.front,
            At::Back => &scratch.back,
            At::Out => &[],
        };
        Ok(&whole[..len])
    }

    /// Decodes a chunk into `out`, which has the length of a chunk. The last stage writes there directly.
    ///
    /// Errors: as for [`decode`](Self::decode).
    pub fn decode_into(
        &self,
        raw: &[u8],
        filter_mask: u32,
        scratch: &mut Scratch,
        out: &mut [u8],
    ) -> Result<(), FilterError> {
        self.check_len(out.len())?;
        let (at, len) = self.run(raw, filter_mask, scratch, Some(&mut *out))?;
        self.check_len(len)?;
        match at {
            At::Out => {}
            At::Raw => out.copy_from_slice(&raw[..len]),
            At::Front => out.copy_from_slice(&scratch.front[..len]),
            At::Back => out.copy_from_slice(&scratch.back[..len]),
        }
        Ok(())
    }

    fn check_len(&self, len: usize) -> Result<(), FilterError> {
        if len == self.chunk_len {
            return Ok(());
        }
        Err(FilterError::Damaged(format!("the chunk decodes to {len} bytes, not {}", self.chunk_len)))
    }

    /// The stages that the mask leaves, in the order of writing.
    fn applied(&self, filter_mask: u32) -> impl Iterator<Item = &Stage> {
        let left = move |i: usize, stage: &Stage| filter_mask >> i & 1 == 0 && !matches!(stage, Stage::Off);
        self.stages.iter().enumerate().filter(move |(i, stage)| left(*i, stage)).map(|(_, stage)| stage)
    }
}

impl Pipeline {
    /// Undoes the stages from the last to the first and says where the result is and how long. With `out`, the stage that was
    /// written first decodes into it.
    fn run(
        &self,
        raw: &[u8],
        filter_mask: u32,
        scratch: &mut Scratch,
        mut out: Option<&mut [u8]>,
    ) -> Result<(At, usize), FilterError> {
        // What each stage may yield at most: the first a chunk, each further one what those before it make of a chunk.
        let mut undo = [(None, 0); MAX_STAGES];
        let mut bound = self.chunk_len;
        let mut n_applied = 0;
        for (slot, stage) in undo.iter_mut().zip(self.applied(filter_mask)) {
            *slot = (Some(stage), bound);
            bound = stage.max_encoded_len(bound);
            n_applied += 1;
        }
        let Scratch { states, front, back } = scratch;
        let (mut at, mut len) = (At::Raw, raw.len());
        for (i, (stage, bound)) in undo[..n_applied].iter().enumerate().rev() {
            let Some(stage) = stage else { continue };
            let (input, spare, spare_is): (&[u8], &mut Vec<u8>, At) = match at {
                At::Raw | At::Out => (&raw[..len], &mut *front, At::Front),
                At::Front => (&front[..len], &mut *back, At::Back),
                At::Back => (&back[..len], &mut *front, At::Front),
            };
            if let Stage::Fletcher32(stage) = stage {
                len = stage.check(input)?.len();
                continue;
            }
            let output_len = stage.max_decoded_len(len).min(*bound);
            let (output, output_is): (&mut [u8], At) = match &mut out {
                Some(out) if i == 0 => (out, At::Out),
                _ => {
                    if spare.len() < output_len {
                        spare.resize(output_len, 0);
                    }
                    (spare, spare_is)
                }
            };
            len = stage.decode(input, &mut output[..output_len], states)?;
            at = output_is;
        }
        Ok((at, len))
    }
}

impl Stage {
    fn new(filter: &Filter) -> Result<Self, FilterError> {
        match filter.id {
            deflate::ID => Deflate::new(&filter.parameters).map(Self::Deflate),
            shuffle::ID => Shuffle::new(&filter.parameters).map(Self::Shuffle),
            fletcher32::ID => Fletcher32::new(&filter.parameters).map(Self::Fletcher32),
            nbit::ID => Ok(Nbit::new(&filter.parameters)?.map_or(Self::Off, Self::Nbit)),
            scale_offset::ID => Ok(ScaleOffset::new(&filter.parameters)?.map_or(Self::Off, Self::ScaleOffset)),
            lzf::ID => Lzf::new(&filter.parameters).map(Self::Lzf),
            lz4::ID => Lz4::new(&filter.parameters).map(Self::Lz4),
            zstd::ID => Zstd::new(&filter.parameters).map(Self::Zstd),
            id => {
                let name = registered::name_of(id).unwrap_or(&filter.name);
                Err(FilterError::Unsupported(format!("filter {id} ({name})")))
            }
        }
    }

    /// The most bytes that `len` bytes become when they are written.
    fn max_encoded_len(&self, len: usize) -> usize {
        match self {
            Self::Deflate(stage) => stage.max_encoded_len(len),
            Self::Shuffle(stage) => stage.max_encoded_len(len),
            Self::Fletcher32(stage) => stage.max_encoded_len(len),
            Self::Nbit(stage) => stage.max_encoded_len(len),
            Self::ScaleOffset(stage) => stage.max_encoded_len(len),
            Self::Lzf(stage) => stage.max_encoded_len(len),
            Self::Lz4(stage) => stage.max_encoded_len(len),
            Self::Zstd(stage) => stage.max_encoded_len(len),
            Self::Off | Self::Broken(_) => len,
        }
    }

    /// The most bytes that `len` bytes can decode to.
    fn max_decoded_len(&self, len: usize) -> usize {
        match self {
            Self::Deflate(stage) => stage.max_decoded_len(len),
            Self::Nbit(stage) => stage.max_decoded_len(len),
            Self::ScaleOffset(stage) => stage.max_decoded_len(len),
            Self::Lzf(stage) => stage.max_decoded_len(len),
            Self::Lz4(stage) => stage.max_decoded_len(len),
            Self::Zstd(stage) => stage.max_decoded_len(len),
            Self::Shuffle(_) | Self::Fletcher32(_) | Self::Off | Self::Broken(_) => len,
        }
    }

    fn decode(&self, input: &[u8], output: &mut [u8], states: &mut States) -> Result<usize, FilterError> {
        match self {
            Self::Deflate(stage) => stage.decode(input, output, &mut states.inflater),
            Self::Shuffle(stage) => stage.decode(input, output),
            Self::Fletcher32(stage) => stage.decode(input, output),
            Self::Nbit(stage) => stage.decode(input, output),
            Self::ScaleOffset(stage) => stage.decode(input, output),
            Self::Lzf(stage) => stage.decode(input, output),
            Self::Lz4(stage) => stage.decode(input, output),
            Self::Zstd(stage) => stage.decode(input, output, &mut states.zstd),
            Self::Off => Ok(0),
            Self::Broken(error) => Err(error.clone()),
        }
    }
}
