//! `/v1/tiles/{path}/{z}/{x}/{y}.png`: small pictures for a map that pans and zooms.

use apus_data::{
    store::VPath,
    values::{
        Pinned,
        image::{Backend, ImageForm, ImageRequest, Pixels, ViewRequest},
        tiles::{MAX_LEVEL, TILE_PIXELS, Tile, TileRequest},
    },
};
use apus_swift::Sample;
use axum::{
    extract::{RawQuery, State},
    http::{HeaderMap, Method},
    response::Response,
};

use super::{
    histogram_query::parse_range,
    image_query::{AxisName, ColourMapName, ScaleName, axis, drawing, formula, parse_number, shown},
    parameter_examples::{ConditionText, ExpressionText, Fraction, LargeNumber, Number, UnitText},
    select_query::{FrameName, parse_frame, rows_of},
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

/// The parameters of `/v1/tiles`.
const PARAMETERS: [&str; 13] = [
    "type", "field", "weight", "axis", "depth", "unit", "frame", "where", "sample", "colormap", "scale", "vmin", "vmax",
];

/// A tile of 256 by 256 pixels of a map of the box.
///
/// At `z=0` one tile is the whole box; each level has twice as many along each side. `x` counts from the left, `y` from above. Colours mean
/// the same in all tiles. docs/pictures.md says how to set up a map.
#[utoipa::path(
    get,
    path = "/v1/tiles/{path}/{z}/{x}/{y}.png",
    tag = "native",
    params(
        ("path" = String, Path, description = "A file", example = "cosmic_web_0002.hdf5"),
        ("z" = u8, Path, description = "The level, 0 to 12", example = 1),
        ("x" = u32, Path, description = "Which tile from the left", example = 0),
        ("y" = u32, Path, description = "Which tile from above", example = 1),
        ("type" = Option<String>, Query, description = "The particle type; `gas` where it is missing", example = "gas"),
        ("field" = inline(Option<ExpressionText>), Query, description = "As of `/v1/image`"),
        ("weight" = inline(Option<ExpressionText>), Query, description = "As of `/v1/image`"),
        ("axis" = inline(Option<AxisName>), Query, description = "The axis that the map looks along; `z` where it is missing"),
        ("depth" = Option<String>, Query, description = "`lower,upper` along that axis, in the file's comoving length; all of it where it is missing", example = "0,10"),
        ("unit" = inline(Option<UnitText>), Query, description = "The unit of `vmin` and `vmax`"),
        ("frame" = inline(Option<FrameName>), Query, description = "Their frame, and that of quantities in `where` that do not say theirs"),
        ("where" = inline(Option<ConditionText>), Query, description = "A condition"),
        ("sample" = inline(Option<Fraction>), Query, description = "A fraction of the particles, which stands for all; as the level needs where it is missing"),
        ("colormap" = inline(Option<ColourMapName>), Query, description = "The colours; `viridis` where it is missing"),
        ("scale" = inline(Option<ScaleName>), Query, description = "How colours go by values; `log` where it is missing"),
        ("vmin" = inline(Option<Number>), Query, description = "The value of the first colour; the least at `z=0` where it is missing"),
        ("vmax" = inline(Option<LargeNumber>), Query, description = "The value of the last colour; the greatest at `z=0` where it is missing"),
    ),
    responses(
        (status = 200, description = "The tile", content_type = "image/png"),
        (status = 206, description = "The bytes that `Range` asked for"),
        (status = 304, description = "The client has it already"),
        (status = 400, description = "The request is not understood, or does not fit the file", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such file, type or tile", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "More work than this service does for a tile: the numbers, and how to ask for less", body = Problem, content_type = "application/problem+json"),
        (status = 416, description = "`Range` lies outside", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "The file is no HDF5, damaged, or of a kind that is not supported", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "All places are taken", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn get_tile(
    State(app): State<App>,
    caller: Caller,
    FilePath(path): FilePath,
    RawQuery(query): RawQuery,
    method: Method,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let (path, place) = place(&path)?;
    let request = of_query(query.as_deref(), place, &app.config.limits)?;
    let preconditions = Preconditions::of(&headers);
    let archive = app.archive.clone();
    answer::answer(&app.work, method == Method::HEAD, move |cancelled| {
        tile_answer(&archive.pin(&caller.roles, cancelled), &path, &request, &preconditions)
    })
    .await
}

fn tile_answer(
    pinned: &Pinned,
    path: &VPath,
    request: &TileRequest,
    preconditions: &Preconditions,
) -> ApiResult<Answer> {
    let tile = Tile::new(pinned, path, request)?;
    let tag = tile.tag()?;
    if let Some(answer) = preconditions.decide(&tag)? {
        return Ok(answer);
    }
    let (content, media_type) = tile.content()?;
    Answer::of_part(content, media_type, &tag, preconditions)
}

/// Where a tile is.
#[derive(Clone, Copy)]
struct Place {
    level: u8,
    column: u32,
    row: u32,
}

/// The file and the place that the whole path says.
///
/// Errors: 404 for what is no place.
fn place(whole: &VPath) -> ApiResult<(VPath, Place)> {
    let expected = || {
        let shown = shown(whole.as_str());
        ApiError::not_found(format!("{shown}: expected PATH/Z/X/Y.png, with Z from 0 to {MAX_LEVEL}"))
    };
    let mut parts = whole.as_str().rsplitn(4, '/');
    let mut next = || parts.next().ok_or_else(expected);
    let row = next()?.strip_suffix(".png").ok_or_else(expected)?;
    let (column, level, path) = (next()?, next()?, next()?);
    let number = |text: &str| text.parse::<u32>().map_err(|_| expected());
    let level = u8::try_from(number(level)?).map_err(|_| expected())?;
    Ok((VPath::parse(path)?, Place { level, column: number(column)?, row: number(row)? }))
}

/// What a query asks for.
///
/// Errors: 400.
fn of_query(query: Option<&str>, Place { level, column, row }: Place, limits: &Limits) -> ApiResult<TileRequest> {
    let mut params = Params::parse(query, &PARAMETERS)?;
    let particle_type = params.take("type").unwrap_or_else(|| "gas".to_owned());
    let field = formula(&mut params, "field")?;
    let weight = formula(&mut params, "weight")?;
    let axis = axis(&mut params)?.unwrap_or(2);
    let depth = params.take("depth").map(|text| parse_range("depth", &text, false)).transpose()?;
    let unit = params.take("unit");
    let frame = params.take("frame").map(|text| parse_frame("frame", &text)).transpose()?;
    let sample = params.take("sample").map(|text| parse_sample(&text)).transpose()?;
    let drawing = drawing(&mut params)?;
    let mut select = rows_of(&mut params, limits)?;
    select.request.frame = frame;
    let image = ImageRequest {
        select,
        particle_type,
        field,
        weight,
        view: ViewRequest::Axis(axis),
        pixels: Pixels::Sides([TILE_PIXELS; 2]),
        backend: Backend::Fast,
        sample_factor: 1.0,
        unit,
        frame,
        form: ImageForm::Png,
        drawing,
    };
    Ok(TileRequest { image, axis, level, column, row, depth, sample })
}

fn parse_sample(text: &str) -> ApiResult<Sample> {
    let fraction = parse_number("sample", text)?;
    if fraction <= 0.0 {
        return Err(ApiError::bad_request(format!("sample={fraction}: expected a fraction above 0, at most 1")));
    }
    Ok(Sample::new(fraction)?)
}
