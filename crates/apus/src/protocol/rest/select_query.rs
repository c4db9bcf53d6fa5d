//! What `/v1/select` is asked for: text, read into what cannot be wrong.

use std::num::NonZeroU64;

use apus_data::values::select::{Format, HaloQuery, SelectRequest};
use apus_swift::{Condition, Frame, Granularity, Length, Padding, RegionRequest, Sample, SelectionRequest, Shape};
use serde::Deserialize;

use super::lists::{Boxes, Ids, Spheres, Texts};
use crate::{
    config::Limits,
    http::{
        error::{ApiError, ApiResult},
        params::{Params, unknown},
    },
};

/// The parameters of `/v1/select`, which are also the members of its body.
const PARAMETERS: [&str; 21] = [
    "fields",
    "box",
    "sphere",
    "region_unit",
    "region_frame",
    "group",
    "groups",
    "catalogue",
    "aperture",
    "members",
    "rows",
    "padding",
    "where",
    "ids",
    "sample",
    "stride",
    "limit",
    "unit",
    "frame",
    "format",
    "explain",
];

/// The form of the answer.
#[derive(utoipa::ToSchema)]
#[schema(rename_all = "lowercase")]
#[expect(dead_code, reason = "it describes a parameter, which is read by apus-data's names")]
pub(crate) enum FormatName {
    /// numpy's archive of arrays.
    Npz,
    /// A stream of record batches.
    Arrow,
    /// A file of record batches.
    Feather,
    /// A snapshot of the rows.
    Hdf5,
    /// A table.
    Parquet,
    /// A line of names, and a line for each row.
    Csv,
    /// The same after a header of types and units, for astropy.
    Ecsv,
    /// The table of the Virtual Observatory, for TOPCAT and astropy.
    Votable,
    /// An object of nested lists.
    Json,
}

/// Comoving or physical.
#[derive(utoipa::ToSchema)]
#[schema(rename_all = "lowercase")]
#[expect(dead_code, reason = "it describes a parameter, which is read as text")]
pub(crate) enum FrameName {
    /// Lengths grow with the Universe.
    Comoving,
    /// Lengths are what a ruler would tell.
    Physical,
}

/// Which rows a region takes.
#[derive(utoipa::ToSchema)]
#[schema(rename_all = "lowercase")]
#[expect(dead_code, reason = "it describes a parameter, which is read as text")]
pub(crate) enum RowsName {
    /// Those inside.
    Particles,
    /// All of the cells that it touches.
    Cells,
}

