//! Arrays as JSON: whole, or the rows of a mask.

use apus_h5::{Dataset, Datatype, Error, Indices, Reader, RowRanges, Selection};
use axum::{extract::State, response::Response};
use bytes::Bytes;

use super::{
    authorized::Authorized,
    error::SwiftdataError,
    file::Named,
    mask::parse_mask,
    spec::{MaskedSpec, Spec, UnmaskedSpec},
};
use crate::{
    app::App,
    auth::Caller,
    catalog::OpenFile,
    encode::{
        json::{JsonEncoder, JsonTexts},
        number::Notation,
        numpy_type::type_string,
    },
    error::{ApiError, ApiResult},
    read_task::{self, Answer, AnswerBody},
};

/// About so many bytes of elements make one block of text: three times as many, at most 26 bytes for each float.
const ELEMENTS_BYTES: usize = 96 << 10;

/// The older service's answer to a mask that is empty text.
const NO_MASK: &str = "No mask information found.             Use the unmasked endpoint if requesting unmasked data.";

/// The whole of a dataset, or one column of it.
#[utoipa::path(post, path = "/swiftdata/unmasked_dataset", tag = "older API", request_body = UnmaskedBody,
    security(("bearer" = []), ("basic" = [])),
    responses((status = 200, description = "`{\"array\": nested lists, \"dtype\": numpy's name of the type}`"),
        (status = 400, description = "No such file or field"), (status = 403, description = "No credentials")))]
pub(crate) async fn post_unmasked_dataset(
    State(app): State<App>,
    Authorized { caller, .. }: Authorized,
    Spec(spec): Spec<UnmaskedSpec>,
) -> Result<Response, SwiftdataError> {
    answer(app, caller, spec, |_| Ok(None)).await
}

/// The rows of a dataset that a mask selects.
#[utoipa::path(post, path = "/swiftdata/masked_dataset", tag = "older API", request_body = MaskedBody,
    security(("bearer" = []), ("basic" = [])),
    responses((status = 200, description = "`{\"array\": nested lists, \"dtype\": numpy's name of the type}`"),
        (status = 400, description = "No such file or field, or ranges outside it"), (status = 403, description = "No credentials")))]
pub(crate) async fn post_masked_dataset(
    State(app): State<App>,
    Authorized { caller, .. }: Authorized,
    Spec(spec): Spec<MaskedSpec>,
) -> Result<Response, SwiftdataError> {
    let MaskedSpec { dataset, mask_array_json, mask_data_type } = spec;
    let max_ranges = app.config.limits.row_ranges;
    answer(app, caller, dataset, move |n_rows| {
        if mask_array_json.is_empty() {
            return Err(SwiftdataError::bad_request(NO_MASK));
        }
        let rows = parse_mask(&mask_array_json, mask_data_type.as_deref(), n_rows, max_ranges);
        rows.map(Some).map_err(SwiftdataError::bad_request)
    })
    .await
}

/// Reads and streams; `rows` makes the selection of so many rows.
async fn answer(
    app: App,
    caller: Caller,
    spec: UnmaskedSpec,
    rows: impl FnOnce(u64) -> Result<Option<RowRanges>, SwiftdataError> + Send + 'static,
) -> Result<Response, SwiftdataError> {
    let task_app = app.clone();
    read_task::answer(&app, false, move || start(&task_app, &caller, &spec, rows)).await
}

fn start(
    app: &App,
    caller: &Caller,
    spec: &UnmaskedSpec,
    rows: impl FnOnce(u64) -> Result<Option<RowRanges>, SwiftdataError>,
) -> Result<Answer, SwiftdataError> {
    let named = Named::of(&app.catalog, caller, &spec.file)?;
    let file = named.open(&app.catalog, caller)?;
    let dataset = file.h5.dataset(&hdf5_path(&spec.field)).map_err(|error| match error {
        Error::NotFound { .. } | Error::WrongKind { .. } => {
            SwiftdataError::bad_request(format!("Field {} not found in the requested file {}.", spec.field, named.name))
        }
        other => other.into(),
    })?;
    let Some(&n_rows) = dataset.shape().first() else {
        let text = format!("Field {} in the file {} has no rows: it is a single value.", spec.field, named.name);
        return Err(SwiftdataError::bad_request(text));
    };
    let mut selection = Selection { rows: rows(n_rows)?, inner: Vec::new() };
    let column = column(spec.column, &dataset)?;
    selection.inner.extend(column.map(|column| Indices::Range(column, column + 1)));
    let body = JsonBlocks::new(app, file, &dataset, selection, column.is_some())?;
    Ok(Answer::new("application/json", AnswerBody::Blocks { blocks: Box::new(body), size_bytes: None }))
}

