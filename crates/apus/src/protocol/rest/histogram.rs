//! `/v1/histogram/{path}`: rows counted in bins, and profiles.

use apus_data::{
    encode::json,
    store::VPath,
    values::{
        Pinned,
        histogram::{Histogram, HistogramContent, HistogramRequest},
    },
};
use axum::{
    extract::{RawQuery, State},
    http::{HeaderMap, Method},
    response::Response,
};

use super::{
    histogram_query::{HistogramFormName, of_query},
    image_query::{ColourMapName, ScaleName},
    parameter_examples::{
        ApertureText, BoxText, CatalogueText, CentreText, ConditionText, Count, ExpressionText, Fraction, HaloId,
        IdsText, LargeNumber, LengthUnitText, Number, RangeText, SphereText, UnitText,
    },
    select_query::{FrameName, RowsName},
};
use crate::{
    app::App,
    auth::Caller,
    http::{
        answer::{self, Answer},
        error::{ApiResult, Problem},
        headers,
        params::FilePath,
        preconditions::Preconditions,
    },
};

/// A histogram of one or two axes, or a profile about a centre.
///
/// The rows are those that the parameters of `/v1/select` select. Axes and weights are fields or expressions of them. Counts equal those of
/// `numpy.histogram` and `numpy.histogram2d`; docs/pictures.md has the details.
#[utoipa::path(
    get,
    path = "/v1/histogram/{path}",
    tag = "native",
    params(
        ("path" = String, Path, description = "A file", example = "cosmic_web_0002.hdf5"),
        ("type" = Option<String>, Query, description = "The particle type; `gas` where it is missing", example = "gas"),
        ("x" = String, Query, description = "A field, or an expression of fields; not with `radial`", example = "temperatures"),
        ("x_bins" = Option<u64>, Query, description = "The number of bins; 100 where it is missing", example = 20),
        ("x_range" = inline(Option<RangeText>), Query, description = "`lower,upper`; what the values lie between where it is missing"),
        ("x_log" = Option<bool>, Query, description = "Bins are equally wide in the logarithm", example = true),
        ("x_unit" = inline(Option<UnitText>), Query, description = "The unit of the axis; the file's where it is missing"),
        ("y" = Option<String>, Query, description = "The second axis", example = "masses"),
        ("y_bins" = Option<u64>, Query, description = "As of x", example = 10),
        ("y_range" = inline(Option<RangeText>), Query, description = "As of x"),
        ("y_log" = Option<bool>, Query, description = "As of x"),
        ("y_unit" = inline(Option<UnitText>), Query, description = "As of x"),
        ("weight" = Option<String>, Query, description = "A field or an expression that is summed instead of counting", example = "masses"),
        ("radial" = inline(Option<CentreText>), Query, description = "A profile about a centre: `x,y,z`, or `halo` for that of `group` with its `aperture`; instead of x"),
        ("field" = inline(Option<ExpressionText>), Query, description = "With `radial`: the mean of it in each shell; without it, the density of the weight"),
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
        ("where" = inline(Option<ConditionText>), Query, description = "A condition"),
        ("ids" = inline(Option<IdsText>), Query, description = "Particle ids"),
        ("sample" = inline(Option<Fraction>), Query, description = "A fraction of the rows"),
        ("stride" = inline(Option<Count>), Query, description = "Every how-manieth row"),
        ("limit" = inline(Option<Count>), Query, description = "The most rows"),
        ("unit" = inline(Option<UnitText>), Query, description = "The unit of the sums of the weight, or of the profile"),
        ("frame" = inline(Option<FrameName>), Query, description = "The frame of axes, weights and profiles, and of quantities that do not say theirs"),
        ("format" = inline(Option<HistogramFormName>), Query, description = "The form; `npz` where it is missing", example = "npz"),
        ("colormap" = inline(Option<ColourMapName>), Query, description = "The colours of a `png`"),
        ("scale" = inline(Option<ScaleName>), Query, description = "How colours go by values"),
        ("vmin" = inline(Option<Number>), Query, description = "The value of the first colour"),
        ("vmax" = inline(Option<LargeNumber>), Query, description = "The value of the last colour"),
    ),
    responses(
        (status = 200, description = "The histogram", content_type = "application/zip"),
        (status = 206, description = "The bytes that `Range` asked for"),
        (status = 304, description = "The client has it already"),
        (status = 400, description = "The request is not understood, or does not fit the file", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such file, type or halo", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "More work than this service does for a histogram: the numbers, and how to ask for less", body = Problem, content_type = "application/problem+json"),
        (status = 416, description = "`Range` lies outside", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "The file is no HDF5, damaged, or of a kind that is not supported", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "All places are taken", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn get_histogram(
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
        histogram_answer(&archive.pin(&caller.roles, cancelled), &path, request, &preconditions)
    })
    .await
}

fn histogram_answer(
    pinned: &Pinned,
    path: &VPath,
    request: HistogramRequest,
    preconditions: &Preconditions,
) -> ApiResult<Answer> {
    let histogram = Histogram::new(pinned, path, request)?;
    let tag = histogram.tag()?;
    if let Some(answer) = preconditions.decide(&tag)? {
        return Ok(answer);
    }
    let HistogramContent { content, media_type, unit, axis_units } = histogram.content()?;
    let mut answer = Answer::of_part(content, media_type, &tag, preconditions)?;
    if media_type == json::CONTENT_TYPE {
        return Ok(answer);
    }
    if let Some(unit) = unit {
        answer = answer.with_header(headers::UNIT, unit);
    }
    for (name, unit) in [headers::X_UNIT, headers::Y_UNIT].into_iter().zip(axis_units) {
        if let Some(unit) = unit {
            answer = answer.with_header(name, unit);
        }
    }
    Ok(answer)
}
