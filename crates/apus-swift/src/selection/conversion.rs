//! Values in another unit or frame than the file's.

use apus_h5::Datatype;

use crate::{Error, Field, Frame, Result, UnitContext};

/// What happens to the values of a field before they leave: each is multiplied, in 64-bit floats, and rounded to the field's own type.
#[derive(Clone, Debug, PartialEq)]
pub struct Conversion {
    /// The number that stored values are multiplied by.
    pub factor: f64,
    /// The unit that they are in then, as unyt and astropy parse it; `None` where the file does not say the field's.
    pub unit: Option<String>,
    /// The frame that they are in then.
    pub frame: Frame,
}

impl Conversion {
    /// The conversion of `field` to whichever of `units` has its dimensions, and to `frame`; `None` where nothing changes.
    ///
    /// Errors: [`Error::BadUnit`]; [`Error::BadSelection`] where the field does not exist in that frame, or is of integers.
    pub fn of(field: &Field, units: &[String], frame: Option<Frame>, context: &UnitContext) -> Result<Option<Self>> {
        let mut factor = 1.0;
        let mut unit = field.unit.as_ref().map(|u| u.name.clone());
        let mut renamed = false;
        if let Some(own) = &field.unit
            && !own.dimensions.is_none()
        {
            for text in units {
                let (parsed, worth) = context.parse(text)?;
                if parsed.dimensions.agrees_with(own.dimensions) {
                    factor /= worth;
                    unit = Some(context.respell(text)?);
                    renamed = true;
                    break;
                }
            }
        }
        let frame = frame.unwrap_or(field.frame);
        factor *= field
            .frame_factor(frame, context.scale_factor)
            .ok_or_else(|| Error::BadSelection { reason: format!("{} exists as a physical value only", field.name) })?;
        #[expect(clippy::float_cmp, reason = "the product of factors that are exactly 1")]
        let is_same = factor == 1.0;
        if is_same && !renamed && frame == field.frame {
            return Ok(None);
        }
        if !is_same && !matches!(field.dtype, Datatype::Float { size: 4 | 8, .. }) {
            return Err(Error::BadSelection {
                reason: format!("{} does not hold 32-bit or 64-bit floats, which alone can be converted", field.name),
            });
        }
        Ok(Some(Self { factor, unit, frame }))
    }

    /// Converts elements in place. Elements of types that cannot be converted stay as they are; [`Conversion::of`] makes no conversion
    /// that would change them.
    pub fn apply(&self, dtype: &Datatype, bytes: &mut [u8]) {
        match dtype {
            Datatype::Float { size: 4, .. } => {
                for element in bytes.as_chunks_mut::<4>().0 {
                    #[expect(
                        clippy::cast_possible_truncation,
                        reason = "rounded to the field's own type, as documented"
                    )]
                    let value = (f64::from(f32::from_le_bytes(*element)) * self.factor) as f32;
                    *element = value.to_le_bytes();
                }
            }
            Datatype::Float { size: 8, .. } => {
                for element in bytes.as_chunks_mut::<8>().0 {
                    *element = (f64::from_le_bytes(*element) * self.factor).to_le_bytes();
                }
            }
            _ => {}
        }
    }
}
