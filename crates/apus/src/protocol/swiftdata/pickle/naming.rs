//! swiftsimio 7's names where they differ from those of later versions, and of tables that only pickles have.

use apus_swift::PARTICLE_TYPES;

/// swiftsimio 7 knows the particle types up to neutrinos.
pub(super) const N_PARTICLE_TYPES: usize = 7;

/// The name of a particle type, by its number.
pub(super) fn type_name(number: usize) -> &'static str {
    PARTICLE_TYPES.get(number).map_or("", |particle_type| particle_type.name)
}

/// What is mapped to what by a table of that name: `DustToElementMapping` maps `Dust` to `Element`.
///
/// Source: the first match of `([a-zA-Z]*)To([a-zA-Z]*)Mapping`, which takes the last `To`.
pub(super) fn mapping(name: &str) -> Option<(&str, &str)> {
    let pair = name.strip_suffix("Mapping").filter(|pair| pair.bytes().all(|b| b.is_ascii_alphabetic()))?;
    pair.rsplit_once("To")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mapping_is_split_at_its_last_to() {
        assert_eq!(mapping("DustToElementMassFractionsMapping"), Some(("Dust", "ElementMassFractions")));
        assert_eq!(mapping("AToBToCMapping"), Some(("AToB", "C")));
        assert_eq!(mapping("Mapping"), None);
        assert_eq!(mapping("Dust1ToXMapping"), None);
    }
}
