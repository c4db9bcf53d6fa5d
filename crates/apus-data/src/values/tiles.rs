//! Tiles: small pictures of parts of the box, for maps, kept for as long as their files do not change.

use std::fmt;

use apus_swift::{Sample, Shape};
use bytes::Bytes;
use quick_cache::{Weighter, sync::Cache};

use super::{
    Content, EntityTag, Pinned,
    image::{Image, ImageRequest, Pixels, ViewRequest},
};
use crate::{Error, Result, encode::png, store::VPath};

/// The pixels of a side.
pub const TILE_PIXELS: usize = 256;
/// The finest level: a four-thousandth of the box.
pub const MAX_LEVEL: u8 = 12;
/// A tile is of a sample where it would be of more rows.
const MANY_ROWS: f64 = 2_097_152.0;
/// What an entry takes beside its bytes, roughly.
const ENTRY_BYTES: u64 = 256;
/// Those of a tile.
const TYPICAL_BYTES: u64 = 64 << 10;

/// A tile that is asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct TileRequest {
    /// What is pictured. Its view, pixels, region and sample do not matter.
    pub image: ImageRequest,
    /// The axis that is looked along, 0 to 2.
    pub axis: usize,
    /// At level 0 one tile is the whole box; each level has twice as many along each side.
    pub level: u8,
    /// From the left.
    pub column: u32,
    /// From above.
    pub row: u32,
    /// What the picture's depth covers, in the file's comoving length; all of it where there is none.
    pub depth: Option<[f64; 2]>,
    /// The fraction of the rows that are pictured; as the level needs where there is none.
    pub sample: Option<Sample>,
}

/// A tile, planned.
pub struct Tile {
    pinned: Pinned,
    image: Image,
    /// The picture of the whole box, where its values say what colours mean.
    whole: Option<Image>,
}

/// Tiles, limited in bytes. Cheap to clone. They are kept by the tag of their answer, which is of the states of all files that it rests on
/// and of the request.
pub struct TileCache(Option<Cache<EntityTag, Kept, Sizes>>);

#[derive(Clone)]
enum Kept {
    Tile(Bytes),
    /// The values of the first and the last colour of a whole box.
    Range([f64; 2]),
}

#[derive(Clone)]
struct Sizes;

impl Weighter<EntityTag, Kept> for Sizes {
    fn weight(&self, _: &EntityTag, kept: &Kept) -> u64 {
        ENTRY_BYTES + if let Kept::Tile(bytes) = kept { bytes.len() as u64 } else { 0 }
    }
}

impl TileCache {
    /// Nothing yet, and never more than so many bytes; 0 keeps nothing.
    pub fn new(limit_bytes: u64) -> Self {
        let n_tiles = usize::try_from(limit_bytes / TYPICAL_BYTES).unwrap_or(usize::MAX).clamp(16, 1 << 16);
        Self((limit_bytes > 0).then(|| Cache::with_weighter(n_tiles, limit_bytes, Sizes)))
    }

    /// What is kept under a tag, or else made; where several ask at once, one makes it.
    fn get(&self, tag: &EntityTag, make: impl FnOnce() -> Result<Kept>) -> Result<Kept> {
        match &self.0 {
            Some(cache) => cache.get_or_insert_with(tag, make),
            None => make(),
        }
    }
}

