//! An open file of SWIFT's, and what it holds.

use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock},
};

use apus_h5::{File, Group, Object, check_cancelled};
use serde::Serialize;

use crate::{
    AttributeValue, Attributes, Cosmology, Distribution, Error, Header, OutputKind, PARTICLE_TYPES, ParticleGroup,
    Result, UnitContext, UnitSystem,
    group::GroupOutline,
    naming::{snake_case, soap_group_name},
};

/// An open file of SWIFT's, of any kind: a snapshot, a part of one, a catalogue, sightlines. Files that are not SWIFT's
/// answer as well, with no header and no groups.
///
/// Header, units and cosmology are read at opening; the groups of fields when they are first asked for, and kept. Cheap to clone: clones
/// share what was read.
#[derive(Clone, Debug)]
pub struct Output {
    file: File,
    about: Arc<About>,
}

/// What a file says of itself.
#[derive(Debug)]
struct About {
    kind: OutputKind,
    distribution: Distribution,
    header: Option<Header>,
    units: Option<UnitSystem>,
    internal_units: Option<UnitSystem>,
    cosmology: Option<Cosmology>,
    groups: OnceLock<Vec<ParticleGroup>>,
}

/// All that is known of an output without reading its data, for serialising.
#[derive(Clone, Debug, Serialize)]
pub struct Description<'a> {
    /// What kind of output it is.
    pub kind: &'a OutputKind,
    /// How it is spread over files.
    pub distribution: Distribution,
    /// `/Header`.
    pub header: Option<&'a Header>,
    /// What the file's numbers are in.
    pub units: Option<UnitDescription>,
    /// What the code calculated in.
    pub internal_code_units: Option<UnitDescription>,
    /// `/Cosmology`.
    pub cosmology: Option<&'a Cosmology>,
    /// The groups of fields.
    pub groups: &'a [ParticleGroup],
}

/// A unit system in numbers and names.
#[derive(Clone, Debug, Serialize)]
pub struct UnitDescription {
    /// The numbers.
    #[serde(flatten)]
    pub system: UnitSystem,
    /// The base units by name, as unyt and astropy parse them: mass, length, time, current, temperature.
    pub names: BTreeMap<&'static str, String>,
}

/// The groups of attributes that tell about a run, where a file has them.
pub const METADATA_GROUPS: [&str; 12] = [
    "Code",
    "Cosmology",
    "GravityScheme",
    "Header",
    "HydroScheme",
    "InternalCodeUnits",
    "Parameters",
    "Policy",
    "StarsScheme",
    "SubgridScheme",
    "Units",
    "UnusedParameters",
];

/// The most bytes of a list of names.
const MAX_NAMES_BYTES: u64 = 1 << 20;
/// SOAP's apertures lie this deep (`ProjectedAperture/50kpc/projx`).
const MAX_SOAP_DEPTH: u32 = 3;
/// The families of SOAP's groups.
const SOAP_FAMILIES: [&str; 7] =
    ["BoundSubhalo", "ExclusiveSphere", "InclusiveSphere", "InputHalos", "ProjectedAperture", "SO", "SOAP"];

impl Output {
    /// Takes an open file and reads what kind of output it is.
    ///
    /// Errors: those of reading; [`Error::Malformed`] where a header of SWIFT's is broken. A file without such a header is
    /// no error but [`OutputKind::NotSwift`].
    pub fn open(file: &File) -> Result<Self> {
        let about = About::read(file)?.unwrap_or_default();
        Ok(Self { file: file.clone(), about: Arc::new(about) })
    }

    /// The same output, read through another handle on its file.
    #[must_use]
    pub fn on(&self, file: &File) -> Self {
        Self { file: file.clone(), about: Arc::clone(&self.about) }
    }

    /// The file.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// What kind of output it is.
    pub fn kind(&self) -> &OutputKind {
        &self.about.kind
    }

    /// How the output is spread over files.
    pub fn distribution(&self) -> Distribution {
        self.about.distribution
    }

    /// `/Header`; `None` where the file is not SWIFT's.
    pub fn header(&self) -> Option<&Header> {
        self.about.header.as_ref()
    }

    /// What the file's numbers are in.
    pub fn units(&self) -> Option<&UnitSystem> {
        self.about.units.as_ref()
    }

    /// What the code calculated in; it can differ from the file's.
    pub fn internal_units(&self) -> Option<&UnitSystem> {
        self.about.internal_units.as_ref()
    }

    /// `/Cosmology`.
    pub fn cosmology(&self) -> Option<&Cosmology> {
        self.about.cosmology.as_ref()
    }

    /// The attributes of a group of the root, such as one of [`METADATA_GROUPS`]; `None` where there is no such group.
    pub fn attributes(&self, group: &str) -> Result<Option<Attributes>> {
        attributes(&self.file, group)
    }

