//! A mask that nothing has been constrained on yet: `SWIFTMask` of swiftsimio 7.0.1.

use apus_h5::{Array, Error, File, Result};

use super::{
    MAX_TABLE_BYTES, Writer,
    metadata::{Written, reorder, write_metadata},
    naming::type_name,
    numpy::{Origin, descr, ndarray},
};

/// A `SWIFTMask` over the cells of the file, which the client knows as `filename`.
///
/// Errors: [`Error::NotFound`] where the file has no cells; [`Error::Damaged`] where the tables of the cells do not fit together.
pub(in crate::protocol::swiftdata) fn mask(file: &File, filename: &str) -> Result<Vec<u8>> {
    let cells = file.group("/Cells")?;
    // Before the output of several files, the offsets had another name.
    let offsets_name = if cells.link("OffsetsInFile")?.is_some() { "OffsetsInFile" } else { "Offsets" };
    let mut w = Writer::new();
    w.object("swiftsimio.masks", "SWIFTMask", |w, _| write_state(w, file, filename, offsets_name))?;
    Ok(w.finish())
}

fn write_state(w: &mut Writer, file: &File, filename: &str, offsets_name: &str) -> Result<()> {
    w.str("metadata");
    let Written { units, quantities, present } = write_metadata(w, file, filename)?;
    w.str("units");
    w.get(units);
    w.str("spatial_only");
    w.bool(true);
    let centres = read(file, "/Cells/Centres")?;
    let n_cells = centres.space.shape().first().copied().unwrap_or(0);
    let order = order(file, &present, offsets_name, n_cells)?;
    for (name, group) in [("counts", "Counts"), ("offsets", offsets_name)] {
        w.str(name);
        let (_, result) = w.dict(|w| {
            present.iter().try_for_each(|&p| {
                w.str(type_name(p));
                write_sorted(w, file, &format!("/Cells/{group}/PartType{p}"), &order)
            })
        });
        result?;
    }
    w.str("centers");
    let (_, result) = w.call("unyt", "unyt_array", |w| {
        write_array(w, file, "/Cells/Centres", &centres, &order)?;
        w.get(quantities.length);
        Ok(())
    });
    result?;
    w.str("cell_size");
    let object = "/Cells/Meta-data";
    let size = file.group(object)?.attribute("size")?;
    let missing = || Error::NotFound { file: file.name().to_owned(), object: format!("{object}@size") };
    let size = size.ok_or_else(missing)?;
    let (_, result) = w.call("unyt", "unyt_array", |w| {
        super::numpy::attribute(w, &Origin { file, object }, &size)?;
        w.get(quantities.length);
        Ok(())
    });
    result
}

/// The cells in the order in which the first type's particles stand in the file; cells at the same origin keep their order.
fn order(file: &File, present: &[usize], offsets_name: &str, n_cells: u64) -> Result<Vec<usize>> {
    let Some(first) = present.first() else {
        return Ok((0..usize::try_from(n_cells).unwrap_or(0)).collect());
    };
    let object = format!("/Cells/{offsets_name}/PartType{first}");
    let offsets = read(file, &object)?.to_i128().unwrap_or_default();
    check_n_cells(file, &object, u64::try_from(offsets.len()).unwrap_or(u64::MAX), n_cells)?;
    let mut order: Vec<usize> = (0..offsets.len()).collect();
    order.sort_by_key(|&i| offsets.get(i));
    Ok(order)
}

fn write_sorted(w: &mut Writer, file: &File, object: &str, order: &[usize]) -> Result<()> {
    let array = read(file, object)?;
    write_array(w, file, object, &array, order)
}

fn write_array(w: &mut Writer, file: &File, object: &str, array: &Array, order: &[usize]) -> Result<()> {
    let n_rows = array.space.shape().first().copied().unwrap_or(0);
    check_n_cells(file, object, n_rows, u64::try_from(order.len()).unwrap_or(u64::MAX))?;
    let name = descr(&Origin { file, object }, &array.dtype)?;
    let rows = reorder(array, order).ok_or_else(|| Error::Unsupported {
        file: file.name().to_owned(),
        object: object.to_owned(),
        feature: "cells of variable length".to_owned(),
    })?;
    ndarray(w, array.space.shape(), &name, &rows);
    Ok(())
}

fn read(file: &File, object: &str) -> Result<Array> {
    file.dataset(object)?.read_all(MAX_TABLE_BYTES)
}

fn check_n_cells(file: &File, object: &str, found: u64, expected: u64) -> Result<()> {
    if found == expected {
        return Ok(());
    }
    let reason = format!("there are {expected} cells, and this has {found} rows");
    Err(Error::Damaged { file: file.name().to_owned(), object: object.to_owned(), reason })
}
