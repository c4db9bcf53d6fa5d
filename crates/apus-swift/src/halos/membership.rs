//! Which field says what halo a row is in.

use apus_h5::Datatype;

use super::{CatalogueKind, bad};
use crate::{Field, ParticleGroup, Result};

const FOF: [&str; 1] = ["FOFGroupIDs"];
/// SOAP's membership files had the second name in older versions.
const SOAP: [&str; 2] = ["HaloCatalogueIndex", "GroupNr_bound"];

/// The field of a group with the ids of the halos of a kind of catalogue that its rows are members of; without a kind, of the only kind that
/// the group has one of.
///
/// Errors: [`Error::BadSelection`](crate::Error::BadSelection) where there is none, or where it is not clear which is meant.
pub(crate) fn membership_field(group: &ParticleGroup, kind: Option<CatalogueKind>) -> Result<&Field> {
    let is_id = |f: &&Field| f.shape.len() == 1 && matches!(f.dtype, Datatype::Integer { .. });
    let find = |names: &[&str]| names.iter().find_map(|name| group.field(name).filter(is_id));
    let wants = |other: CatalogueKind| kind.is_none_or(|kind| kind == other);
    let fof = if wants(CatalogueKind::Fof) { find(&FOF) } else { None };
    let soap = if wants(CatalogueKind::Soap) { find(&SOAP) } else { None };
    match (fof, soap) {
        (Some(field), None) | (None, Some(field)) => Ok(field),
        (Some(fof), Some(soap)) => Err(bad(format!(
            "{} says of two catalogues which halo a row is in ({} and {}): say which with catalogue=PATH",
            group.name, fof.name, soap.name
        ))),
        (None, None) => {
            let names: Vec<&str> = match kind {
                Some(CatalogueKind::Fof) => FOF.to_vec(),
                Some(CatalogueKind::Soap) => SOAP.to_vec(),
                None => [FOF.as_slice(), SOAP.as_slice()].concat(),
            };
            Err(bad(format!(
                "{} does not say which halo a row is a member of: it has no {}; with catalogue= and aperture= rows are found by where they lie, \
                 and rows of a catalogue by ids=",
                group.name,
                names.join(" or ")
            )))
        }
    }
}
