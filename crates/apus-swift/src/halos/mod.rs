//! Halos of a catalogue: which rows of another output belong to them.
//!
//! A [`HaloRequest`] is what a caller asks for. [`HaloRequest::resolve`] looks the halos up in a [`Catalogue`] (friends-of-friends groups, or
//! SOAP's subhalos) and gives [`Halos`] in the units of the output that rows are wanted of: a sphere about the centre of each where there is
//! an [`Aperture`], and what the rows' own field with the id of their halo is compared with where only members are wanted.
//!
//! | | FOF catalogue | SOAP catalogue |
//! |---|---|---|
//! | id | `Groups/GroupIDs` | `InputHalos/HaloCatalogueIndex` |
//! | centre | `Groups/Centres` | `InputHalos/HaloCentre` |
//! | radius | a length of `Groups` | `SO/200_crit/SORadius` and its like, or another length |
//! | membership, in the particles' file | `FOFGroupIDs` | `HaloCatalogueIndex`, `GroupNr_bound` in older ones |

mod aperture;
mod catalogue;
mod membership;
mod radius;
mod request;

pub use aperture::Aperture;
use catalogue::Catalogue;
pub(crate) use membership::membership_field;
pub use request::HaloRequest;

use crate::{Error, Region, Result, Shape};

/// The most halos in one request: with an aperture each is a sphere of a region.
pub const MAX_HALOS: usize = crate::MAX_SHAPES;

/// Halos that were looked up, in the units of the output that rows are wanted of.
#[derive(Clone, Debug, PartialEq)]
pub struct Halos {
    /// Ascending by id, each once.
    by_id: Vec<Halo>,
    members: bool,
    kind: Option<CatalogueKind>,
    box_size: [f64; 3],
    fields: Vec<String>,
}

/// A halo.
#[derive(Clone, Debug, PartialEq)]
pub struct Halo {
    /// Its id in the catalogue.
    pub id: u64,
    /// The sphere about its centre; `None` without an aperture.
    pub aperture: Option<HaloSphere>,
    region: Region,
}

/// A sphere about the centre of a halo. Units: the length of the output that rows are wanted of, comoving.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HaloSphere {
    /// The centre.
    pub centre: [f64; 3],
    /// The radius.
    pub radius: f64,
}

/// A kind of catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CatalogueKind {
    Fof,
    Soap,
}

impl Halos {
    /// The halos, ascending by id.
    pub fn as_slice(&self) -> &[Halo] {
        &self.by_id
    }

    /// Whether rows must be members of a halo.
    pub fn members(&self) -> bool {
        self.members
    }

    /// The paths of the datasets of the catalogue that this rests on.
    pub fn catalogue_fields(&self) -> &[String] {
        &self.fields
    }

    /// The kind of the catalogue; `None` where there is none.
    pub(crate) fn kind(&self) -> Option<CatalogueKind> {
        self.kind
    }

    /// Whether they have spheres.
    pub(crate) fn has_apertures(&self) -> bool {
        self.by_id.iter().any(|halo| halo.aperture.is_some())
    }

    /// The spheres of all of them; no restriction where there are none.
    ///
    /// Errors: those of [`Region::new`].
    pub(crate) fn region(&self) -> Result<Region> {
        let spheres: Vec<Shape> = self.by_id.iter().filter_map(|halo| halo.aperture).map(HaloSphere::shape).collect();
        if spheres.is_empty() { Ok(Region::everywhere()) } else { Region::new(&spheres, self.box_size) }
    }

    /// The halo of that id, if it is among them.
    pub(crate) fn halo(&self, id: i128) -> Option<&Halo> {
        let id = u64::try_from(id).ok()?;
        self.by_id.get(self.by_id.binary_search_by_key(&id, |halo| halo.id).ok()?)
    }
}

impl Halo {
    /// Whether a position lies in its aperture, as [`Region::contains`] has it; without one, everything does.
    pub(crate) fn contains(&self, position: [f64; 3]) -> bool {
        self.region.contains(position)
    }
}

impl HaloSphere {
    /// The sphere as a shape of a region.
    pub fn shape(self) -> Shape {
        Shape::Sphere { centre: self.centre, radius: self.radius }
    }
}

fn bad(reason: String) -> Error {
    Error::BadSelection { reason }
}
