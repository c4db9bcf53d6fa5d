//! swiftsimio's names for what SWIFT's files call otherwise.

/// A field's name in swiftsimio: an underscore between a small letter or digit and a capital, then all small
/// (`ParticleIDs` is `particle_ids`, `FOFGroupIDs` is `fofgroup_ids`).
///
/// Source: swiftsimio 12, `metadata/objects.py`, `_convert_snake_to_camel`.
pub fn snake_case(name: &str) -> String {
    let mut snake = String::with_capacity(name.len() + 8);
    let mut after_small = false;
    for c in name.chars() {
        if after_small && c.is_ascii_uppercase() {
            snake.push('_');
        }
        after_small = c.is_ascii_lowercase() || c.is_ascii_digit();
        snake.extend(c.to_lowercase());
    }
    snake
}

/// The names of named columns in swiftsimio: all small where they have one capital each, as elements do; as they are where
/// they have more (`HeII`, `GAMA_u`).
///
/// Source: swiftsimio 12, `metadata/objects.py`, `load_named_columns`.
pub fn column_names(columns: &[String]) -> Vec<String> {
    let n_capitals: usize = columns.iter().map(|c| c.chars().filter(|c| c.is_uppercase()).count()).sum();
    // The mean stays under 1.01 just where a hundredfold of the sum stays under a hundred and one per name.
    if n_capitals * 100 < columns.len() * 101 {
        columns.iter().map(|c| c.to_lowercase()).collect()
    } else {
        columns.to_vec()
    }
}

/// The name of a SOAP group in swiftsimio: `SO/200_crit` is `spherical_overdensity_200_crit`. A family that swiftsimio does
/// not know keeps its name in snake case.
///
/// Source: swiftsimio 12, `metadata/soap/soap_types.py`.
pub(crate) fn soap_group_name(group: &str) -> String {
    let (family, rest) = group.split_once('/').map_or((group, None), |(family, rest)| (family, Some(rest)));
    let family = match family {
        "BoundSubhalo" => "bound_subhalo".to_owned(),
        "InputHalos" => "input_halos".to_owned(),
        "InclusiveSphere" => "inclusive_sphere".to_owned(),
        "ExclusiveSphere" => "exclusive_sphere".to_owned(),
        "SO" => "spherical_overdensity".to_owned(),
        "SOAP" => "soap".to_owned(),
        "ProjectedAperture" => "projected_aperture".to_owned(),
        other => snake_case(other),
    };
    match rest {
        None => family,
        Some(rest) => format!("{family}_{}", rest.replace('/', "_").to_lowercase()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_have_swiftsimios_names() {
        for (camel, snake) in [
            ("Coordinates", "coordinates"),
            ("ParticleIDs", "particle_ids"),
            ("FOFGroupIDs", "fofgroup_ids"),
            ("MassesFromSNIa", "masses_from_snia"),
            ("DensitiesAtLastAGNEvent", "densities_at_last_agnevent"),
            ("H2Fractions", "h2_fractions"),
            ("a1B", "a1_b"),
            ("", ""),
        ] {
            assert_eq!(snake_case(camel), snake);
        }
    }

    #[test]
    fn elements_become_small_and_ions_do_not() {
        let names = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>();
        assert_eq!(column_names(&names(&["Hydrogen", "Helium"])), names(&["hydrogen", "helium"]));
        assert_eq!(column_names(&names(&["HI", "HeII"])), names(&["HI", "HeII"]));
        assert_eq!(column_names(&names(&["GAMA_u", "GAMA_Y"])), names(&["GAMA_u", "GAMA_Y"]));
        assert_eq!(column_names(&[]), names(&[]));
    }

    #[test]
    fn apertures_have_swiftsimios_names() {
        assert_eq!(soap_group_name("BoundSubhalo"), "bound_subhalo");
        assert_eq!(soap_group_name("SO/200_crit"), "spherical_overdensity_200_crit");
        assert_eq!(soap_group_name("ProjectedAperture/50kpc/projx"), "projected_aperture_50kpc_projx");
        assert_eq!(soap_group_name("InputHalos/HBTplus"), "input_halos_hbtplus");
    }
}