/// The index on axis 1, where one is asked for and there is such an axis.
fn column(asked: Option<i64>, dataset: &Dataset) -> Result<Option<u64>, SwiftdataError> {
    let (Some(asked), Some(&n_columns)) = (asked, dataset.shape().get(1)) else { return Ok(None) };
    let found = match u64::try_from(asked) {
        Ok(column) => Some(column),
        Err(_) => n_columns.checked_sub(asked.unsigned_abs()),
    };
    found.filter(|&column| column < n_columns).map(Some).ok_or_else(|| {
        SwiftdataError::bad_request(format!(
            "columns: there is no column {asked} of the {n_columns} of {}",
            dataset.path()
        ))
    })
}

/// Absolute, without empty parts and `.`, which h5py ignores.
fn hdf5_path(field: &str) -> String {
    let parts = field.split('/').filter(|part| !part.is_empty() && *part != ".");
    parts.fold(String::new(), |path, part| path + "/" + part)
}

/// The body, block by block.
struct JsonBlocks {
    file: std::sync::Arc<OpenFile>,
    elements: Elements,
    type_string: String,
    stage: Stage,
}

/// Where the elements come from.
enum Elements {
    /// Of a fixed size, as they are decoded: the block that is written now, how far, and those after it.
    Fixed { encoder: JsonEncoder, reader: Reader, block: Option<(apus_h5::Block, usize)> },
    /// Texts, held whole.
    Texts { encoder: JsonTexts, texts: std::vec::IntoIter<Vec<u8>> },
}

#[derive(Clone, Copy, PartialEq)]
enum Stage {
    Start,
    Middle,
    Over,
}

impl JsonBlocks {
    fn new(
        app: &App,
        file: std::sync::Arc<OpenFile>,
        dataset: &Dataset,
        selection: Selection,
        one_column: bool,
    ) -> Result<Self, SwiftdataError> {
        let no_form = |what: &dyn std::fmt::Display| SwiftdataError::bad_request(format!("{}: {what}", dataset.path()));
        let too_large = |size_bytes: u64, limit: u64| {
            ApiError::too_large(format!("{}: {size_bytes} bytes, the most of one answer is {limit}", dataset.path()))
        };
        let dtype = dataset.dtype();
        let type_string = type_string(dtype)
            .ok_or_else(|| no_form(&"elements of this type have no JSON form; the type is known to the native API"))?;
        let without_column = |shape: &[u64]| {
            let mut shape = shape.to_vec();
            if one_column && shape.len() > 1 {
                shape.remove(1);
            }
            shape
        };
        if matches!(dtype, Datatype::VariableString { .. }) {
            let array = dataset.read(selection, app.config.limits.held_bytes)?;
            let shape = without_column(array.space.shape());
            let apus_h5::Data::Variable(texts) = array.data else { return Err(no_form(&"texts were expected")) };
            let encoder = JsonTexts::new(&shape, Notation::Python).map_err(|error| no_form(&error))?;
            let elements = Elements::Texts { encoder, texts: texts.into_iter() };
            return Ok(Self { file, elements, type_string, stage: Stage::Start });
        }
        let reader = dataset.reader(selection, &app.read_options())?;
        if reader.size_bytes() > app.config.limits.answer_bytes {
            return Err(too_large(reader.size_bytes(), app.config.limits.answer_bytes).into());
        }
        let shape = without_column(reader.shape());
        let encoder = JsonEncoder::new(reader.dtype(), &shape, Notation::Python).map_err(|error| no_form(&error))?;
        let elements = Elements::Fixed { encoder, reader, block: None };
        Ok(Self { file, elements, type_string, stage: Stage::Start })
    }

