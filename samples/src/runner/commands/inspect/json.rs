//! Pieces that several kinds of file have in common, as JSON.

use plugin_runtime::plugin::AttributeValue;
use plugin_runtime::shape::ShapeExpr;
use plugin_runtime::tactic::TrialOutcome;
use plugin_runtime::tensor::DataType;
use serde_json::{Map, Value, json};

/// A number where an extent is fixed, else the expression as text.
pub(super) fn shape(shape: &[ShapeExpr]) -> Value {
    shape.iter().map(extent).collect()
}

pub(super) fn extent(extent: &ShapeExpr) -> Value {
    extent.constant_value().map_or_else(|| extent.to_string().into(), Value::from)
}

pub(super) fn tensor(name: &str, dtype: DataType, extents: &[ShapeExpr]) -> Value {
    json!({ "name": name, "dtype": dtype.name(), "shape": shape(extents) })
}

pub(super) fn attributes(attributes: &[(&'static str, AttributeValue)]) -> Value {
    attributes.iter().map(|(name, value)| ((*name).to_owned(), attribute(value))).collect::<Map<_, _>>().into()
}

/// Numbers that JSON lacks, such as NaN, and bytes are text.
fn attribute(value: &AttributeValue) -> Value {
    fn floats<T: Copy>(values: &[T], widen: impl Fn(T) -> f64) -> Value {
        values.iter().map(|&value| float(widen(value))).collect()
    }
    match value {
        AttributeValue::Int32(value) => (*value).into(),
        AttributeValue::Int64(value) => (*value).into(),
        AttributeValue::Float32(value) => float((*value).into()),
        AttributeValue::Float64(value) => float(*value),
        AttributeValue::Bool(value) => (*value).into(),
        AttributeValue::Str(value) => value.as_str().into(),
        AttributeValue::Int8s(values) => values.as_slice().into(),
        AttributeValue::Int16s(values) => values.as_slice().into(),
        AttributeValue::Int32s(values) => values.as_slice().into(),
        AttributeValue::Int64s(values) => values.as_slice().into(),
        AttributeValue::Float16s(values) => floats(values, |value| value.to_f64()),
        AttributeValue::BFloat16s(values) => floats(values, |value| value.to_f64()),
        AttributeValue::Float32s(values) => floats(values, f64::from),
        AttributeValue::Float64s(values) => floats(values, |value| value),
        AttributeValue::Bools(values) => values.as_slice().into(),
        other => other.to_string().into(),
    }
}

fn float(value: f64) -> Value {
    if value.is_finite() { value.into() } else { value.to_string().into() }
}

/// `{"time_us": 1.5}`, with `"cold_us"` besides where it was timed with a cold cache too, `{"rejected": "why"}` or `{"not_tried": "why"}`, or
/// `{"checked": "right"}` where there was nothing to choose.
pub(super) fn outcome(outcome: &TrialOutcome) -> Value {
    match outcome {
        TrialOutcome::Time(time) => json!({ "time_us": time.as_secs_f64() * 1e6 }),
        TrialOutcome::Times { warm, cold } => {
            json!({ "time_us": warm.as_secs_f64() * 1e6, "cold_us": cold.as_secs_f64() * 1e6 })
        }
        TrialOutcome::Rejected(reason) => json!({ "rejected": reason }),
        TrialOutcome::NotTried(reason) => json!({ "not_tried": reason }),
        TrialOutcome::Checked => json!({ "checked": "right" }),
        _ => Value::Null,
    }
}
