//! What a path names: an object, or a link that is not followed.

use apus_data::values::PinnedFile;
use apus_h5::{Error as H5Error, Group, Link, LinkTarget, Object};

use super::{
    error::{Error, Result},
    request::{LinkResolution, Request},
};

/// What a path names.
pub(super) enum Entity {
    /// An object, links followed.
    Object(Object),
    /// A link that was not followed, or leads nowhere.
    Link(LinkTarget),
    /// Something that there is, and that cannot be described.
    Other,
}

impl Entity {
    /// What the request's path names.
    ///
    /// Errors: 404 where there is nothing, or with [`LinkResolution::All`] a link that leads nowhere; those of reading.
    pub(super) fn find(file: &PinnedFile, request: &Request, links: LinkResolution) -> Result<Self> {
        let no_path = || Error::no_path(&request.path, request.file_name());
        let Some((parent, name)) = split(&request.path) else {
            return if request.path.is_empty() { Err(no_path()) } else { Ok(Self::Object(file.h5().get("/")?)) };
        };
        let group = match file.h5().group(&format!("/{parent}")) {
            Ok(group) => group,
            Err(H5Error::NotFound { .. } | H5Error::WrongKind { .. }) => return Err(no_path()),
            Err(error) => return Err(error.into()),
        };
        let link = group.link(name)?.ok_or_else(no_path)?;
        match Self::follow(&group, &link, links) {
            // What a link names as its own target is for its file to know: the path that was asked for is told.
            Err(H5Error::NotFound { .. } | H5Error::Refused { .. } | H5Error::Unsupported { .. })
                if !matches!(link.target, LinkTarget::Hard { .. }) =>
            {
                let link = shown(&link.target);
                Err(Error::not_found(format!("Cannot resolve {link} at {} of {}", request.path, request.file_name())))
            }
            found => Ok(found?),
        }
    }

    /// Where a link of a group leads.
    ///
    /// Errors: with [`LinkResolution::All`] where it leads nowhere; those of reading.
    pub(super) fn follow(group: &Group, link: &Link, links: LinkResolution) -> Result<Self, H5Error> {
        match &link.target {
            LinkTarget::Hard { .. } => group.get(&link.name).map(Self::Object),
            LinkTarget::Soft { .. } | LinkTarget::External { .. } => {
                if links == LinkResolution::None {
                    return Ok(Self::Link(link.target.clone()));
                }
                match group.get(&link.name) {
                    Err(H5Error::NotFound { .. } | H5Error::Refused { .. } | H5Error::Unsupported { .. })
                        if links == LinkResolution::OnlyValid =>
                    {
                        Ok(Self::Link(link.target.clone()))
                    }
                    object => object.map(Self::Object),
                }
            }
            LinkTarget::UserDefined { .. } => Ok(Self::Other),
        }
    }
}

/// The path of the group and the name in it; `None` for the root.
pub(super) fn split(path: &str) -> Option<(&str, &str)> {
    let path = path.trim_end_matches('/');
    let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
    match name {
        "" => None,
        "." => split(parent),
        name => Some((parent, name)),
    }
}

/// As `str` shows h5py's links.
fn shown(target: &LinkTarget) -> String {
    match target {
        LinkTarget::Soft { path } => format!("<SoftLink to \"{path}\">"),
        LinkTarget::External { file, path } => format!("<ExternalLink to \"{path}\" in file \"{file}\""),
        _ => "the link".to_owned(),
    }
}
