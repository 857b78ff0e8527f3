//! What a node runs as for inputs of given dimensions, some of which may stay open until a call.

use std::ops::Range;

use crate::device::cuda::AotCompiler;
use crate::device::{Base, Region, StepLayout, StepMemory};
use crate::engine::{Asked, PlannedStep, PlannedWork, own_sizes};
use crate::error::{Error, Result};
use crate::network::{Dim, Layer, Network, SymbolSource, TensorIndex};
use crate::shape::Dims;
use crate::tactic::Choice;
use crate::tensor::{DataType, Representation};

use super::node::only_layer;
use super::{Decision, Node};

/// More than any tensor can have: how much a call needs of each is said when its extents are known.
const ANY_BYTES: usize = isize::MAX as usize;

/// What a node runs as for inputs of given dimensions.
#[derive(Debug)]
pub(crate) struct Plan {
    network: Network,
    decision: Decision,
    step: PlannedStep,
    /// For each dimension of the inputs, one after another: a fixed extent, or a symbol.
    dims: Vec<Extent>,
    ranks: Vec<usize>,
    outputs: Vec<Output>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Extent {
    Fixed(i64),
    Symbol(usize),
}

/// An output of a node.
#[derive(Clone, Debug)]
pub(crate) struct Output {
    pub(crate) dtype: DataType,
    /// The input that it is updated in place over.
    pub(crate) alias: Option<usize>,
    /// Whether its extents are known only when the node has run.
    pub(crate) data_dependent: bool,
    /// Whether others than the first of them are.
    #[cfg(feature = "jax")]
    pub(crate) inner_extents_depend_on_data: bool,
    /// Where its extents are among those of all tensors.
    pub(crate) extents: Range<usize>,
}

impl Plan {
    /// `choose` says what the network's only layer runs as.
    ///
    /// # Errors
    /// When the plugin refuses, has nothing for the device, or its kernels can't be compiled.
    pub(crate) fn new(node: &Node, dims: &[Vec<Dim>], choose: &Choose) -> Result<Plan> {
        Plan::scaled(node, dims, choose, &[])
    }

    /// The same where inputs and outputs have these quantisation scales.
    pub(super) fn scaled(node: &Node, dims: &[Vec<Dim>], choose: &Choose, scales: &[f32]) -> Result<Plan> {
        Plan::of_network(node, node.network(dims)?, choose, scales)
    }

    /// The same of a network that was made of the node before.
    pub(super) fn of_network(node: &Node, network: Network, choose: &Choose, scales: &[f32]) -> Result<Plan> {
        let failed = |error: Error| node.failed(error);
        let decision = choose(&network, &node.device).map_err(failed)?;
        let choice = &decision.choice;
        let layer = only_layer(&network)?;
        let asked = Asked::of_layer(&network, layer, choice, &AotCompiler::new(&node.device, &[])).map_err(failed)?;
        let step = step(&network, layer, (choice, scales), asked).map_err(failed)?;
        let dims = layer.inputs.iter().flat_map(|&tensor| &network.tensors[tensor].shape);
        let extent = |expr: &crate::shape::ShapeExpr| match (expr.constant_value(), expr.as_symbol()) {
            (Some(extent), _) => Ok(Extent::Fixed(extent)),
            (None, Some(symbol)) => Ok(Extent::Symbol(symbol.index as usize)),
            (None, None) => Err(Error::invalid(format_args!("an input's dimension is {expr}"))),
        };
        let dims = dims.map(extent).collect::<Result<_>>()?;
        let ranks = layer.inputs.iter().map(|&tensor| network.tensors[tensor].shape.len()).collect();
        let outputs = outputs(&network, layer);
        Ok(Plan { dims, ranks, outputs, step, decision, network })
    }

    pub(crate) fn step(&self) -> &PlannedStep {
        &self.step
    }

    /// What it runs as.
    pub(crate) fn decision(&self) -> &Decision {
        &self.decision
    }

    pub(crate) fn outputs(&self) -> &[Output] {
        &self.outputs
    }

    /// How many symbols its extents depend on.
    pub(crate) fn symbols(&self) -> usize {
        self.network.symbols.len()
    }

