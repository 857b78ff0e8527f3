//! From a network and a choice for each layer to steps: the plugins in order, with the reformats and copies between them.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::network::{Layer, LayerIndex, Network, Producer, TensorIndex, TensorNode};
use crate::plugin::combination::Combination;
use crate::table::{Index, Table};
use crate::tensor::{DataType, Format};

/// A tensor of the network in one type and layout.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Value {
    pub(crate) tensor: TensorIndex,
    pub(crate) dtype: DataType,
    pub(crate) format: Format,
    pub(crate) origin: Origin,
}

/// A value's position among those of a lowered network.
pub(crate) type ValueIndex = Index<Value>;

/// Where a value comes from.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Origin {
    Input(usize),
    Constant(usize),
    Step,
}

/// The kind of a step.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum StepKind {
    /// Runs the plugin of this layer.
    Plugin(LayerIndex),
    /// Converts type and layout, or copies.
    Reformat,
}

/// A plugin or a conversion, over values.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) name: Arc<str>,
    pub(crate) kind: StepKind,
    pub(crate) inputs: Vec<ValueIndex>,
    pub(crate) outputs: Vec<ValueIndex>,
    /// For each output, the input whose memory it shares.
    pub(crate) aliases: Vec<Option<usize>>,
}

/// A network as steps over values.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lowered {
    pub(crate) values: Table<Value>,
    pub(crate) steps: Vec<Step>,
    /// The value of each network output.
    pub(crate) outputs: Vec<ValueIndex>,
}

/// `chosen` holds one combination per layer.
pub(crate) fn lower(network: &Network, chosen: &Table<Layer, &Combination>) -> Lowered {
    let mut lowering = Lowering {
        network,
        lowered: Lowered::default(),
        produced: HashMap::new(),
        converted: HashMap::new(),
        uses: uses(network),
    };
    for (index, &tensor) in network.inputs.iter().enumerate() {
        lowering.source(tensor, Origin::Input(index));
    }
    for (tensor, node) in network.tensors.entries() {
        if let Producer::Constant(index) = node.producer {
            lowering.source(tensor, Origin::Constant(index));
        }
    }
    for (tensor, node) in network.tensors.entries() {
        match node.producer {
            Producer::Layer { layer, output: 0 } => lowering.layer(layer, chosen[layer]),
            Producer::Cast(source) => lowering.cast(tensor, source),
            _ => {}
        }
    }
    lowering.network_outputs();
    lowering.lowered
}

fn uses(network: &Network) -> Table<TensorNode, usize> {
    let mut uses = network.tensors.map(|_| 0);
    let by_layers = network.layers.iter().flat_map(|l| &l.inputs);
    let by_casts = network.tensors.iter().filter_map(|t| match &t.producer {
        Producer::Cast(source) => Some(source),
        _ => None,
    });
    let by_outputs = network.outputs.iter().map(|(t, _)| t);
    by_layers.chain(by_casts).chain(by_outputs).for_each(|&t| uses[t] += 1);
    uses
}

struct Lowering<'n> {
    network: &'n Network,
    lowered: Lowered,
    /// The value that a tensor is produced as.
    produced: HashMap<TensorIndex, ValueIndex>,
    /// Values that reformats made, to be shared.
    converted: HashMap<(TensorIndex, DataType, Format), ValueIndex>,
    /// How often a tensor is used, as an input of a layer or a cast or as an output of the network.
    uses: Table<TensorNode, usize>,
}

