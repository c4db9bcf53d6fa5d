//! What a request means for one output.

use std::{collections::HashSet, num::NonZeroU64, sync::Arc};

use apus_h5::{Datatype, RowRanges, check_cancelled};

use super::{Conversion, Granularity, MAX_FIELDS, MAX_IDS, Sample, SelectionRequest};
use crate::{
    BoundCondition, CellGrid, CellTest, Dimensions, Error, Field, FoundCells, Halos, Output, Padding, ParticleGroup,
    Region, Result,
    halos::membership_field,
    lookup::{find_field, without_group},
    names::nearest_names,
};

/// So many ids are sorted between two looks at whether anybody waits.
const SORTED_AT_ONCE: usize = 1 << 20;

/// What is wanted of one group of fields. Everything in it fits the output that it was resolved for.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupSelection {
    /// The group's name in the file.
    pub group: String,
    /// swiftsimio's name.
    pub name: String,
    /// The rows of the group.
    pub n_rows: u64,
    /// The fields, in the order in which they were asked for.
    pub fields: Vec<SelectedField>,
    /// Where the rows are to lie.
    pub region: Region,
    /// The halos whose rows are wanted. Their spheres are in the region already.
    pub halos: Option<Arc<Halos>>,
    /// The field that says which halo a row is a member of, where only members are wanted.
    pub membership: Option<Field>,
    /// Whether the region is meant exactly or by whole cells.
    pub granularity: Granularity,
    /// By how much cells without bounds are widened instead of looking at all rows.
    pub padding: Option<Padding>,
    /// The field that says where rows lie, where there is a region.
    pub positions: Option<Field>,
    /// What the rows are to satisfy.
    pub conditions: Vec<BoundCondition>,
    /// The ids that are wanted, ascending, each once; `None` for all.
    pub ids: Option<Vec<u64>>,
    /// A random sample of the rows.
    pub sample: Option<Sample>,
    /// The field with the ids, where ids or a sample of a group that has any are wanted.
    pub id_field: Option<Field>,
    /// Every how-manieth of the rows that are left.
    pub stride: Option<NonZeroU64>,
    /// The most rows.
    pub limit: Option<u64>,
}

/// A field that is wanted.
#[derive(Clone, Debug, PartialEq)]
pub struct SelectedField {
    /// What it was asked for by; of `gas.*`, swiftsimio's full name.
    pub asked: String,
    /// The field.
    pub field: Field,
    /// Which of its columns, where one is wanted.
    pub column: Option<u64>,
    /// What happens to its values; `None` where they leave as stored.
    pub conversion: Option<Conversion>,
}

impl SelectionRequest {
    /// Finds out what is wanted of each group of the output, in the order in which groups are first asked for.
    ///
    /// Errors: [`Error::UnknownField`] with the nearest names; those of units, regions and conditions; [`Error::BadSelection`] for requests
    /// of nothing or too much, for ids of what has none, and regions of what has no positions.
    pub fn resolve(&self, output: &Output) -> Result<Vec<GroupSelection>> {
        if let Some(ids) = &self.ids
            && ids.len() > MAX_IDS
        {
            return Err(Error::BadSelection { reason: format!("{} ids are more than {MAX_IDS}", ids.len()) });
        }
        let groups = output.groups()?;
        let mut wanted: Vec<(&ParticleGroup, Vec<SelectedField>)> = Vec::new();
        let mut n_fields = 0;
        for name in &self.fields {
            let (group, fields) = self.fields_named(name, output, groups)?;
            n_fields += fields.len();
            if n_fields > MAX_FIELDS {
                return Err(Error::BadSelection { reason: format!("more than {MAX_FIELDS} fields") });
            }
            match wanted.iter_mut().find(|(g, _)| g.group == group.group) {
                Some((_, selected)) => selected.extend(fields),
                None => wanted.push((group, fields)),
            }
        }
        if wanted.is_empty() {
            return Err(Error::BadSelection { reason: "no fields are asked for".to_owned() });
        }
        check_once(wanted.iter().flat_map(|(_, fields)| fields.iter().map(|f| f.asked.as_str())))?;
        for (group, fields) in &wanted {
            if let Some(field) = fields.iter().find(|f| f.field.shape.first() != Some(&group.n_rows)) {
                let reason = format!(
                    "{} has the shape {:?}, and {} has {} rows",
                    field.asked, field.field.shape, group.name, group.n_rows
                );
                return Err(Error::BadSelection { reason });
            }
        }
        self.check_units(output, &wanted)?;
        self.check_condition_groups(groups, &wanted)?;
        let region = self.resolved_region(output)?;
        if self.padding.is_some() && region.is_everything() {
            return Err(Error::BadSelection {
                reason: "padding needs a region: add box, sphere or aperture, or leave padding out".to_owned(),
            });
        }
        wanted.into_iter().map(|(group, fields)| self.of_group(output, groups, group, fields, &region)).collect()
    }