/// The body of a POST: the parameters of a GET, lists as lists where that is easier.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SelectBody {
    /// Fields: a list, or text with commas.
    #[schema(value_type = Object)]
    fields: Texts,
    /// Boxes: `[xmin, xmax, ymin, ymax, zmin, zmax]` with `null` for an open side, a list of those, or text as in a GET.
    #[schema(value_type = Option<Object>)]
    r#box: Option<Boxes>,
    /// Spheres: `[x, y, z, radius]`, a list of those, or text as in a GET.
    #[schema(value_type = Option<Object>)]
    sphere: Option<Spheres>,
    /// The unit of the region's numbers that have none of their own; without it, the file's length.
    #[schema(examples("kpc", "Mpc"))]
    region_unit: Option<String>,
    /// The frame of the numbers of the region; `comoving` where it is missing.
    #[schema(value_type = Option<FrameName>, inline)]
    region_frame: Option<String>,
    /// The id of a halo in the catalogue.
    #[schema(value_type = Option<Object>)]
    group: Option<Ids>,
    /// Ids of halos: a list, or text with commas. Rows of any of them are wanted, each once.
    #[schema(value_type = Option<Object>)]
    groups: Option<Ids>,
    /// The path of the FOF or SOAP catalogue that halos are looked up in.
    #[schema(example = "fof_cosmic_web_0002.hdf5")]
    catalogue: Option<String>,
    /// How far about the centres of the halos: a radius of the catalogue such as `r200c`, or a length such as `2 Mpc`.
    #[schema(example = "2 Mpc")]
    aperture: Option<String>,
    /// Whether rows must be members of their halo; `true` where it is missing and there is no aperture, else `false`.
    #[schema(example = true)]
    members: Option<bool>,
    /// `particles` (where it is missing) or `cells`.
    #[schema(value_type = Option<RowsName>, inline)]
    rows: Option<String>,
    /// Widen cells by this fraction of their side on each side where the file has no bounds of them, as swiftsimio's `safe_padding`, instead
    /// of looking at the positions of all rows.
    #[schema(example = 0.1)]
    padding: Option<f64>,
    /// Conditions: a list, or text with semicolons.
    #[schema(value_type = Option<Object>)]
    r#where: Option<Texts>,
    /// Particle ids: a list, or text with commas.
    #[schema(value_type = Option<Object>)]
    ids: Option<Ids>,
    /// The fraction of a random sample.
    #[schema(example = 0.5)]
    sample: Option<f64>,
    /// Every how-manieth row.
    #[schema(example = 7)]
    stride: Option<u64>,
    /// The most rows of each type.
    #[schema(example = 10)]
    limit: Option<u64>,
    /// Units of the answer, each for the fields of its dimensions: a list, or text with commas.
    #[schema(value_type = Option<Object>)]
    unit: Option<Texts>,
    /// The frame of the answer; as stored where it is missing.
    #[schema(value_type = Option<FrameName>, inline)]
    frame: Option<String>,
    /// The form of the answer; `npz` where it is missing.
    #[schema(value_type = Option<FormatName>, inline)]
    format: Option<String>,
    /// Whether to tell what the selection would take instead of answering it.
    #[serde(default)]
    #[schema(example = true)]
    explain: bool,
}

/// The parameters that say which rows, which every route that looks at rows takes.
pub(super) const WHICH_ROWS: [&str; 16] = [
    "box",
    "sphere",
    "region_unit",
    "region_frame",
    "group",
    "groups",
    "catalogue",
    "aperture",
    "members",
    "rows",
    "padding",
    "where",
    "ids",
    "sample",
    "stride",
    "limit",
];

/// What a query asks for.
///
/// Errors: 400.
pub(super) fn of_query(query: Option<&str>, limits: &Limits) -> ApiResult<SelectRequest> {
    let mut params = Params::parse(query, &PARAMETERS)?;
    let fields = params.take("fields").ok_or_else(no_fields)?;
    of_body(of_params(&mut params, Texts::One(fields))?, limits)
}

/// Which rows a query asks for, of a request for something else than fields.
///
/// Errors: 400.
pub(super) fn rows_of(params: &mut Params, limits: &Limits) -> ApiResult<SelectRequest> {
    request_of(of_params(params, Texts::List(Vec::new()))?, limits)
}

fn of_params(params: &mut Params, fields: Texts) -> ApiResult<SelectBody> {
    let mut number = |name: &str| {
        params
            .take(name)
            .map(|text| text.trim().parse::<u64>().map_err(|_| bad(format!("{name}={text}: expected a whole number"))))
            .transpose()
    };
    let (stride, limit) = (number("stride")?, number("limit")?);
    let mut fraction = |name: &str| params.take(name).map(|text| parse_fraction(name, &text)).transpose();
    let (sample, padding) = (fraction("sample")?, fraction("padding")?);
    let mut flag = |name: &str| match params.take(name).as_deref() {
        None => Ok(None),
        Some("false" | "0") => Ok(Some(false)),
        Some("" | "true" | "1") => Ok(Some(true)),
        Some(other) => Err(unknown(&format!("value of {name}"), other, &["true", "false"])),
    };
    let (explain, members) = (flag("explain")?.unwrap_or(false), flag("members")?);
    Ok(SelectBody {
        fields,
        r#box: params.take("box").map(Boxes::Text),
        sphere: params.take("sphere").map(Spheres::Text),
        region_unit: params.take("region_unit"),
        region_frame: params.take("region_frame"),
        group: params.take("group").map(Ids::Text),
        groups: params.take("groups").map(Ids::Text),
        catalogue: params.take("catalogue"),
        aperture: params.take("aperture"),
        members,
        rows: params.take("rows"),
        padding,
        r#where: params.take("where").map(Texts::One),
        ids: params.take("ids").map(Ids::Text),
        sample,
        stride,
        limit,
        unit: params.take("unit").map(Texts::One),
        frame: params.take("frame"),
        format: params.take("format"),
        explain,
    })
}

