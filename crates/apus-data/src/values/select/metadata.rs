//! What travels beside values.

use serde::Serialize;

use super::plan::{Plan, PlannedField, PlannedGroup};
use crate::{Error, Result};

/// A note that travels beside values has no more bytes than this.
const MAX_NOTE_BYTES: usize = 16 << 10;

#[derive(Serialize)]
struct FieldNote<'a> {
    name: &'a str,
    unit: Option<&'a str>,
    a_exponent: f64,
    frame: apus_swift::Frame,
}

/// In which unit and frame the values of each field are: JSON; `None` where it would be too long.
pub(super) fn fields_note(plan: &Plan) -> Option<String> {
    let fields = plan.groups.iter().flat_map(|group| &group.fields);
    let notes: Vec<FieldNote<'_>> = fields
        .map(|field| FieldNote {
            name: &field.asked,
            unit: field.unit(),
            a_exponent: field.field.a_exponent,
            frame: field.frame(),
        })
        .collect();
    let text = serde_json::to_string(&notes).ok()?;
    (text.len() <= MAX_NOTE_BYTES && text.is_ascii()).then_some(text)
}

/// The metadata of a column.
pub(super) fn field_metadata(field: &PlannedField) -> Vec<(String, String)> {
    let mut metadata = vec![
        ("path".to_owned(), field.field.path.clone()),
        ("a_exponent".to_owned(), field.field.a_exponent.to_string()),
        ("frame".to_owned(), frame_name(field.frame()).to_owned()),
    ];
    if let Some(unit) = field.unit() {
        metadata.push(("unit".to_owned(), unit.to_owned()));
    }
    if let Some(description) = &field.field.description {
        metadata.push(("description".to_owned(), description.clone()));
    }
    if let Some(filter) = &field.field.lossy_filter {
        metadata.push(("lossy_filter".to_owned(), filter.clone()));
    }
    if let (Some(columns), None) = (&field.field.named_columns, field.column) {
        metadata.push(("named_columns".to_owned(), columns.names.join(",")));
    }
    metadata
}

/// The metadata of a table: where it is from, and what its numbers rest on.
pub(super) fn file_metadata(plan: &Plan, group: &PlannedGroup) -> Result<Vec<(String, String)>> {
    let mut metadata = vec![
        ("apus_version".to_owned(), env!("CARGO_PKG_VERSION").to_owned()),
        ("file".to_owned(), plan.file.path().as_str().to_owned()),
        ("group".to_owned(), group.selection.group.clone()),
        ("particle_type".to_owned(), group.selection.name.clone()),
    ];
    if let Some(padding) = group.padding() {
        metadata.push(("padding".to_owned(), padding.to_string()));
    }
    let output = &plan.output;
    if let Some(header) = output.header() {
        metadata.push(("box_size".to_owned(), to_json(&header.box_size)?));
        metadata.push(("scale_factor".to_owned(), header.scale_factor.to_string()));
        if let Some(redshift) = header.redshift {
            metadata.push(("redshift".to_owned(), redshift.to_string()));
        }
    }
    if let Some(units) = output.units() {
        metadata.push(("units".to_owned(), to_json(&apus_swift::UnitDescription::from(*units))?));
    }
    if let Some(cosmology) = output.cosmology() {
        metadata.push(("cosmology".to_owned(), to_json(cosmology)?));
    }
    Ok(metadata)
}

/// The name of a frame.
pub fn frame_name(frame: apus_swift::Frame) -> &'static str {
    match frame {
        apus_swift::Frame::Comoving => "comoving",
        apus_swift::Frame::Physical => "physical",
    }
}

fn to_json(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(Error::internal)
}
