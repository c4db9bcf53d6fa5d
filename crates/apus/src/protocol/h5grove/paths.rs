//! The paths of all that is below a group.

use std::{collections::HashSet, vec::IntoIter};

use apus_data::values::PinnedFile;
use apus_h5::{Error as H5Error, Group, Link, LinkTarget, Object};

use super::{
    entity::{Entity, split},
    error::{Error, Result},
    request::{LinkResolution, Request},
};
use crate::http::error::ApiError;

/// A group whose links are gone through.
struct Level {
    group: Group,
    /// Its path, without a slash at the end.
    path: String,
    links: IntoIter<Link>,
}

/// Writes the path of the group, and of all that is below it along hard links, each group's members once: what `H5Lvisit` gives.
///
/// Errors: those of [`Entity::find`]; 400 for what is no group; 413 for paths that are too long together; those of reading.
pub(super) fn list(file: &PinnedFile, request: &Request) -> Result<Vec<u8>> {
    let links = request.resolve_links()?;
    let Entity::Object(Object::Group(base)) = Entity::find(file, request, links)? else {
        return Err(Error::bad_request(format!("{} is not a group (path)", request.path)));
    };
    let limit_bytes = file.pinned().archive().limits.held_bytes;
    let mut out = b"[".to_vec();
    write(&request.path, &mut out)?;
    let path = if split(&request.path).is_none() { "" } else { request.path.trim_end_matches('/') };
    let mut seen = HashSet::from([base.address()]);
    let mut levels = vec![Level { links: base.links()?.into_iter(), path: path.to_owned(), group: base }];
    // Paths are as long as groups are deep, which the file chooses: all that are held are counted.
    let mut held_bytes = 0u64;
    while let Some(level) = levels.last_mut() {
        let Some(link) = level.links.next() else {
            held_bytes = held_bytes.saturating_sub(level.path.len() as u64);
            levels.pop();
            continue;
        };
        file.pinned().check_waiting()?;
        let path = format!("{}/{}", level.path, link.name);
        out.push(b',');
        write(&path, &mut out)?;
        if (out.len() as u64).saturating_add(held_bytes) > limit_bytes {
            return Err(ApiError::too_large(format!(
                "{}: the paths below it are over the limit of {limit_bytes} bytes; ask for those of a group in it",
                request.path
            ))
            .into());
        }
        match follow(&level.group, &link, links) {
            Ok(Some(group)) if seen.insert(group.address()) => {
                held_bytes += path.len() as u64;
                levels.push(Level { links: group.links()?.into_iter(), path, group });
            }
            Err(error @ H5Error::Io { .. }) => return Err(error.into()),
            Err(_) if links == LinkResolution::All && !matches!(link.target, LinkTarget::Hard { .. }) => {
                return Err(Error::not_found(format!("Cannot resolve the link at {path} of {}", request.file_name())));
            }
            // It is there, whatever is wrong with it.
            Ok(_) | Err(_) => {}
        }
    }
    out.push(b']');
    Ok(out)
}

/// The group that a hard link leads to. Of other links it is only seen, where that is wanted, whether they lead somewhere.
fn follow(group: &Group, link: &Link, links: LinkResolution) -> Result<Option<Group>, H5Error> {
    if !matches!(link.target, LinkTarget::Hard { .. }) {
        if links == LinkResolution::All {
            Entity::follow(group, link, links)?;
        }
        return Ok(None);
    }
    Ok(match group.get(&link.name)? {
        Object::Group(group) => Some(group),
        _ => None,
    })
}

fn write(path: &str, out: &mut Vec<u8>) -> Result<()> {
    Ok(serde_json::to_writer(out, path).map_err(ApiError::internal)?)
}
