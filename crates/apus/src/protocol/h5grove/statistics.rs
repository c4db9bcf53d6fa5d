//! Statistics as JSON.

use apus_data::values::{ArrayStatistics, Statistic};
use serde::{Serialize, Serializer};

/// Statistics of the finite values of a dataset; all null where there are none.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Statistics {
    /// The smallest above zero.
    #[schema(value_type = Option<f64>)]
    strict_positive_min: Option<Number>,
    /// The smallest that is not below zero.
    #[schema(value_type = Option<f64>)]
    positive_min: Option<Number>,
    /// The smallest.
    #[schema(value_type = Option<f64>)]
    min: Option<Number>,
    /// The largest.
    #[schema(value_type = Option<f64>)]
    max: Option<Number>,
    /// The mean; of integers without its fraction.
    #[schema(value_type = Option<f64>)]
    mean: Option<Number>,
    /// The standard deviation; of integers without its fraction.
    #[schema(value_type = Option<f64>)]
    std: Option<Number>,
}

struct Number(Statistic);

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Statistic::Integer(value) => serializer.serialize_i128(value),
            // Null, where a sum has passed the largest number.
            Statistic::Float(value) => serializer.serialize_f64(value),
        }
    }
}

impl Statistics {
    pub(super) fn of(statistics: &ArrayStatistics) -> Self {
        let number = |statistic: Option<Statistic>| statistic.map(Number);
        Self {
            strict_positive_min: number(statistics.strict_positive_min),
            positive_min: number(statistics.positive_min),
            min: number(statistics.min),
            max: number(statistics.max),
            mean: number(statistics.mean),
            std: number(statistics.std),
        }
    }
}
