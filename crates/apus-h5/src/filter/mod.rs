//! The filters of a chunk.

/// One stage of the filter pipeline, as the file declares it (in the order of writing).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    /// The registered number: 1 deflate, 2 shuffle, 3 fletcher32, 4 szip, 5 nbit, 6 scale-offset, 32000 lzf ...
    pub id: u16,
    /// The name in the file, or the one registered for the number.
    pub name: String,
    /// Whether a writer might leave the stage out of a chunk.
    pub optional: bool,
    /// The client data values.
    pub parameters: Vec<u32>,
}
