//! `/v1/data/{path}`: the values of a dataset, selected rows and columns, in one of several forms.

use apus_h5::{Dataset, Dataspace, Datatype, Reader, RowRanges, Selection};
use axum::{
    body::Bytes,
    extract::{RawQuery, State, rejection::BytesRejection},
    http::{HeaderMap, Method, header},
    response::Response,
};
use tracing::Span;

use super::{
    conditions::{Conditions, Part, mark_part},
    data_blocks::{fixed_blocks, text_blocks},
    data_query::{DataBody, DataQuery, Format},
    nearest::with_nearest,
    params::{FilePath, Params, json_body},
};
use crate::{
    app::App,
    auth::Caller,
    catalog::{OpenFile, TagBuilder, VPath},
    encode::{
        self, EncodeError,
        csv::{self, CsvEncoder},
        dtype::{self, Dtype},
        json::{self, JsonEncoder},
        npy,
        number::Notation,
    },
    error::{ApiError, ApiResult, Problem},
    read_task::{self, Answer, AnswerBody},
};

/// The type of the answer's elements, in numpy's words.
const DTYPE_HEADER: header::HeaderName = header::HeaderName::from_static("apus-dtype");
/// The shape of the answer.
const SHAPE_HEADER: header::HeaderName = header::HeaderName::from_static("apus-shape");

