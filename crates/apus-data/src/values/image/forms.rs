//! Pictures as arrays, as colours, and in words.

use bytes::Bytes;
use serde::Serialize;

use super::{Image, ImageContent, ImageForm, Picture};
use crate::{
    Error, Result,
    encode::{dtype::Dtype, json, npy, png},
    values::{
        Content,
        raster::{Range, png_content},
        select::frame_name,
    },
};

/// So many bytes of values are encoded at once.
const STEP_BYTES: usize = 1 << 18;

/// The answer of a picture.
pub(super) fn content(image: &Image, picture: Picture) -> Result<ImageContent> {
    let Picture { values, n_pixels, extent, n_particles, held } = picture;
    let mut range = None;
    let (content, media_type) = match image.request.form {
        ImageForm::Npy => (npy_content(image, values, n_pixels)?, npy::CONTENT_TYPE),
        ImageForm::Png => {
            let drawing = &image.request.drawing;
            let drawn = drawing.range(&values)?;
            range = Some(drawn);
            (png_content(&image.pinned, values, n_pixels, drawing.scale(drawn))?, png::CONTENT_TYPE)
        }
        ImageForm::Json => (json_content(image, &values, n_pixels, extent, n_particles)?, json::CONTENT_TYPE),
    };
    let content = content.with_rows(n_particles).holding(held);
    Ok(ImageContent { content, media_type, unit: image.unit.clone(), frame: image.frame, extent, range })
}

fn npy_content(image: &Image, values: Vec<f64>, [width, height]: [usize; 2]) -> Result<Content> {
    let dtype = Dtype::Plain("<f8".to_owned());
    let header = npy::header(&dtype, &[height as u64, width as u64]);
    let header = header.ok_or_else(|| Error::internal("a picture without a shape"))?;
    let size_bytes = (header.len() + values.len() * 8) as u64;
    let mut head = Some(Bytes::from(header));
    let mut start = 0;
    let blocks = std::iter::from_fn(move || {
        if let Some(head) = head.take() {
            return Some(Ok(head));
        }
        let part = values.get(start..values.len().min(start + STEP_BYTES / 8)).filter(|part| !part.is_empty())?;
        start += part.len();
        Some(Ok(part.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>().into()))
    });
    Ok(Content::stream(image.pinned.clone(), blocks, Some(size_bytes)))
}

#[derive(Serialize)]
struct Description<'a> {
    unit: Option<&'a str>,
    frame: &'static str,
    /// In the file's comoving length: `[xmin, xmax, ymin, ymax]`.
    extent: [f64; 4],
    extent_unit: Option<String>,
    /// Along x and y.
    pixels: [usize; 2],
    n_particles: u64,
    redshift: Option<f64>,
    /// The least and greatest of the values that are numbers; `null` where none is.
    min: Option<f64>,
    max: Option<f64>,
    /// The least above 0.
    min_positive: Option<f64>,
    /// The mean of those that are numbers.
    mean: Option<f64>,
}

fn json_content(
    image: &Image,
    values: &[f64],
    pixels: [usize; 2],
    extent: [f64; 4],
    n_particles: u64,
) -> Result<Content> {
    let Range { least, greatest, least_positive, sum, n } = Range::of(values);
    #[expect(clippy::cast_precision_loss, reason = "fewer than 2^53 pixels")]
    let mean = (n > 0).then(|| sum / n as f64);
    let units = image.parts.first().and_then(|(rows, _)| rows.output().units());
    let bytes = serde_json::to_vec(&Description {
        unit: image.unit.as_deref(),
        frame: frame_name(image.frame),
        extent,
        extent_unit: units.map(|units| units.unit_string(apus_swift::Dimensions::LENGTH)),
        pixels,
        n_particles,
        redshift: image.redshift,
        min: least,
        max: greatest,
        min_positive: least_positive,
        mean,
    });
    Ok(Content::whole(image.pinned.clone(), bytes.map_err(Error::internal)?))
}
