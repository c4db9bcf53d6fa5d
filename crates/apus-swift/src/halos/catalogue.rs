//! Looking halos up in a catalogue, of which only a block is held at a time.

use std::ops::Range;

use apus_h5::{Datatype, ReadOptions};

use super::{CatalogueKind, bad, radius::radius_field};
use crate::{
    ColumnBlock, Dimensions, Error, Field, Frame, Header, Output, OutputKind, Result,
    selection::{read_rows, rows_reader},
};

/// More than this apart, relative, and a catalogue is of another output.
const TOLERANCE: f64 = 1e-6;
/// The most ids that are said in words.
const MAX_SHOWN: usize = 8;

/// A catalogue that halos are looked up in.
pub(super) struct Catalogue<'c> {
    output: &'c Output,
    options: &'c ReadOptions,
    kind: CatalogueKind,
    scale_factor: f64,
    /// The box of the output that rows are wanted of, in its own length.
    box_size: [f64; 3],
    /// What a unit of the catalogue's length is in that.
    length: f64,
    /// What was read.
    fields: Vec<String>,
}

impl<'c> Catalogue<'c> {
    /// Takes a catalogue of the state of the simulation that `output` is of.
    ///
    /// Errors: [`Error::BadSelection`] where it is no catalogue or of another box or time.
    pub(super) fn new(catalogue: &'c Output, output: &Output, options: &'c ReadOptions) -> Result<Self> {
        let name = catalogue.file().name();
        let kind = match catalogue.kind() {
            OutputKind::FofCatalogue => CatalogueKind::Fof,
            OutputKind::SoapCatalogue => CatalogueKind::Soap,
            other => return Err(bad(format!("catalogue: {name} is a {other}, not a FOF or SOAP catalogue"))),
        };
        let (Some(own), Some(header)) = (catalogue.header(), output.header()) else {
            return Err(bad(format!("{} is a {}, which has no halos", output.file().name(), output.kind())));
        };
        let lengths = [catalogue, output].map(|output| output.units().map(|units| units.cgs(Dimensions::LENGTH)));
        let [Some(own_length), Some(length)] = lengths else {
            return Err(bad(format!("{name}, or the file that rows are wanted of, does not say its units")));
        };
        let length = own_length / length;
        check_same_state(name, own, header, length)?;
        Ok(Self {
            output: catalogue,
            options,
            kind,
            scale_factor: own.scale_factor,
            box_size: header.box_size,
            length,
            fields: Vec::new(),
        })
    }

    pub(super) fn kind(&self) -> CatalogueKind {
        self.kind
    }

    pub(super) fn box_size(&self) -> [f64; 3] {
        self.box_size
    }

    /// The paths of all that was read.
    pub(super) fn into_fields(self) -> Vec<String> {
        self.fields
    }

    /// The rows of the halos of these ids, which ascend.
    ///
    /// Errors: [`Error::UnknownHalo`]; [`Error::Malformed`] where one comes twice.
    pub(super) fn rows_of(&mut self, ids: &[u64]) -> Result<Vec<u64>> {
        let (group, name) = match self.kind {
            CatalogueKind::Fof => ("Groups", "GroupIDs"),
            CatalogueKind::Soap => ("InputHalos", "HaloCatalogueIndex"),
        };
        let field = self.field(group, name, |f| f.shape.len() == 1 && matches!(f.dtype, Datatype::Integer { .. }))?;
        let dataset = self.output.file().dataset(&field.path)?;
        let mut rows: Vec<Option<u64>> = vec![None; ids.len()];
        let (mut least, mut greatest) = (u64::MAX, 0);
        let mut row = 0u64;
        let all = std::iter::once(0..field.n_rows()).collect();
        for block in rows_reader(&dataset, all, None, self.options)? {
            let block = block?;
            let values = ColumnBlock::new(dataset.dtype(), block.bytes())?;
            for i in 0..values.n_rows() {
                let id = values.integer(i).and_then(|id| u64::try_from(id).ok());
                if let Some(id) = id {
                    (least, greatest) = (least.min(id), greatest.max(id));
                }
                let place = id.and_then(|id| ids.binary_search(&id).ok()).and_then(|at| rows.get_mut(at));
                if let Some(place) = place
                    && let Some(other) = place.replace(row)
                {
                    let id = id.unwrap_or_default();
                    return Err(
                        self.malformed(&field.path, format!("has the id {id} twice, in rows {other} and {row}"))
                    );
                }
                row += 1;
            }
        }
        let missing: Vec<String> =
            ids.iter().zip(&rows).filter(|(_, row)| row.is_none()).map(|(id, _)| id.to_string()).collect();
        if missing.is_empty() {
            return Ok(rows.into_iter().flatten().collect());
        }
        let there = match row {
            0 => "has no halos".to_owned(),
            1 => format!("has one halo, {least}"),
            n => format!("has {n} halos with ids from {least} to {greatest}"),
        };
        let name = self.output.file().name();
        Err(Error::UnknownHalo { ids: shown(&missing), reason: format!("{name} {there}") })
    }

