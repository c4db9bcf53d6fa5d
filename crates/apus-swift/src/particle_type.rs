//! Particle types under both names.

use serde::Serialize;

/// A particle type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ParticleType {
    /// Its number.
    pub number: u8,
    /// The name of its group in files: `PartType0`.
    pub group: &'static str,
    /// swiftsimio's name: `gas`.
    pub name: &'static str,
}

/// All particle types, by number.
///
/// Source: swiftsimio 12, `metadata/particle/particle_types.py`.
pub const PARTICLE_TYPES: [ParticleType; 8] = [
    ParticleType { number: 0, group: "PartType0", name: "gas" },
    ParticleType { number: 1, group: "PartType1", name: "dark_matter" },
    ParticleType { number: 2, group: "PartType2", name: "boundary" },
    ParticleType { number: 3, group: "PartType3", name: "sinks" },
    ParticleType { number: 4, group: "PartType4", name: "stars" },
    ParticleType { number: 5, group: "PartType5", name: "black_holes" },
    ParticleType { number: 6, group: "PartType6", name: "neutrinos" },
    ParticleType { number: 7, group: "PartType7", name: "sidm" },
];

impl ParticleType {
    /// The type of that name, in either form.
    pub fn named(name: &str) -> Option<Self> {
        PARTICLE_TYPES.into_iter().find(|t| t.name == name || t.group == name)
    }
}