impl Tile {
    /// Finds out which rows may be pictured.
    ///
    /// Errors: [`Error::NotFound`] for a tile outside of the box; those of pictures.
    pub fn new(pinned: &Pinned, path: &VPath, request: &TileRequest) -> Result<Self> {
        let output = pinned.open(path)?.output()?;
        let header = output.header().ok_or_else(|| Error::invalid("the file has no box that could be pictured"))?;
        let axes = [1, 2, 0].map(|next| (request.axis + next) % 3);
        let [side, other, _] = axes.map(|axis| header.box_size[axis]);
        if (side / other - 1.0).abs() > 1e-9 {
            return Err(Error::invalid(format!(
                "tiles are square, and the box has the sides {side} and {other} there; /v1/image pictures any box"
            )));
        }
        let n_tiles = 1u32.checked_shl(u32::from(request.level)).filter(|_| request.level <= MAX_LEVEL);
        let n_tiles = n_tiles.ok_or_else(|| Error::not_found(format!("z is at most {MAX_LEVEL}")))?;
        if request.column >= n_tiles || request.row >= n_tiles {
            return Err(Error::not_found(format!(
                "there are {n_tiles} by {n_tiles} tiles at z={}, and none at {}, {}",
                request.level, request.column, request.row
            )));
        }
        let n_rows = output.group(&request.image.particle_type)?.map_or(0, |group| group.n_rows);
        let of_level = |level: u8, column: u32, row: u32| {
            let width = side / f64::from(1u32 << level);
            let lower = [f64::from(column) * width, side - f64::from(row + 1) * width];
            let mut bounds = [[None; 2]; 3];
            if level > 0 {
                bounds[axes[0]] = [Some(lower[0]), Some(lower[0] + width)];
                bounds[axes[1]] = [Some(lower[1]), Some(lower[1] + width)];
            }
            if let Some(depth) = request.depth {
                bounds[axes[2]] = depth.map(Some);
            }
            let mut image = request.image.clone();
            image.view = ViewRequest::Axis(request.axis);
            image.pixels = Pixels::Sides([TILE_PIXELS; 2]);
            image.select.request.region.shapes = vec![Shape::Box(bounds).into()];
            let sample = match request.sample {
                Some(sample) => Some(sample),
                None => sample_of(n_rows, level)?,
            };
            image.select.request.sample = sample;
            image.sample_factor = sample.map_or(1.0, |sample| 1.0 / sample.fraction());
            Image::new(pinned, path, image)
        };
        let image = of_level(request.level, request.column, request.row)?;
        let drawing = request.image.drawing;
        let is_open = drawing.lower.is_none() || drawing.upper.is_none();
        let whole = if is_open { Some(of_level(0, 0, 0)?) } else { None };
        Ok(Self { pinned: pinned.clone(), image, whole })
    }

    /// The tag of the answer.
    ///
    /// Errors: none that such a request gives; the type is the tag's.
    pub fn tag(&self) -> Result<EntityTag> {
        self.image.tag_as("tile")
    }

    /// The tile, as a PNG.
    ///
    /// Errors: those of pictures.
    pub fn content(self) -> Result<(Content, &'static str)> {
        let cache = &self.pinned.archive().tiles;
        let kept = cache.get(&self.tag()?, || {
            let range = match &self.whole {
                None => None,
                Some(whole) => match cache.get(&whole.tag_as("range")?, || Ok(Kept::Range(whole.drawn_range()?)))? {
                    Kept::Range(range) => Some(range),
                    Kept::Tile(_) => None,
                },
            };
            let bytes = self.image.drawn(range)?;
            // What is kept must be of the files that its tag is of.
            self.pinned.check_unchanged()?;
            Ok(Kept::Tile(bytes))
        })?;
        match kept {
            Kept::Tile(bytes) => Ok((Content::whole(self.pinned.clone(), bytes), png::CONTENT_TYPE)),
            Kept::Range(_) => Err(Error::internal("a range where a tile should be")),
        }
    }
}

/// The sample that leaves a tile of a level about [`MANY_ROWS`]; `None` for all of them.
fn sample_of(n_rows: u64, level: u8) -> Result<Option<Sample>> {
    #[expect(clippy::cast_precision_loss, reason = "a fraction of about that size")]
    let of_tile = n_rows as f64 / 4f64.powi(i32::from(level));
    let fraction = MANY_ROWS / of_tile;
    if fraction > 0.5 { Ok(None) } else { Ok(Some(Sample::new(fraction)?)) }
}

impl fmt::Debug for TileCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TileCache({} bytes)", self.0.as_ref().map_or(0, Cache::weight))
    }
}
