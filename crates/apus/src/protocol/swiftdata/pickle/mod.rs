//! Pickles of swiftsimio 7's objects, for clients of the older service: they are only ever written, never read.
//!
//! - [`units()`] gives a `swiftsimio.reader.SWIFTUnits`, which swiftsimio 12 loads as well;
//! - [`metadata()`] gives a `swiftsimio.reader.SWIFTMetadata`;
//! - [`mask()`] gives a `swiftsimio.masks.SWIFTMask` that `constrain_spatial` works on.
//!
//! Each object is made without its constructor (which would want the file) and is given the attributes that the constructor would
//! have read from the file. Every leaf is a call of a public function (`unyt.unyt_quantity`, `numpy.ndarray`,
//! `datetime.datetime`, ...), so that no private name of numpy, unyt or sympy occurs, and arithmetic on units is left to the
//! client's own unyt.
//!
//! Source: swiftsimio 7.0.1, `reader.py`, `masks.py`, `metadata/`.

mod base_units;
mod handle;
mod header;
mod mask;
mod metadata;
mod naming;
mod numpy;
mod particles;
mod writer;

use apus_h5::{Attribute, Error, File, Result};

pub(super) use base_units::BaseUnits;
use base_units::Quantities;
pub(super) use mask::mask;
pub(super) use metadata::metadata;
use writer::{Memo, Writer};

/// The most bytes of a table (cells, column names, mappings) that is put into a pickle.
const MAX_TABLE_BYTES: u64 = 128 << 20;

/// A `SWIFTUnits` of the file, which the client knows as `filename`.
///
/// Errors: [`Error::NotFound`] where the file has no `Units`.
pub(super) fn units(file: &File, filename: &str) -> Result<Vec<u8>> {
    let base = BaseUnits::read(file)?;
    let mut w = Writer::new();
    write_units(&mut w, filename, &base, &handle::image(file)?);
    Ok(w.finish())
}

/// Writes the `SWIFTUnits`; gives its origin and those of its quantities.
fn write_units(w: &mut Writer, filename: &str, base: &BaseUnits, image: &[u8]) -> (Memo, Quantities) {
    w.object("swiftsimio.reader", "SWIFTUnits", |w, units| {
        w.str("filename");
        w.str(filename);
        w.str("units");
        w.dict(|w| {
            for (name, value, unit) in base.stored() {
                w.str(name);
                quantity(w, value, unit);
            }
        });
        let quantities = base.write(w);
        // Looked for by the older service's client and by swiftsimio 10 and later, not by 7.
        w.str("_handle");
        handle::write(w, image);
        w.str("handle_manager");
        w.bool(true);
        (units, quantities)
    })
}

/// `unyt.unyt_quantity(value, unit)`.
fn quantity(w: &mut Writer, value: f64, unit: &str) -> Memo {
    let (memo, ()) = w.call("unyt", "unyt_quantity", |w| {
        w.float(value);
        w.str(unit);
    });
    memo
}

/// What there may be or not: a missing object is `None`.
fn optional<T>(result: Result<T>) -> Result<Option<T>> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(Error::NotFound { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The attribute of that name, of those that were read.
fn find<'a>(attributes: &'a [Attribute], name: &str) -> Option<&'a Attribute> {
    attributes.iter().find(|attribute| attribute.name == name)
}
