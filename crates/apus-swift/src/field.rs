//! Fields: the datasets of a group, and what their numbers mean.

use apus_h5::{Dataset, Datatype};
use serde::{Serialize, Serializer};

use crate::{Attributes, Dimensions, Result, UnitSystem, column_names, snake_case, units::meant_power};

/// Whether lengths are measured in a frame that expands with the universe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Frame {
    /// Expanding: positions of particles at rest stay as they are.
    Comoving,
    /// Not expanding: what a ruler would measure at the time of the output.
    Physical,
}

/// A dataset of a group, one row for each particle, group or subhalo.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Field {
    /// Its path in the file: `/PartType0/Coordinates`.
    pub path: String,
    /// swiftsimio's name for it in its group: `coordinates`.
    pub name: String,
    /// The type of the elements as they leave. In JSON: numpy's name for it, `<f8`.
    #[serde(serialize_with = "serialize_dtype")]
    pub dtype: Datatype,
    /// The shape; the first dimension counts rows.
    pub shape: Vec<u64>,
    /// What the numbers are measured in; `None` where the file does not say.
    pub unit: Option<FieldUnit>,
    /// The power of the scale factor that turns the comoving value into the physical one: physical = comoving a^exponent.
    pub a_exponent: f64,
    /// The power of the Hubble parameter; SWIFT writes 0 always.
    pub h_exponent: f64,
    /// The frame of the values as stored.
    pub frame: Frame,
    /// Whether the values can be had in the other frame (SWIFT: `Property can be converted to comoving`).
    pub convertible: bool,
    /// What it is, in the words of the file.
    pub description: Option<String>,
    /// SWIFT's expression for physical cgs units: `a U_L  [ cm ]`.
    pub expression: Option<String>,
    /// SWIFT's name of the lossy filter that rounded the values (`DScale4`); `None` where there was none.
    pub lossy_filter: Option<String>,
    /// The names of the columns, where they have any.
    pub named_columns: Option<NamedColumns>,
    /// Which rows hold values at all (SOAP).
    pub mask: Option<FieldMask>,
}

/// The unit of a field.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FieldUnit {
    /// Text that unyt and astropy both parse: `1e10*Msun/Mpc**3`.
    pub name: String,
    /// One unit in cgs, without cosmological corrections.
    pub cgs: f64,
    /// Its dimensions, in powers of the file's base units.
    pub dimensions: Dimensions,
}

/// The names of a field's columns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NamedColumns {
    /// swiftsimio's names: `carbon`.
    pub names: Vec<String>,
    /// The names as stored: `Carbon`.
    pub stored: Vec<String>,
}

/// Which rows of a SOAP field were computed: those whose particle numbers reach a threshold.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FieldMask {
    /// The datasets whose sum counts, relative to the catalogue's root.
    pub datasets: Vec<String>,
    /// What the sum must reach.
    pub threshold: f64,
}

impl Field {
    /// Describes `dataset` as a field of a file with these units.
    pub(crate) fn describe(
        path: String,
        dataset: &Dataset,
        units: Option<&UnitSystem>,
        named_columns: &[(String, Vec<String>)],
    ) -> Result<Self> {
        let attributes = Attributes::from(dataset.attributes()?);
        let link_name = path.rsplit('/').next().unwrap_or(&path);
        let columns = named_columns.iter().find(|(field, _)| field == link_name).map(|(_, columns)| columns);
        Ok(Self {
            name: snake_case(link_name),
            dtype: dataset.dtype().clone(),
            shape: dataset.shape().to_vec(),
            unit: unit_of(&attributes, units),
            a_exponent: attributes.f64("a-scale exponent").filter(|e| e.abs() <= 64.0).unwrap_or(0.0),
            h_exponent: attributes.f64("h-scale exponent").filter(|e| e.is_finite()).unwrap_or(0.0),
            frame: if attributes.u64("Value stored as physical") == Some(1) {
                Frame::Physical
            } else {
                Frame::Comoving
            },
            convertible: attributes.u64("Property can be converted to comoving").is_none_or(|v| v == 1),
            description: attributes.text("Description"),
            expression: attributes.text("Expression for physical CGS units").map(|e| e.trim().to_owned()),
            lossy_filter: attributes.text("Lossy compression filter").filter(|f| f != "None"),
            named_columns: columns.map(|stored| NamedColumns { names: column_names(stored), stored: stored.clone() }),
            mask: mask_of(&attributes),
            path,
        })
    }

    /// The number of rows; 1 for a scalar.
    pub fn n_rows(&self) -> u64 {
        self.shape.first().copied().unwrap_or(1)
    }

    /// The number of values in a row.
    pub fn n_columns(&self) -> u64 {
        self.shape.iter().skip(1).product()
    }

    /// The index of the column of that name, in swiftsimio's or the file's spelling.
    pub fn column(&self, name: &str) -> Option<usize> {
        let columns = self.named_columns.as_ref()?;
        let position = |names: &[String]| names.iter().position(|n| n == name);
        position(&columns.names).or_else(|| position(&columns.stored))
    }

    /// The number by which a stored value is multiplied to have it in `frame`, at scale factor `a`; `None` where the field
    /// exists in its own frame only.
    pub fn frame_factor(&self, frame: Frame, a: f64) -> Option<f64> {
        match (self.frame, frame) {
            (Frame::Comoving, Frame::Comoving) | (Frame::Physical, Frame::Physical) => Some(1.0),
            (Frame::Comoving, Frame::Physical) => Some(a.powf(self.a_exponent)),
            (Frame::Physical, Frame::Comoving) if self.convertible => Some(a.powf(-self.a_exponent)),
            (Frame::Physical, Frame::Comoving) => None,
        }
    }
}

fn unit_of(attributes: &Attributes, units: Option<&UnitSystem>) -> Option<FieldUnit> {
    let power = |name: &str| attributes.f64(name).filter(|p| p.abs() <= 64.0).map(meant_power);
    let dimensions = Dimensions {
        mass: power("U_M exponent")?,
        length: power("U_L exponent")?,
        time: power("U_t exponent")?,
        current: power("U_I exponent")?,
        temperature: power("U_T exponent")?,
    };
    let units = units?;
    let cgs = attributes
        .f64("Conversion factor to CGS (not including cosmological corrections)")
        .filter(|c| c.is_finite() && *c > 0.0)
        .unwrap_or_else(|| units.cgs(dimensions));
    Some(FieldUnit { name: units.unit_string(dimensions), cgs, dimensions })
}

fn mask_of(attributes: &Attributes) -> Option<FieldMask> {
    if !attributes.flag("Masked").unwrap_or(false) {
        return None;
    }
    Some(FieldMask { datasets: attributes.texts("Mask Datasets")?, threshold: attributes.f64("Mask Threshold")? })
}

fn serialize_dtype<S: Serializer>(dtype: &Datatype, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&numpy_name(dtype))
}

/// numpy's short name of a native type: `<f8`, `|u1`, `|S32`; `|V16` for what numpy has no scalar for.
fn numpy_name(dtype: &Datatype) -> String {
    let order = |size: &u32| if *size == 1 { '|' } else { '<' };
    match dtype {
        Datatype::Integer { size, signed, .. } => format!("{}{}{size}", order(size), if *signed { 'i' } else { 'u' }),
        Datatype::Float { size, .. } => format!("<f{size}"),
        Datatype::FixedString { size, .. } => format!("|S{size}"),
        Datatype::VariableString { .. } | Datatype::VariableSequence(_) => "|O".to_owned(),
        Datatype::Enum { base, .. } => numpy_name(base),
        other => format!("|V{}", other.size_bytes()),
    }
}
