//! The types that a model declares for its values.

use super::element_type::{self, code};
use super::proto::{DimensionProto, TensorShapeProto, TensorTypeProto, ValueInfoProto};
use super::text::check_name;
use crate::error::{Error, Result};
use crate::network::Dim;
use crate::shape::{MAX_RANK, ShapeExpr, display_shape};
use crate::tensor::DataType;

/// Element type and dimensions of a graph input.
pub(super) fn input_type(info: &ValueInfoProto) -> Result<(DataType, Vec<Dim>)> {
    let declared = tensor_type(info)?.ok_or_else(|| Error::invalid("it has no type"))?;
    let dtype = element_type::data_type(declared.elem_type.unwrap_or(0))?;
    let shape = declared.shape.as_ref().ok_or_else(|| {
        Error::invalid("it has no shape: the number of dimensions must be known, though each may be symbolic")
    })?;
    Ok((dtype, dims(shape)?))
}

/// A value is what the model declares it to be; what isn't declared can't conflict, nor can symbols.
pub(super) fn check_type(info: &ValueInfoProto, dtype: DataType, shape: &[ShapeExpr]) -> Result<()> {
    let Some(declared) = tensor_type(info)? else { return Ok(()) };
    if let Some(elem_type) = declared.elem_type.filter(|&c| c != 0 && c != code(dtype)) {
        return Err(Error::invalid(format_args!(
            "it is {}, but the model declares it as {}",
            element_type::name(code(dtype)),
            element_type::name(elem_type)
        )));
    }
    let Some(declared_shape) = &declared.shape else { return Ok(()) };
    let dims = dims(declared_shape)?;
    let differs = |(dim, expr): (&Dim, &ShapeExpr)| match (dim, expr.constant_value()) {
        (Dim::Fixed(declared), Some(extent)) => *declared != extent,
        _ => false,
    };
    if dims.len() != shape.len() || dims.iter().zip(shape).any(differs) {
        let declared: Vec<String> = dims
            .iter()
            .map(|dim| match dim {
                Dim::Fixed(extent) => extent.to_string(),
                Dim::Dynamic => "?".into(),
                Dim::Named(name) => name.clone(),
            })
            .collect();
        return Err(Error::invalid(format_args!(
            "it has the shape {}, but the model declares [{}]",
            display_shape(shape),
            declared.join(", ")
        )));
    }
    Ok(())
}

fn tensor_type(info: &ValueInfoProto) -> Result<Option<&TensorTypeProto>> {
    let Some(declared) = &info.r#type else { return Ok(None) };
    declared.tensor_type.as_ref().map(Some).ok_or_else(|| Error::invalid("its type isn't a tensor's"))
}

fn dims(shape: &TensorShapeProto) -> Result<Vec<Dim>> {
    if shape.dim.len() > MAX_RANK {
        return Err(Error::invalid(format_args!(
            "it has {} dimensions; at most {MAX_RANK} are possible",
            shape.dim.len()
        )));
    }
    shape.dim.iter().enumerate().map(|(axis, dim)| dimension(axis, dim)).collect()
}

fn dimension(axis: usize, dim: &DimensionProto) -> Result<Dim> {
    let name = dim.dim_param.as_deref().filter(|name| !name.is_empty());
    match (dim.dim_value, name) {
        (Some(_), Some(_)) => Err(Error::invalid(format_args!("dimension {axis} has both a number and a name"))),
        // What exporters write for an extent that they don't know.
        (Some(-1), None) => Ok(Dim::Dynamic),
        (Some(extent), None) if extent < 0 => Err(Error::invalid(format_args!(
            "dimension {axis} is {extent}; a dynamic one has a name (dim_param), or is -1 or left out"
        ))),
        (Some(extent), None) => Ok(Dim::Fixed(extent)),
        (None, Some(name)) => {
            check_name(format_args!("dimension {axis}"), name)?;
            Ok(Dim::Named(name.to_owned()))
        }
        (None, None) => Ok(Dim::Dynamic),
    }
}