    /// Whether inputs can have these extents; if so, puts the symbols to them.
    pub(crate) fn take(&self, inputs: &[Dims], symbols: &mut Vec<i64>) -> bool {
        const NOT_SET: i64 = -1;
        if inputs.len() != self.ranks.len() || inputs.iter().zip(&self.ranks).any(|(dims, rank)| dims.len() != *rank) {
            return false;
        }
        symbols.clear();
        symbols.resize(self.symbols(), NOT_SET);
        let given = inputs.iter().flat_map(|dims| dims.iter().copied());
        given.zip(&self.dims).all(|(given, extent)| match *extent {
            Extent::Fixed(extent) => extent == given,
            Extent::Symbol(symbol) => match &mut symbols[symbol] {
                value if *value == NOT_SET => {
                    *value = given;
                    true
                }
                value => *value == given,
            },
        })
    }
}

/// Says what a network's only layer runs as on a device.
pub(crate) type Choose = dyn Fn(&Network, &crate::device::Device) -> Result<Decision> + Send + Sync;

/// The layer as a step whose memory are bindings, of whatever size: the inputs, then the outputs, then the workspace.
fn step(network: &Network, layer: &Layer, (choice, scales): (&Choice, &[f32]), asked: Asked) -> Result<PlannedStep> {
    let region = |binding: usize, len: usize| Region { base: Base::Binding(binding), offset: 0, len };
    let types = choice.combination.types.iter().zip(&choice.combination.formats);
    let scales = scales.iter().copied().chain(std::iter::repeat(1.0));
    let representations: Vec<Representation> =
        types.zip(scales).map(|((&t, &f), scale)| Representation { scale, ..Representation::new(t, f) }).collect();
    let rank = |tensor: TensorIndex| vec![0; network.tensors[tensor].shape.len()];
    let dims = |tensor: TensorIndex| Dims::new(&rank(tensor)).unwrap_or_default();
    let (inputs, outputs) = (layer.inputs.len(), layer.outputs.len());
    let mut layout = StepLayout::new(&layer.aliases);
    for (index, (&tensor, name)) in layer.inputs.iter().zip(layer.plugin().entry.inputs).enumerate() {
        layout.input((*name).into(), representations[index], dims(tensor), region(index, ANY_BYTES));
    }
    for (output, &tensor) in layer.outputs.iter().enumerate() {
        let binding = layer.aliases[output].unwrap_or(inputs + output);
        layout.output(representations[inputs + output], dims(tensor), region(binding, ANY_BYTES));
    }
    let workspace = if asked.workspace.is_some() { ANY_BYTES } else { 0 };
    let memory: StepMemory = layout.finish(region(inputs + outputs, workspace))?;
    let extents = layer.tensors().flat_map(|tensor| network.tensors[tensor].shape.iter().cloned()).collect();
    let Asked { work, workspace } = asked;
    PlannedStep::new(layer.name.clone(), work, memory, extents, workspace, own_sizes(network, layer)?)
}

fn outputs(network: &Network, layer: &Layer) -> Vec<Output> {
    let mut at = layer.inputs.iter().map(|&tensor| network.tensors[tensor].shape.len()).sum();
    let of = |(&tensor, &alias): (&TensorIndex, &Option<usize>)| {
        let node = &network.tensors[tensor];
        let extents = at..at + node.shape.len();
        at = extents.end;
        let data_dependent = node.shape.iter().any(crate::network::data_dependent);
        Output {
            dtype: node.dtype,
            alias,
            data_dependent,
            #[cfg(feature = "jax")]
            inner_extents_depend_on_data: node.shape.iter().skip(1).any(crate::network::data_dependent),
            extents,
        }
    };
    layer.outputs.iter().zip(&layer.aliases).map(of).collect()
}

impl Plan {
    /// The ranges of its symbols: those of dimensions at their extents, size tensors up to their upper bounds.
    pub(super) fn ranges(&self, symbols: &[i64]) -> Vec<crate::shape::Interval> {
        use crate::shape::Interval;
        let range = |(def, &value): (&crate::network::SymbolDef, &i64)| match def.source {
            SymbolSource::Dim(_) => Interval::exactly(value),
            SymbolSource::Size { .. } => Interval { min: 0, max: value },
        };
        self.network.symbols.iter().zip(symbols).map(range).collect()
    }

    /// The kernels that it runs, where they were described ahead of time.
    pub(super) fn kernels(&self) -> Option<&crate::device::cuda::AotProgram> {
        match &self.step.work {
            PlannedWork::Kernels { program, .. } => Some(program),
            _ => None,
        }
    }
}