    /// The centres of the halos in those rows, comoving, in the length of the output that rows are wanted of.
    pub(super) fn centres(&mut self, rows: &[u64]) -> Result<Vec<[f64; 3]>> {
        let (group, name) = match self.kind {
            CatalogueKind::Fof => ("Groups", "Centres"),
            CatalogueKind::Soap => ("InputHalos", "HaloCentre"),
        };
        let is_position =
            |f: &Field| matches!(f.shape.as_slice(), [_, 3]) && matches!(f.dtype, Datatype::Float { size: 4 | 8, .. });
        let field = self.field(group, name, is_position)?;
        let values = self.lengths(field, 3, rows)?;
        let (centres, _) = values.as_chunks::<3>();
        if let Some(i) = centres.iter().position(|centre| centre.iter().any(|x| !x.is_finite())) {
            let row = rows.get(i).copied().unwrap_or_default();
            return Err(self.malformed(&field.path, format!("row {row} is no position")));
        }
        Ok(centres.to_vec())
    }

    /// The radii of that name of the halos in those rows, comoving, in the length of the output that rows are wanted of.
    ///
    /// Errors: [`Error::BadSelection`] where the catalogue has none of that name, or not of all of these halos.
    pub(super) fn radii(&mut self, name: &str, ids: &[u64], rows: &[u64]) -> Result<Vec<f64>> {
        let field = radius_field(self.output, name)?;
        self.fields.push(field.path.clone());
        let radii = self.lengths(field, 1, rows)?;
        // SOAP writes 0 where it calculated none.
        let without = ids.iter().zip(&radii).filter(|(_, r)| !(r.is_finite() && **r > 0.0));
        let without: Vec<String> = without.map(|(id, _)| id.to_string()).collect();
        if without.is_empty() {
            return Ok(radii);
        }
        Err(bad(format!(
            "aperture: {} has no {} for halo {}: take another radius or a length such as 2 Mpc",
            self.output.file().name(),
            field.path.trim_start_matches('/'),
            shown(&without)
        )))
    }

    /// The values of a field of lengths in those rows, comoving, in the length of the output that rows are wanted of.
    fn lengths(&self, field: &Field, n_columns: u64, rows: &[u64]) -> Result<Vec<f64>> {
        let n_rows = field.n_rows();
        if rows.iter().any(|row| *row >= n_rows) || field.n_columns() != n_columns {
            return Err(self.malformed(&field.path, format!("has the shape {:?}, too few rows", field.shape)));
        }
        let dataset = self.output.file().dataset(&field.path)?;
        let ranges: Vec<Range<u64>> = rows.iter().map(|row| *row..row.saturating_add(1)).collect();
        let mut bytes = Vec::new();
        read_rows(&dataset, ranges, None, self.options, &mut bytes)?;
        let values = ColumnBlock::new(dataset.dtype(), &bytes)?;
        let a_exponent = if field.frame == Frame::Comoving { field.a_exponent } else { 0.0 };
        // To the physical length, and from there to the comoving one.
        let factor = self.length * self.scale_factor.powf(a_exponent - 1.0);
        Ok((0..values.n_rows()).map(|i| values.float(i) * factor).collect())
    }

    /// A field that catalogues of the kind have.
    fn field(&mut self, group: &str, name: &str, is_fit: impl Fn(&Field) -> bool) -> Result<&'c Field> {
        let found = self.output.group(group)?.and_then(|g| g.field(name)).filter(|f| is_fit(f));
        let field = found.ok_or_else(|| {
            bad(format!("catalogue: {} has no {group}/{name} of the usual form", self.output.file().name()))
        })?;
        self.fields.push(field.path.clone());
        Ok(field)
    }

    fn malformed(&self, object: &str, reason: String) -> Error {
        Error::Malformed { file: self.output.file().name().to_owned(), object: object.to_owned(), reason }
    }
}

/// Refuses a catalogue of another box or time.
fn check_same_state(name: &str, own: &Header, header: &Header, length: f64) -> Result<()> {
    let is_near = |a: f64, b: f64| (a - b).abs() <= TOLERANCE * b.abs();
    let own_box = own.box_size.map(|side| side * length);
    if !own_box.iter().zip(&header.box_size).all(|(a, b)| is_near(*a, *b)) {
        return Err(bad(format!(
            "catalogue: {name} is of a box of {own_box:?}, and the file of one of {:?}: they are not of the same simulation",
            header.box_size
        )));
    }
    if !is_near(own.scale_factor, header.scale_factor) {
        return Err(bad(format!(
            "catalogue: {name} is of the scale factor {}, and the file of {}: they are not of the same time",
            own.scale_factor, header.scale_factor
        )));
    }
    Ok(())
}

/// The first of a list of ids.
fn shown(ids: &[String]) -> String {
    let first = ids.get(..MAX_SHOWN.min(ids.len())).unwrap_or_default().join(", ");
    if ids.len() > MAX_SHOWN { format!("{first} and {} more", ids.len() - MAX_SHOWN) } else { first }
}