    /// The values of those attributes as they are told to people.
    pub fn attribute_values(&self, group: &str) -> Result<Option<BTreeMap<String, AttributeValue>>> {
        Ok(self.attributes(group)?.map(|a| a.values()))
    }

    /// The groups of fields, in the order of particle types, apertures or sightlines. A type that the header counts and the
    /// file lacks is among them, as absent.
    pub fn groups(&self) -> Result<&[ParticleGroup]> {
        if let Some(groups) = self.about.groups.get() {
            return Ok(groups);
        }
        let named_columns = self.named_columns()?;
        let units = self.about.units.as_ref();
        let groups = self
            .outlines()?
            .into_iter()
            .map(|outline| {
                check_cancelled()?;
                ParticleGroup::describe(&self.file, outline, units, &named_columns)
            })
            .collect::<Result<Vec<_>>>()?;
        // What was described for nobody may lack what was not read any more.
        check_cancelled()?;
        // Where two threads described them at once, both descriptions are the same.
        Ok(self.about.groups.get_or_init(|| groups))
    }

    /// The group of that name, swiftsimio's or the file's own.
    pub fn group(&self, name: &str) -> Result<Option<&ParticleGroup>> {
        Ok(self.groups()?.iter().find(|g| g.name == name || g.group == name))
    }

    /// All that is known without reading data.
    pub fn describe(&self) -> Result<Description<'_>> {
        Ok(Description {
            kind: &self.about.kind,
            distribution: self.about.distribution,
            header: self.about.header.as_ref(),
            units: self.about.units.map(UnitDescription::from),
            internal_code_units: self.about.internal_units.map(UnitDescription::from),
            cosmology: self.about.cosmology.as_ref(),
            groups: self.groups()?,
        })
    }

    /// What turns quantities that people name into the file's numbers.
    pub fn unit_context(&self) -> UnitContext {
        let cosmology = self.about.cosmology.as_ref().filter(|c| c.cosmological_run);
        UnitContext {
            units: self.about.units,
            scale_factor: self.about.header.as_ref().map_or(1.0, |h| h.scale_factor),
            h: cosmology.and_then(|c| c.h).filter(|h| h.is_finite() && *h > 0.0),
        }
    }

    fn outlines(&self) -> Result<Vec<GroupOutline>> {
        let Some(header) = &self.about.header else { return Ok(Vec::new()) };
        match &self.about.kind {
            OutputKind::FofCatalogue => Ok(vec![GroupOutline {
                n_rows: header.n_groups_this_file,
                n_rows_total: header.n_groups_total,
                ..plain_outline("Groups".to_owned(), "fof_groups".to_owned())
            }]),
            OutputKind::SoapCatalogue => {
                let groups = match &header.subhalo_types {
                    Some(types) => types.iter().map(|t| t.trim_matches('/').to_owned()).collect(),
                    None => self.soap_groups()?,
                };
                let outline = |group: String| {
                    let name = soap_group_name(&group);
                    GroupOutline {
                        n_rows: header.n_subhalos_this_file,
                        n_rows_total: header.n_subhalos_total,
                        ..plain_outline(group, name)
                    }
                };
                Ok(groups.into_iter().map(outline).collect())
            }
            OutputKind::LineOfSight => {
                let links = self.file.root()?.links()?;
                let names = links.into_iter().map(|link| link.name).filter(|name| name.starts_with("LOS_"));
                Ok(names
                    .map(|group| {
                        let name = group.to_lowercase();
                        plain_outline(group, name)
                    })
                    .collect())
            }
            OutputKind::NotSwift => Ok(Vec::new()),
            OutputKind::Snapshot | OutputKind::Subsampled | OutputKind::Other(_) => self.particle_outlines(header),
        }
    }

    /// The particle types that the file holds, that the run could have, or that the header counts.
    fn particle_outlines(&self, header: &Header) -> Result<Vec<GroupOutline>> {
        let root = self.file.root()?;
        let n_types = header.n_part_total.len().max(header.n_part_this_file.len()).max(PARTICLE_TYPES.len());
        let mut outlines = Vec::new();
        for number in 0..n_types {
            let group = format!("PartType{number}");
            let counted = header.n_part_total.get(number).is_some_and(|n| *n > 0)
                || header.can_have_types.as_ref().is_some_and(|types| types.get(number) == Some(&true));
            if !counted && root.link(&group)?.is_none() {
                continue;
            }
            let name = PARTICLE_TYPES.get(number).map_or_else(|| snake_case(&group), |t| t.name.to_owned());
            outlines.push(GroupOutline {
                particle_type: u8::try_from(number).ok(),
                swift_name: header.part_type_names.get(number).cloned(),
                n_rows: header.n_part_this_file.get(number).copied(),
                n_rows_total: header.n_part_total.get(number).copied(),
                ..plain_outline(group, name)
            });
        }
        Ok(outlines)
    }

    /// The groups with fields of a SOAP catalogue whose header does not list them.
    fn soap_groups(&self) -> Result<Vec<String>> {
        let mut groups = Vec::new();
        for family in SOAP_FAMILIES {
            if let Some(group) = optional(self.file.group(&format!("/{family}")))? {
                groups_with_fields(&group, family, MAX_SOAP_DEPTH, &mut groups)?;
            }
        }
        Ok(groups)
    }

    /// `SubgridScheme/NamedColumns`: the names of columns by the name of the field.
    fn named_columns(&self) -> Result<Vec<(String, Vec<String>)>> {
        let Some(group) = optional(self.file.group("/SubgridScheme/NamedColumns"))? else { return Ok(Vec::new()) };
        group
            .links()?
            .into_iter()
            .map(|link| {
                let names = names(&self.file, &format!("/SubgridScheme/NamedColumns/{}", link.name))?;
                Ok((link.name, names))
            })
            .collect()
    }
}

