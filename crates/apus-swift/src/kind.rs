//! What kind of output a file is.

use std::fmt;

use serde::Serialize;

use crate::Header;

/// What kind of output a file is, from the header's `OutputType`. [`Distribution`](crate::Distribution) tells apart whole
/// outputs, parts of distributed ones and their virtual meta-files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum OutputKind {
    /// A snapshot of the whole volume (`FullVolume`), or a subset of one (`VolumeSubset`, as swiftsimio writes them).
    Snapshot,
    /// A snapshot in which some types hold a random sample of their particles (`SubSampled`).
    Subsampled,
    /// A friends-of-friends catalogue (`FOF`).
    FofCatalogue,
    /// A SOAP halo catalogue (`SOAP`).
    SoapCatalogue,
    /// Sightlines (`LineOfSight`).
    LineOfSight,
    /// SWIFT's, of a type that is not known here: the name it has there.
    Other(String),
    /// HDF5, but not SWIFT's.
    NotSwift,
}

impl OutputKind {
    /// The kind that a header tells. Old files have no `OutputType`; they are snapshots, as swiftsimio takes them.
    pub fn of(header: &Header) -> Self {
        match header.output_type.as_deref() {
            None | Some("") if header.subhalo_types.is_some() => Self::SoapCatalogue,
            None | Some("" | "FullVolume" | "VolumeSubset") => Self::Snapshot,
            Some("SubSampled") => Self::Subsampled,
            Some("FOF" | "FOFSubset") => Self::FofCatalogue,
            Some("SOAP" | "SOAPSubset") => Self::SoapCatalogue,
            Some("LineOfSight") => Self::LineOfSight,
            Some(other) => Self::Other(other.to_owned()),
        }
    }

    /// Whether the file holds particles by type (`/PartTypeN`).
    pub fn has_particle_types(&self) -> bool {
        matches!(self, Self::Snapshot | Self::Subsampled | Self::Other(_))
    }
}

impl fmt::Display for OutputKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Snapshot => "snapshot",
            Self::Subsampled => "subsampled snapshot",
            Self::FofCatalogue => "FOF catalogue",
            Self::SoapCatalogue => "SOAP catalogue",
            Self::LineOfSight => "line-of-sight output",
            Self::Other(name) => return write!(f, "SWIFT output of type {name}"),
            Self::NotSwift => "HDF5 file that is not SWIFT's",
        })
    }
}
