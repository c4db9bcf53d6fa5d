//! What `/v1/data` is asked for: text, read into what cannot be wrong.

use apus_h5::{Dataset, Indices, RowRanges, Selection};
use serde::Deserialize;

use super::lists::{ColumnsBody, RowsBody};
use crate::{
    config::Limits,
    http::{
        error::{ApiError, ApiResult},
        params::{Params, unknown},
    },
};

/// The parameters of `/v1/data`.
pub(super) const PARAMETERS: [&str; 4] = ["object", "rows", "columns", "format"];
/// The most bytes of the path of an object.
const MAX_OBJECT_BYTES: usize = 16 << 10;

/// What is wanted of which dataset, in which form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct DataQuery {
    pub(super) object: String,
    pub(super) rows: Option<RowRanges>,
    pub(super) columns: Option<Columns>,
    pub(super) format: Format,
}

/// Which columns of a two-dimensional dataset are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Columns {
    /// One, taken out of its axis: the answer has one dimension.
    One(u64),
    /// These, in this order: the answer keeps two dimensions.
    List(Vec<u64>),
}

/// The form of the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, utoipa::ToSchema)]
#[schema(rename_all = "lowercase")]
pub(super) enum Format {
    /// What `numpy.save` writes.
    Npy,
    /// The array's bytes alone.
    Raw,
    /// Nested lists.
    Json,
    /// A line of names, and a line for each row.
    Csv,
}

/// The body of a POST: the parameters of a GET, lists as lists where that is easier.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DataBody {
    /// The absolute path of a dataset in the file.
    #[schema(example = "/PartType0/Coordinates")]
    object: String,
    /// Half-open ranges of rows, as `"a:b,c:d"` or as `[[a, b], [c, d]]`; all rows where it is missing.
    #[schema(value_type = Option<Object>)]
    rows: Option<RowsBody>,
    /// Columns of a two-dimensional dataset: a number, or a list of numbers, or both as text.
    #[schema(value_type = Option<Object>)]
    columns: Option<ColumnsBody>,
    /// The form of the answer; `npy` where it is missing.
    #[schema(value_type = Option<Format>, inline)]
    format: Option<String>,
}

impl DataQuery {
    pub(super) fn of_query(query: Option<&str>, limits: &Limits) -> ApiResult<Self> {
        let mut params = Params::parse(query, &PARAMETERS)?;
        let object = params.take("object").ok_or_else(|| {
            ApiError::bad_request("say which dataset: object=/PartType0/Coordinates; /v1/object shows what there is")
        })?;
        Ok(Self {
            object: check_object(object)?,
            rows: params.take("rows").map(|text| parse_rows(&text, limits)).transpose()?,
            columns: params.take("columns").map(|text| parse_columns(&text)).transpose()?,
            format: params.take("format").map_or(Ok(Format::Npy), |text| Format::parse(&text))?,
        })
    }

    pub(super) fn of_body(body: DataBody, limits: &Limits) -> ApiResult<Self> {
        let rows = match body.rows {
            None => None,
            Some(RowsBody::Text(text)) => Some(parse_rows(&text, limits)?),
            Some(RowsBody::Pairs(pairs)) => Some(row_ranges(pairs, limits)?),
        };
        let columns = match body.columns {
            None => None,
            Some(ColumnsBody::One(index)) => Some(Columns::One(index)),
            Some(ColumnsBody::List(list)) => Some(Columns::List(list)),
            Some(ColumnsBody::Text(text)) => Some(parse_columns(&text)?),
        };
        let format = body.format.map_or(Ok(Format::Npy), |text| Format::parse(&text))?;
        Ok(Self { object: check_object(body.object)?, rows, columns, format })
    }

