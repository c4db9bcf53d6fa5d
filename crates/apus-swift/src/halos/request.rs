//! What a caller asks for.

use apus_h5::ReadOptions;
use serde::Serialize;

use super::{Aperture, Catalogue, Halo, HaloSphere, Halos, MAX_HALOS, bad};
use crate::{Output, Region, Result};

/// Halos that a caller asks for, before they were looked up.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HaloRequest {
    /// Their ids; one that comes twice counts once.
    pub ids: Vec<u64>,
    /// How far about their centres rows are wanted; `None` for members wherever they lie.
    pub aperture: Option<Aperture>,
    /// Whether rows must be members. Without an aperture they always must.
    pub members: bool,
}

impl HaloRequest {
    /// Looks the halos up in `catalogue`, for rows of `output`. Without a catalogue there are only members, by what their own file says, and
    /// no halo is unknown. Memory is bounded whatever the catalogue's size.
    ///
    /// Errors: [`Error::UnknownHalo`](crate::Error::UnknownHalo); [`Error::BadSelection`](crate::Error::BadSelection) for no halos, too many,
    /// a file that is no catalogue, one of another output, or one without what is asked for; those of units and of reading.
    pub fn resolve(&self, output: &Output, catalogue: Option<&Output>, options: &ReadOptions) -> Result<Halos> {
        let mut ids = self.ids.clone();
        ids.sort_unstable();
        ids.dedup();
        if ids.is_empty() {
            return Err(bad("no halo is asked for: group=ID".to_owned()));
        }
        if ids.len() > MAX_HALOS {
            return Err(bad(format!(
                "{} halos are more than {MAX_HALOS} in one request: ask for them in parts",
                ids.len()
            )));
        }
        let Some(catalogue) = catalogue else {
            if self.aperture.is_some() {
                return Err(bad(
                    "an aperture is about centres, which are in a catalogue: name it with catalogue=PATH".to_owned()
                ));
            }
            let by_id = ids.into_iter().map(|id| Halo { id, aperture: None, region: Region::everywhere() }).collect();
            return Ok(Halos { by_id, members: true, kind: None, box_size: [1.0; 3], fields: Vec::new() });
        };
        let mut catalogue = Catalogue::new(catalogue, output, options)?;
        let rows = catalogue.rows_of(&ids)?;
        let apertures = match &self.aperture {
            None => vec![None; ids.len()],
            Some(aperture) => {
                let radii = match aperture {
                    Aperture::Radius(name) => catalogue.radii(name, &ids, &rows)?,
                    Aperture::Length(length) => {
                        vec![length.comoving("aperture", &output.unit_context())?; ids.len()]
                    }
                };
                let centres = catalogue.centres(&rows)?;
                centres.into_iter().zip(radii).map(|(centre, radius)| Some(HaloSphere { centre, radius })).collect()
            }
        };
        let box_size = catalogue.box_size();
        let halo = |(id, aperture): (u64, Option<HaloSphere>)| {
            let region =
                aperture.map_or(Ok(Region::everywhere()), |sphere| Region::new(&[sphere.shape()], box_size))?;
            Ok(Halo { id, aperture, region })
        };
        Ok(Halos {
            by_id: ids.into_iter().zip(apertures).map(halo).collect::<Result<_>>()?,
            members: self.members || self.aperture.is_none(),
            kind: Some(catalogue.kind()),
            box_size,
            fields: catalogue.into_fields(),
        })
    }
}
