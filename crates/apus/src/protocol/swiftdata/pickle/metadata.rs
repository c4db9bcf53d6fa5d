//! A snapshot's metadata: `SWIFTMetadata` of swiftsimio 7.0.1.

use std::collections::BTreeMap;

use apus_h5::{Array, Attribute, Data, Error, File, Result};
use apus_swift::snake_case;

use super::{
    BaseUnits, MAX_TABLE_BYTES, Memo, Quantities, Writer, find, handle,
    header::Header,
    naming::{N_PARTICLE_TYPES, mapping, type_name},
    numpy::{self, Origin, descr},
    optional,
    particles::Surroundings,
    write_units,
};

/// Groups whose attributes become dictionaries, by the attributes of the metadata that they become.
///
/// Source: swiftsimio 7.0.1, `metadata/metadata/metadata_fields.py`.
const GROUPS: [(&str, &str); 12] = [
    ("Code", "code"),
    ("Cosmology", "cosmology_raw"),
    ("Header", "header"),
    ("GravityScheme", "gravity_scheme"),
    ("HydroScheme", "hydro_scheme"),
    ("InternalCodeUnits", "internal_code_units"),
    ("Parameters", "parameters"),
    ("Policy", "policy"),
    ("RuntimePars", "runtime_pars"),
    ("SubgridScheme", "subgrid_scheme"),
    ("StarsScheme", "stars_scheme"),
    ("UnusedParameters", "unused_parameters"),
];

/// A `SWIFTMetadata` of the file, which the client knows as `filename`.
///
/// Errors: [`Error::NotFound`] where the file has no `Header` or no `Units`.
pub(in crate::protocol::swiftdata) fn metadata(file: &File, filename: &str) -> Result<Vec<u8>> {
    let mut w = Writer::new();
    write_metadata(&mut w, file, filename)?;
    Ok(w.finish())
}

/// Where the parts of a metadata object that was written are.
pub(super) struct Written {
    pub(super) units: Memo,
    pub(super) quantities: Quantities,
    /// The numbers of the particle types that have a group in the file.
    pub(super) present: Vec<usize>,
}

/// Writes the metadata.
pub(super) fn write_metadata(w: &mut Writer, file: &File, filename: &str) -> Result<Written> {
    let base = BaseUnits::read(file)?;
    let image = handle::image(file)?;
    let header = file.group("/Header")?.attributes()?;
    let present = present_types(file, &header)?;
    w.object("swiftsimio.reader", "SWIFTMetadata", |w, metadata| {
        w.str("filename");
        w.str(filename);
        w.str("units");
        let (units, quantities) = write_units(w, filename, &base, &image);
        let header = Header { file, attributes: &header, present: &present, quantities };
        write_state(w, &header, filename, metadata, units)?;
        Ok((units, quantities))
    })
    .map(|(units, quantities)| Written { units, quantities, present })
}

fn write_state(w: &mut Writer, header: &Header<'_>, filename: &str, metadata: Memo, units: Memo) -> Result<()> {
    let file = header.file;
    let mut cosmology = None;
    for (group, name) in GROUPS {
        w.str(name);
        let memo = write_attributes(w, file, group)?;
        if name == "cosmology_raw" {
            cosmology = memo;
        }
    }
    let named_columns = named_columns(file)?;
    w.str("named_columns");
    w.dict(|w| {
        for (name, columns) in &named_columns {
            w.str(name);
            w.strings(columns);
        }
    });
    write_mappings(w, file, &named_columns)?;
    header.write(w)?;
    write_radiation(w, header)?;
    w.str("gas_gamma");
    match optional(file.group("/HydroScheme"))?.map(|g| g.attribute("Adiabatic index")).transpose()?.flatten() {
        Some(gamma) => numpy::attribute(w, &Origin { file, object: "/HydroScheme" }, &gamma)?,
        None => w.float(5.0 / 3.0),
    }
    let shared = Surroundings { header, filename, metadata, units, named_columns: &named_columns };
    for &p in header.present {
        w.str(&format!("{}_properties", type_name(p)));
        shared.write(w, p)?;
    }
    w.str("cosmology");
    write_cosmology(w, file, cosmology, units)
}

