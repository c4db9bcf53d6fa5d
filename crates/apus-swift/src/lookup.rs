//! Finding fields and columns by the names that people write.

use crate::{Field, ParticleGroup, names::nearest_names};

/// The rest of a field's name after its group's: `temperatures` of `gas.temperatures`, `PartType0.temperatures` and
/// `/PartType0/temperatures`; `None` where the name does not start with the group.
pub(crate) fn without_group<'n>(name: &'n str, group: &ParticleGroup) -> Option<&'n str> {
    if let Some(path) = name.strip_prefix('/') {
        return path.strip_prefix(&group.group)?.strip_prefix('/');
    }
    [&group.name, &group.group].into_iter().find_map(|g| name.strip_prefix(g.as_str())?.strip_prefix('.'))
}

/// The field of a group, and which of its columns is meant, if one: `temperatures`, `element_mass_fractions.carbon`,
/// `coordinates.x`. Errors: what is wrong, with the nearest names.
pub(crate) fn find_field<'g>(group: &'g ParticleGroup, name: &str) -> Result<(&'g Field, Option<u64>), String> {
    let (field_name, column_name) = match name.split_once('.') {
        Some((field, column)) => (field, Some(column)),
        None => (name, None),
    };
    let Some(field) = group.field(field_name) else {
        let names = group.fields.iter().map(|f| f.name.as_str());
        return Err(format!("{} has no field {field_name:?}{}", group.name, nearest_names(field_name, names)));
    };
    let Some(column_name) = column_name else { return Ok((field, None)) };
    let axis = ["x", "y", "z"].into_iter().position(|axis| axis == column_name);
    let axis = axis.filter(|_| field.shape.len() == 2 && field.n_columns() == 3);
    if let Some(column) = field.column(column_name).or(axis) {
        return Ok((field, Some(column as u64)));
    }
    let names = field.named_columns.iter().flat_map(|c| c.names.iter().map(String::as_str));
    Err(format!("{} has no column {column_name:?}{}", field.name, nearest_names(column_name, names)))
}
