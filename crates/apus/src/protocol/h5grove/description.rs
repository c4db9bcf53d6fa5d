//! What an object is.

use apus_data::values::PinnedFile;
use apus_h5::{AttributeForm, Dataset, Dataspace, Error as H5Error, Filter, Group, Link, LinkTarget, Object};
use serde::Serialize;

use super::{
    entity::Entity,
    error::Result,
    request::{LinkResolution, Request},
    types::TypeMetadata,
};
use crate::http::error::ApiError;

/// The members are in the order of their names, as h5grove has them.
#[derive(Serialize)]
#[serde(untagged)]
enum Metadata<'a> {
    Group {
        attributes: Vec<AttributeMetadata>,
        kind: &'static str,
        name: &'a str,
    },
    Dataset {
        attributes: Vec<AttributeMetadata>,
        chunks: Option<&'a [u64]>,
        filters: Option<Vec<FilterMetadata<'a>>>,
        kind: &'static str,
        name: &'a str,
        shape: Option<&'a [u64]>,
        r#type: TypeMetadata,
    },
    Datatype {
        attributes: Vec<AttributeMetadata>,
        kind: &'static str,
        name: &'a str,
        r#type: TypeMetadata,
    },
    SoftLink {
        kind: &'static str,
        name: &'a str,
        target_path: &'a str,
    },
    ExternalLink {
        kind: &'static str,
        name: &'a str,
        target_file: &'a str,
        target_path: &'a str,
    },
    Other {
        kind: &'static str,
        name: &'a str,
    },
}

#[derive(Serialize)]
struct AttributeMetadata {
    name: String,
    shape: Option<Vec<u64>>,
    r#type: TypeMetadata,
}

#[derive(Serialize)]
struct FilterMetadata<'a> {
    id: u16,
    name: &'a str,
}

/// Describes what the request's path names; of a group, the members too.
///
/// Errors: those of [`Entity::find`]; 413 for a group whose description is too large; those of reading.
pub(super) fn describe(file: &PinnedFile, request: &Request) -> Result<Vec<u8>> {
    let entity = Entity::find(file, request, request.resolve_links()?)?;
    let name = request.path.rsplit('/').next().unwrap_or_default();
    let mut out = Vec::new();
    match &entity {
        Entity::Object(Object::Group(group)) => write_group(file, group, name, &mut out)?,
        entity => write(&Metadata::of(entity, name)?, &mut out)?,
    }
    Ok(out)
}

fn write_group(file: &PinnedFile, group: &Group, name: &str, out: &mut Vec<u8>) -> Result<()> {
    let limit_bytes = file.pinned().archive().limits.held_bytes;
    out.extend_from_slice(b"{\"attributes\":");
    write(&attributes(group.attribute_forms()?), out)?;
    out.extend_from_slice(b",\"children\":[");
    for (i, link) in group.links()?.iter().enumerate() {
        file.pinned().check_waiting()?;
        if i > 0 {
            out.push(b',');
        }
        write_member(group, link, out)?;
        if out.len() as u64 > limit_bytes {
            return Err(ApiError::too_large(format!(
                "{}: the description of the group's members is over the limit of {limit_bytes} bytes; ask for them one by one",
                group.path()
            ))
            .into());
        }
    }
    out.extend_from_slice(b"],\"kind\":\"group\",\"name\":");
    write(&name, out)?;
    out.push(b'}');
    Ok(())
}

/// A member that cannot be described must not take its whole group away: asking for it tells what is wrong with it.
///
/// Errors: those of the source alone, which say nothing of the file.
fn write_member(group: &Group, link: &Link, out: &mut Vec<u8>) -> Result<()> {
    let entity = match Entity::follow(group, link, LinkResolution::OnlyValid) {
        Err(error @ H5Error::Io { .. }) => return Err(error.into()),
        entity => entity.unwrap_or(Entity::Other),
    };
    match Metadata::of(&entity, &link.name) {
        Err(error @ H5Error::Io { .. }) => Err(error.into()),
        Err(_) => write(&Metadata::other(&link.name), out),
        Ok(metadata) => write(&metadata, out),
    }
}

impl<'a> Metadata<'a> {
    /// That of an entity, without the members of a group.
    fn of(entity: &'a Entity, name: &'a str) -> Result<Self, H5Error> {
        Ok(match entity {
            Entity::Object(Object::Group(group)) => {
                Self::Group { attributes: attributes(group.attribute_forms()?), kind: "group", name }
            }
            Entity::Object(Object::Dataset(dataset)) => Self::of_dataset(dataset, name)?,
            Entity::Object(Object::NamedType(named)) => Self::Datatype {
                attributes: attributes(named.attribute_forms()?),
                kind: "datatype",
                name,
                r#type: TypeMetadata::of(&named.stored_type()?),
            },
            Entity::Link(LinkTarget::Soft { path }) => Self::SoftLink { kind: "soft_link", name, target_path: path },
            Entity::Link(LinkTarget::External { file, path }) => {
                Self::ExternalLink { kind: "external_link", name, target_file: file, target_path: path }
            }
            _ => Self::other(name),
        })
    }

    fn of_dataset(dataset: &'a Dataset, name: &'a str) -> Result<Self, H5Error> {
        let filters = dataset.filters();
        Ok(Self::Dataset {
            attributes: attributes(dataset.attribute_forms()?),
            chunks: dataset.chunk_shape(),
            filters: (!filters.is_empty()).then(|| filters.iter().map(FilterMetadata::of).collect()),
            kind: "dataset",
            name,
            shape: shape(dataset.space()),
            r#type: TypeMetadata::of(dataset.stored_type()),
        })
    }

    fn other(name: &'a str) -> Self {
        Self::Other { kind: "other", name }
    }
}

impl<'a> FilterMetadata<'a> {
    fn of(filter: &'a Filter) -> Self {
        Self { id: filter.id, name: &filter.name }
    }
}

fn attributes(forms: Vec<AttributeForm>) -> Vec<AttributeMetadata> {
    let metadata = |form: AttributeForm| AttributeMetadata {
        shape: shape(&form.space).map(<[u64]>::to_vec),
        r#type: TypeMetadata::of(&form.stored_type),
        name: form.name,
    };
    forms.into_iter().map(metadata).collect()
}

/// `None` where there are no elements and no shape.
fn shape(space: &Dataspace) -> Option<&[u64]> {
    (*space != Dataspace::Null).then(|| space.shape())
}

fn write(value: &impl Serialize, out: &mut Vec<u8>) -> Result<()> {
    Ok(serde_json::to_writer(out, value).map_err(ApiError::internal)?)
}