    /// Where rows are to lie: in the shapes, or in the apertures of the halos.
    fn resolved_region(&self, output: &Output) -> Result<Region> {
        let halos = self.halos.as_ref().filter(|halos| halos.has_apertures());
        match (halos, self.region.shapes.is_empty()) {
            (Some(_), false) => Err(Error::BadSelection {
                reason: "an aperture says where rows are to lie, and so do box and sphere: take one of them".to_owned(),
            }),
            (Some(halos), true) => halos.region(),
            (None, false) => self.region.resolve(output),
            (None, true) => Ok(Region::everywhere()),
        }
    }

    fn fields_named<'g>(
        &self,
        name: &str,
        output: &Output,
        groups: &'g [ParticleGroup],
    ) -> Result<(&'g ParticleGroup, Vec<SelectedField>)> {
        let unknown = |reason: String| Error::UnknownField { name: name.to_owned(), reason };
        let select = |field: &Field, column: Option<u64>, asked: String| -> Result<SelectedField> {
            let conversion = Conversion::of(field, &self.units, self.frame, &output.unit_context())?;
            Ok(SelectedField { asked, field: field.clone(), column, conversion })
        };
        let present = || groups.iter().filter(|g| g.present);
        let bare = name.trim_start_matches('/');
        let is_name_of = |g: &&ParticleGroup| g.name == bare || g.group == bare;
        if let Some(group) = groups.iter().find(is_name_of) {
            let fields = group.fields.iter().map(|f| f.name.as_str());
            let example = ["coordinates", "masses"].into_iter().find(|name| group.field(name).is_some());
            let example = example.or_else(|| fields.into_iter().next()).unwrap_or("coordinates");
            return Err(unknown(format!(
                "this is a group of fields, not a field: write {0}.{example}, or {0}.* for all of them",
                group.name
            )));
        }
        // The longest name first: SOAP has groups within groups.
        let mut with_group: Vec<_> = groups.iter().filter_map(|g| Some((g, without_group(name, g)?))).collect();
        with_group.sort_by_key(|(_, rest)| rest.len());
        let found = with_group.into_iter().next();
        let only = || {
            let mut present = present();
            present.next().filter(|_| present.next().is_none()).map(|group| (group, name))
        };
        let Some((group, rest)) = found.or_else(only) else {
            let first = name.trim_start_matches('/').split(['.', '/']).next().unwrap_or(name);
            let names: Vec<&str> = present().map(|g| g.name.as_str()).collect();
            let hint = nearest_names(first, names.iter().copied());
            let hint = if hint.is_empty() { format!("; there are {}", names.join(", ")) } else { hint };
            return Err(unknown(format!("no group of fields is called {first:?}{hint}")));
        };
        if !group.present {
            let counted = group.n_rows_total.map_or(String::new(), |n| format!(", though the header counts {n} rows"));
            return Err(unknown(format!("the file does not hold {}{counted}", group.name)));
        }
        if rest == "*" {
            let all = group.fields.iter().map(|f| select(f, None, format!("{}.{}", group.name, f.name)));
            return Ok((group, all.collect::<Result<_>>()?));
        }
        let (field, column) = find_field(group, rest).map_err(unknown)?;
        Ok((group, vec![select(field, column, name.to_owned())?]))
    }

    /// Refuses conditions about groups of which nothing is asked for: they would do nothing.
    fn check_condition_groups(
        &self,
        groups: &[ParticleGroup],
        wanted: &[(&ParticleGroup, Vec<SelectedField>)],
    ) -> Result<()> {
        for condition in &self.conditions {
            check_cancelled()?;
            let Some(group) = condition.group(groups)? else { continue };
            if !wanted.iter().any(|(other, _)| other.group == group.group) {
                return Err(Error::BadSelection {
                    reason: format!(
                        "the condition {:?} is about {}, of which no field is asked for",
                        condition.as_str(),
                        group.name
                    ),
                });
            }
        }
        Ok(())
    }

    /// Refuses units that no field would be in: those that do not parse, that are of other dimensions than all fields, or that come after
    /// another of the same dimensions.
    fn check_units(&self, output: &Output, wanted: &[(&ParticleGroup, Vec<SelectedField>)]) -> Result<()> {
        let mut before: Vec<(&str, Dimensions)> = Vec::new();
        for text in &self.units {
            let dimensions = output.unit_context().parse(text)?.0.dimensions;
            let fields = || wanted.iter().flat_map(|(_, fields)| fields);
            let is_of_unit = |field: &SelectedField| {
                field
                    .field
                    .unit
                    .as_ref()
                    .is_some_and(|own| !own.dimensions.is_none() && own.dimensions.agrees_with(dimensions))
            };
            if !fields().any(is_of_unit) {
                let mut told: Vec<String> = fields().take(MAX_TOLD_UNITS).map(told_unit).collect();
                if fields().nth(MAX_TOLD_UNITS).is_some() {
                    told.push("...".to_owned());
                }
                let reason = format!("no requested field is of dimension {dimensions}: {}", told.join(", "));
                return Err(Error::BadUnit { unit: text.clone(), reason });
            }
            if let Some((other, _)) = before.iter().find(|(_, other)| other.agrees_with(dimensions)) {
                let reason = format!("fields of dimension {dimensions} are wanted in {other} already");
                return Err(Error::BadUnit { unit: text.clone(), reason });
            }
            before.push((text, dimensions));
        }
        Ok(())
    }

    fn of_group(
        &self,
        output: &Output,
        groups: &[ParticleGroup],
        group: &ParticleGroup,
        fields: Vec<SelectedField>,
        region: &Region,
    ) -> Result<GroupSelection> {
        let mut conditions = Vec::new();
        for condition in &self.conditions {
            check_cancelled()?;
            let meant = condition.group(groups)?;
            if meant.is_none_or(|meant| meant.group == group.group) {
                conditions.push(condition.bind(&output.unit_context(), group, self.frame)?);
            }
        }
        let members = self.halos.as_ref().filter(|halos| halos.members());
        let membership = members.map(|halos| membership_field(group, halos.kind()).cloned()).transpose()?;
        let id_field = self.id_field(group)?;
        let ids = self.ids.as_ref().map(|ids| sorted_ids(ids)).transpose()?;
        Ok(GroupSelection {
            group: group.group.clone(),
            name: group.name.clone(),
            n_rows: group.n_rows,
            fields,
            positions: if region.is_everything() { None } else { Some(position_field(group)?.clone()) },
            region: region.clone(),
            halos: self.halos.clone(),
            membership,
            granularity: self.granularity,
            padding: self.padding,
            conditions,
            ids,
            sample: self.sample,
            id_field: id_field.cloned(),
            stride: self.stride,
            limit: self.limit,
        })
    }

    fn id_field<'g>(&self, group: &'g ParticleGroup) -> Result<Option<&'g Field>> {
        if self.ids.is_none() && self.sample.is_none() {
            return Ok(None);
        }
        let is_id = |f: &&Field| f.shape.len() == 1 && matches!(f.dtype, Datatype::Integer { size: 1 | 2 | 4 | 8, .. });
        let found = ["particle_ids", "group_ids", "halo_catalogue_index"]
            .into_iter()
            .find_map(|n| group.field(n).filter(is_id));
        if self.ids.is_some() && found.is_none() {
            return Err(Error::BadSelection { reason: format!("{} has no ids", group.name) });
        }
        Ok(found)
    }
}