/// What a body asks for.
///
/// Errors: 400; 413 for more conditions than one selection may have.
pub(super) fn of_body(body: SelectBody, limits: &Limits) -> ApiResult<SelectRequest> {
    let request = request_of(body, limits)?;
    if request.request.fields.is_empty() { Err(no_fields()) } else { Ok(request) }
}

fn request_of(body: SelectBody, limits: &Limits) -> ApiResult<SelectRequest> {
    let fields = body.fields.split(',');
    let mut shapes = Vec::new();
    match body.r#box {
        None => {}
        Some(Boxes::List(list)) => shapes.extend(list.into_iter().map(box_of)),
        Some(Boxes::Text(text)) => shapes.extend(Shape::parse_boxes(&text)?),
    }
    match body.sphere {
        None => {}
        Some(Spheres::List(list)) => shapes.extend(list.into_iter().map(sphere_of)),
        Some(Spheres::Text(text)) => shapes.extend(Shape::parse_spheres(&text)?),
    }
    if shapes.is_empty() && (body.region_unit.is_some() || body.region_frame.is_some()) {
        return Err(bad("region_unit and region_frame are about box and sphere, of which there is none".to_owned()));
    }
    let ids = body.ids.map(|ids| ids.list("ids")).transpose()?;
    let halos = match (body.group, body.groups) {
        (None, None) => None,
        (Some(ids), None) => Some(ids.list("group")?),
        (None, Some(ids)) => Some(ids.list("groups")?),
        (Some(one), Some(more)) => Some([one.list("group")?, more.list("groups")?].concat()),
    };
    let halos = HaloQuery::new(halos, body.catalogue.as_deref(), body.aperture, body.members)?;
    let stride = body.stride.map(|n| NonZeroU64::new(n).ok_or_else(|| bad("stride=0: expected 1 or more".to_owned())));
    Ok(SelectRequest {
        request: SelectionRequest {
            fields,
            region: RegionRequest {
                shapes,
                unit: body.region_unit,
                frame: body.region_frame.map(|text| parse_frame("region_frame", &text)).transpose()?,
            },
            granularity: match body.rows.as_deref() {
                None | Some("particles") => Granularity::Particles,
                Some("cells") => Granularity::Cells,
                Some(other) => return Err(unknown("value of rows", other, &["particles", "cells"])),
            },
            halos: None,
            padding: body.padding.map(Padding::new).transpose()?,
            conditions: body.r#where.map_or(Ok(Vec::new()), |texts| parse_conditions(&texts, limits))?,
            ids,
            sample: body.sample.map(Sample::new).transpose()?,
            stride: stride.transpose()?,
            limit: body.limit,
            units: body.unit.map_or_else(Vec::new, |texts| texts.split(',')),
            frame: body.frame.map(|text| parse_frame("frame", &text)).transpose()?,
        },
        halos,
        format: body.format.map_or(Ok(Format::Npz), |text| parse_format(&text))?,
        explain: body.explain,
    })
}

impl Ids {
    /// The ids; `what` is what messages call them.
    fn list(self, what: &str) -> ApiResult<Vec<u64>> {
        match self {
            Self::One(id) => Ok(vec![id]),
            Self::List(ids) => Ok(ids),
            Self::Text(text) => parse_ids(what, &text),
        }
    }
}

