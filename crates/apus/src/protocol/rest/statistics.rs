//! `/v1/statistics/{path}`: counts, sums, means, extremes and quantiles of fields.

use apus_data::{
    encode::json,
    store::VPath,
    values::{
        Pinned,
        summary::{MAX_QUANTILES, MAX_SUMMARISED, Summary, SummaryRequest},
    },
};
use apus_swift::Formula;
use axum::{
    extract::{RawQuery, State},
    http::{HeaderMap, Method},
    response::Response,
};

use super::{
    image_query::{bad, formula, parse_number},
    parameter_examples::{
        ApertureText, BoxText, CatalogueText, Count, ExpressionText, Fraction, HaloId, IdsText, LengthUnitText,
        SphereText, UnitText,
    },
    select_query::{FrameName, RowsName, WHICH_ROWS, parse_frame, rows_of},
};
use crate::{
    app::App,
    auth::Caller,
    config::Limits,
    http::{
        answer::{self, Answer},
        error::{ApiError, ApiResult, Problem},
        params::{FilePath, Params},
        preconditions::Preconditions,
    },
};

/// The parameters of `/v1/statistics`, beside those that say which rows.
const PARAMETERS: [&str; 6] = ["type", "fields", "weight", "quantiles", "unit", "frame"];

/// Statistics of fields, or of expressions of them, over the rows that are selected.
///
/// The rows are those that the parameters of `/v1/select` select. docs/pictures.md has the details.
#[utoipa::path(
    get,
    path = "/v1/statistics/{path}",
    tag = "native",
    params(
        ("path" = String, Path, description = "A file", example = "cosmic_web_0002.hdf5"),
        ("type" = Option<String>, Query, description = "The particle type; `gas` where it is missing", example = "gas"),
        ("fields" = String, Query, description = "Fields or expressions of them, with commas between them", example = "temperatures,masses"),
        ("weight" = inline(Option<ExpressionText>), Query, description = "A field or an expression: weighted means are told as well"),
        ("quantiles" = Option<String>, Query, description = "Numbers from 0 to 1, with commas between them", example = "0.05,0.5,0.95"),
        ("box" = inline(Option<BoxText>), Query, description = "`xmin,xmax,ymin,ymax,zmin,zmax`. Further parameters as of `/v1/select`"),
        ("sphere" = inline(Option<SphereText>), Query, description = "`x,y,z,radius`"),
        ("region_unit" = inline(Option<LengthUnitText>), Query, description = "The unit of the numbers of the region"),
        ("region_frame" = inline(Option<FrameName>), Query, description = "The frame of those numbers"),
        ("group" = inline(Option<HaloId>), Query, description = "The id of a halo in the catalogue"),
        ("groups" = inline(Option<IdsText>), Query, description = "Ids of halos"),
        ("catalogue" = inline(Option<CatalogueText>), Query, description = "The path of the FOF or SOAP catalogue"),
        ("aperture" = inline(Option<ApertureText>), Query, description = "How far about the centres of the halos"),
        ("members" = Option<bool>, Query, description = "With an aperture: whether rows must be members of their halo as well"),
        ("rows" = inline(Option<RowsName>), Query, description = "`particles` or `cells`"),
        ("padding" = inline(Option<Fraction>), Query, description = "As of `/v1/select`"),
        ("where" = Option<String>, Query, description = "A condition", example = "temperatures > 1e5 K"),
        ("ids" = inline(Option<IdsText>), Query, description = "Particle ids"),
        ("sample" = inline(Option<Fraction>), Query, description = "A fraction of the rows"),
        ("stride" = inline(Option<Count>), Query, description = "Every how-manieth row"),
        ("limit" = inline(Option<Count>), Query, description = "The most rows"),
        ("unit" = inline(Option<UnitText>), Query, description = "Units, each for the fields of its dimensions: `kpc,Msun`"),
        ("frame" = inline(Option<FrameName>), Query, description = "The frame of the values, and of quantities that do not say theirs"),
    ),
    responses(
        (status = 200, description = "The statistics", content_type = "application/json"),
        (status = 206, description = "The bytes that `Range` asked for"),
        (status = 304, description = "The client has it already"),
        (status = 400, description = "The request is not understood, or does not fit the file", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such file, type or halo", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "More than this service answers with", body = Problem, content_type = "application/problem+json"),
        (status = 416, description = "`Range` lies outside", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "The file is no HDF5, damaged, or of a kind that is not supported", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "All places are taken", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn get_statistics(
    State(app): State<App>,
    caller: Caller,
    FilePath(path): FilePath,
    RawQuery(query): RawQuery,
    method: Method,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let request = of_query(query.as_deref(), &app.config.limits)?;
    let preconditions = Preconditions::of(&headers);
    let archive = app.archive.clone();
    answer::answer(&app.work, method == Method::HEAD, move |cancelled| {
        statistics_answer(&archive.pin(&caller.roles, cancelled), &path, request, &preconditions)
    })
    .await
}

fn statistics_answer(
    pinned: &Pinned,
    path: &VPath,
    request: SummaryRequest,
    preconditions: &Preconditions,
) -> ApiResult<Answer> {
    let summary = Summary::new(pinned, path, request)?;
    let tag = summary.tag()?;
    if let Some(answer) = preconditions.decide(&tag)? {
        return Ok(answer);
    }
    Answer::of_part(summary.content()?, json::CONTENT_TYPE, &tag, preconditions)
}

/// What a query asks for.
///
/// Errors: 400.
fn of_query(query: Option<&str>, limits: &Limits) -> ApiResult<SummaryRequest> {
    let known: Vec<&str> = PARAMETERS.into_iter().chain(WHICH_ROWS).collect();
    let mut params = Params::parse(query, &known)?;
    let particle_type = params.take("type").unwrap_or_else(|| "gas".to_owned());
    let fields = list(params.take("fields"));
    if fields.is_empty() || fields.len() > MAX_SUMMARISED {
        return Err(bad(format!(
            "say which fields, at most {MAX_SUMMARISED}: fields=temperatures,masses; /v1/info shows what there is"
        )));
    }
    let parse = |text: &String| {
        text.parse::<Formula>()
            .map_err(|error| ApiError::from(apus_data::Error::of_formula(&format!("fields ({text})"), error)))
    };
    let fields = fields.iter().map(parse).collect::<ApiResult<Vec<_>>>()?;
    let quantiles = list(params.take("quantiles"));
    if quantiles.len() > MAX_QUANTILES {
        return Err(bad(format!("quantiles: {} are more than {MAX_QUANTILES}", quantiles.len())));
    }
    let quantile = |text: &String| {
        let number = parse_number("quantiles", text)?;
        let is_one = (0.0..=1.0).contains(&number);
        if is_one { Ok(number) } else { Err(bad(format!("quantiles: {number} is not between 0 and 1"))) }
    };
    let quantiles = quantiles.iter().map(quantile).collect::<ApiResult<Vec<_>>>()?;
    let weight = formula(&mut params, "weight")?;
    let units = list(params.take("unit"));
    let frame = params.take("frame").map(|text| parse_frame("frame", &text)).transpose()?;
    let mut select = rows_of(&mut params, limits)?;
    select.request.frame = frame;
    Ok(SummaryRequest { select, particle_type, fields, weight, quantiles, units, frame })
}

/// What stands between commas.
fn list(text: Option<String>) -> Vec<String> {
    let text = text.unwrap_or_default();
    text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
}
