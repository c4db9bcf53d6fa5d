//! `/v1/image/{path}`: particles projected onto a plane.

use apus_data::{
    encode::json,
    store::VPath,
    values::{
        Pinned,
        image::{Image, ImageContent, ImageRequest},
        select::frame_name,
    },
};
use axum::{
    extract::{RawQuery, State},
    http::{HeaderMap, Method},
    response::Response,
};

use super::{
    image_query::{AxisName, BackendName, ColourMapName, ImageFormName, ScaleName, of_query},
    parameter_examples::{
        ApertureText, BoxText, CatalogueText, ConditionText, Count, DirectionText, ExpressionText, Fraction, HaloId,
        IdsText, LargeNumber, LengthUnitText, Number, SphereText, UnitText,
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

/// A picture of particles: their surface density, or the mean of a field along the line of sight.
///
/// The rows are those that the parameters of `/v1/select` select; the picture covers the region, or the whole box. docs/pictures.md says
/// what is exactly done, and how it compares with swiftsimio.
#[utoipa::path(
    get,
    path = "/v1/image/{path}",
    tag = "native",
    params(
        ("path" = String, Path, description = "A file", example = "cosmic_web_0002.hdf5"),
        ("type" = Option<String>, Query, description = "The particle type; `gas` where it is missing", example = "gas"),
        ("field" = Option<String>, Query, description = "A field, or an expression of fields, whose weighted mean is pictured; without it, the surface density of the weight", example = "temperatures"),
        ("weight" = inline(Option<ExpressionText>), Query, description = "A field or an expression; the mass where it is missing"),
        ("axis" = inline(Option<AxisName>), Query, description = "The axis that the picture looks along; `z` where it is missing"),
        ("along" = inline(Option<DirectionText>), Query, description = "Instead of an axis, a direction `x,y,z`: the picture is rotated about the centre of the region"),
        ("pixels" = Option<String>, Query, description = "The pixels of the longer side, or `WIDTH,HEIGHT`; 512 where it is missing, at most 4096", example = "64"),
        ("backend" = inline(Option<BackendName>), Query, description = "How particles are spread over pixels; `fast` where it is missing"),
        ("box" = inline(Option<BoxText>), Query, description = "`xmin,xmax,ymin,ymax,zmin,zmax`: what the picture covers, and its depth. Further parameters as of `/v1/select`"),
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
        ("unit" = inline(Option<UnitText>), Query, description = "The unit of the values: `Msun/kpc**2`"),
        ("frame" = inline(Option<FrameName>), Query, description = "The frame of the values, and of quantities in `where` that do not say theirs"),
        ("format" = inline(Option<ImageFormName>), Query, description = "The form; `png` where it is missing", example = "npy"),
        ("colormap" = inline(Option<ColourMapName>), Query, description = "The colours; `viridis` where it is missing"),
        ("scale" = inline(Option<ScaleName>), Query, description = "How colours go by values; `log` where it is missing"),
        ("vmin" = inline(Option<Number>), Query, description = "The value of the first colour; the least where it is missing"),
        ("vmax" = inline(Option<LargeNumber>), Query, description = "The value of the last colour; the greatest where it is missing"),
    ),
    responses(
        (status = 200, description = "The picture", content_type = "image/png"),
        (status = 206, description = "The bytes that `Range` asked for, of `npy`"),
        (status = 304, description = "The client has it already"),
        (status = 400, description = "The request is not understood, or does not fit the file", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such file, type or halo", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "More work than this service does for a picture: the numbers, and how to ask for less", body = Problem, content_type = "application/problem+json"),
        (status = 416, description = "`Range` lies outside", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "The file is no HDF5, damaged, or of a kind that is not supported", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "All places are taken", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn get_image(
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
        image_answer(&archive.pin(&caller.roles, cancelled), &path, request, &preconditions)
    })
    .await
}

fn image_answer(
    pinned: &Pinned,
    path: &VPath,
    request: ImageRequest,
    preconditions: &Preconditions,
) -> ApiResult<Answer> {
    let image = Image::new(pinned, path, request)?;
    let tag = image.tag()?;
    if let Some(answer) = preconditions.decide(&tag)? {
        return Ok(answer);
    }
    let ImageContent { content, media_type, unit, frame, extent, range } = image.content()?;
    let mut answer = Answer::of_part(content, media_type, &tag, preconditions)?;
    if media_type == json::CONTENT_TYPE {
        return Ok(answer);
    }
    let numbers = |numbers: &[f64]| numbers.iter().map(f64::to_string).collect::<Vec<_>>().join(",");
    for (name, note) in [
        (headers::UNIT, unit),
        (headers::FRAME, Some(frame_name(frame).to_owned())),
        (headers::EXTENT, Some(numbers(&extent))),
        (headers::RANGE, range.map(|range| numbers(&range))),
    ] {
        if let Some(note) = note {
            answer = answer.with_header(name, note);
        }
    }
    Ok(answer)
}
