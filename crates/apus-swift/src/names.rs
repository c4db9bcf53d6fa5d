//! Suggestions for names that are not there.

/// The names nearest to one that is not there, as the end of a message: `; did you mean "temperatures"?`, or nothing where none
/// is near.
pub fn nearest_names<'n>(name: &str, names: impl Iterator<Item = &'n str>) -> String {
    /// More would be a list, not a suggestion.
    const MOST: usize = 3;
    /// Longer ones are no misspelt names, and take long to compare.
    const MAX_LENGTH: usize = 256;
    if name.len() > MAX_LENGTH {
        return String::new();
    }
    let lower = name.to_lowercase();
    let mut near: Vec<(usize, &str)> = names
        .filter_map(|candidate| {
            let distance = strsim::damerau_levenshtein(&lower, &candidate.to_lowercase());
            let holds = lower.len() >= 3 && (candidate.contains(&lower) || lower.contains(candidate));
            // Half of the letters may differ; a part of a name is nearer than that.
            (distance * 2 <= lower.chars().count() || holds)
                .then_some((if holds { distance / 4 } else { distance }, candidate))
        })
        .collect();
    near.sort_unstable();
    near.truncate(MOST);
    let quoted: Vec<String> = near.iter().map(|(_, n)| format!("{n:?}")).collect();
    if quoted.is_empty() { String::new() } else { format!("; did you mean {}?", quoted.join(" or ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_suggested_nearest_first() {
        let names = ["temperatures", "coordinates", "masses", "metal_mass_fractions", "maximal_temperatures"];
        let check = |name: &str, expected: &str| assert_eq!(nearest_names(name, names.into_iter()), expected);
        check("temperature", "; did you mean \"temperatures\" or \"maximal_temperatures\"?");
        check("Masses", "; did you mean \"masses\"?");
        check("cordinates", "; did you mean \"coordinates\"?");
        check("xyz", "");
        check("", "");
        check(&format!("masses{}", " ".repeat(300)), "");
    }
}
