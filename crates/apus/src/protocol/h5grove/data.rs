//! The values of a dataset, or of a slice of it, in one of several forms.

use apus_data::{
    encode::{dtype::Dtype, json, number::Notation, savetxt, savetxt::complex_part, tiff},
    values::{Content, ElementForm, PinnedFile, array::ArrayRequest},
};
use apus_h5::{Dataspace, Datatype, Object, Selection};

use super::{
    entity::Entity,
    error::{Error, Result},
    request::{DtypeConversion, Format, LinkResolution, Request},
    selection,
    types::NumpyType,
};

const OCTETS: &str = "application/octet-stream";

/// What is wanted of a dataset.
pub(super) struct Values {
    array: ArrayRequest,
    /// The number of dimensions of the answer, those of elements that are arrays among them.
    n_dimensions: usize,
}

/// How values are sent.
pub(super) struct Form {
    pub(super) content: Content,
    pub(super) media_type: &'static str,
    /// The name of the file that a browser makes of them.
    pub(super) file_name: Option<&'static str>,
}

impl Values {
    /// Finds the dataset that the request's path names, and what is selected of it.
    ///
    /// Errors: those of [`Entity::find`]; 400 for what is no dataset, or a selection that does not fit.
    pub(super) fn find(file: &PinnedFile, request: &Request) -> Result<Self> {
        let dataset = match Entity::find(file, request, LinkResolution::OnlyValid)? {
            Entity::Object(Object::Dataset(dataset)) => dataset,
            Entity::Link(_) => {
                let (path, file) = (&request.path, request.file_name());
                return Err(Error::not_found(format!("Cannot resolve the link at {path} of {file}")));
            }
            _ => return Err(Error::bad_request(format!("{} is not a dataset (path)", request.path))),
        };
        let limits = &file.pinned().archive().limits;
        let (selection, dropped_axes) = match &request.selection {
            None => (Selection::default(), Vec::new()),
            Some(text) => selection::select(text, dataset.space(), limits.row_ranges)
                .map_err(|why| Error::bad_request(format!("selection: {why}")))?,
        };
        let mut n_dimensions = dataset.shape().len() - dropped_axes.len() + n_dimensions(dataset.dtype());
        let mut array = ArrayRequest::new(file.pinned(), dataset, selection, dropped_axes)?;
        if request.flatten && n_dimensions > 0 {
            array = array.flat();
            n_dimensions = 1;
        }
        Ok(Self { array, n_dimensions })
    }

    /// In the form that the request asks for.
    ///
    /// Errors: 422 for a form that there is not, or that has none for these elements or dimensions.
    pub(super) fn in_form(self, format: Format, dtype: DtypeConversion) -> Result<Self> {
        if dtype == DtypeConversion::Safe && !self.is_numeric() {
            return Err(Error::bad_argument("Unsupported dtype safe for non-numeric data"));
        }
        let encoding = match format {
            Format::Json | Format::Bin => "",
            Format::Npy => "npy",
            Format::Csv => "csv",
            Format::Tiff => "tiff",
        };
        if !encoding.is_empty() && !self.is_numeric() {
            return Err(Error::bad_argument(format!("Unsupported encoding {encoding} for non-numeric content")));
        }
        match (format, self.n_dimensions) {
            (Format::Csv | Format::Tiff, 0) => {
                return Err(Error::bad_argument(format!(
                    "Unsupported encoding {encoding} for empty and scalar datasets"
                )));
            }
            (Format::Csv, n @ 3..) => {
                return Err(Error::bad_argument(format!(
                    "Unsupported encoding csv for {n} dimensions: select one index of some (selection=0,:,:)"
                )));
            }
            (Format::Tiff, n) if n != 2 => {
                return Err(Error::bad_argument(format!(
                    "Unsupported encoding tiff for {n} dimensions: a picture has two (selection=0,:,:)"
                )));
            }
            _ => {}
        }
        let form = self.element_form(format, dtype);
        Ok(Self { array: self.array.in_form(form), ..self })
    }

