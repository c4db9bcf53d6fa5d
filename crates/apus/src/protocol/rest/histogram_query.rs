//! What `/v1/histogram` is asked for: text, read into what cannot be wrong.

use apus_data::values::histogram::{AxisRequest, HistogramForm, HistogramRequest, MAX_BINS, Radial};

use super::{
    image_query::{bad, drawing, formula, named, parse_number, shown},
    select_query::{WHICH_ROWS, parse_frame, rows_of},
};
use crate::{
    config::Limits,
    http::{
        error::ApiResult,
        params::{Params, unknown},
    },
};

/// The parameters of `/v1/histogram`, beside those that say which rows.
const PARAMETERS: [&str; 21] = [
    "type", "x", "x_bins", "x_range", "x_log", "x_unit", "y", "y_bins", "y_range", "y_log", "y_unit", "weight",
    "radial", "field", "unit", "frame", "format", "colormap", "scale", "vmin", "vmax",
];
/// The bins of an axis that does not say them.
const USUAL_BINS: usize = 100;

/// The form of a histogram.
#[derive(utoipa::ToSchema)]
#[schema(rename_all = "lowercase")]
#[expect(dead_code, reason = "it describes a parameter, which is read by apus-data's names")]
pub(super) enum HistogramFormName {
    /// numpy's archive of arrays.
    Npz,
    /// An object of lists.
    Json,
    /// A line for each bin.
    Csv,
    /// Colours, or bars.
    Png,
}

/// What a query asks for.
///
/// Errors: 400.
pub(super) fn of_query(query: Option<&str>, limits: &Limits) -> ApiResult<HistogramRequest> {
    let known: Vec<&str> = PARAMETERS.into_iter().chain(WHICH_ROWS).collect();
    let mut params = Params::parse(query, &known)?;
    let particle_type = params.take("type").unwrap_or_else(|| "gas".to_owned());
    let form = named("format", params.take("format"), HistogramForm::Npz, &HistogramForm::ALL)?;
    let radial = params.take("radial").map(|text| parse_radial(&text)).transpose()?;
    let x = axis(&mut params, "x")?;
    let y = axis(&mut params, "y")?;
    let field = formula(&mut params, "field")?;
    let axes = match (radial, x.formula.is_some(), y.formula.is_some()) {
        (None, false, _) => {
            return Err(bad(
                "say what is counted: x=densities, or radial=halo for a profile; /v1/info shows what there is"
                    .to_owned(),
            ));
        }
        (None, true, false)
            if y != AxisRequest { formula: None, n_bins: USUAL_BINS, range: None, is_log: false, unit: None } =>
        {
            return Err(bad("y_bins, y_range, y_log and y_unit are about y, which is missing".to_owned()));
        }
        (None, true, false) | (Some(_), false, false) => vec![x],
        (None, true, true) => vec![x, y],
        (Some(_), ..) => {
            return Err(bad(
                "radial: the axis of a profile is the distance; leave out x and y, and say field for a mean".to_owned(),
            ));
        }
    };
    if field.is_some() && radial.is_none() {
        return Err(bad(
            "field is what a profile is the mean of: say radial, or x for the axis of a histogram".to_owned()
        ));
    }
    let weight = formula(&mut params, "weight")?;
    let unit = params.take("unit");
    let frame = params.take("frame").map(|text| parse_frame("frame", &text)).transpose()?;
    let drawing = drawing(&mut params)?;
    let mut select = rows_of(&mut params, limits)?;
    select.request.frame = frame;
    Ok(HistogramRequest { select, particle_type, axes, weight, radial, field, unit, frame, form, drawing })
}

fn axis(params: &mut Params, name: &str) -> ApiResult<AxisRequest> {
    let mut take = |what: &str| {
        let name = format!("{name}_{what}");
        params.take(&name).map(|text| (name, text))
    };
    let n_bins = take("bins").map_or(Ok(USUAL_BINS), |(name, text)| {
        let n_bins = text.trim().parse::<usize>().ok().filter(|n| (1..=MAX_BINS).contains(n));
        n_bins.ok_or_else(|| bad(format!("{name}={}: expected a number from 1 to {MAX_BINS}", shown(&text))))
    })?;
    let is_log = match take("log") {
        None => false,
        Some((name, text)) => match text.as_str() {
            "" | "true" | "1" => true,
            "false" | "0" => false,
            other => return Err(unknown(&format!("value of {name}"), other, &["true", "false"])),
        },
    };
    let range = take("range").map(|(name, text)| parse_range(&name, &text, is_log)).transpose()?;
    let unit = take("unit").map(|(_, unit)| unit);
    Ok(AxisRequest { formula: formula(params, name)?, n_bins, range, is_log, unit })
}

/// Two numbers, the second above the first.
pub(super) fn parse_range(name: &str, text: &str, is_log: bool) -> ApiResult<[f64; 2]> {
    let (lower, upper) = text
        .split_once(',')
        .ok_or_else(|| bad(format!("{name}={}: expected two numbers, LOWER,UPPER", shown(text))))?;
    let (lower, upper) = (parse_number(name, lower)?, parse_number(name, upper)?);
    if lower >= upper {
        return Err(bad(format!("{name}: the lower end, {lower}, must be below the upper one, {upper}")));
    }
    if is_log && lower <= 0.0 {
        return Err(bad(format!("{name}: with logarithmic bins the lower end must be above 0, and is {lower}")));
    }
    Ok([lower, upper])
}

fn parse_radial(text: &str) -> ApiResult<Radial> {
    if text == "halo" {
        return Ok(Radial::Halo);
    }
    let numbers: Option<Vec<f64>> = text.split(',').map(|part| part.trim().parse().ok()).collect();
    let centre = numbers.and_then(|numbers| <[f64; 3]>::try_from(numbers).ok());
    let centre = centre.filter(|centre| centre.iter().all(|x| x.is_finite()));
    let wrong = || bad(format!("radial={}: expected halo, or a centre: three numbers, X,Y,Z", shown(text)));
    centre.map(Radial::Centre).ok_or_else(wrong)
}