/// Every attribute of a group as a dictionary, or `None` where there is no such group.
fn write_attributes(w: &mut Writer, file: &File, group: &str) -> Result<Option<Memo>> {
    let object = format!("/{group}");
    let Some(group) = optional(file.group(&object))? else {
        w.none();
        return Ok(None);
    };
    let origin = Origin { file, object: &object };
    let attributes = group.attributes()?;
    let (memo, result) = w.dict(|w| {
        attributes.iter().try_for_each(|attribute| {
            w.str(&attribute.name);
            numpy::attribute(w, &origin, attribute)
        })
    });
    result.map(|()| Some(memo))
}

/// Tables from one set of columns to another, such as dust grains to elements.
fn write_mappings(w: &mut Writer, file: &File, named_columns: &BTreeMap<String, Vec<String>>) -> Result<()> {
    let Some(scheme) = optional(file.group("/SubgridScheme"))? else { return Ok(()) };
    let starting_with = |prefix: &str| named_columns.iter().find(|(name, _)| name.starts_with(prefix));
    for link in scheme.links()? {
        let Some((x, y)) = mapping(&link.name) else { continue };
        // Older files say grain where the columns say dust.
        let x = if x == "Grain" { "Dust" } else { x };
        let (Some(x), Some(y)) = (starting_with(x), starting_with(y)) else { continue };
        let object = format!("/SubgridScheme/{}", link.name);
        let table = file.dataset(&object)?.read_all(MAX_TABLE_BYTES)?;
        // swiftsimio names each element of the table; one that is smaller than the columns could not be loaded.
        let large_enough = match table.space.shape() {
            &[n, m] => n >= len(x.1) && m >= len(y.1),
            _ => false,
        };
        if !large_enough {
            let reason =
                format!("a table from {} to {} columns has shape {:?}", x.1.len(), y.1.len(), table.space.shape());
            return Err(Error::Damaged { file: file.name().to_owned(), object, reason });
        }
        w.str(&snake_case(&link.name));
        let (_, result) = w.call("swiftsimio.reader", "MappingTable", |w| {
            numpy::value(w, &Origin { file, object: &object }, &table)?;
            w.strings(x.1);
            w.strings(y.1);
            w.str(x.0);
            w.str(y.0);
            Ok(())
        });
        result?;
    }
    Ok(())
}

/// Two quantities of runs with radiative transfer.
fn write_radiation(w: &mut Writer, header: &Header<'_>) -> Result<()> {
    let (file, q) = (header.file, header.quantities);
    let read = |object: &str| -> Result<Option<Array>> {
        optional(file.dataset(object))?.map(|d| d.read_all(MAX_TABLE_BYTES)).transpose()
    };
    w.str("photon_group_edges");
    match read("/SubgridScheme/PhotonGroupEdges")? {
        Some(edges) => {
            let (_, result) = w.call("operator", "truediv", |w| {
                numpy::value(w, &Origin { file, object: "/SubgridScheme/PhotonGroupEdges" }, &edges)?;
                w.get(q.time);
                Ok(())
            });
            result?;
        }
        None => w.none(),
    }
    w.str("reduced_lightspeed");
    let Some(speed) = read("/SubgridScheme/ReducedLightspeed")? else {
        w.none();
        return Ok(());
    };
    let (_, result) = w.call("operator", "truediv", |w| {
        let (_, result) = w.call("operator", "mul", |w| {
            numpy::first(w, &Origin { file, object: "/SubgridScheme/ReducedLightspeed" }, &speed)?;
            w.get(q.length);
            Ok(())
        });
        w.get(q.time);
        result
    });
    result
}

