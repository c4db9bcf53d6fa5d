//! `/v1/object/{path}?object=`: one HDF5 object as it stands in the file.

use std::collections::BTreeMap;

use apus_data::{
    encode::{dtype::Dtype, json},
    values::Content as AnswerContent,
};
use apus_h5::{Attribute, Dataset, Dataspace, Filter, Group, Layout, Link, LinkTarget, Object};
use axum::{
    extract::{RawQuery, State},
    http::{HeaderMap, Method},
    response::Response,
};
use serde::Serialize;
use serde_json::value::RawValue;

use super::{data_query::check_object, stored_type::StoredType};
use crate::{
    app::App,
    auth::Caller,
    http::{
        answer::{self, Answer},
        error::{ApiError, ApiResult, Problem},
        params::{FilePath, Params},
        preconditions::Preconditions,
    },
};

/// Members of larger groups are named without being opened.
const MAX_OPENED_MEMBERS: usize = 10_000;

/// One HDF5 object: its attributes with types and values; of a group its members and where their links lead; of a dataset its
/// type, shape, layout and filters.
///
/// The members are described in docs/rest.md.
#[utoipa::path(
    get,
    path = "/v1/object/{path}",
    tag = "native",
    params(
        ("path" = String, Path, description = "A file", example = "cosmic_web_0002.hdf5"),
        ("object" = Option<String>, Query, description = "The absolute path of an object in the file; the root group where it is missing", example = "/PartType0"),
    ),
    responses(
        (status = 200, description = "The object", body = Object),
        (status = 304, description = "The client has it already"),
        (status = 404, description = "No such file or object", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "The file is no HDF5, or damaged", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn get_object(
    State(app): State<App>,
    caller: Caller,
    FilePath(path): FilePath,
    RawQuery(query): RawQuery,
    method: Method,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let mut params = Params::parse(query.as_deref(), &["object"])?;
    let object = check_object(params.take("object").unwrap_or_else(|| "/".to_owned()))?;
    let preconditions = Preconditions::of(&headers);
    let archive = app.archive.clone();
    answer::answer(&app.work, method == Method::HEAD, move |cancelled| {
        let pinned = archive.pin(&caller.roles, cancelled);
        let found = pinned.open(&path)?.object(&object)?;
        let description = Description { path: path.as_str(), object: &object, content: Content::of(&found)? };
        // Weak, since it leaves compressed or not.
        let tag = pinned.tag(&("object", &object))?.weak();
        if let Some(answer) = preconditions.decide(&tag)? {
            return Ok(answer);
        }
        let body = serde_json::to_vec(&description).map_err(ApiError::internal)?;
        Ok(Answer::of(AnswerContent::whole(pinned, body), json::CONTENT_TYPE)?.with_tag(&tag))
    })
    .await
}

#[derive(Serialize)]
struct Description<'a> {
    path: &'a str,
    object: &'a str,
    #[serde(flatten)]
    content: Content,
}

#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum Content {
    Group { attributes: BTreeMap<String, AttributeDescription>, members: BTreeMap<String, MemberDescription> },
    Dataset(Box<DatasetDescription>),
    Datatype,
}

#[derive(Serialize)]
struct DatasetDescription {
    #[serde(flatten)]
    type_and_shape: TypeAndShape,
    layout: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    chunks: Option<Vec<u64>>,
    filters: Vec<FilterDescription>,
    #[serde(skip_serializing_if = "Option::is_none")]
    storage_size_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_shape: Option<Vec<Option<u64>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    virtual_files: Option<Vec<String>>,
    attributes: BTreeMap<String, AttributeDescription>,
}

/// Type and extent, as numpy has them and as they are stored.
#[derive(Serialize)]
struct TypeAndShape {
    /// `null` for types that numpy lacks.
    dtype: Option<Dtype>,
    /// `null` where there are no elements and no shape.
    shape: Option<Vec<u64>>,
    stored_type: StoredType,
}