impl Lowering<'_> {
    fn source(&mut self, tensor: TensorIndex, origin: Origin) {
        let dtype = self.network.tensors[tensor].dtype;
        let value = self.value(Value { tensor, dtype, format: Format::Linear, origin });
        self.produced.insert(tensor, value);
    }

    fn value(&mut self, value: Value) -> ValueIndex {
        self.lowered.values.push(value)
    }

    fn layer(&mut self, index: LayerIndex, combination: &Combination) {
        let layer = &self.network.layers[index];
        let laid_out = |position: usize| (combination.types[position], combination.formats[position]);
        let mut inputs = Vec::with_capacity(layer.inputs.len());
        for (position, &tensor) in layer.inputs.iter().enumerate() {
            let (dtype, format) = laid_out(position);
            let updated = layer.aliases.contains(&Some(position));
            inputs.push(if updated {
                self.own_copy(tensor, dtype, format)
            } else {
                self.shared(tensor, dtype, format)
            });
        }
        let mut outputs = Vec::with_capacity(layer.outputs.len());
        for (output, &tensor) in layer.outputs.iter().enumerate() {
            let (dtype, format) = laid_out(layer.inputs.len() + output);
            let value = self.value(Value { tensor, dtype, format, origin: Origin::Step });
            self.produced.insert(tensor, value);
            outputs.push(value);
        }
        self.lowered.steps.push(Step {
            name: layer.name.clone(),
            kind: StepKind::Plugin(index),
            inputs,
            outputs,
            aliases: layer.aliases.clone(),
        });
    }

    fn cast(&mut self, tensor: TensorIndex, source: TensorIndex) {
        let produced = self.produced[&source];
        let to = self.value(Value {
            tensor,
            dtype: self.network.tensors[tensor].dtype,
            format: Format::Linear,
            origin: Origin::Step,
        });
        self.produced.insert(tensor, to);
        let node = |tensor: TensorIndex| &self.network.tensors[tensor];
        let name = format!("cast of {} to {}", node(source).name, node(tensor).dtype);
        self.convert(name, produced, to);
    }

    /// A tensor in some type and layout, to be read.
    fn shared(&mut self, tensor: TensorIndex, dtype: DataType, format: Format) -> ValueIndex {
        let produced = self.produced[&tensor];
        let value = self.lowered.values[produced];
        if (value.dtype, value.format) == (dtype, format) {
            return produced;
        }
        if let Some(&converted) = self.converted.get(&(tensor, dtype, format)) {
            return converted;
        }
        let converted = self.reformat(produced, dtype, format);
        self.converted.insert((tensor, dtype, format), converted);
        converted
    }

    /// A tensor in some type and layout, to be overwritten: the tensor itself where nothing else uses it.
    fn own_copy(&mut self, tensor: TensorIndex, dtype: DataType, format: Format) -> ValueIndex {
        let produced = self.produced[&tensor];
        let constant = matches!(self.lowered.values[produced].origin, Origin::Constant(_));
        if self.uses[tensor] == 1 && !constant {
            return self.shared(tensor, dtype, format);
        }
        self.reformat(produced, dtype, format)
    }

    fn reformat(&mut self, source: ValueIndex, dtype: DataType, format: Format) -> ValueIndex {
        let from = self.lowered.values[source];
        let to = self.value(Value { tensor: from.tensor, dtype, format, origin: Origin::Step });
        let name = &self.network.tensors[from.tensor].name;
        let name = if (from.dtype, from.format) == (dtype, format) {
            format!("copy of {name}")
        } else {
            format!("reformat of {name}: {} {} to {dtype} {format}", from.dtype, from.format)
        };
        self.convert(name, source, to);
        to
    }

    fn convert(&mut self, name: String, source: ValueIndex, to: ValueIndex) {
        self.lowered.steps.push(Step {
            name: name.into(),
            kind: StepKind::Reformat,
            inputs: vec![source],
            outputs: vec![to],
            aliases: vec![None],
        });
    }

    /// Network outputs are in the network's own types, LINEAR, each in memory of its own, or in that of an input that
    /// was updated in place.
    fn network_outputs(&mut self) {
        let mut taken = HashSet::new();
        for position in 0..self.network.outputs.len() {
            let tensor = self.network.outputs[position].0;
            let dtype = self.network.tensors[tensor].dtype;
            let mut value = self.shared(tensor, dtype, Format::Linear);
            let is_source = !matches!(self.lowered.values[value].origin, Origin::Step);
            if is_source || !taken.insert(value) {
                value = self.reformat(value, dtype, Format::Linear);
            }
            self.lowered.outputs.push(value);
        }
    }
}