impl Texts {
    /// The texts; a single one is cut where `separator` is.
    fn split(self, separator: char) -> Vec<String> {
        match self {
            Self::One(text) => {
                let parts = text.split(separator).map(|part| part.trim().to_owned());
                parts.filter(|part| !part.is_empty()).collect()
            }
            Self::List(list) => list,
        }
    }
}

fn bad(detail: String) -> ApiError {
    ApiError::bad_request(detail)
}

fn no_fields() -> ApiError {
    bad("say which fields: fields=gas.coordinates,gas.masses; /v1/info shows what there is".to_owned())
}

/// Conditions; in a text that holds several, columns count from its start.
///
/// Errors: 413 for more of them, or longer ones, than one selection may have: each row is compared with all.
fn parse_conditions(texts: &Texts, limits: &Limits) -> ApiResult<Vec<Condition>> {
    let (n, size_bytes) = match texts {
        Texts::List(list) => (list.len(), list.iter().map(String::len).sum()),
        Texts::One(text) => (text.split(';').count(), text.len()),
    };
    if n > limits.conditions {
        return Err(ApiError::too_large(format!(
            "where: {n} conditions, the most is {}; a list of values is better asked for by ids, and a range as in \"1 < x <= 2\"",
            limits.conditions
        )));
    }
    if size_bytes > limits.condition_bytes {
        return Err(ApiError::too_large(format!(
            "where: the conditions have {size_bytes} bytes together, the most is {}; ask in several requests",
            limits.condition_bytes
        )));
    }
    match texts {
        Texts::List(list) => list.iter().map(|text| Ok(text.parse()?)).collect(),
        Texts::One(text) => {
            let mut n_before = 0;
            let parts = text.split(';').map(|part| {
                let condition = Condition::parse_part(part, n_before)?;
                n_before += part.chars().count() + 1;
                Ok(condition)
            });
            parts.collect()
        }
    }
}

fn parse_format(text: &str) -> ApiResult<Format> {
    let names = Format::ALL.map(|(name, _)| name);
    let found = Format::ALL.iter().find(|(name, _)| *name == text);
    found.map(|(_, format)| *format).ok_or_else(|| unknown("format", text, &names))
}

fn parse_fraction(name: &str, text: &str) -> ApiResult<f64> {
    text.trim().parse().map_err(|_| {
        let shown: String = text.chars().take(40).collect();
        bad(format!("{name}: {shown:?} is no number"))
    })
}

fn parse_ids(what: &str, text: &str) -> ApiResult<Vec<u64>> {
    let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
    parts
        .map(|part| {
            let shown: String = part.chars().take(40).collect();
            part.parse().map_err(|_| bad(format!("{what}: {shown:?} is no whole number from 0 to {}", u64::MAX)))
        })
        .collect()
}

pub(super) fn parse_frame(what: &str, text: &str) -> ApiResult<Frame> {
    match text {
        "comoving" => Ok(Frame::Comoving),
        "physical" => Ok(Frame::Physical),
        other => Err(unknown(&format!("value of {what}"), other, &["comoving", "physical"])),
    }
}

fn box_of([x0, x1, y0, y1, z0, z1]: [Option<f64>; 6]) -> Shape<Length> {
    Shape::Box([[x0, x1], [y0, y1], [z0, z1]]).into()
}

