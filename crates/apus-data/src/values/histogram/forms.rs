//! Histograms as arrays, as text, and as colours.

use std::fmt::Write;

use apus_swift::Bins;
use serde::Serialize;

use super::{Counted, Histogram, HistogramForm};
use crate::{
    Error, Result,
    encode::{
        csv,
        dtype::Dtype,
        json, npy,
        npz::{self, NpzArray, NpzEncoder},
        png,
    },
    values::{Content, raster::png_content},
};

/// A picture of a histogram has about so many pixels on its longer side.
const DRAWN_PIXELS: usize = 512;
/// Above the highest bar there is so much room.
const HEADROOM: f64 = 1.05;

/// The bytes, and their media type.
pub(super) fn content(histogram: &Histogram, counted: &Counted) -> Result<(Content, &'static str)> {
    let pinned = histogram.pinned.clone();
    let n_rows = counted.n_rows;
    let (content, media_type) = match histogram.request.form {
        HistogramForm::Npz => (Content::whole(pinned, npz(counted)?), npz::CONTENT_TYPE),
        HistogramForm::Json => (Content::whole(pinned, json(histogram, counted)?), json::CONTENT_TYPE),
        HistogramForm::Csv => (Content::whole(pinned, csv(counted)), csv::CONTENT_TYPE),
        HistogramForm::Png => (png(histogram, counted)?, png::CONTENT_TYPE),
    };
    Ok((content.with_rows(n_rows), media_type))
}

impl Counted {
    /// What is drawn: the profile, the sums, or the counts.
    #[expect(clippy::cast_precision_loss, reason = "drawn, not told")]
    fn heights(&self) -> Vec<f64> {
        let counts = || self.counts.iter().map(|count| *count as f64).collect();
        self.profile.clone().or_else(|| self.sums.clone()).unwrap_or_else(counts)
    }

    fn shape(&self) -> Vec<u64> {
        self.bins.iter().map(|bins| bins.n_bins() as u64).collect()
    }
}

fn npz(counted: &Counted) -> Result<Vec<u8>> {
    let floats = |values: &[f64]| values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>();
    let counts = match &counted.sums {
        Some(sums) => ("<f8", floats(sums)),
        None => ("<i8", counted.counts.iter().flat_map(|count| count.to_le_bytes()).collect()),
    };
    let mut members = vec![("counts", counts.0, counted.shape(), counts.1)];
    for (name, bins) in ["x_edges", "y_edges"].into_iter().zip(&counted.bins) {
        members.push((name, "<f8", vec![bins.edges().len() as u64], floats(bins.edges())));
    }
    if let Some(profile) = &counted.profile {
        members.push(("profile", "<f8", counted.shape(), floats(profile)));
    }
    let arrays = members.iter().map(|(name, dtype, shape, bytes)| {
        let npy_header = npy::header(&Dtype::Plain((*dtype).to_owned()), shape);
        let npy_header = npy_header.ok_or_else(|| Error::internal("a histogram without a shape"))?;
        Ok(NpzArray { name: (*name).to_owned(), npy_header, data_bytes: bytes.len() as u64 })
    });
    let mut encoder = NpzEncoder::new(arrays.collect::<Result<Vec<_>>>()?)?;
    let mut out = Vec::new();
    for (_, _, _, bytes) in &members {
        encoder.start_member(&mut out);
        encoder.pass(bytes)?;
        out.extend_from_slice(bytes);
        encoder.end_member(&mut out)?;
    }
    encoder.finish(&mut out)?;
    Ok(out)
}

#[derive(Serialize)]
struct Description<'a> {
    unit: Option<&'a str>,
    x_unit: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    y_unit: Option<&'a str>,
    /// All that were looked at, in a bin or not.
    n_rows: u64,
    counts: Values<'a>,
    x_edges: &'a [f64],
    #[serde(skip_serializing_if = "Option::is_none")]
    y_edges: Option<&'a [f64]>,
    /// `null` in empty shells.
    #[serde(skip_serializing_if = "Option::is_none")]
    profile: Option<&'a [f64]>,
}

