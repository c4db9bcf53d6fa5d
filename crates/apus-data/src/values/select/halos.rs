//! Halos that are asked for, and where they are looked up.

use apus_swift::{Aperture, HaloRequest};

use serde::Serialize;

use super::request::MAX_SHOWN;
use crate::{Error, Result, store::VPath};

/// The halos that are asked for, and where they are looked up.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HaloQuery {
    pub(super) request: HaloRequest,
    pub(super) catalogue: Option<VPath>,
    /// The aperture as it was written.
    aperture: Option<String>,
}

impl HaloQuery {
    /// `None` where nothing is said of halos.
    ///
    /// Errors: [`Error::Invalid`] for what makes no sense together.
    pub fn new(
        ids: Option<Vec<u64>>,
        catalogue: Option<&str>,
        aperture: Option<String>,
        members: Option<bool>,
    ) -> Result<Option<Self>> {
        let Some(ids) = ids else {
            if catalogue.is_some() || aperture.is_some() || members.is_some() {
                return Err(Error::invalid(
                    "catalogue, aperture and members are about halos: say which with group or groups",
                ));
            }
            return Ok(None);
        };
        if aperture.is_none() && members == Some(false) {
            return Err(Error::invalid("members=false: without an aperture there are only members"));
        }
        let request = HaloRequest {
            ids,
            aperture: aperture.as_deref().map(str::parse::<Aperture>).transpose()?,
            members: members.unwrap_or(aperture.is_none()),
        };
        let catalogue = catalogue.map(VPath::parse).transpose()?;
        Ok(Some(Self { request, catalogue, aperture }))
    }

    /// In words, as in a query; long lists are cut short.
    pub(super) fn text(&self) -> Vec<String> {
        let ids = &self.request.ids;
        let shown: Vec<String> = ids.iter().take(MAX_SHOWN).map(u64::to_string).collect();
        let rest = if ids.len() > MAX_SHOWN { format!(",... {} halos", ids.len()) } else { String::new() };
        let mut parts = vec![format!("groups={}{rest}", shown.join(","))];
        parts.extend(self.catalogue.iter().map(|path| format!("catalogue={}", path.as_str())));
        parts.extend(self.aperture.iter().map(|aperture| format!("aperture={aperture}")));
        parts.push(format!("members={}", self.request.members));
        parts
    }
}
