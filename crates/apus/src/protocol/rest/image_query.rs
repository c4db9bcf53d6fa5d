//! What `/v1/image` is asked for: text, read into what cannot be wrong.

use apus_data::{
    encode::colours::ColourMap,
    values::{
        Drawing,
        image::{Backend, ImageForm, ImageRequest, MAX_PIXELS, Pixels, ViewRequest},
    },
};
use apus_swift::Formula;

use super::select_query::{WHICH_ROWS, parse_frame, rows_of};
use crate::{
    config::Limits,
    http::{
        error::{ApiError, ApiResult},
        params::{Params, unknown},
    },
};

/// The parameters of `/v1/image`, beside those that say which rows.
const PARAMETERS: [&str; 14] = [
    "type", "field", "weight", "axis", "along", "pixels", "backend", "unit", "frame", "format", "colormap", "scale",
    "vmin", "vmax",
];
const AXES: [&str; 3] = ["x", "y", "z"];
const SCALES: [&str; 2] = ["log", "linear"];
/// The pixels of a picture that does not say them.
const USUAL_PIXELS: usize = 512;

/// Along which axis of the box.
#[derive(utoipa::ToSchema)]
#[schema(rename_all = "lowercase")]
#[expect(dead_code, reason = "it describes a parameter, which is read as text")]
pub(super) enum AxisName {
    /// The picture's x and y are y and z.
    X,
    /// They are z and x.
    Y,
    /// They are x and y.
    Z,
}

/// How particles are spread over pixels.
#[derive(utoipa::ToSchema)]
#[schema(rename_all = "lowercase")]
#[expect(dead_code, reason = "it describes a parameter, which is read by apus-data's names")]
pub(super) enum BackendName {
    /// With the kernel of their smoothing length, as swiftsimio's `fast`; cloud-in-cell where they have none.
    Fast,
    /// The same, and each kernel sums to the particle's whole.
    Renormalised,
    /// Each in its pixel.
    Histogram,
}

/// The form of a picture.
#[derive(utoipa::ToSchema)]
#[schema(rename_all = "lowercase")]
#[expect(dead_code, reason = "it describes a parameter, which is read by apus-data's names")]
pub(super) enum ImageFormName {
    /// Colours.
    Png,
    /// numpy's array of 64-bit floats, `[y, x]`.
    Npy,
    /// What the values lie between.
    Json,
}

/// The colours.
#[derive(utoipa::ToSchema)]
#[schema(rename_all = "lowercase")]
#[expect(dead_code, reason = "it describes a parameter, which is read by apus-data's names")]
pub(super) enum ColourMapName {
    /// Dark blue over green to yellow.
    Viridis,
    /// Black over purple to white.
    Magma,
    /// Black over red to yellow.
    Inferno,
    /// Blue to yellow.
    Cividis,
    /// Cyclic.
    Twilight,
}

/// How colours go by values.
#[derive(utoipa::ToSchema)]
#[schema(rename_all = "lowercase")]
#[expect(dead_code, reason = "it describes a parameter, which is read as text")]
pub(super) enum ScaleName {
    /// By their logarithms.
    Log,
    /// By themselves.
    Linear,
}

/// What a query asks for.
///
/// Errors: 400.
pub(super) fn of_query(query: Option<&str>, limits: &Limits) -> ApiResult<ImageRequest> {
    let known: Vec<&str> = PARAMETERS.into_iter().chain(WHICH_ROWS).collect();
    let mut params = Params::parse(query, &known)?;
    let particle_type = params.take("type").unwrap_or_else(|| "gas".to_owned());
    let form = named("format", params.take("format"), ImageForm::Png, &ImageForm::ALL)?;
    let axis = axis(&mut params)?;
    let view = match (axis, params.take("along")) {
        (Some(_), Some(_)) => {
            return Err(bad("axis and along both say where the picture looks from: take one of them".to_owned()));
        }
        (axis, None) => ViewRequest::Axis(axis.unwrap_or(2)),
        (None, Some(text)) => ViewRequest::Along(direction(&text)?),
    };
    let pixels = params.take("pixels").map_or(Ok(Pixels::Longer(USUAL_PIXELS)), |text| parse_pixels(&text))?;
    let backend = named("backend", params.take("backend"), Backend::Fast, &Backend::ALL)?;
    let unit = params.take("unit");
    let frame = params.take("frame").map(|text| parse_frame("frame", &text)).transpose()?;
    let field = formula(&mut params, "field")?;
    let weight = formula(&mut params, "weight")?;
    let drawing = drawing(&mut params)?;
    let mut select = rows_of(&mut params, limits)?;
    select.request.frame = frame;
    Ok(ImageRequest {
        select,
        particle_type,
        field,
        weight,
        view,
        pixels,
        backend,
        sample_factor: 1.0,
        unit,
        frame,
        form,
        drawing,
    })
}