/// What swiftsimio makes of the cosmology: with astropy at the client an astropy cosmology, without it the raw dictionary; `None`
/// for a run that is not cosmological.
fn write_cosmology(w: &mut Writer, file: &File, raw: Option<Memo>, units: Memo) -> Result<()> {
    let Some(raw) = raw else {
        w.none();
        return Ok(());
    };
    let attributes = file.group("/Cosmology")?.attributes()?;
    let first = |name: &str| find(&attributes, name).and_then(|a| a.value.to_f64()).and_then(|v| v.first().copied());
    if first("Cosmological run").unwrap_or_default() == 0.0 {
        w.none();
    } else if astropy_takes(&attributes) {
        w.call("swiftsimio.conversions", "swift_cosmology_to_astropy", |w| {
            w.get(raw);
            w.get(units);
        });
    } else {
        w.get(raw);
    }
    Ok(())
}

/// Whether swiftsimio's conversion to astropy will work: it refuses neutrinos whose numbers do not add up, and needs these
/// parameters. A pickle must load in any case.
fn astropy_takes(attributes: &[Attribute]) -> bool {
    let numbers = |name: &str| find(attributes, name).and_then(|a| a.value.to_f64());
    let first = |name: &str, default: f64| numbers(name).and_then(|v| v.first().copied()).unwrap_or(default);
    let needed = ["H0 [internal units]", "Omega_b", "Omega_lambda", "Omega_r", "Omega_m", "w_0", "w_a"];
    let degeneracies = numbers("deg_nu").unwrap_or_else(|| vec![0.0]);
    let n_massive: f64 = degeneracies.iter().map(|d| d.trunc()).sum();
    #[expect(clippy::float_cmp, reason = "whole numbers, compared as swiftsimio compares them")]
    let adds_up = first("N_eff", 3.04).trunc() == n_massive + first("N_ur", 3.04).trunc();
    let whole = degeneracies.iter().all(|d| d.fract() == 0.0);
    needed.iter().all(|name| numbers(name).is_some_and(|v| !v.is_empty())) && whole && adds_up
}

/// The names of columns, by field.
fn named_columns(file: &File) -> Result<BTreeMap<String, Vec<String>>> {
    let mut columns = BTreeMap::new();
    let Some(group) = optional(file.group("/SubgridScheme/NamedColumns"))? else { return Ok(columns) };
    for link in group.links()? {
        let object = format!("/SubgridScheme/NamedColumns/{}", link.name);
        let Some(dataset) = optional(file.dataset(&object))? else { continue };
        let names = dataset.read_all(MAX_TABLE_BYTES)?;
        let origin = Origin { file, object: &object };
        let names = names.to_strings().ok_or_else(|| match descr(&origin, &names.dtype) {
            Ok(found) => Error::Damaged {
                file: file.name().to_owned(),
                object: object.clone(),
                reason: format!("names of columns must be text, and these are {found}"),
            },
            Err(error) => error,
        })?;
        columns.insert(link.name, names);
    }
    Ok(columns)
}

/// The numbers of the particle types that swiftsimio will find: those that the run can have, or has, with a group in the file.
fn present_types(file: &File, header: &[Attribute]) -> Result<Vec<usize>> {
    let claimed = ["CanHaveTypes", "NumPart_ThisFile"].into_iter().find_map(|name| find(header, name)?.value.to_i128());
    let mut present = Vec::new();
    for (p, &n) in claimed.unwrap_or_default().iter().enumerate().take(N_PARTICLE_TYPES) {
        if n != 0 && optional(file.group(&format!("/PartType{p}")))?.is_some() {
            present.push(p);
        }
    }
    Ok(present)
}

fn len<T>(items: &[T]) -> u64 {
    u64::try_from(items.len()).unwrap_or(u64::MAX)
}

/// The rows of a table in another order.
pub(super) fn reorder(array: &Array, order: &[usize]) -> Option<Vec<u8>> {
    let Data::Fixed(bytes) = &array.data else { return None };
    let row_bytes = bytes.len().checked_div(order.len()).unwrap_or(0);
    let mut sorted = Vec::with_capacity(bytes.len());
    for &i in order {
        sorted.extend_from_slice(bytes.get(i.checked_mul(row_bytes)?..)?.get(..row_bytes)?);
    }
    Some(sorted)
}
