//! Values to try of parameters that pictures, histograms and statistics share: what their documentation shows.

/// A radius of a catalogue, or a length.
#[derive(utoipa::ToSchema)]
#[schema(examples("2 Mpc"))]
#[expect(dead_code, reason = "it describes a parameter, which is read as text")]
pub(super) struct ApertureText(String);

/// A region of boxes.
#[derive(utoipa::ToSchema)]
#[schema(examples("0,10,5,15,,"))]
#[expect(dead_code, reason = "it describes a parameter, which is read as text")]
pub(super) struct BoxText(String);

/// The path of a catalogue.
#[derive(utoipa::ToSchema)]
#[schema(examples("fof_cosmic_web_0002.hdf5"))]
#[expect(dead_code, reason = "it describes a parameter, which is read as text")]
pub(super) struct CatalogueText(String);

/// A centre.
#[derive(utoipa::ToSchema)]
#[schema(examples("halo", "20,25,30"))]
#[expect(dead_code, reason = "it describes a parameter, which is read as text")]
pub(super) struct CentreText(String);

/// A condition.
#[derive(utoipa::ToSchema)]
#[schema(examples("temperatures > 1e5 K"))]
#[expect(dead_code, reason = "it describes a parameter, which is read as text")]
pub(super) struct ConditionText(String);

/// A number of rows.
#[derive(utoipa::ToSchema)]
#[schema(examples(7))]
#[expect(dead_code, reason = "it describes a parameter, which is read as text")]
pub(super) struct Count(u64);

/// A direction.
#[derive(utoipa::ToSchema)]
#[schema(examples("1,1,0"))]
#[expect(dead_code, reason = "it describes a parameter, which is read as text")]
pub(super) struct DirectionText(String);

/// A field, or an expression of fields.
#[derive(utoipa::ToSchema)]
#[schema(examples("masses", "log10(temperatures / (1 K))"))]
#[expect(dead_code, reason = "it describes a parameter, which is read as text")]
pub(super) struct ExpressionText(String);

/// A fraction.
#[derive(utoipa::ToSchema)]
#[schema(examples(0.25))]
#[expect(dead_code, reason = "it describes a parameter, which is read as text")]
pub(super) struct Fraction(f64);

/// The id of a halo.
#[derive(utoipa::ToSchema)]
#[schema(examples(1))]
#[expect(dead_code, reason = "it describes a parameter, which is read as text")]
pub(super) struct HaloId(u64);

/// Ids.
#[derive(utoipa::ToSchema)]
#[schema(examples("1,2"))]
#[expect(dead_code, reason = "it describes a parameter, which is read as text")]
pub(super) struct IdsText(String);

/// A number.
#[derive(utoipa::ToSchema)]
#[schema(examples(1e6))]
#[expect(dead_code, reason = "it describes a parameter, which is read as text")]
pub(super) struct LargeNumber(f64);

/// A unit of length.
#[derive(utoipa::ToSchema)]
#[schema(examples("kpc"))]
#[expect(dead_code, reason = "it describes a parameter, which is read as text")]
pub(super) struct LengthUnitText(String);

/// A number.
#[derive(utoipa::ToSchema)]
#[schema(examples(0.5))]
#[expect(dead_code, reason = "it describes a parameter, which is read as text")]
pub(super) struct Number(f64);

/// Two numbers.
#[derive(utoipa::ToSchema)]
#[schema(examples("0.1,30"))]
#[expect(dead_code, reason = "it describes a parameter, which is read as text")]
pub(super) struct RangeText(String);

/// A region of spheres.
#[derive(utoipa::ToSchema)]
#[schema(examples("20,25,30,5"))]
#[expect(dead_code, reason = "it describes a parameter, which is read as text")]
pub(super) struct SphereText(String);

/// A unit.
#[derive(utoipa::ToSchema)]
#[schema(examples("K", "Msun"))]
#[expect(dead_code, reason = "it describes a parameter, which is read as text")]
pub(super) struct UnitText(String);