/// The axis of the box that is looked along, 0 to 2.
pub(super) fn axis(params: &mut Params) -> ApiResult<Option<usize>> {
    let position = |name: &str| {
        let found = AXES.iter().position(|axis| *axis == name);
        found.ok_or_else(|| unknown("value of axis", name, &AXES))
    };
    params.take("axis").as_deref().map(position).transpose()
}

pub(super) fn drawing(params: &mut Params) -> ApiResult<Drawing> {
    let colour_map = named("colormap", params.take("colormap"), ColourMap::Viridis, &ColourMap::ALL)?;
    let is_log = match params.take("scale").as_deref() {
        None | Some("log") => true,
        Some("linear") => false,
        Some(other) => return Err(unknown("value of scale", other, &SCALES)),
    };
    let mut number = |name: &str| params.take(name).map(|text| parse_number(name, &text)).transpose();
    Ok(Drawing { colour_map, is_log, lower: number("vmin")?, upper: number("vmax")? })
}

/// The value of that name, of those that there are.
pub(super) fn named<T: Copy>(parameter: &str, text: Option<String>, usual: T, all: &[(&str, T)]) -> ApiResult<T> {
    let Some(text) = text else { return Ok(usual) };
    let found = all.iter().find(|(name, _)| *name == text);
    found.map(|(_, value)| *value).ok_or_else(|| {
        let names: Vec<&str> = all.iter().map(|(name, _)| *name).collect();
        unknown(&format!("value of {parameter}"), &text, &names)
    })
}

/// The formula that a parameter holds; an empty one is none.
///
/// Errors: 400, with the parameter's name and the column.
pub(super) fn formula(params: &mut Params, name: &str) -> ApiResult<Option<Formula>> {
    let text = params.take(name).filter(|text| !text.trim().is_empty());
    text.map(|text| text.parse::<Formula>().map_err(|error| apus_data::Error::of_formula(name, error).into()))
        .transpose()
}

/// A number that is one.
pub(super) fn parse_number(name: &str, text: &str) -> ApiResult<f64> {
    let number = text.trim().parse::<f64>().ok().filter(|number| number.is_finite());
    number.ok_or_else(|| bad(format!("{name}={}: expected a number", shown(text))))
}

fn parse_pixels(text: &str) -> ApiResult<Pixels> {
    let side = |text: &str| text.trim().parse::<usize>().ok().filter(|n| (1..=MAX_PIXELS).contains(n));
    let pixels = match text.split_once(',') {
        None => side(text).map(Pixels::Longer),
        Some((width, height)) => side(width).zip(side(height)).map(|(width, height)| Pixels::Sides([width, height])),
    };
    pixels.ok_or_else(|| {
        bad(format!(
            "pixels={}: expected the pixels of the longer side, or WIDTH,HEIGHT, each from 1 to {MAX_PIXELS}",
            shown(text)
        ))
    })
}

fn direction(text: &str) -> ApiResult<[f64; 3]> {
    let numbers: Option<Vec<f64>> = text.split(',').map(|part| part.trim().parse().ok()).collect();
    let direction = numbers.and_then(|numbers| <[f64; 3]>::try_from(numbers).ok());
    let direction = direction.filter(|d| d.iter().all(|d| d.is_finite()) && d.iter().any(|d| *d != 0.0));
    direction.ok_or_else(|| {
        bad(format!("along={}: expected the three numbers of a direction, 1,0,1, not all of them 0", shown(text)))
    })
}

pub(super) fn shown(text: &str) -> String {
    text.chars().take(40).collect()
}

pub(super) fn bad(detail: String) -> ApiError {
    ApiError::bad_request(detail)
}