    /// The content, in the form that [`in_form`](Self::in_form) has chosen.
    ///
    /// Errors: 422 for elements that have no such form; those of planning.
    pub(super) fn content(self, format: Format) -> Result<Form> {
        let form = |content, media_type, file_name| Form { content, media_type, file_name };
        let array = self.array;
        Ok(match format {
            Format::Json => form(array.json(Notation::Orjson, Vec::new(), Vec::new())?, json::CONTENT_TYPE, None),
            Format::Bin => form(bin(array, self.n_dimensions)?, OCTETS, None),
            Format::Npy => {
                let dtype = npy_type(&array)?;
                form(array.npy_as(&dtype)?, OCTETS, Some("data.npy"))
            }
            Format::Csv => form(array.savetxt()?, savetxt::CONTENT_TYPE, Some("data.csv")),
            Format::Tiff => form(array.tiff()?, tiff::CONTENT_TYPE, Some("data.tiff")),
        })
    }

    /// The form of elements: that of the file for bytes (but for single numbers, which Python has in its own), that of the machine for
    /// text.
    fn element_form(&self, format: Format, dtype: DtypeConversion) -> ElementForm {
        let dataset = self.array.dataset();
        let (stored, native) = (dataset.stored_type(), dataset.dtype());
        let typed_arrays = ElementForm::of_typed_arrays(native);
        match (format, dtype) {
            (Format::Json | Format::Csv, _) if typed_arrays == ElementForm::Double => typed_arrays,
            (Format::Tiff | Format::Json | Format::Csv, _) => ElementForm::Native,
            (_, DtypeConversion::Safe) => typed_arrays,
            (_, DtypeConversion::Origin) if self.n_dimensions == 0 && is_number(native) => ElementForm::Native,
            (_, DtypeConversion::Origin) => ElementForm::stored(stored, native),
        }
    }

    /// Whether numpy takes the elements for numbers or booleans.
    fn is_numeric(&self) -> bool {
        *self.array.dataset().space() != Dataspace::Null && is_number(self.array.dataset().dtype())
    }

    /// The array.
    pub(super) fn array(&self) -> &ArrayRequest {
        &self.array
    }
}

fn n_dimensions(dtype: &Datatype) -> usize {
    match dtype {
        Datatype::Array { base, dims } => dims.len() + n_dimensions(base),
        _ => 0,
    }
}

fn is_number(dtype: &Datatype) -> bool {
    match dtype {
        Datatype::Integer { .. } | Datatype::Float { .. } | Datatype::Bitfield { .. } | Datatype::Enum { .. } => true,
        Datatype::Array { base, .. } => is_number(base),
        other => complex_part(other).is_some(),
    }
}

/// The bytes of elements of fixed size, and of a single string.
fn bin(array: ArrayRequest, n_dimensions: usize) -> Result<Content> {
    let dataset = array.dataset();
    let is_string = matches!(dataset.dtype(), Datatype::FixedString { .. } | Datatype::VariableString { .. });
    if *dataset.space() == Dataspace::Null {
        return Err(Error::bad_argument("Unsupported encoding bin for empty datasets"));
    }
    if n_dimensions == 0 && is_string {
        return Ok(array.bytes_of_one(as_numpy_string)?);
    }
    let has_bytes = !matches!(
        dataset.dtype(),
        Datatype::VariableString { .. } | Datatype::VariableSequence(_) | Datatype::Reference { .. }
    );
    if !has_bytes {
        return Err(Error::bad_argument(
            "Unsupported encoding bin for references and elements of variable length; format=json shows them",
        ));
    }
    Ok(array.raw()?.0)
}

/// numpy's strings end at their last byte that is not NUL, and have one byte at least.
fn as_numpy_string(mut bytes: Vec<u8>) -> Vec<u8> {
    let end = bytes.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
    bytes.truncate(end);
    if bytes.is_empty() { vec![0] } else { bytes }
}

/// numpy's name of the elements as they leave.
fn npy_type(array: &ArrayRequest) -> Result<Dtype> {
    let dataset = array.dataset();
    let is_as_stored = matches!(array.form(), ElementForm::Stored(_));
    let dtype = if is_as_stored { dataset.stored_type().clone() } else { array.dtype() };
    match NumpyType::of(leaf(&dtype)) {
        Some(NumpyType::Name(name)) => Ok(Dtype::Plain(name)),
        _ => Err(Error::bad_argument("Unsupported encoding npy for non-numeric content")),
    }
}

fn leaf(dtype: &Datatype) -> &Datatype {
    match dtype {
        Datatype::Array { base, .. } => leaf(base),
        other => other,
    }
}
