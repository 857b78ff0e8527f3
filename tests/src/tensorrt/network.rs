//! Networks as a host walks them: layer by layer, from tensors by name.

use std::collections::HashMap;

use plugin_runtime::network::{LayerSummary, Network, NetworkSummary, TensorSummary};
use plugin_runtime::plugin::AttributeValue;
use plugin_runtime::prelude::*;

use super::{DynamicDesc, Field, Plugin, Request, find, find_quick, log, types};

/// An element type in the host's numbers.
///
/// # Panics
/// For a type that no case has.
pub fn type_number(dtype: DataType) -> i32 {
    match dtype {
        DataType::Float32 => types::FLOAT,
        DataType::Float16 => types::HALF,
        DataType::BFloat16 => types::BF16,
        DataType::Float8 => types::FP8,
        DataType::Int64 => types::INT64,
        DataType::Int32 => types::INT32,
        DataType::Int8 => types::INT8,
        DataType::UInt8 => types::UINT8,
        DataType::Int4 => types::INT4,
        DataType::Bool => types::BOOL,
        other => panic!("no case has {other}"),
    }
}

/// An attribute as a program that makes a network by hand gives it.
///
/// # Panics
/// For a type that no attribute has.
pub fn field(name: &str, value: &AttributeValue) -> Field {
    fn of<T: bytemuck::NoUninit>(name: &str, ty: i32, values: &[T]) -> Field {
        Field::new(name, ty, bytemuck::cast_slice(values).to_vec(), values.len())
    }
    match value {
        AttributeValue::Int32(v) => of(name, 5, &[*v]),
        AttributeValue::Int64(v) => of(name, 10, &[*v]),
        AttributeValue::Float32(v) => of(name, 1, &[*v]),
        AttributeValue::Float64(v) => of(name, 2, &[*v]),
        AttributeValue::Bool(v) => of(name, 3, &[u8::from(*v)]),
        AttributeValue::Str(v) => Field::text(name, v),
        AttributeValue::Bytes(v) => of(name, 6, &[&v[..], &[0]].concat()),
        AttributeValue::Int8s(v) => of(name, 3, v),
        AttributeValue::Int16s(v) => of(name, 4, v),
        AttributeValue::Int32s(v) => of(name, 5, v),
        AttributeValue::Int64s(v) => of(name, 10, v),
        AttributeValue::Float16s(v) => of(name, 0, v),
        AttributeValue::BFloat16s(v) => of(name, 9, v),
        AttributeValue::Float32s(v) => of(name, 1, v),
        AttributeValue::Float64s(v) => of(name, 2, v),
        AttributeValue::Bools(v) => of(name, 3, &v.iter().map(|v| u8::from(*v)).collect::<Vec<_>>()),
        other => panic!("no case has {other}"),
    }
}

/// A layer of a network.
#[derive(Debug)]
pub struct Step {
    /// The plugin, as it was created.
    pub plugin: Plugin,
    /// `namespace::name`.
    pub id: String,
    /// What the network says of it.
    pub layer: LayerSummary,
    /// The types of its inputs.
    pub inputs: Vec<DataType>,
    /// The extents of its inputs, as expressions.
    pub shapes: Vec<Vec<ShapeExpr>>,
}

impl Step {
    /// The plugin that a host makes of what a plan keeps; `None` where it refuses.
    pub fn made_again(&self, fields: &[Field]) -> Option<Plugin> {
        match self.plugin.is_quick() {
            true => find_quick(&self.id)?.create_quick(&self.layer.name, fields, true, Request::Unknown),
            false => find(&self.id).create(&self.layer.name, fields, true),
        }
    }

    /// How many inputs and outputs it has.
    pub fn counts(&self) -> (i32, i32) {
        (self.inputs.len() as i32, self.layer.outputs.len() as i32)
    }

    /// Its inputs and outputs, LINEAR and in the network's own types: what isn't fixed is up to `most`.
    pub fn descs(&self, most: i64) -> (Vec<DynamicDesc>, Vec<DynamicDesc>) {
        let desc = |(shape, dtype): (&Vec<ShapeExpr>, i32)| {
            let at = |open: i64| shape.iter().map(|extent| extent.constant_value().unwrap_or(open)).collect::<Vec<_>>();
            DynamicDesc::dynamic(dtype, &at(0), &at(most))
        };
        let outputs = self.layer.outputs.iter().map(|output| &output.shape);
        (
            self.shapes.iter().zip(self.input_types()).map(desc).collect(),
            outputs.zip(self.output_types()).map(desc).collect(),
        )
    }

    /// The types of its inputs in the host's numbers.
    pub fn input_types(&self) -> Vec<i32> {
        self.inputs.iter().map(|&dtype| type_number(dtype)).collect()
    }

    /// The types of its outputs in the host's numbers.
    pub fn output_types(&self) -> Vec<i32> {
        self.layer.outputs.iter().map(|output| type_number(output.dtype)).collect()
    }
}

/// The layers of a network, each after those that it depends on, as plugins of kind V3ONE.
///
/// # Errors
/// Why the host can't run it.
///
/// # Panics
/// When a plugin can't be created.
pub fn steps(network: &Network) -> Result<(NetworkSummary, Vec<Step>), String> {
    steps_of(network, &|id, name, fields| {
        let plugin = find(id).create(name, fields, false);
        Ok(plugin.unwrap_or_else(|| panic!("{id}: {:?}", log())))
    })
}

/// What makes a plugin of its id, its layer's name, and its attributes.
pub type Create<'c> = dyn Fn(&str, &str, &[Field]) -> Result<Plugin, String> + 'c;

/// The same of plugins that `create` makes.
///
/// # Errors
/// As [`steps`], and as `create`.
///
/// # Panics
/// When a tensor is used that nothing makes.
pub fn steps_of(network: &Network, create: &Create<'_>) -> Result<(NetworkSummary, Vec<Step>), String> {
    let summary = network.inspect();
    if !summary.constants.is_empty() {
        return Err("the host has no constants".into());
    }
    if summary.layers.iter().any(|layer| layer.plugin.is_none()) {
        return Err("the host has no casts".into());
    }
    let outputs = summary.layers.iter().flat_map(|layer| &layer.outputs);
    let of_name = |tensor: &TensorSummary| (tensor.name.clone(), (tensor.dtype, tensor.shape.clone()));
    let tensors: HashMap<String, (DataType, Vec<ShapeExpr>)> =
        summary.inputs.iter().chain(outputs).map(of_name).collect();
    let step = |layer: &LayerSummary| {
        let label = layer.plugin.as_deref().expect("a plugin");
        let (id, _version) = label.split_once(' ').expect("an id and a version");
        let fields: Vec<Field> = layer.attributes.iter().map(|(name, value)| field(name, value)).collect();
        Ok(Step {
            plugin: create(id, &layer.name, &fields)?,
            id: id.to_owned(),
            inputs: layer.inputs.iter().map(|name| tensors[name].0).collect(),
            shapes: layer.inputs.iter().map(|name| tensors[name].1.clone()).collect(),
            layer: layer.clone(),
        })
    };
    let steps = summary.layers.iter().map(step).collect::<Result<_, String>>()?;
    Ok((summary, steps))
}
