//! Snapshots that hold some rows of others.
//!
//! A [`Subset`] is the declaration of such a file: everything that the output says of itself, with counts, cells and kind as they are for
//! the rows, and the selected fields with their attributes, whose values are still to be streamed. Where they came from is said in
//! `/Provenance`.

mod cells;
mod header;

use std::collections::BTreeSet;

use apus_h5::{
    Attribute, Dataspace, LinkTarget,
    write::{Contents, DatasetSpec, ObjectId, Skeleton, SkeletonOptions, Tree},
};

use crate::{Error, GroupSelection, Output, OutputKind, Result, WantedRows};

/// The declaration of a file with some rows of an output.
#[derive(Debug)]
pub struct Subset {
    /// The file, with all but the values of the fields.
    pub tree: Tree,
    /// The fields, group by group, as they were selected.
    pub fields: Vec<SubsetField>,
}

/// A dataset of a subset whose values are to be streamed, as stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SubsetField {
    /// The dataset.
    pub object: ObjectId,
    /// The number of its group.
    pub group: usize,
    /// Its number in the group's selection.
    pub field: usize,
}

/// The rows of one group.
#[derive(Clone, Copy, Debug)]
pub struct SubsetGroup<'a> {
    /// The group and the fields.
    pub selection: &'a GroupSelection,
    /// The rows.
    pub rows: &'a WantedRows,
}

/// More objects than any output has.
const MAX_OBJECTS: u64 = 200_000;

impl Subset {
    /// Declares the file. `provenance` is what `/Provenance` says: names and texts. At most `limit_bytes` of metadata are held.
    ///
    /// Errors: [`Error::BadSelection`] for single columns, converted values, and catalogues whose groups would have different rows;
    /// those of reading and writing.
    pub fn new(
        output: &Output,
        groups: &[SubsetGroup<'_>],
        provenance: &[(&str, String)],
        limit_bytes: u64,
    ) -> Result<Self> {
        check_groups(output, groups)?;
        let cells = cells::SubsetCells::new(output, groups)?;
        let left_out = LeftOut::new(output, groups, cells.is_some())?;
        let skeleton = Skeleton::new(
            &output.file().root()?,
            &SkeletonOptions {
                // What is not of the particles is copied whole.
                keep_data: &|dataset, _| !left_out.fields.contains(dataset.path()),
                leave_out: &|path| left_out.contains(path),
                limit_bytes,
                limit_objects: MAX_OBJECTS,
            },
        )?;
        let mut tree = skeleton.tree;
        let fields = declare_fields(&mut tree, groups)?;
        header::write(&mut tree, output, groups)?;
        if let Some(cells) = cells {
            cells.write(&mut tree)?;
        }
        let name = if tree.find("/Provenance").is_some() { "ProvenanceOfSubset" } else { "Provenance" };
        let group = tree.add_group(tree.root(), name)?;
        for (name, text) in provenance {
            tree.add_attribute(group, Attribute::fixed_text(*name, text))?;
        }
        Ok(Self { tree, fields })
    }
}

/// What of an output does not go into its subset.
struct LeftOut {
    /// The groups of fields.
    groups: Vec<String>,
    /// Those of them that are selected.
    selected: Vec<String>,
    /// The selected fields.
    fields: BTreeSet<String>,
    /// Further names of groups that are not selected.
    aliases: Vec<String>,
    has_cells: bool,
}

impl LeftOut {
    fn new(output: &Output, groups: &[SubsetGroup<'_>], has_cells: bool) -> Result<Self> {
        let selected: Vec<String> = groups.iter().map(|group| format!("/{}", group.selection.group)).collect();
        let all = output.groups()?.iter().map(|group| format!("/{}", group.group)).collect();
        let mut aliases = Vec::new();
        for link in output.file().root()?.links()? {
            let LinkTarget::Soft { path } = &link.target else { continue };
            let target = format!("/{}", path.trim_matches('/'));
            if target.starts_with("/PartType") && !selected.contains(&target) {
                aliases.push(format!("/{}", link.name));
            }
        }
        let fields = groups.iter().flat_map(|group| group.selection.fields.iter().map(|f| f.field.path.clone()));
        Ok(Self { groups: all, fields: fields.collect(), aliases, selected, has_cells })
    }

    fn contains(&self, path: &str) -> bool {
        let is_below = |path: &str, group: &str| path.strip_prefix(group).is_some_and(|rest| rest.starts_with('/'));
        if path == "/Cells" || is_below(path, "/Cells") {
            return !self.has_cells || !matches!(path, "/Cells" | "/Cells/Meta-data");
        }
        if self.aliases.iter().any(|alias| alias == path) {
            return true;
        }
        if self.selected.iter().any(|group| path == group || is_below(group, path)) {
            return false;
        }
        if self.selected.iter().any(|group| is_below(path, group)) {
            return !self.fields.contains(path);
        }
        self.groups.iter().any(|group| path == group || is_below(path, group))
    }
}

fn check_groups(output: &Output, groups: &[SubsetGroup<'_>]) -> Result<()> {
    let bad = |reason: String| Err(Error::BadSelection { reason });
    let mut paths = BTreeSet::new();
    for group in groups {
        for field in &group.selection.fields {
            if field.column.is_some() {
                return bad(format!(
                    "a snapshot holds whole fields, and {} is a column: ask for {}",
                    field.asked, field.field.name
                ));
            }
            if field.conversion.is_some() {
                return bad(format!(
                    "a snapshot holds values as stored: ask for {} without another unit or frame",
                    field.asked
                ));
            }
            if !paths.insert(&field.field.path) {
                return bad(format!("{} is asked for twice", field.field.path));
            }
        }
    }
    let is_shared = *output.kind() == OutputKind::SoapCatalogue;
    if is_shared && groups.windows(2).any(|pair| pair[0].rows != pair[1].rows) {
        return bad("a SOAP catalogue has the same rows in all groups: give conditions the name of a group".to_owned());
    }
    Ok(())
}

/// Gives the fields their extents; their types and attributes they have.
fn declare_fields(tree: &mut Tree, groups: &[SubsetGroup<'_>]) -> Result<Vec<SubsetField>> {
    let mut fields = Vec::new();
    for (group, SubsetGroup { selection, rows }) in groups.iter().enumerate() {
        for (number, field) in selection.fields.iter().enumerate() {
            let mut shape = field.field.shape.clone();
            if let Some(first) = shape.first_mut() {
                *first = rows.n_rows();
            }
            let spec = DatasetSpec {
                dtype: field.field.dtype.clone(),
                space: Dataspace::simple(&shape),
                contents: Contents::Streamed,
            };
            let path = &field.field.path;
            let object = match tree.find(path) {
                Some(object) => {
                    tree.set_dataset(object, spec)?;
                    object
                }
                // What hangs on the file by another link than a hard one.
                None => {
                    return Err(Error::BadSelection {
                        reason: format!("{path} is linked from elsewhere, and cannot be copied into a snapshot"),
                    });
                }
            };
            fields.push(SubsetField { object, group, field: number });
        }
    }
    Ok(fields)
}
