//! What can go wrong, named by what the caller can do about it.

/// The result of everything in this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file could not be read.
    #[error(transparent)]
    Hdf5(#[from] apus_h5::Error),
    /// The file is sound HDF5, but what it says cannot be understood as SWIFT's output.
    #[error("{file}: {object}: {reason}")]
    Malformed {
        /// The file's name.
        file: String,
        /// The group, dataset or attribute.
        object: String,
        /// What was expected and what was found.
        reason: String,
    },
    /// A unit that is not known or does not parse.
    #[error("unit {unit:?}: {reason}")]
    BadUnit {
        /// The whole unit as it was given.
        unit: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A quantity is of another kind than what it is compared with or used as.
    #[error("{what}: {found} where {expected} is needed")]
    WrongDimensions {
        /// The field, parameter or expression.
        what: String,
        /// The unit that was given, with its dimensions.
        found: String,
        /// A unit that would do, with its dimensions.
        expected: String,
    },
    /// A region that is none, or that does not lie where regions can.
    #[error("region: {reason}")]
    BadRegion {
        /// Which number is wrong and what it may be.
        reason: String,
    },
    /// A condition that does not parse, or that does not fit what it is asked of.
    #[error("condition, column {column}: {reason}")]
    BadCondition {
        /// Where in the text, in characters from 1.
        column: usize,
        /// What is wrong there.
        reason: String,
    },
    /// A field that is not there.
    #[error("field {name:?}: {reason}")]
    UnknownField {
        /// What was asked for.
        name: String,
        /// What there is instead, with the nearest names.
        reason: String,
    },
    /// A halo that is not in the catalogue.
    #[error("halo {ids}: {reason}")]
    UnknownHalo {
        /// What was asked for.
        ids: String,
        /// What there is instead.
        reason: String,
    },
    /// A selection that makes no sense for the file.
    #[error("{reason}")]
    BadSelection {
        /// What is wrong, and what would be right.
        reason: String,
    },
}
