//! What SWIFT's files mean, over what `apus-h5` reads.
//!
//! The nouns, in order:
//!
//! - An [`Output`] is an open file and what kind of output it is: [`OutputKind`] and [`Distribution`].
//! - Its [`Header`], [`UnitSystem`]s and [`Cosmology`] are read once, at opening.
//! - It holds [`ParticleGroup`]s (`/PartType0` and `gas`, FOF groups, SOAP apertures, sightlines) of [`Field`]s; each field has
//!   a path, swiftsimio's name for it, a type, a shape, a unit, and says whether it is comoving or physical.
//! - [`Dimensions`] and [`Unit`]s are pure values: [`Unit::parse`] reads what people write, [`UnitSystem::unit_string`]
//!   writes what unyt and astropy parse.

mod attributes;
mod binning;
mod cells;
mod condition;
mod cosmology;
mod distribution;
mod error;
mod field;
mod group;
mod halos;
mod header;
mod kind;
mod lookup;
mod lossy;
mod names;
mod naming;
mod output;
mod particle_type;
mod projection;
mod quantiles;
mod region;
mod row_mask;
mod selection;
mod subset;
mod units;
mod zones;

pub use attributes::{AttributeValue, Attributes};
pub use binning::Bins;
pub use cells::{BoundsSource, CellBounds, CellGrid, CellTable, CellTest, FoundCells, MAX_CELLS, Padding};
pub use condition::{BoundCondition, BoundFormula, ColumnBlock, Condition, ConditionColumn, Formula, Interval};
pub use cosmology::{AstropyCosmology, Cosmology};
pub use distribution::Distribution;
pub use error::{Error, Result};
pub use field::{Field, FieldMask, FieldUnit, Frame, NamedColumns};
pub use group::{ParticleGroup, Unreadable};
pub use halos::{Aperture, Halo, HaloRequest, HaloSphere, Halos, MAX_HALOS};
pub use header::Header;
pub use kind::OutputKind;
pub use names::nearest_names;
pub use naming::{column_names, snake_case};
pub use output::{Description, METADATA_GROUPS, Output, UnitDescription};
pub use particle_type::{PARTICLE_TYPES, ParticleType};
pub use projection::{Canvas, KERNEL_GAMMA, PictureGrid, Smoothing, View};
pub use quantiles::QuantileFinder;
pub use region::{MAX_SHAPES, Region, RegionRequest, Shape};
pub use row_mask::RowMask;
pub use selection::{
    ColumnStatistics, Conversion, FilterBlock, FilterColumn, Granularity, GroupSelection, MAX_FIELDS, MAX_IDS,
    RowFilter, RowScan, RowWindows, Sample, ScannedWindow, SelectedField, SelectionRequest, Statistics, WantedRows,
    read_rows, rows_reader,
};
pub use subset::{Subset, SubsetField, SubsetGroup};
pub use units::{Dimensions, Length, Unit, UnitContext, UnitSystem};
pub use zones::{Bounds, FoundZones, LearningScan, MAX_ZONES, ZoneBounds};
