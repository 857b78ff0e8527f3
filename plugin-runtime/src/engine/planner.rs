//! From a network and a choice for each layer to a plan.

use std::sync::Arc;

use super::lower::{Lowered, Step, StepKind, Value, ValueIndex, lower};
use super::memory::{self, MemoryPlan};
use super::plan::{AotPlugin, OutputShape, OwnSize, Plan, PlannedStep, PlannedWork};
use crate::device::cuda::AotCompiler;
use crate::device::{BindingRule, BindingUse, Region, StepLayout};
use crate::error::{Error, LayerContext, Result};
use crate::network::{Bounds, Layer, Network, TensorNode};
use crate::plugin::Implementation;
use crate::shape::{Dims, Profile, ShapeExpr};
use crate::table::Table;
use crate::tactic::Choice;
use crate::tensor::Representation;

impl Plan {
    pub(crate) fn new(
        network: &Network,
        profile: &Profile,
        bounds: &Bounds,
        choices: &Table<Layer, Choice>,
        compiler: &AotCompiler,
    ) -> Result<Self> {
        let combinations: Table<Layer, _> = choices.iter().map(|c| &c.combination).collect();
        let lowered = lower(network, &combinations);
        let max_dims = network
            .tensors
            .iter()
            .map(|t| bounds.max_dims(&t.shape).map_err(|e| e.in_layer(LayerContext::new(&t.name, "tensor"))))
            .collect::<Result<Table<TensorNode, Dims>>>()?;
        let bytes = lowered
            .values
            .iter()
            .map(|v| Representation::new(v.dtype, v.format).bytes(&max_dims[v.tensor]))
            .collect::<Result<Table<Value, usize>>>()?;
        let mut asked = Vec::with_capacity(lowered.steps.len());
        let mut scratch = Vec::with_capacity(lowered.steps.len());
        for step in &lowered.steps {
            let asks = Asked::of(network, step, choices, compiler)?;
            scratch.push(match &asks.workspace {
                None => 0,
                Some(expr) => usize::try_from(bounds.range(expr)?.max.max(0)).unwrap_or(usize::MAX),
            });
            asked.push(asks);
        }
        let memory = memory::plan(&lowered, network.inputs.len(), &bytes, &scratch, &sizes(network, &lowered))?;
        let planner = Planner { network, lowered: &lowered, memory: &memory, max_dims: &max_dims };
        let mut steps = Vec::with_capacity(lowered.steps.len());
        for (position, asked) in asked.into_iter().enumerate() {
            steps.push(planner.step(position, asked)?);
        }
        let outputs = planner.outputs()?;
        Ok(Plan::of_steps(profile.clone(), steps, memory.arena, planner.bindings(), outputs))
    }
}

/// A step's work, and its workspace in bytes.
pub(crate) struct Asked {
    pub(crate) work: PlannedWork,
    pub(crate) workspace: Option<ShapeExpr>,
}

impl Asked {
    fn of(network: &Network, step: &Step, choices: &Table<Layer, Choice>, compiler: &AotCompiler) -> Result<Self> {
        let StepKind::Plugin(layer) = step.kind else {
            return Ok(Asked { work: PlannedWork::Reformat, workspace: None });
        };
        let (layer, choice) = (&network.layers[layer], &choices[layer]);
        Asked::of_layer(network, layer, choice, compiler)
            .map_err(|e| e.in_layer(LayerContext::new(&layer.name, &layer.plugin().label())))
    }

    /// What a layer does where this was chosen for it.
    pub(crate) fn of_layer(network: &Network, layer: &Layer, choice: &Choice, compiler: &AotCompiler) -> Result<Self> {
        let bound = &layer.bound;
        let (inputs, outputs) = network.laid_out_descs(layer, &choice.combination);
        let tactic = choice.tactic;
        match choice.implementation {
            Implementation::Impl(entry) => Ok(Asked {
                workspace: bound.workspace(entry, &inputs, &outputs)?,
                work: PlannedWork::Impl { bound: bound.clone(), implementation: entry, tactic },
            }),
            Implementation::Aot(entry) => {
                let kernels = bound.kernels(entry, (&inputs, &outputs), tactic, compiler)?;
                let plugin = AotPlugin {
                    id: entry.id.into(),
                    version: entry.version,
                    tactic,
                    tactic_name: choice.implementation.tactic_name(tactic),
                    device_shape: entry.device_shape,
                };
                Ok(Asked {
                    workspace: kernels.workspace,
                    work: PlannedWork::Kernels { plugin, program: kernels.program },
                })
            }
        }
    }
}