/// The most fields whose units an error tells.
const MAX_TOLD_UNITS: usize = 8;

/// The unit of a field, for messages.
fn told_unit(field: &SelectedField) -> String {
    match &field.field.unit {
        Some(unit) if unit.dimensions.is_none() => format!("{} is a pure number", field.asked),
        Some(unit) => format!("{} is in {} ({})", field.asked, unit.name, unit.dimensions),
        None => format!("{} has no unit", field.asked),
    }
}

/// The ids, each once, ascending. Millions of them are sorted in parts, with a look in between at whether anybody waits.
fn sorted_ids(ids: &[u64]) -> Result<Vec<u64>> {
    let mut sorted = ids.to_vec();
    for part in sorted.chunks_mut(SORTED_AT_ONCE) {
        check_cancelled()?;
        part.sort_unstable();
    }
    #[expect(clippy::stable_sort_primitive, reason = "it joins the parts, which are sorted by now")]
    sorted.sort();
    sorted.dedup();
    Ok(sorted)
}

/// Refuses names that come twice.
fn check_once<'n>(names: impl Iterator<Item = &'n str>) -> Result<()> {
    let mut seen = HashSet::new();
    for name in names {
        if !seen.insert(name) {
            return Err(Error::BadSelection { reason: format!("{name} is asked for twice") });
        }
    }
    Ok(())
}