impl About {
    /// `None` where the file is not SWIFT's.
    fn read(file: &File) -> Result<Option<Self>> {
        let Some(header) = attributes(file, "Header")? else { return Ok(None) };
        let units = attributes(file, "Units")?;
        let is_swift = units.is_some() || matches!(header.text("Code").as_deref(), Some("SWIFT" | "SOAP"));
        if !is_swift {
            return Ok(None);
        }
        let names = optional(names(file, "/Header/PartTypeNames"))?.unwrap_or_default();
        let header = Header::new(file.name(), &header, names)?;
        let internal_units = attributes(file, "InternalCodeUnits")?;
        let internal_units = internal_units.as_ref().and_then(UnitSystem::from_attributes);
        // Files without /Units are in the units of the code.
        let units = units.as_ref().and_then(UnitSystem::from_attributes).or(internal_units);
        let cosmology = attributes(file, "Cosmology")?.map(|a| Cosmology::from_attributes(&a, units.as_ref()));
        Ok(Some(Self {
            kind: OutputKind::of(&header),
            distribution: Distribution::of(&header),
            header: Some(header),
            units,
            internal_units,
            cosmology,
            groups: OnceLock::new(),
        }))
    }
}

impl Default for About {
    fn default() -> Self {
        Self {
            kind: OutputKind::NotSwift,
            distribution: Distribution::Single,
            header: None,
            units: None,
            internal_units: None,
            cosmology: None,
            groups: OnceLock::new(),
        }
    }
}

fn attributes(file: &File, group: &str) -> Result<Option<Attributes>> {
    match optional(file.group(&format!("/{group}")))? {
        Some(group) => Ok(Some(Attributes::from(group.attributes()?))),
        None => Ok(None),
    }
}

/// A small dataset of strings.
fn names(file: &File, path: &str) -> Result<Vec<String>> {
    let array = file.dataset(path)?.read_all(MAX_NAMES_BYTES)?;
    array.to_strings().ok_or_else(|| Error::Malformed {
        file: file.name().to_owned(),
        object: path.to_owned(),
        reason: "is no list of strings".to_owned(),
    })
}

impl From<UnitSystem> for UnitDescription {
    fn from(system: UnitSystem) -> Self {
        use crate::Dimensions as D;
        let base = [
            ("mass", D::MASS),
            ("length", D::LENGTH),
            ("time", D::TIME),
            ("current", D { current: 1.0, ..D::NONE }),
            ("temperature", D { temperature: 1.0, ..D::NONE }),
        ];
        Self { system, names: base.into_iter().map(|(name, d)| (name, system.unit_string(d))).collect() }
    }
}

fn plain_outline(group: String, name: String) -> GroupOutline {
    GroupOutline { group, name, particle_type: None, swift_name: None, n_rows: None, n_rows_total: None }
}

fn groups_with_fields(group: &Group, path: &str, depth: u32, found: &mut Vec<String>) -> Result<()> {
    let mut has_fields = false;
    let mut inner = Vec::new();
    for link in group.links()? {
        match optional(group.get(&link.name).map_err(Error::from))? {
            Some(Object::Dataset(_)) => has_fields = true,
            Some(Object::Group(group)) => inner.push((group, format!("{path}/{}", link.name))),
            _ => {}
        }
    }
    if has_fields {
        found.push(path.to_owned());
    }
    if depth > 1 {
        for (group, path) in inner {
            groups_with_fields(&group, &path, depth - 1, found)?;
        }
    }
    Ok(())
}

/// Nothing where there is nothing.
fn optional<T, E: Into<Error>>(result: Result<T, E>) -> Result<Option<T>> {
    match result.map_err(Into::into) {
        Ok(value) => Ok(Some(value)),
        Err(Error::Hdf5(apus_h5::Error::NotFound { .. })) => Ok(None),
        Err(error) => Err(error),
    }
}