    /// Writes about a block of text; false when there was nothing left to write.
    fn write_elements(&mut self, out: &mut Vec<u8>) -> ApiResult<bool> {
        match &mut self.elements {
            Elements::Texts { encoder, texts } => {
                let begin = out.len();
                for text in texts.by_ref() {
                    encoder.write(&text, out);
                    if out.len() - begin >= 3 * ELEMENTS_BYTES {
                        return Ok(true);
                    }
                }
                encoder.finish(out);
                Ok(false)
            }
            Elements::Fixed { encoder, reader, block } => {
                if block.is_none() {
                    *block = reader.next().transpose()?.map(|block| (block, 0));
                }
                let Some((bytes, position)) = block else {
                    encoder.finish(out);
                    return Ok(false);
                };
                let rest = bytes.bytes().get(*position..).unwrap_or_default();
                let element_bytes = encoder.element_bytes().max(1);
                let piece_bytes = (ELEMENTS_BYTES / element_bytes).max(1) * element_bytes;
                let piece = rest.get(..piece_bytes).unwrap_or(rest);
                out.reserve(4 * piece.len());
                encoder.write(piece, out);
                *position += piece.len();
                if piece.len() == rest.len() {
                    *block = None;
                }
                Ok(true)
            }
        }
    }

    fn next_block(&mut self) -> ApiResult<Vec<u8>> {
        let mut out = Vec::new();
        if self.stage == Stage::Start {
            self.stage = Stage::Middle;
            out.extend_from_slice(b"{\"array\":");
        }
        if self.write_elements(&mut out)? {
            return Ok(out);
        }
        self.stage = Stage::Over;
        // A mixture of two versions of a file must not look whole.
        self.file.bytes.check_unchanged()?;
        out.extend_from_slice(b",\"dtype\":\"");
        out.extend_from_slice(self.type_string.as_bytes());
        out.extend_from_slice(b"\"}");
        Ok(out)
    }
}

impl Iterator for JsonBlocks {
    type Item = ApiResult<Bytes>;

    fn next(&mut self) -> Option<ApiResult<Bytes>> {
        if self.stage == Stage::Over {
            return None;
        }
        let block = self.next_block();
        if block.is_err() {
            self.stage = Stage::Over;
        }
        Some(block.map(Bytes::from))
    }
}

/// What `/swiftdata/unmasked_dataset` takes, for the documentation.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "it describes the body; members are taken one by one")]
pub(crate) struct UnmaskedBody {
    data_spec: UnmaskedMembers,
}

/// A dataset of a file.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "it describes the body; members are taken one by one")]
struct UnmaskedMembers {
    /// An alias of the configuration, where `filename` is not given.
    alias: Option<String>,
    /// The server's own path, or a path under the mounts.
    filename: Option<String>,
    /// The dataset: `PartType0/Coordinates`.
    field: String,
    /// An index on axis 1.
    columns: Option<i64>,
}

/// What `/swiftdata/masked_dataset` takes, for the documentation.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "it describes the body; members are taken one by one")]
pub(crate) struct MaskedBody {
    data_spec: MaskedMembers,
}

/// Rows of a dataset of a file.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "it describes the body; members are taken one by one")]
struct MaskedMembers {
    /// An alias of the configuration, where `filename` is not given.
    alias: Option<String>,
    /// The server's own path, or a path under the mounts.
    filename: Option<String>,
    /// The dataset: `PartType0/Coordinates`.
    field: String,
    /// Half-open ranges of rows as JSON text, in any order: `[[0,5],[7,9]]`.
    mask_array_json: String,
    /// numpy's name of the integer type of the ranges.
    mask_data_type: Option<String>,
    /// How many rows the ranges have together.
    mask_size: i64,
    /// An index on axis 1.
    columns: Option<i64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_named_as_h5py_names_them() {
        for (field, path) in [("PartType0/Masses", "/PartType0/Masses"), ("/a//b/./c/", "/a/b/c"), ("", ""), (".", "")]
        {
            assert_eq!(hdf5_path(field), path);
        }
    }
}
