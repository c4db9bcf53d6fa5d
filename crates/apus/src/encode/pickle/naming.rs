//! swiftsimio's names for what is in a file.

/// The particle types that swiftsimio 7 knows, by number.
pub(super) const PARTICLE_TYPES: [&str; 7] =
    ["gas", "dark_matter", "boundary", "sinks", "stars", "black_holes", "neutrinos"];

/// `ElementMassFractions` as `element_mass_fractions`.
///
/// Source: `re.sub("([a-z0-9])([A-Z])", r"\1_\2", name).lower()`.
pub(super) fn snake_case(name: &str) -> String {
    let mut snake = String::with_capacity(name.len() + 4);
    let mut before = ' ';
    for c in name.chars() {
        if c.is_ascii_uppercase() && (before.is_ascii_lowercase() || before.is_ascii_digit()) {
            snake.push('_');
        }
        snake.extend(c.to_lowercase());
        before = c;
    }
    snake
}

/// What is mapped to what by a table of that name: `DustToElementMapping` maps `Dust` to `Element`.
///
/// Source: the first match of `([a-zA-Z]*)To([a-zA-Z]*)Mapping`, which takes the last `To`.
pub(super) fn mapping(name: &str) -> Option<(&str, &str)> {
    let pair = name.strip_suffix("Mapping").filter(|pair| pair.bytes().all(|b| b.is_ascii_alphabetic()))?;
    pair.rsplit_once("To")
}

/// The names of columns as attributes: element names in lower case, ionisation states (which have more capitals) as they are.
pub(super) fn column_names(names: &[String]) -> Vec<String> {
    let n_capitals: u32 = names.iter().flat_map(|n| n.chars()).map(|c| u32::from(c.is_uppercase())).sum();
    let n_names = u32::try_from(names.len()).unwrap_or(u32::MAX);
    if f64::from(n_capitals) / f64::from(n_names) < 1.01 {
        names.iter().map(|n| n.to_lowercase()).collect()
    } else {
        names.to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn snake_case_as_swiftsimio_has_it() {
        for (name, expect) in [
            ("Coordinates", "coordinates"),
            ("ParticleIDs", "particle_ids"),
            ("FOFGroupIDs", "fofgroup_ids"),
            ("SNIaRates", "snia_rates"),
            ("X1Y", "x1_y"),
        ] {
            assert_eq!(snake_case(name), expect);
        }
    }

    #[test]
    fn mappings_are_named_by_what_they_map() {
        assert_eq!(mapping("DustToElementMassFractionsMapping"), Some(("Dust", "ElementMassFractions")));
        assert_eq!(mapping("AToBToCMapping"), Some(("AToB", "C")));
        assert_eq!(mapping("Mapping"), None);
        assert_eq!(mapping("Dust1ToXMapping"), None);
    }

    #[test]
    fn ions_keep_their_capitals() {
        let names = |list: &[&str]| list.iter().map(|&n| n.to_owned()).collect::<Vec<_>>();
        assert_eq!(column_names(&names(&["Hydrogen", "Helium"])), ["hydrogen", "helium"]);
        assert_eq!(column_names(&names(&["HI", "HeII"])), ["HI", "HeII"]);
    }
}