    /// The selection of that dataset.
    ///
    /// Errors: 400 where rows or columns pass its extent, or where it has none.
    pub(super) fn selection(&self, dataset: &Dataset) -> ApiResult<Selection> {
        let shape = dataset.shape();
        let fault = |text: String| ApiError::bad_request(format!("{}: {text}", self.object));
        if let Some(rows) = &self.rows {
            let Some(&n_rows) = shape.first() else {
                return Err(fault("rows are of arrays, and this is a single value; leave rows out".to_owned()));
            };
            if let Some(range) = rows.as_slice().iter().find(|range| range.end > n_rows) {
                return Err(fault(format!(
                    "rows {}:{} pass the end, the dataset has {n_rows} rows",
                    range.start, range.end
                )));
            }
        }
        let inner = match &self.columns {
            None => Vec::new(),
            Some(columns) => {
                let &[_, n_columns] = shape else {
                    return Err(fault(format!(
                        "columns are of datasets with two dimensions, and this one has the shape {shape:?}"
                    )));
                };
                let indices = columns.as_slice();
                if let Some(index) = indices.iter().find(|index| **index >= n_columns) {
                    return Err(fault(format!("there is no column {index}: the dataset has {n_columns} columns")));
                }
                match columns {
                    Columns::One(index) => vec![Indices::Range(*index, index + 1)],
                    Columns::List(list) => vec![Indices::List(list.clone())],
                }
            }
        };
        Ok(Selection { rows: self.rows.clone(), inner })
    }

    /// The axes out of which one index is taken: that of columns, where one is.
    pub(super) fn dropped_axes(&self) -> Vec<usize> {
        if matches!(self.columns, Some(Columns::One(_))) { vec![1] } else { Vec::new() }
    }
}

impl Columns {
    /// The indices.
    pub(super) fn as_slice(&self) -> &[u64] {
        match self {
            Self::One(index) => std::slice::from_ref(index),
            Self::List(list) => list,
        }
    }
}

impl Format {
    const ALL: [(&'static str, Self); 4] =
        [("npy", Self::Npy), ("raw", Self::Raw), ("json", Self::Json), ("csv", Self::Csv)];

    /// Its name, which is also the ending of file names.
    pub(super) fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, format)| *format == self).map_or("", |(name, _)| name)
    }

    fn parse(text: &str) -> ApiResult<Self> {
        let names: Vec<&str> = Self::ALL.iter().map(|(name, _)| *name).collect();
        let found = Self::ALL.iter().find(|(name, _)| *name == text);
        found.map(|(_, format)| *format).ok_or_else(|| unknown("format", text, &names))
    }
}

/// The path of an object as it stands in a request.
pub(super) fn check_object(object: String) -> ApiResult<String> {
    if object.len() > MAX_OBJECT_BYTES {
        return Err(ApiError::bad_request(format!(
            "the path of the object has {} bytes, the most is {MAX_OBJECT_BYTES}",
            object.len()
        )));
    }
    if !object.starts_with('/') {
        return Err(ApiError::bad_request(format!(
            "object={object}: give the path from the root, as in object=/{object}"
        )));
    }
    Ok(object)
}

fn parse_rows(text: &str, limits: &Limits) -> ApiResult<RowRanges> {
    let n_ranges = text.bytes().filter(|b| *b == b',').count() + 1;
    check_n_ranges(n_ranges, limits)?;
    let pairs = text.split(',').enumerate().map(|(i, range)| {
        let shown: String = range.chars().take(60).collect();
        let fault = |why: &str| {
            ApiError::bad_request(format!(
                "rows: range {} of {n_ranges}, {shown:?}, {why}; ranges are like 0:1000, from the first row to the one \
                 behind the last",
                i + 1
            ))
        };
        let (start, end) = range.split_once(':').ok_or_else(|| fault("has no ':'"))?;
        let number = |text: &str| parse_u64(text).ok_or_else(|| fault("is not of two whole numbers below 2^64"));
        Ok((number(start)?, number(end)?))
    });
    row_ranges(pairs.collect::<ApiResult<Vec<_>>>()?, limits)
}

