//! One particle type's fields: `SWIFTParticleTypeMetadata` of swiftsimio 7.0.1.

use std::collections::BTreeMap;

use apus_h5::{Attribute, Object, Result};
use apus_swift::{column_names, snake_case};

use super::{
    Memo, Writer, find,
    header::Header,
    naming::type_name,
    numpy::{self, Origin},
    optional,
};

/// What is said of a field that says nothing.
const NO_DESCRIPTION: &str = "No description available";
/// What is said of a field that does not tell its compression.
const NO_COMPRESSION: &str = "No compression info available";

/// What the objects of all types share.
pub(super) struct Surroundings<'a> {
    pub(super) header: &'a Header<'a>,
    pub(super) filename: &'a str,
    pub(super) metadata: Memo,
    pub(super) units: Memo,
    pub(super) named_columns: &'a BTreeMap<String, Vec<String>>,
}

struct Field {
    name: String,
    path: String,
    attributes: Vec<Attribute>,
}

impl Surroundings<'_> {
    /// Writes the object of type `p`.
    pub(super) fn write(&self, w: &mut Writer, p: usize) -> Result<()> {
        let fields = self.fields(p)?;
        w.object("swiftsimio.reader", "SWIFTParticleTypeMetadata", |w, _| self.write_state(w, p, &fields))
    }

    fn write_state(&self, w: &mut Writer, p: usize, fields: &[Field]) -> Result<()> {
        w.str("particle_type");
        w.call("numpy", "int64", |w| w.int(i128::try_from(p).unwrap_or_default()));
        w.str("particle_name");
        w.str(type_name(p));
        w.str("metadata");
        w.get(self.metadata);
        w.str("units");
        w.get(self.units);
        w.str("scale_factor");
        self.header.write_scale_factor(w)?;
        w.str("filename");
        w.str(self.filename);
        w.str("field_paths");
        w.strings(fields.iter().map(|field| &field.path));
        w.str("field_names");
        w.strings(fields.iter().map(|field| snake_case(&field.name)));
        w.str("field_units");
        w.list(|w| fields.iter().try_for_each(|field| self.write_unit(w, field)))?;
        for (attribute, text, name) in [
            ("Description", NO_DESCRIPTION, "field_descriptions"),
            ("Lossy compression filter", NO_COMPRESSION, "field_compressions"),
        ] {
            w.str(name);
            let found = |field: &Field| find(&field.attributes, attribute).and_then(|a| a.value.as_str());
            w.strings(fields.iter().map(|field| found(field).unwrap_or_else(|| text.to_owned())));
        }
        w.str("field_cosmologies");
        w.list(|w| fields.iter().try_for_each(|field| self.write_cosmology(w, field)))?;
        w.str("named_columns");
        w.dict(|w| {
            for field in fields {
                w.str(&field.path);
                match self.named_columns.get(&field.name) {
                    Some(names) => w.strings(column_names(names)),
                    None => w.none(),
                }
            }
        });
        Ok(())
    }

    /// The product of the base units to their powers, or `None` for a pure number. The arithmetic is left to unyt, which makes
    /// -2/3 of a 32-bit -0.6666667.
    fn write_unit(&self, w: &mut Writer, field: &Field) -> Result<()> {
        let q = self.header.quantities;
        let powers: Vec<_> = [("I", q.current), ("L", q.length), ("M", q.mass), ("T", q.temperature), ("t", q.time)]
            .into_iter()
            .filter_map(|(symbol, unit)| Some((find(&field.attributes, &format!("U_{symbol} exponent"))?, unit)))
            .filter(|(power, _)| power.value.to_f64().and_then(|p| p.first().copied()).is_some_and(|p| p != 0.0))
            .collect();
        self.write_product(w, field, &powers)
    }

    fn write_product(&self, w: &mut Writer, field: &Field, powers: &[(&Attribute, Memo)]) -> Result<()> {
        let Some(((power, unit), before)) = powers.split_last() else {
            w.none();
            return Ok(());
        };
        let (_, result) = w.call("operator", "mul", |w| {
            if before.is_empty() {
                w.float(1.0);
            } else {
                self.write_product(w, field, before)?;
            }
            let (_, result) = w.call("operator", "pow", |w| {
                w.get(*unit);
                self.write_power(w, field, power)
            });
            result
        });
        result
    }

    fn write_cosmology(&self, w: &mut Writer, field: &Field) -> Result<()> {
        let (_, result) = w.call("swiftsimio.objects", "cosmo_factor", |w| {
            let (_, result) = w.call("operator", "pow", |w| {
                w.global("swiftsimio.objects", "a");
                if let Some(power) = find(&field.attributes, "a-scale exponent") {
                    self.write_power(w, field, power)
                } else {
                    w.float(0.0);
                    Ok(())
                }
            });
            result?;
            self.header.write_scale_factor(w)
        });
        result
    }

    fn write_power(&self, w: &mut Writer, field: &Field, power: &Attribute) -> Result<()> {
        numpy::first(w, &Origin { file: self.header.file, object: &field.path }, &power.value)
    }

    /// The members of the type's group, by name; a link that leads nowhere is no field.
    fn fields(&self, p: usize) -> Result<Vec<Field>> {
        let group = self.header.file.group(&format!("/PartType{p}"))?;
        let mut fields = Vec::new();
        for link in group.links()? {
            let attributes = match optional(group.get(&link.name))? {
                Some(Object::Dataset(dataset)) => dataset.attributes()?,
                Some(Object::Group(group)) => group.attributes()?,
                _ => continue,
            };
            fields.push(Field { path: format!("PartType{p}/{}", link.name), name: link.name, attributes });
        }
        Ok(fields)
    }
}
