//! The extent of a dataset or an attribute.

/// The extent of a dataset or an attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Dataspace {
    /// No elements and no shape (`h5py.Empty`).
    Null,
    /// One element, shape `()`.
    Scalar,
    /// An array; a dimension may be zero.
    Simple {
        /// The current extent of each dimension, slowest first.
        dims: Vec<u64>,
        /// The most that each dimension may grow to, `None` where it is unlimited.
        max_dims: Vec<Option<u64>>,
    },
}

impl Dataspace {
    /// The shape as numpy has it: empty for scalars (and for null spaces, which have no elements at all).
    pub fn shape(&self) -> &[u64] {
        match self {
            Self::Null | Self::Scalar => &[],
            Self::Simple { dims, .. } => dims,
        }
    }

    /// The number of elements; `None` where it does not fit 64 bits.
    pub fn n_elements(&self) -> Option<u64> {
        match self {
            Self::Null => Some(0),
            Self::Scalar => Some(1),
            Self::Simple { dims, .. } => dims.iter().try_fold(1u64, |n, &d| n.checked_mul(d)),
        }
    }
}