fn sphere_of([x, y, z, radius]: [f64; 4]) -> Shape<Length> {
    Shape::Sphere { centre: [x, y, z], radius }.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(text: &str) -> Result<SelectRequest, String> {
        of_query(Some(text), &Limits::default()).map_err(|error| error.to_string())
    }

    #[test]
    fn text_and_json_mean_the_same() {
        let body = |json: &str| of_body(serde_json::from_str(json).unwrap(), &Limits::default()).unwrap();
        let get = query(
            "fields=gas.masses,/PartType0/Coordinates&box=1,2,,,3,;0,1,0,1,0,1&sphere=1,2,3,4&region_unit=kpc&rows=cells\
             &group=7&groups=9,8&catalogue=/a/fof.hdf5&aperture=2+Mpc&members=true\
             &where=temperatures%3E1e5 K;masses>0&ids=3,1&sample=0.5&stride=2&limit=7&unit=kpc,g&frame=physical&format=arrow\
             &explain=true",
        );
        let post = body(
            r#"{"fields": ["gas.masses", "/PartType0/Coordinates"], "box": [[1, 2, null, null, 3, null], [0, 1, 0, 1, 0, 1]],
                "sphere": [1, 2, 3, 4], "region_unit": "kpc", "rows": "cells",
                "group": 7, "groups": [9, 8], "catalogue": "a/fof.hdf5", "aperture": "2 Mpc", "members": true, "where": ["temperatures>1e5 K", "masses>0"],
                "ids": [3, 1], "sample": 0.5, "stride": 2, "limit": 7, "unit": ["kpc", "g"], "frame": "physical",
                "format": "arrow", "explain": true}"#,
        );
        assert_eq!(get, Ok(post));
    }

    #[test]
    fn what_is_wrong_is_said_with_the_place() {
        let check = |text: &str, expected: &str| {
            let error = query(text).unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
        };
        check("", "say which fields");
        check("fields=", "say which fields");
        check("fields=a&box=1,2", "2 numbers, expected xmin");
        check("fields=a&box=1,2,3,4,5,x", "\"x\" is no number");
        check("fields=a&sphere=1,2,3", "3 numbers, expected x,y,z,radius");
        check("fields=a&region_unit=kpc", "of which there is none");
        check("fields=a&group=x", "group: \"x\" is no whole number");
        check("fields=a&groups=1,-2", "groups: \"-2\" is no whole number");
        check("fields=a&aperture=r200c", "group or groups");
        check("fields=a&catalogue=fof.hdf5", "group or groups");
        check("fields=a&group=1&members=false", "without an aperture");
        check("fields=a&group=1&members=no", "true, false");
        check("fields=a&group=1&aperture=", "such as r200c");
        check("fields=a&where=a>1;b>>2", "column 7");
        check("fields=a&where=a>1;", "column 5");
        check("fields=a&stride=0", "1 or more");
        check("fields=a&sample=2", "between 0 and 1");
        check("fields=a&rows=cell", "did you mean \"cells\"");
        check("fields=a&format=npy", "did you mean \"npz\"");
        check("fields=a&ids=-1", "no whole number");
        check("fields=a&feilds=b", "did you mean \"fields\"");
    }

    #[test]
    fn conditions_are_limited_in_number_and_length() {
        let limits = Limits { conditions: 3, condition_bytes: 38, ..Limits::default() };
        let check = |conditions: &[&str], expected: Result<usize, &str>| {
            let list = serde_json::json!({"fields": "a", "where": conditions}).to_string();
            let text = serde_json::json!({"fields": "a", "where": conditions.join(";")}).to_string();
            for json in [list, text] {
                let found = of_body(serde_json::from_str(&json).unwrap(), &limits);
                match (found, expected) {
                    (Ok(found), Ok(n)) => assert_eq!(found.request.conditions.len(), n, "{json}"),
                    (Err(error), Err(expected)) => {
                        assert_eq!(error.status(), 413, "{json}");
                        assert!(error.to_string().contains(expected), "{json}: {error}");
                    }
                    (found, _) => panic!("{json}: {found:?}"),
                }
            }
        };
        check(&["a>1", "a>2", "a>3"], Ok(3));
        check(&["a>1", "a>2", "a>3", "a>4"], Err("where: 4 conditions, the most is 3"));
        check(&["a > 1000000000000", "a > 2000000000000", "a > 3"], Err("bytes together, the most is 38"));
    }
}
