//! What `/v1/select` is asked for of halos.

use apus_swift::{Aperture, HaloRequest};

use super::query::{MAX_SHOWN, bad};
use crate::{catalog::VPath, error::ApiResult};

/// The halos that are asked for, and where they are looked up.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct HaloQuery {
    pub(super) request: HaloRequest,
    pub(super) catalogue: Option<VPath>,
    /// The aperture as it was written.
    aperture: Option<String>,
}

impl HaloQuery {
    /// `None` where nothing is said of halos.
    ///
    /// Errors: 400 for parameters that make no sense together.
    pub(super) fn new(
        ids: Option<Vec<u64>>,
        catalogue: Option<&str>,
        aperture: Option<String>,
        members: Option<bool>,
    ) -> ApiResult<Option<Self>> {
        let Some(ids) = ids else {
            if catalogue.is_some() || aperture.is_some() || members.is_some() {
                return Err(bad(
                    "catalogue, aperture and members are about halos: say which with group or groups".to_owned()
                ));
            }
            return Ok(None);
        };
        if aperture.is_none() && members == Some(false) {
            return Err(bad("members=false: without an aperture there are only members".to_owned()));
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