#[derive(Serialize)]
struct FilterDescription {
    id: u16,
    name: String,
    optional: bool,
    parameters: Vec<u32>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum AttributeDescription {
    Value {
        #[serde(flatten)]
        type_and_shape: Box<TypeAndShape>,
        value: Box<RawValue>,
    },
    Unreadable {
        error: String,
    },
}

#[derive(Serialize)]
struct MemberDescription {
    link: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    dtype_and_shape: Option<DtypeAndShape>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

#[derive(Serialize)]
struct DtypeAndShape {
    dtype: Option<Dtype>,
    shape: Option<Vec<u64>>,
}

impl Content {
    fn of(object: &Object) -> ApiResult<Self> {
        Ok(match object {
            Object::Group(group) => {
                let links = group.links()?;
                let is_small = links.len() <= MAX_OPENED_MEMBERS;
                Self::Group {
                    attributes: attributes(group.attribute_names()?, |name| group.attribute(name)),
                    members: links.into_iter().map(|link| member(group, link, is_small)).collect(),
                }
            }
            Object::Dataset(dataset) => Self::Dataset(Box::new(DatasetDescription::of(dataset)?)),
            _ => Self::Datatype,
        })
    }
}

impl DatasetDescription {
    fn of(dataset: &Dataset) -> ApiResult<Self> {
        let max_shape = match dataset.space() {
            Dataspace::Simple { max_dims, .. } => Some(max_dims.clone()),
            _ => None,
        };
        let is_virtual = dataset.layout() == Layout::Virtual;
        Ok(Self {
            type_and_shape: TypeAndShape::of(dataset.dtype(), dataset.stored_type(), dataset.space()),
            layout: match dataset.layout() {
                Layout::Compact => "compact",
                Layout::Contiguous => "contiguous",
                Layout::Chunked => "chunked",
                Layout::Virtual => "virtual",
            },
            chunks: dataset.chunk_shape().map(<[u64]>::to_vec),
            filters: dataset.filters().iter().map(FilterDescription::of).collect(),
            // A layout that cannot be read is told as far as it is known.
            storage_size_bytes: if is_virtual { None } else { dataset.storage_size_bytes().ok() },
            max_shape,
            virtual_files: if is_virtual { dataset.virtual_files().ok() } else { None },
            attributes: attributes(dataset.attribute_names()?, |name| dataset.attribute(name)),
        })
    }
}

impl TypeAndShape {
    fn of(native: &apus_h5::Datatype, stored: &apus_h5::Datatype, space: &Dataspace) -> Self {
        let member = DtypeAndShape::of(native, space);
        Self { dtype: member.dtype, shape: member.shape, stored_type: StoredType::of(stored) }
    }
}

impl DtypeAndShape {
    /// Elements that are arrays add their extents to the shape, as in numpy.
    fn of(native: &apus_h5::Datatype, space: &Dataspace) -> Self {
        let (dtype, element_shape) =
            Dtype::of(native).map_or((None, Vec::new()), |(dtype, shape)| (Some(dtype), shape));
        let shape = match space {
            Dataspace::Null => None,
            space => Some(space.shape().iter().copied().chain(element_shape.into_iter().map(u64::from)).collect()),
        };
        Self { dtype, shape }
    }
}

impl FilterDescription {
    fn of(filter: &Filter) -> Self {
        Self {
            id: filter.id,
            name: filter.name.clone(),
            optional: filter.optional,
            parameters: filter.parameters.clone(),
        }
    }
}

/// One attribute that cannot be read does not hide the others.
fn attributes(
    names: Vec<String>,
    get: impl Fn(&str) -> apus_h5::Result<Option<Attribute>>,
) -> BTreeMap<String, AttributeDescription> {
    names
        .into_iter()
        .map(|name| {
            let described = match get(&name) {
                Ok(Some(attribute)) => describe_attribute(&attribute),
                Ok(None) => AttributeDescription::Unreadable { error: "is gone".to_owned() },
                Err(error) => AttributeDescription::Unreadable { error: error.to_string() },
            };
            (name, described)
        })
        .collect()
}

fn describe_attribute(attribute: &Attribute) -> AttributeDescription {
    let value = &attribute.value;
    let mut text = Vec::new();
    let written = json::write_array(value, &mut text).map_err(|error| error.to_string()).and_then(|()| {
        let text = String::from_utf8(text).map_err(|error| error.to_string())?;
        RawValue::from_string(text).map_err(|error| error.to_string())
    });
    match written {
        Ok(text) => AttributeDescription::Value {
            type_and_shape: Box::new(TypeAndShape::of(&value.dtype, &attribute.stored_type, &value.space)),
            value: text,
        },
        Err(error) => AttributeDescription::Unreadable { error },
    }
}

fn member(group: &Group, link: Link, is_opened: bool) -> (String, MemberDescription) {
    let mut description =
        MemberDescription { link: "hard", target: None, file: None, kind: None, dtype_and_shape: None, error: None };
    match link.target {
        LinkTarget::Hard { .. } if is_opened => match group.get(&link.name) {
            Ok(Object::Group(_)) => description.kind = Some("group"),
            Ok(Object::Dataset(dataset)) => {
                description.kind = Some("dataset");
                description.dtype_and_shape = Some(DtypeAndShape::of(dataset.dtype(), dataset.space()));
            }
            Ok(_) => description.kind = Some("datatype"),
            Err(error) => description.error = Some(error.to_string()),
        },
        LinkTarget::Hard { .. } => {}
        LinkTarget::Soft { path } => {
            description.link = "soft";
            description.target = Some(path);
        }
        LinkTarget::External { file, path } => {
            description.link = "external";
            description.file = Some(file);
            description.target = Some(path);
        }
        LinkTarget::UserDefined { .. } => description.link = "user_defined",
    }
    (link.name, description)
}