/// Nested as the array is.
#[derive(Serialize)]
#[serde(untagged)]
enum Values<'a> {
    Counts(&'a [u64]),
    Sums(&'a [f64]),
    NestedCounts(Vec<&'a [u64]>),
    NestedSums(Vec<&'a [f64]>),
}

fn json(histogram: &Histogram, counted: &Counted) -> Result<Vec<u8>> {
    let unit = |axis: usize| histogram.axes.get(axis).and_then(|axis| axis.unit.as_deref());
    let y = counted.bins.get(1);
    let counts = match (&counted.sums, y.map(Bins::n_bins)) {
        (None, None) => Values::Counts(&counted.counts),
        (Some(sums), None) => Values::Sums(sums),
        (None, Some(n)) => Values::NestedCounts(counted.counts.chunks(n.max(1)).collect()),
        (Some(sums), Some(n)) => Values::NestedSums(sums.chunks(n.max(1)).collect()),
    };
    serde_json::to_vec(&Description {
        unit: histogram.unit.as_deref(),
        x_unit: unit(0),
        y_unit: unit(1),
        n_rows: counted.n_rows,
        counts,
        x_edges: counted.bins.first().map_or(&[], Bins::edges),
        y_edges: y.map(Bins::edges),
        profile: counted.profile.as_deref(),
    })
    .map_err(Error::internal)
}

fn csv(counted: &Counted) -> Vec<u8> {
    let mut out = String::new();
    let names = ["x_lower,x_upper", "y_lower,y_upper"];
    let mut head: Vec<&str> = names.into_iter().take(counted.bins.len()).collect();
    head.push("counts");
    if counted.profile.is_some() {
        head.push("profile");
    }
    out.push_str(&head.join(","));
    out.push_str("\r\n");
    let n_y = counted.bins.get(1).map_or(1, Bins::n_bins);
    for (number, count) in counted.counts.iter().enumerate() {
        for (bins, bin) in counted.bins.iter().zip([number / n_y, number % n_y]) {
            if let Some([lower, upper]) = bins.edges().get(bin..bin + 2) {
                let _ = write!(out, "{lower:?},{upper:?},");
            }
        }
        let _ = match counted.sums.as_ref().and_then(|sums| sums.get(number)) {
            Some(sum) => write!(out, "{sum:?}"),
            None => write!(out, "{count}"),
        };
        if let Some(profile) = counted.profile.as_ref().and_then(|profile| profile.get(number)) {
            let _ = write!(out, ",{profile:?}");
        }
        out.push_str("\r\n");
    }
    out.into_bytes()
}

/// Of two axes, a rectangle of its colour for each bin; of one, bars.
fn png(histogram: &Histogram, counted: &Counted) -> Result<Content> {
    let heights = counted.heights();
    let drawing = &histogram.request.drawing;
    let range = drawing.range(&heights)?;
    let n_x = counted.bins.first().map_or(1, Bins::n_bins);
    let (values, n_pixels) = if let Some(n_y) = counted.bins.get(1).map(Bins::n_bins) {
        let side = (DRAWN_PIXELS / n_x.max(n_y)).max(1);
        let (width, height) = (n_x * side, n_y * side);
        let value = |place: usize| {
            let (x, y) = (place % width / side, place / width / side);
            heights.get(x * n_y + y).copied().unwrap_or(f64::NAN)
        };
        ((0..width * height).map(value).collect(), [width, height])
    } else {
        let side = (DRAWN_PIXELS / n_x).max(1);
        let (width, height) = (n_x * side, DRAWN_PIXELS / 2);
        let scaled = |value: f64| if drawing.is_log { value.log10() } else { value };
        let lower = if drawing.is_log { scaled(range[0]) - 0.1 } else { scaled(range[0]).min(0.0) };
        let span = (scaled(range[1]) - lower) * HEADROOM;
        let value = |place: usize| {
            #[expect(clippy::cast_precision_loss, reason = "some hundred pixels")]
            let level = (place / width) as f64 / height as f64;
            let bar = heights.get(place % width / side).copied().unwrap_or(f64::NAN);
            if (scaled(bar) - lower) / span > level { bar } else { f64::NAN }
        };
        ((0..width * height).map(value).collect(), [width, height])
    };
    png_content(&histogram.pinned, values, n_pixels, drawing.scale(range))
}
