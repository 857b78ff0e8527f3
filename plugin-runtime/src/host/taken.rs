//! The types that a plugin takes, as far as they are known before there is a node.

use std::sync::Arc;

use half::{bf16, f16};

use crate::plugin::combination::Combination;
use crate::plugin::{AttributeType, AttributeValue, BoundPlugin, Plugin};
use crate::shape::{MAX_RANK, ShapeExpr, Symbol, SymbolKind};
use crate::tensor::{DataType, OutputDesc, TensorDesc};

/// What a plugin takes, as far as it is known before there is a node.
#[derive(Debug)]
pub(crate) struct Taken {
    /// Types of the inputs, then of the outputs.
    pub(crate) types: Vec<Vec<DataType>>,
    /// For each output, the input that it is updated in place over.
    pub(crate) aliases: Vec<Option<usize>>,
    /// For each output, whether it is a size tensor.
    pub(crate) sizes: Vec<bool>,
    /// Whether it answered at all.
    pub(crate) answered: bool,
}

/// Asks a plugin for its types: with its attributes' defaults, or else with values made up, at each rank until it answers.
/// What it says may differ once there is a node, so this is only what the runtime is told first.
pub(crate) fn taken(plugin: &'static Plugin) -> Taken {
    let mut taken = Taken {
        types: Vec::new(),
        aliases: vec![None; plugin.entry.outputs],
        sizes: vec![false; plugin.entry.outputs],
        answered: false,
    };
    for made_up in [1, 0] {
        let values: Vec<AttributeValue> = plugin
            .entry
            .attributes
            .iter()
            .map(|attribute| {
                attribute.default.map_or_else(|| made_up_value(attribute.ty, made_up), |default| default())
            })
            .collect();
        let Ok(bound) = BoundPlugin::new(plugin, Arc::from(values)) else { continue };
        for rank in [4, 2, 1, 3, 5, 0, 6, 7, MAX_RANK] {
            ask(&bound, rank, &mut taken);
            if !taken.types.is_empty() {
                return taken;
            }
        }
        if plugin.entry.attributes.iter().all(|attribute| attribute.default.is_some()) {
            break;
        }
    }
    taken
}

fn ask(bound: &BoundPlugin, rank: usize, taken: &mut Taken) {
    let plugin = bound.plugin();
    let mut add = |types: Vec<DataType>| {
        if !taken.types.contains(&types) {
            taken.types.push(types);
        }
    };
    for dtype in DataType::ALL {
        let inputs = inputs(plugin, dtype, rank);
        let Ok(outputs) = bound.outputs(&inputs) else { continue };
        taken.answered = true;
        let is_size = |output: &OutputDesc| matches!(output, OutputDesc::Size(_));
        taken.sizes.iter_mut().zip(&outputs).for_each(|(size, output)| *size |= is_size(output));
        let outputs: Vec<TensorDesc> = outputs.into_iter().map(tensor).collect();
        for (alias, output) in taken.aliases.iter_mut().zip(&outputs) {
            *alias = alias.or(output.alias_of());
        }
        if plugin.autotune.is_none() {
            add(inputs.iter().chain(&outputs).map(TensorDesc::dtype).collect());
            continue;
        }
        if let Ok(Some(combinations)) = bound.combinations(&inputs, &outputs) {
            combinations.into_iter().filter(Combination::is_linear).for_each(|combination| add(combination.types));
            return;
        }
    }
}

fn inputs(plugin: &Plugin, dtype: DataType, rank: usize) -> Vec<TensorDesc> {
    let extent = |axis: usize| {
        let index = u32::try_from(axis).unwrap_or(u32::MAX);
        ShapeExpr::symbol(Symbol { kind: SymbolKind::Dim, index, name: format!("d{axis}").into() })
    };
    let desc = |index: usize| TensorDesc::of_input(index, dtype, (0..rank).map(extent).collect());
    (0..plugin.entry.inputs.len()).map(desc).collect()
}

fn tensor(output: OutputDesc) -> TensorDesc {
    match output {
        OutputDesc::Tensor(desc) => desc,
        OutputDesc::Size(size) => TensorDesc::from_shape_expr(Vec::<ShapeExpr>::new(), size.data_type()),
    }
}

/// A value that many plugins take: a small number, or no list.
fn made_up_value(ty: AttributeType, number: u8) -> AttributeValue {
    use AttributeType as Type;
    use AttributeValue as Value;
    let count = usize::from(number);
    match ty {
        Type::Int32 => Value::Int32(number.into()),
        Type::Int64 => Value::Int64(number.into()),
        Type::Float32 => Value::Float32(number.into()),
        Type::Float64 => Value::Float64(number.into()),
        Type::Bool => Value::Bool(number > 0),
        Type::Str => Value::Str(String::new()),
        Type::Bytes => Value::Bytes(vec![1; count]),
        Type::Int8s => Value::Int8s(vec![1; count]),
        Type::Int16s => Value::Int16s(vec![1; count]),
        Type::Int32s => Value::Int32s(vec![1; count]),
        Type::Int64s => Value::Int64s(vec![1; count]),
        Type::Float16s => Value::Float16s(vec![f16::ONE; count]),
        Type::BFloat16s => Value::BFloat16s(vec![bf16::ONE; count]),
        Type::Float32s => Value::Float32s(vec![1.0; count]),
        Type::Float64s => Value::Float64s(vec![1.0; count]),
        Type::Bools => Value::Bools(vec![true; count]),
    }
}