fn row_ranges(pairs: Vec<(u64, u64)>, limits: &Limits) -> ApiResult<RowRanges> {
    check_n_ranges(pairs.len(), limits)?;
    if let Some((start, end)) = pairs.iter().find(|(start, end)| start > end) {
        return Err(ApiError::bad_request(format!("rows {start}:{end} end before they begin")));
    }
    RowRanges::new(pairs.into_iter().map(|(start, end)| start..end).collect())
        .ok_or_else(|| ApiError::bad_request("rows end before they begin"))
}

fn check_n_ranges(n_ranges: usize, limits: &Limits) -> ApiResult<()> {
    if n_ranges > limits.row_ranges {
        return Err(ApiError::too_large(format!("{n_ranges} ranges of rows, the most is {}", limits.row_ranges)));
    }
    Ok(())
}

fn parse_columns(text: &str) -> ApiResult<Columns> {
    let number = |item: &str| {
        parse_u64(item).ok_or_else(|| {
            let shown: String = item.chars().take(60).collect();
            ApiError::bad_request(format!("columns: {shown:?} is no column; columns are like 0 or 0,2"))
        })
    };
    match text.split_once(',') {
        None => Ok(Columns::One(number(text)?)),
        Some(_) => Ok(Columns::List(text.split(',').map(number).collect::<ApiResult<_>>()?)),
    }
}

/// Digits alone: no sign, no space, no other script.
fn parse_u64(text: &str) -> Option<u64> {
    (!text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(text: &str) -> Result<DataQuery, String> {
        DataQuery::of_query(Some(text), &Limits::default()).map_err(|error| error.to_string())
    }

    #[test]
    fn reads_what_it_is_asked() {
        let query = query("object=/PartType0/Coordinates&rows=5:10,0:3&columns=0,2&format=raw").unwrap();
        assert_eq!(query.object, "/PartType0/Coordinates");
        assert_eq!(query.rows.unwrap().as_slice(), [5..10, 0..3]);
        assert_eq!(query.columns, Some(Columns::List(vec![0, 2])));
        assert_eq!(query.format, Format::Raw);
    }

    #[test]
    fn get_and_post_agree() {
        let body = |text: &str| DataQuery::of_body(serde_json::from_str(text).unwrap(), &Limits::default()).unwrap();
        let expect = query("object=/x&rows=5:10,0:3&columns=1").unwrap();
        assert_eq!(body(r#"{"object": "/x", "rows": [[5, 10], [0, 3]], "columns": 1}"#), expect);
        assert_eq!(body(r#"{"object": "/x", "rows": "5:10,0:3", "columns": "1"}"#), expect);
    }

    #[test]
    fn refuses_everything_else() {
        let bad_rows = [
            "10:5",
            "-1:5",
            "0:18446744073709551616",
            "a:b",
            "5",
            "0:5,",
            ",0:5",
            "0:5;6:7",
            "0:5:2",
            ":",
            "0:",
            "",
            ":5x",
            "0:5.0",
            "%2B0:5",
            "0x0:5",
            "%D9%A1:%D9%A2",
        ];
        for rows in bad_rows {
            let error = query(&format!("object=/x&rows={rows}")).unwrap_err();
            assert!(error.contains("rows"), "{rows}: {error}");
        }
        for columns in ["-1", "18446744073709551616", "a", "0:2", "0,", ",", "", "1.0", "0;1"] {
            let error = query(&format!("object=/x&columns={columns}")).unwrap_err();
            assert!(error.contains("columns"), "{columns}: {error}");
        }
        for format in ["xml", "", "NPY", "npy,json"] {
            assert!(query(&format!("object=/x&format={format}")).unwrap_err().contains("format"), "{format}");
        }
        assert!(query("rows=0:5").unwrap_err().contains("object"));
        assert!(query("object=PartType0").unwrap_err().contains("object=/PartType0"));
    }
}