impl ParticleGroup {
    /// The field that says where the rows lie, where there is one.
    pub fn positions(&self) -> Option<&Field> {
        let is_position =
            |f: &&Field| matches!(f.shape.as_slice(), [_, 3]) && matches!(f.dtype, Datatype::Float { size: 4 | 8, .. });
        let names = ["coordinates", "centres", "halo_centre", "centre_of_mass"];
        names.into_iter().find_map(|name| self.field(name).filter(is_position))
    }
}

/// The field that says where the rows of a group lie.
fn position_field(group: &ParticleGroup) -> Result<&Field> {
    group.positions().ok_or_else(|| Error::BadSelection {
        reason: format!("{} has no positions that a region could be about", group.name),
    })
}

impl GroupSelection {
    /// The rows among which all wanted ones are, and what was found among the cells of the group, where the file has any. Where whole
    /// cells are wanted, exactly their rows.
    ///
    /// Errors: [`Error::BadSelection`] where whole cells are wanted and there are none; those of reading cells.
    pub fn candidate_rows(
        &self,
        output: &Output,
        cells: Option<(&CellGrid, &ParticleGroup)>,
    ) -> Result<(RowRanges, Option<FoundCells>)> {
        let all = RowRanges::new(std::iter::once(0..self.n_rows).collect()).unwrap_or_default();
        if self.region.is_everything() {
            return Ok((all, None));
        }
        // Bounds were taken before lossy filters rounded positions.
        let rounding = || self.positions.as_ref()?.rounding(self.region.farthest_coordinate());
        let test = match self.granularity {
            Granularity::Cells => Some(CellTest::Touches),
            Granularity::Particles => rounding().map(|allowance| CellTest::MayContain { allowance }),
        };
        let found = match (cells, test) {
            (Some((grid, group)), Some(test)) => grid.find_padded(output, group, &self.region, test, self.padding)?,
            _ => None,
        };
        match (found, self.granularity) {
            (Some(found), _) => Ok((found.rows.clone(), Some(found))),
            (None, Granularity::Particles) => Ok((all, None)),
            (None, Granularity::Cells) => Err(Error::BadSelection {
                reason: format!("the file has no cells for {}, so that whole cells cannot be selected", self.name),
            }),
        }
    }
}