/// The values that are size tensors, which are read when a run is over.
fn sizes(network: &Network, lowered: &Lowered) -> Vec<ValueIndex> {
    let of_step = |step: &Step| match step.kind {
        StepKind::Plugin(layer) => {
            let sizes = &network.layers[layer].sizes;
            step.outputs.iter().zip(sizes).filter(|(_, size)| size.is_some()).map(|(&value, _)| value).collect()
        }
        StepKind::Reformat => Vec::new(),
    };
    lowered.steps.iter().flat_map(of_step).collect()
}

/// The size tensors of a layer.
pub(crate) fn own_sizes(network: &Network, layer: &Layer) -> Result<Vec<Arc<OwnSize>>> {
    let mut sizes = Vec::new();
    for (output, symbol) in layer.sizes.iter().enumerate() {
        let Some(symbol) = *symbol else { continue };
        let Some(upper) = network.symbols.get(symbol).and_then(|def| def.source.upper_bound()) else {
            return Err(Error::invalid(format_args!("size tensor {output} has no upper bound")));
        };
        sizes.push(Arc::new(OwnSize::new(output, symbol, upper.clone())?));
    }
    Ok(sizes)
}

struct Planner<'a> {
    network: &'a Network,
    lowered: &'a Lowered,
    memory: &'a MemoryPlan,
    max_dims: &'a Table<TensorNode, Dims>,
}

impl Planner<'_> {
    fn step(&self, position: usize, asked: Asked) -> Result<PlannedStep> {
        let step = &self.lowered.steps[position];
        let mut layout = StepLayout::new(&step.aliases);
        for (index, &value) in step.inputs.iter().enumerate() {
            let (representation, dims, region) = self.placed(value);
            layout.input(self.input_name(step, index), representation, dims, region);
        }
        for &value in &step.outputs {
            let (representation, dims, region) = self.placed(value);
            layout.output(representation, dims, region);
        }
        let memory = layout.finish(self.memory.workspaces[position])?;
        let extents = step.inputs.iter().chain(&step.outputs).flat_map(|&v| self.shape(v).iter().cloned()).collect();
        let Asked { work, workspace } = asked;
        PlannedStep::new(step.name.clone(), work, memory, extents, workspace, self.sizes(step)?)
    }

    fn sizes(&self, step: &Step) -> Result<Vec<Arc<OwnSize>>> {
        let StepKind::Plugin(layer) = step.kind else { return Ok(Vec::new()) };
        own_sizes(self.network, &self.network.layers[layer])
    }

    fn input_name(&self, step: &Step, index: usize) -> Arc<str> {
        match step.kind {
            StepKind::Plugin(layer) => self.network.layers[layer].plugin().entry.inputs[index].into(),
            StepKind::Reformat => self.network.tensors[self.value(step.inputs[index]).tensor].name.clone(),
        }
    }

    fn value(&self, value: ValueIndex) -> &Value {
        &self.lowered.values[value]
    }

    fn shape(&self, value: ValueIndex) -> &[ShapeExpr] {
        &self.network.tensors[self.value(value).tensor].shape
    }

    /// Representation, largest extents and region of a value.
    fn placed(&self, value: ValueIndex) -> (Representation, Dims, Region) {
        let Value { tensor, dtype, format, .. } = *self.value(value);
        (Representation::new(dtype, format), self.max_dims[tensor], self.memory.values[value])
    }

    fn bindings(&self) -> Vec<BindingRule> {
        let network = self.network;
        let inputs = network.inputs.iter().zip(&self.memory.updated).map(|(&tensor, &updated)| BindingRule {
            name: network.tensors[tensor].name.clone(),
            dtype: network.tensors[tensor].dtype,
            usage: if updated { BindingUse::Update } else { BindingUse::Read },
            bytes: 0,
        });
        let outputs =
            network.outputs.iter().zip(&self.memory.output_aliases).map(|((tensor, name), alias)| BindingRule {
                name: name.clone(),
                dtype: network.tensors[*tensor].dtype,
                usage: alias.map_or(BindingUse::Write, BindingUse::Aliases),
                bytes: 0,
            });
        inputs.chain(outputs).collect()
    }

    fn outputs(&self) -> Result<Arc<[OutputShape]>> {
        let shapes = self.network.outputs.iter().map(|(tensor, _)| self.network.tensors[*tensor].shape.clone());
        shapes.map(OutputShape::new).collect()
    }
}
