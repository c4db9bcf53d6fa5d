//! Groups of fields.

use std::collections::BTreeMap;

use apus_h5::{File, Object};
use serde::Serialize;

use crate::{AttributeValue, Attributes, Error, Field, Result, UnitSystem};

/// A group of fields with one row each for the same things: the particles of a type, the groups of a FOF catalogue, the
/// subhalos of a SOAP aperture, the particles along a sightline.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ParticleGroup {
    /// Its name in the file: `PartType0`, `Groups`, `SO/200_crit`, `LOS_0000`.
    pub group: String,
    /// swiftsimio's name: `gas`, `fof_groups`, `spherical_overdensity_200_crit`, `los_0000`.
    pub name: String,
    /// The number of its particle type.
    pub particle_type: Option<u8>,
    /// SWIFT's own name of the type (`Header/PartTypeNames`).
    pub swift_name: Option<String>,
    /// Whether the file holds the group. A type that was not selected for output is counted by the header and absent.
    pub present: bool,
    /// The rows in this file.
    pub n_rows: u64,
    /// The rows of the whole output, as the header counts them; `None` where it does not.
    pub n_rows_total: Option<u64>,
    /// The fields, sorted by their names in the file.
    pub fields: Vec<Field>,
    /// The group's own attributes.
    pub attributes: BTreeMap<String, AttributeValue>,
    /// What could not be read, and why; the rest of the group is sound.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unreadable: Vec<Unreadable>,
}

/// A member of a group that could not be described.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unreadable {
    /// Its path.
    pub path: String,
    /// Why.
    pub reason: String,
}

/// What the header and other places know about a group before it is opened.
pub(crate) struct GroupOutline {
    pub(crate) group: String,
    pub(crate) name: String,
    pub(crate) particle_type: Option<u8>,
    pub(crate) swift_name: Option<String>,
    pub(crate) n_rows: Option<u64>,
    pub(crate) n_rows_total: Option<u64>,
}

/// More fields than any group has.
const MAX_FIELDS: usize = 16_384;

impl ParticleGroup {
    /// Describes the group; one that is not in the file is described as absent.
    pub(crate) fn describe(
        file: &File,
        outline: GroupOutline,
        units: Option<&UnitSystem>,
        named_columns: &[(String, Vec<String>)],
    ) -> Result<Self> {
        let path = format!("/{}", outline.group);
        let mut described = Self {
            group: outline.group,
            name: outline.name,
            particle_type: outline.particle_type,
            swift_name: outline.swift_name,
            present: false,
            n_rows: 0,
            n_rows_total: outline.n_rows_total,
            fields: Vec::new(),
            attributes: BTreeMap::new(),
            unreadable: Vec::new(),
        };
        let group = match file.group(&path) {
            Ok(group) => group,
            Err(apus_h5::Error::NotFound { .. }) => return Ok(described),
            Err(error) => return Err(error.into()),
        };
        described.present = true;
        described.attributes = Attributes::from(group.attributes()?).values();
        let links = group.links()?;
        if links.len() > MAX_FIELDS {
            return Err(Error::Malformed {
                file: file.name().to_owned(),
                object: path,
                reason: format!("has {} members, more than {MAX_FIELDS}", links.len()),
            });
        }
        for link in links {
            let path = format!("{path}/{}", link.name);
            let field = match group.get(&link.name) {
                Ok(Object::Dataset(dataset)) => Field::describe(path.clone(), &dataset, units, named_columns),
                Ok(_) => continue,
                Err(error) => Err(error.into()),
            };
            match field {
                Ok(field) => described.fields.push(field),
                Err(error) => described.unreadable.push(Unreadable { path, reason: error.to_string() }),
            }
        }
        let counted = described.fields.iter().find(|f| !f.shape.is_empty()).map(Field::n_rows);
        described.n_rows = counted.or(outline.n_rows).unwrap_or(0);
        Ok(described)
    }

    /// The field of that name: swiftsimio's, or its own in the file.
    pub fn field(&self, name: &str) -> Option<&Field> {
        let own_name = |f: &&Field| f.path.rsplit('/').next() == Some(name);
        self.fields.iter().find(|f| f.name == name).or_else(|| self.fields.iter().find(own_name))
    }
}
