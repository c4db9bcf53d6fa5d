//! What is asked for: text, read into what cannot be wrong.

use apus_data::store::VPath;
use serde::Serialize;

use super::error::{Error, Result};
use crate::http::params::unknown;

/// The parameters of all addresses. Each takes those of the others too, as clients send them along, and passes over them.
const PARAMETERS: [&str; 8] = ["file", "path", "resolve_links", "attr_keys", "selection", "format", "dtype", "flatten"];
/// The most bytes of the path of an object.
const MAX_PATH_BYTES: usize = 16 << 10;

/// A request for an object of a file.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) file: VPath,
    /// The object's path, as it was written.
    pub(super) path: String,
    /// The attributes that are wanted; all, where nothing is said.
    pub(super) attr_keys: Option<Vec<String>>,
    pub(super) selection: Option<String>,
    pub(super) flatten: bool,
    resolve_links: Option<String>,
    format: Option<String>,
    dtype: Option<String>,
}

/// Which soft and external links are followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum LinkResolution {
    /// None: each is described as a link.
    None,
    /// Those that lead somewhere.
    OnlyValid,
    /// All: one that leads nowhere is an error.
    All,
}

/// The form of values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Format {
    /// Nested lists, null for what is no number.
    Json,
    /// The array's bytes alone.
    Bin,
    /// What `numpy.save` writes.
    Npy,
    /// What `numpy.savetxt` writes.
    Csv,
    /// A picture.
    Tiff,
}

/// The type in which values are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum DtypeConversion {
    /// The dataset's own.
    Origin,
    /// One that JavaScript has a typed array for.
    Safe,
}

impl Request {
    /// Errors: 400 for a parameter that is missing, unknown or given twice.
    pub(super) fn parse(query: Option<&str>) -> Result<Self> {
        let mut values: [Option<String>; PARAMETERS.len()] = Default::default();
        let mut attr_keys = None;
        for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
            let Some((slot, _)) = values.iter_mut().zip(PARAMETERS).find(|(_, known)| *known == name) else {
                return Err(unknown("parameter", &name, &PARAMETERS).into());
            };
            if name == "attr_keys" {
                attr_keys.get_or_insert_with(Vec::new).push(value.into_owned());
            } else if slot.replace(value.into_owned()).is_some() {
                return Err(Error::bad_request(format!("the parameter {name:?} is given twice")));
            }
        }
        let [file, path, resolve_links, _, selection, format, dtype, flatten] = values;
        let file = file.ok_or_else(|| Error::bad_request("say which file: file=folder/snapshot.hdf5"))?;
        let file = VPath::parse(&file).map_err(|error| match error {
            apus_data::Error::NotFound(_) => Error::no_file(),
            error => error.into(),
        })?;
        let path = path.unwrap_or_else(|| "/".to_owned());
        if path.len() > MAX_PATH_BYTES {
            return Err(Error::bad_request(format!("path has {} bytes, more than {MAX_PATH_BYTES}", path.len())));
        }
        let flatten = flatten.is_some_and(|text| !text.eq_ignore_ascii_case("false"));
        Ok(Self { file, path, attr_keys, selection, flatten, resolve_links, format, dtype })
    }

    /// Which links are followed.
    ///
    /// Errors: 422 for a word that is not known.
    pub(super) fn resolve_links(&self) -> Result<LinkResolution> {
        let Some(text) = &self.resolve_links else { return Ok(LinkResolution::OnlyValid) };
        match text.to_lowercase().as_str() {
            "true" | "all" => Ok(LinkResolution::All),
            "false" | "none" => Ok(LinkResolution::None),
            "only_valid" => Ok(LinkResolution::OnlyValid),
            _ => Err(Error::bad_argument(format!(
                "{text} is not a valid value for link resolution. Accepted values are: all, none or only_valid"
            ))),
        }
    }

    /// The form of values.
    ///
    /// Errors: 422 for one that there is not.
    pub(super) fn format(&self) -> Result<Format> {
        match self.format.as_deref() {
            None | Some("json") => Ok(Format::Json),
            Some("bin") => Ok(Format::Bin),
            Some("npy") => Ok(Format::Npy),
            Some("csv") => Ok(Format::Csv),
            Some("tiff") => Ok(Format::Tiff),
            Some(other) => Err(Error::bad_argument(format!(
                "Unsupported encoding {other}: format is one of json, bin, npy, csv, tiff"
            ))),
        }
    }

    /// The type in which values are sent.
    ///
    /// Errors: 422 for a word that is not known.
    pub(super) fn dtype(&self) -> Result<DtypeConversion> {
        match self.dtype.as_deref() {
            None | Some("origin") => Ok(DtypeConversion::Origin),
            Some("safe") => Ok(DtypeConversion::Safe),
            Some(other) => Err(Error::bad_argument(format!("Unsupported dtype {other}: dtype is origin or safe"))),
        }
    }

    /// The file's name, as errors tell it.
    pub(super) fn file_name(&self) -> &str {
        self.file.file_name().unwrap_or_default()
    }
}
