//! The names of a catalogue's radii.

use apus_h5::Datatype;

use super::bad;
use crate::{
    Dimensions, Field, Output, ParticleGroup, Result,
    lookup::{find_field, without_group},
    names::nearest_names,
};

/// SOAP's name of the radius of a sphere of a given overdensity.
const SO_RADIUS: &str = "SORadius";
/// More would be a list, not a hint.
const MAX_SHOWN: usize = 12;

/// The field that a radius of the catalogue is called by: `r200c`, `200_crit`, `spherical_overdensity_200_crit.soradius`, `radii`.
///
/// Errors: [`Error::BadSelection`](crate::Error::BadSelection) with what the catalogue has.
pub(super) fn radius_field<'c>(catalogue: &'c Output, name: &str) -> Result<&'c Field> {
    let groups = catalogue.groups()?;
    let is_length = |f: &&Field| {
        f.shape.len() == 1
            && matches!(f.dtype, Datatype::Float { size: 4 | 8, .. })
            && f.unit.as_ref().is_some_and(|unit| unit.dimensions.agrees_with(Dimensions::LENGTH))
    };
    let of_overdensity = || {
        let wanted = overdensity(name);
        let group = groups.iter().find(|g| suffix(g).is_some_and(|s| s.eq_ignore_ascii_case(&wanted)))?;
        group.field(SO_RADIUS)
    };
    let by_name = || {
        let mut named: Vec<_> = groups.iter().filter_map(|g| Some((g, without_group(name, g)?))).collect();
        // The longest name first: SOAP has groups within groups.
        named.sort_by_key(|(_, rest)| rest.len());
        let (group, rest) = match (named.first(), groups) {
            (Some((group, rest)), _) => (*group, *rest),
            (None, [group]) => (group, name),
            (None, _) => return None,
        };
        find_field(group, rest).ok().filter(|(_, column)| column.is_none()).map(|(field, _)| field)
    };
    if let Some(field) = of_overdensity().or_else(by_name).filter(is_length) {
        return Ok(field);
    }
    let mut names = Vec::new();
    for group in groups.iter().filter(|g| g.present) {
        for field in group.fields.iter().filter(is_length) {
            names.push(match suffix(group) {
                Some(suffix) if field.path.ends_with(SO_RADIUS) => suffix.to_owned(),
                _ => format!("{}.{}", group.name, field.name),
            });
        }
    }
    // The short names first.
    names.sort_by_key(|name| (name.contains('.'), name.clone()));
    let hint = nearest_names(&overdensity(name), names.iter().map(String::as_str));
    let rest = if names.len() > MAX_SHOWN { format!(" and {} more", names.len() - MAX_SHOWN) } else { String::new() };
    names.truncate(MAX_SHOWN);
    let there = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    Err(bad(format!(
        "aperture: {} has no radius {name:?}{hint}; it has {there}{rest}; a length is written as in aperture=2 Mpc",
        catalogue.file().name()
    )))
}

/// The part of a group's name behind `SO/`.
fn suffix(group: &ParticleGroup) -> Option<&str> {
    group.group.strip_prefix("SO/").filter(|_| group.present)
}

/// SOAP's spelling of an overdensity: `200_crit` of `r200c`, `200_mean` of `R200m`, `BN98` of `rBN98`; others as they are.
fn overdensity(name: &str) -> String {
    let Some(rest) = name.strip_prefix(['r', 'R']) else { return name.to_owned() };
    let (number, kind) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len()));
    match (number.is_empty(), kind) {
        (false, "c" | "C" | "crit" | "_crit") => format!("{number}_crit"),
        (false, "m" | "M" | "mean" | "_mean") => format!("{number}_mean"),
        (true, _) if rest.eq_ignore_ascii_case("BN98") => rest.to_owned(),
        _ => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overdensities_are_spelled_as_soap_does() {
        let check = |name: &str, expected: &str| assert_eq!(overdensity(name), expected);
        check("r200c", "200_crit");
        check("R500c", "500_crit");
        check("r200m", "200_mean");
        check("r2500_crit", "2500_crit");
        check("rBN98", "BN98");
        check("BN98", "BN98");
        check("200_crit", "200_crit");
        check("5xR_500_crit", "5xR_500_crit");
        check("radii", "radii");
        check("r", "r");
        check("", "");
    }
}