/// The values of a dataset: all, or selected rows and columns, as stored.
///
/// The npy form is what `numpy.save` writes, raw the array's bytes alone (little-endian, C order; type and shape are in the
/// headers `Apus-Dtype` and `Apus-Shape`); both have a length, an entity tag, and take `Range`. JSON is nested arrays, with
/// the strings "NaN", "Infinity" and "-Infinity" for what JSON has no numbers for. CSV has a line of names and a line per row.
#[utoipa::path(
    get,
    path = "/v1/data/{path}",
    tag = "native",
    params(
        ("path" = String, Path, description = "A file"),
        ("object" = String, Query, description = "The absolute path of a dataset in the file", example = "/PartType0/Coordinates"),
        ("rows" = Option<String>, Query, description = "Half-open ranges of rows, in any order, overlaps kept: `0:1000,5000:6000`"),
        ("columns" = Option<String>, Query, description = "Of a two-dimensional dataset: one column (`0`; the answer has one dimension), or several (`0,2`)"),
        ("format" = Option<String>, Query, description = "`npy` (default), `raw`, `json` or `csv`"),
    ),
    responses(
        (status = 200, description = "The values", content_type = "application/x-npy"),
        (status = 206, description = "The bytes that `Range` asked for"),
        (status = 304, description = "The client has them already"),
        (status = 400, description = "The selection does not fit the dataset, or is not understood", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such file or object", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "More than this service answers with", body = Problem, content_type = "application/problem+json"),
        (status = 416, description = "`Range` lies outside", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "The file is no HDF5, damaged, or the dataset of a kind that is not supported", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "All places are taken", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn get_data(
    State(app): State<App>,
    caller: Caller,
    FilePath(path): FilePath,
    RawQuery(query): RawQuery,
    method: Method,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let query = DataQuery::of_query(query.as_deref(), &app.config.limits)?;
    answer(app, caller, path, query, method, &headers).await
}

/// As the GET, for selections that are too long for a URL.
#[utoipa::path(
    post,
    path = "/v1/data/{path}",
    tag = "native",
    params(("path" = String, Path, description = "A file")),
    request_body = DataBody,
    responses(
        (status = 200, description = "The values", content_type = "application/x-npy"),
        (status = 400, description = "The selection does not fit the dataset, or is not understood", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "The body, or the answer, is larger than this service takes", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "The body is no JSON", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn post_data(
    State(app): State<App>,
    caller: Caller,
    FilePath(path): FilePath,
    RawQuery(query): RawQuery,
    method: Method,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> ApiResult<Response> {
    Params::parse(query.as_deref(), &[])?;
    let body: DataBody = json_body(&headers, body)?;
    let query = DataQuery::of_body(body, &app.config.limits)?;
    answer(app, caller, path, query, method, &headers).await
}

async fn answer(
    app: App,
    caller: Caller,
    path: VPath,
    query: DataQuery,
    method: Method,
    headers: &HeaderMap,
) -> ApiResult<Response> {
    let conditions = Conditions::of(headers);
    let state = app.clone();
    read_task::answer(&app, method == Method::HEAD, move || {
        let file = state.catalog.open(&caller, &path)?;
        let dataset = file.h5.dataset(&query.object).map_err(|error| with_nearest(&file.h5, error))?;
        let tag = entity_tag(&file, &dataset, &query)?;
        if let Some(answer) = conditions.decide(&tag)? {
            return Ok(answer);
        }
        let selection = query.selection(&dataset)?;
        // Records that hold elements of variable length are for the reader to refuse.
        let is_variable = matches!(dataset.dtype(), Datatype::VariableString { .. } | Datatype::VariableSequence(_));
        let answer = if *dataset.space() == Dataspace::Null || is_variable {
            whole_answer(&state, &dataset, &query, selection)?
        } else {
            let reader = dataset.reader(selection.clone(), &state.read_options())?;
            check_size(&state, reader.size_bytes(), &query)?;
            Span::current().record("n_rows", reader.shape().first().copied().unwrap_or(1));
            let source = Source { app: state, file, dataset, selection, query };
            match source.query.format {
                Format::Npy | Format::Raw => source.fixed_answer(reader, &conditions, &tag)?,
                Format::Json | Format::Csv => source.text_answer(reader)?,
            }
        };
        Ok(answer.with_header(header::ETAG, tag).with_header(header::CACHE_CONTROL, "no-cache"))
    })
    .await
}

/// Where an answer comes from.
pub(super) struct Source {
    pub(super) app: App,
    pub(super) file: std::sync::Arc<OpenFile>,
    pub(super) dataset: Dataset,
    pub(super) selection: Selection,
    pub(super) query: DataQuery,
}

impl Source {
    fn fixed_answer(self, reader: Reader, conditions: &Conditions, tag: &str) -> ApiResult<Answer> {
        let (dtype, element_shape) = Dtype::of(reader.dtype()).ok_or_else(|| no_form(self.dataset.dtype(), "npy"))?;
        let mut shape = self.query.shape(self.dataset.space(), reader.shape());
        shape.extend(element_shape.into_iter().map(u64::from));
        let (head, content_type) = match self.query.format {
            Format::Raw => (Vec::new(), npy::RAW_CONTENT_TYPE),
            _ => (npy::header(&dtype, &shape).ok_or_else(|| no_form(self.dataset.dtype(), "npy"))?, npy::CONTENT_TYPE),
        };
        let size_bytes = reader.size_bytes().saturating_add(head.len() as u64);
        let part = conditions.part(tag, size_bytes)?;
        let bytes = match &part {
            Part::Whole => 0..size_bytes,
            Part::Bytes(bytes) => bytes.clone(),
        };
        let disposition = self.disposition();
        let part_bytes = bytes.end - bytes.start;
        let blocks = fixed_blocks(self, reader, head, bytes)?;
        let answer = Answer::new(content_type, AnswerBody::Blocks { blocks, size_bytes: Some(part_bytes) })
            .with_header(header::ACCEPT_RANGES, "bytes")
            .with_header(header::CONTENT_DISPOSITION, disposition)
            .with_header(DTYPE_HEADER, serde_json::to_string(&dtype).map_err(ApiError::internal)?.trim_matches('"'))
            .with_header(SHAPE_HEADER, shape.iter().map(u64::to_string).collect::<Vec<_>>().join(","));
        Ok(mark_part(answer, &part, size_bytes))
    }

    fn text_answer(self, reader: Reader) -> ApiResult<Answer> {
        let shape = self.query.shape(self.dataset.space(), reader.shape());
        let disposition = self.disposition();
        if self.query.format == Format::Csv {
            let columns = self
                .query
                .columns
                .as_ref()
                .map(|columns| columns.as_slice().iter().map(u64::to_string).collect::<Vec<_>>());
            let encoder = CsvEncoder::new(reader.dtype(), &shape, last_name(&self.query.object), columns.as_deref())?;
            let mut head = Vec::new();
            encoder.write_names(&mut head);
            let blocks = text_blocks(self, reader, encoder, head)?;
            let answer = Answer::new(csv::CONTENT_TYPE, AnswerBody::Blocks { blocks, size_bytes: None });
            Ok(answer.with_header(header::CONTENT_DISPOSITION, disposition))
        } else {
            let encoder = JsonEncoder::new(reader.dtype(), &shape, Notation::Strict)?;
            let blocks = text_blocks(self, reader, encoder, Vec::new())?;
            Ok(Answer::new(json::CONTENT_TYPE, AnswerBody::Blocks { blocks, size_bytes: None }))
        }
    }

    /// The selection of rows `[start, end)` of the answer alone.
    pub(super) fn rows_of_answer(&self, start: u64, end: u64) -> Selection {
        let mut left = end.saturating_sub(start);
        let mut skip = start;
        let whole = std::slice::from_ref(&(0..self.dataset.shape().first().copied().unwrap_or(0))).to_vec();
        let ranges = self.selection.rows.as_ref().map_or(whole, |rows| rows.as_slice().to_vec());
        let mut cut = Vec::new();
        for range in ranges {
            let n_rows = range.end - range.start;
            let n_skipped = skip.min(n_rows);
            skip -= n_skipped;
            let n_taken = left.min(n_rows - n_skipped);
            left -= n_taken;
            if n_taken > 0 {
                let first = range.start + n_skipped;
                cut.push(first..first + n_taken);
            }
        }
        Selection { rows: RowRanges::new(cut), inner: self.selection.inner.clone() }
    }

    fn disposition(&self) -> String {
        let name: String = last_name(&self.query.object)
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '_' })
            .collect();
        format!("attachment; filename=\"{name}.{}\"", self.query.format.name())
    }
}

/// The answer for what is held in memory whole: elements of variable length, and no element at all.
fn whole_answer(app: &App, dataset: &Dataset, query: &DataQuery, selection: Selection) -> ApiResult<Answer> {
    let limit_bytes = app.config.limits.held_bytes;
    let mut out = Vec::new();
    match query.format {
        Format::Npy | Format::Raw if *dataset.space() == Dataspace::Null => {
            let object = &query.object;
            Err(ApiError::bad_request(format!("{object} has no elements and no shape: only format=json can say so")))
        }
        Format::Npy | Format::Raw => Err(no_form(dataset.dtype(), query.format.name()).into()),
        Format::Json => {
            json::write_array(&dataset.read(selection, limit_bytes)?, &mut out)?;
            Ok(Answer::new(json::CONTENT_TYPE, AnswerBody::Whole(out.into())))
        }
        Format::Csv => {
            csv::write_array(&dataset.read(selection, limit_bytes)?, last_name(&query.object), &mut out)?;
            Ok(Answer::new(csv::CONTENT_TYPE, AnswerBody::Whole(out.into())))
        }
    }
}

fn no_form(dtype: &Datatype, form: &'static str) -> EncodeError {
    let what = dtype::name_of(dtype);
    match Dtype::of(dtype) {
        Some(_) => EncodeError::NoForm { what, form, instead: "json" },
        None => EncodeError::NoFormAtAll { what },
    }
}

fn check_size(app: &App, size_bytes: u64, query: &DataQuery) -> ApiResult<()> {
    let limit = app.config.limits.answer_bytes;
    if size_bytes > limit {
        return Err(ApiError::too_large(format!(
            "{}: the selection has {size_bytes} bytes, over the limit of {limit}; ask for fewer rows at once",
            query.object
        )));
    }
    Ok(())
}

/// Of all that the answer depends on: the files that hold the values, the selection and the form.
fn entity_tag(file: &OpenFile, dataset: &Dataset, query: &DataQuery) -> ApiResult<String> {
    let mut tag = TagBuilder::new();
    for identity in file.identities_of(dataset)? {
        match identity {
            Some(identity) => identity.write_to(&mut tag),
            None => tag.add("missing"),
        }
    }
    tag.add("data");
    tag.add(&query.object);
    if let Some(rows) = &query.rows {
        for range in rows.as_slice() {
            tag.add(range.start.to_le_bytes());
            tag.add(range.end.to_le_bytes());
        }
    }
    tag.add(format!("{:?}", query.columns));
    tag.add(query.format.name());
    Ok(tag.finish())
}

fn last_name(object: &str) -> &str {
    object.rsplit('/').find(|name| !name.is_empty()).unwrap_or("data")
}

impl From<encode::EncodeError> for ApiError {
    fn from(error: encode::EncodeError) -> Self {
        match error {
            EncodeError::NoFormAtAll { .. } => {
                Self::Unreadable { code: "unsupported", detail: error.to_string().into() }
            }
            EncodeError::TooManyEmptyRows { .. } => Self::too_large(error.to_string()),
            EncodeError::NoForm { .. } => Self::bad_request(error.to_string()),
        }
    }
}
