//! What a request asks for: `{"data_spec": {...}}`.

use axum::extract::{FromRequest, Request};
use serde_json::Value;

use super::{
    error::SwiftdataError,
    json_body::{JsonBody, Members, missing},
};
use crate::app::App;

const LOCATION: [&str; 2] = ["body", "data_spec"];

/// Which file: by name, or else by alias.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct FileSpec {
    /// An alias of the configuration.
    pub alias: Option<String>,
    /// The server's own path, or a path under the mounts.
    pub filename: Option<String>,
}

/// A dataset, whole or one column of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UnmaskedSpec {
    /// Which file.
    pub file: FileSpec,
    /// The dataset's path.
    pub field: String,
    /// An index on axis 1; a negative one counts from the end.
    pub column: Option<i64>,
}

/// Ranges of rows of a dataset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MaskedSpec {
    /// Which dataset.
    pub dataset: UnmaskedSpec,
    /// The ranges as JSON: `[[0,5],[7,9]]`.
    pub mask_array_json: String,
    /// numpy's name of an integer type that the ranges would fit.
    pub mask_data_type: Option<String>,
}

/// A body that was understood. Other members than those of the specification are ignored, `settings` among them: nothing in a body
/// says who asks.
#[derive(Clone, Debug)]
pub(crate) struct Spec<T>(pub T);

/// What a body may ask for.
pub(crate) trait DataSpec: Sized {
    /// Takes the members; `None` where there were faults.
    fn take(members: &mut Members<'_>) -> Option<Self>;
}

impl<T: DataSpec> FromRequest<App> for Spec<T> {
    type Rejection = SwiftdataError;

    async fn from_request(request: Request, app: &App) -> Result<Self, SwiftdataError> {
        let JsonBody::Json(body) = JsonBody::from_request(request, app).await? else { return Err(missing(&LOCATION)) };
        let spec = match body.get("data_spec") {
            None | Some(Value::Null) => return Err(missing(&LOCATION)),
            Some(spec) => spec,
        };
        let mut members = Members::of(spec, &LOCATION)?;
        let found = T::take(&mut members);
        members.finish(found).map(Self)
    }
}

impl DataSpec for FileSpec {
    fn take(members: &mut Members<'_>) -> Option<Self> {
        Some(Self { alias: members.optional_text("alias"), filename: members.optional_text("filename") })
    }
}

impl DataSpec for UnmaskedSpec {
    fn take(members: &mut Members<'_>) -> Option<Self> {
        let file = FileSpec::take(members)?;
        let field = members.text("field");
        let column = members.optional_integer("columns");
        Some(Self { file, field: field?, column })
    }
}

impl DataSpec for MaskedSpec {
    fn take(members: &mut Members<'_>) -> Option<Self> {
        let file = FileSpec::take(members)?;
        let field = members.text("field");
        let mask_array_json = members.text("mask_array_json");
        let mask_data_type = members.optional_text("mask_data_type");
        // How many rows the ranges have is for the ranges to say; that the member is there is part of the contract.
        let mask_size = members.integer("mask_size");
        let column = members.optional_integer("columns");
        mask_size?;
        let dataset = UnmaskedSpec { file, field: field?, column };
        Some(Self { dataset, mask_array_json: mask_array_json?, mask_data_type })
    }
}
