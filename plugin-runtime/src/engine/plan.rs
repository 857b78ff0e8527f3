//! What an engine runs under one optimization profile.

use std::sync::Arc;

use super::lower::{Lowered, Step, StepKind, Value, lower};
use super::memory::{self, MemoryPlan};
use crate::device::{BindingRule, BindingUse, PlacedInput, PlacedTensor, StepMemory};

use crate::device::cuda::{AotCompiler, AotProgram};
use crate::error::{Error, Result};
use crate::network::{Bounds, Network};
use crate::plugin::{AttributeValue, DynAttributes, ImplEntry, Runner};
use crate::shape::{Dims, Profile, ShapeExpr, ShapeProgram, SymbolKind};
use crate::tactic::{AotStep, Choice, aot_step, data_dependent, workspace_expr};
use crate::tensor::{Representation, TensorInfo};

/// The steps of an engine under one profile, with the memory of each at its largest.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) profile: Profile,
    pub(crate) steps: Vec<PlannedStep>,
    pub(crate) arena: usize,
    /// Inputs, then outputs.
    pub(crate) bindings: Vec<BindingRule>,
    pub(crate) outputs: Arc<[OutputShape]>,
    /// The most values that evaluating a step's extents needs: results and intermediate ones.
    pub(crate) most_extents: usize,
    pub(crate) most_scratch: usize,
}

/// What a step runs.
#[derive(Clone, Debug)]
pub(crate) enum Run {
    Plugin {
        implementation: &'static ImplEntry,
        attributes: Arc<DynAttributes>,
        /// The same, one value an attribute, in the registered order.
        values: Arc<[AttributeValue]>,
        tactic: i32,
    },
    /// Kernels that lie in the engine. The plugin itself isn't needed.
    Aot {
        plugin: AotPlugin,
        program: Arc<AotProgram>,
    },
    Reformat,
}

/// What is known of the plugin that kernels are from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct AotPlugin {
    pub(crate) id: Arc<str>,
    pub(crate) version: u32,
    pub(crate) tactic: i32,
    pub(crate) tactic_name: String,
    /// Whether the kernels cope with extents that only the device knows.
    pub(crate) device_shape: bool,
}

#[derive(Debug)]
pub(crate) struct PlannedStep {
    pub(crate) name: Arc<str>,
    /// The plugin's id and version, or what the builder inserted.
    pub(crate) label: String,
    pub(crate) tactic: Option<String>,
    pub(crate) run: Run,
    pub(crate) memory: StepMemory,
    /// Extents of the inputs and outputs, one after another, then the workspace's bytes.
    pub(crate) extents: Vec<ShapeExpr>,
    pub(crate) program: ShapeProgram,
    pub(crate) has_workspace: bool,
    pub(crate) sizes: Vec<Arc<OwnSize>>,
    /// Whether the extents depend on what earlier steps find.
    pub(crate) data_dependent: bool,
    /// The symbols of size tensors that have to be known before it runs: those of earlier steps that its extents depend on,
    /// where it doesn't cope with extents that only the device knows.
    pub(crate) awaited: Vec<usize>,
}

/// A size tensor of a step.
#[derive(Debug)]
pub(crate) struct OwnSize {
    pub(crate) output: usize,
    pub(crate) symbol: usize,
    pub(crate) upper_bound: ShapeExpr,
    pub(crate) program: ShapeProgram,
}

/// The shape of a network output.
#[derive(Debug)]
pub(crate) struct OutputShape {
    pub(crate) extents: Vec<ShapeExpr>,
    pub(crate) program: ShapeProgram,
    pub(crate) data_dependent: bool,
}

impl PlannedStep {
    /// `extents` are those of the inputs and outputs of `memory`, one after another.
    pub(crate) fn new(
        name: Arc<str>,
        run: Run,
        memory: StepMemory,
        mut extents: Vec<ShapeExpr>,
        workspace: Option<ShapeExpr>,
        sizes: Vec<Arc<OwnSize>>,
    ) -> Result<Self> {
        let has_workspace = workspace.is_some();
        extents.extend(workspace);
        let own = |expr: &ShapeExpr| {
            expr.as_symbol().is_some_and(|symbol| sizes.iter().any(|s| s.symbol == symbol.index as usize))
        };
        let (label, tactic) = match &run {
            Run::Reformat => ("inserted by the builder".into(), None),
            Run::Plugin { implementation, tactic, .. } => {
                (implementation.label(), Some(Runner::Impl(implementation).tactic_name(*tactic)))
            }
            Run::Aot { plugin, .. } => (format!("{} v{}", plugin.id, plugin.version), Some(plugin.tactic_name.clone())),
        };
        let of_kernels = match &run {
            Run::Aot { program, .. } => &program.exprs[..],
            Run::Plugin { .. } | Run::Reformat => &[],
        };
        let copes = match &run {
            // Tensors that depend on data are LINEAR: what is done to elements beyond the true extents is harmless.
            Run::Reformat => true,
            Run::Plugin { implementation, .. } => Runner::Impl(implementation).device_shape(),
            Run::Aot { plugin, .. } => plugin.device_shape,
        };
        let data_dependent = extents.iter().chain(of_kernels).any(|e| data_dependent(e) && !own(e));
        let awaited = match !copes && (data_dependent || !sizes.is_empty()) {
            true => found_before(extents.iter().chain(of_kernels), &sizes),
            false => Vec::new(),
        };
        Ok(PlannedStep {
            awaited,
            name,
            label,
            tactic,
            data_dependent,
            run,
            memory,
            program: ShapeProgram::compile(&extents)?,
            extents,
            has_workspace,
            sizes,
        })
    }
}

/// The symbols of earlier steps' size tensors that expressions, and the upper bounds of a step's own `sizes`, depend on.
fn found_before<'e>(exprs: impl Iterator<Item = &'e ShapeExpr>, sizes: &'e [Arc<OwnSize>]) -> Vec<usize> {
    let exprs = exprs.chain(sizes.iter().map(|size| &size.upper_bound));
    let symbols = exprs.flat_map(ShapeExpr::symbols).filter(|symbol| symbol.kind == SymbolKind::Size);
    let mut found: Vec<usize> = symbols.map(|symbol| symbol.index as usize).collect();
    found.retain(|symbol| sizes.iter().all(|size| size.symbol != *symbol));
    found.sort_unstable();
    found.dedup();
    found
}

impl PlannedStep {
    /// Whether a run on a GPU waits for extents before it.
    pub(crate) fn waits(&self) -> bool {
        !self.awaited.is_empty()
    }

    /// The kernels that it runs, where they lie in the engine.
    pub(crate) fn kernels(&self) -> Option<&Arc<AotProgram>> {
        match &self.run {
            Run::Aot { program, .. } => Some(program),
            Run::Plugin { .. } | Run::Reformat => None,
        }
    }
}

impl OwnSize {
    pub(crate) fn new(output: usize, symbol: usize, upper_bound: ShapeExpr) -> Result<Self> {
        Ok(OwnSize { output, symbol, program: ShapeProgram::compile([&upper_bound])?, upper_bound })
    }
}

impl OutputShape {
    pub(crate) fn new(extents: Vec<ShapeExpr>) -> Result<Self> {
        Ok(OutputShape {
            program: ShapeProgram::compile(&extents)?,
            data_dependent: extents.iter().any(data_dependent),
            extents,
        })
    }
}

impl Plan {
    pub(crate) fn new(
        network: &Network,
        profile: &Profile,
        bounds: &Bounds,
        choices: &[Choice],
        compiler: &AotCompiler,
    ) -> Result<Self> {
        let combinations: Vec<_> = choices.iter().map(|c| &c.combination).collect();
        let lowered = lower(network, &combinations);
        let max_dims = network
            .tensors
            .iter()
            .map(|t| bounds.max_dims(&t.shape).map_err(|e| e.in_layer(&t.name, "tensor")))
            .collect::<Result<Vec<Dims>>>()?;
        let bytes = lowered
            .values
            .iter()
            .map(|v| Representation::new(v.dtype, v.format).bytes(&max_dims[v.tensor]))
            .collect::<Result<Vec<usize>>>()?;
        let mut asked = Vec::with_capacity(lowered.steps.len());
        let mut scratch = Vec::with_capacity(lowered.steps.len());
        for step in &lowered.steps {
            let asks = Asked::by(network, step, choices, compiler)?;
            scratch.push(match &asks.workspace {
                None => 0,
                Some(expr) => usize::try_from(bounds.range(expr)?.max.max(0)).unwrap_or(usize::MAX),
            });
            asked.push(asks);
        }
        let memory = memory::plan(&lowered, network.inputs.len(), &bytes, &scratch, &sizes(network, &lowered))?;
        let planner = Planner { network, lowered: &lowered, memory: &memory, max_dims: &max_dims, choices };
        let mut steps = Vec::with_capacity(lowered.steps.len());
        for (position, asked) in asked.into_iter().enumerate() {
            steps.push(planner.step(position, asked)?);
        }
        let outputs = planner.outputs()?;
        Ok(Plan::of_steps(profile.clone(), steps, memory.arena, planner.bindings(), outputs))
    }

    pub(crate) fn of_steps(
        profile: Profile,
        steps: Vec<PlannedStep>,
        arena: usize,
        bindings: Vec<BindingRule>,
        outputs: Arc<[OutputShape]>,
    ) -> Self {
        let programs = || {
            let of_steps = steps.iter().flat_map(|s| s.sizes.iter().map(|z| &z.program).chain([&s.program]));
            let of_kernels = steps.iter().filter_map(|s| Some(&s.kernels()?.program));
            of_steps.chain(of_kernels).chain(outputs.iter().map(|o| &o.program))
        };
        Plan {
            profile,
            arena,
            bindings,
            most_extents: programs().map(ShapeProgram::output_len).max().unwrap_or(0).max(1),
            most_scratch: programs().map(ShapeProgram::scratch_len).max().unwrap_or(0),
            steps,
            outputs,
        }
    }

    pub(crate) fn inserted(&self) -> impl Iterator<Item = &Arc<str>> {
        self.steps.iter().filter(|s| matches!(s.run, Run::Reformat)).map(|s| &s.name)
    }
}

/// What a step's plugin asks for.
#[derive(Default)]
struct Asked {
    workspace: Option<ShapeExpr>,
    kernels: Option<Arc<AotProgram>>,
}

impl Asked {
    fn by(network: &Network, step: &Step, choices: &[Choice], compiler: &AotCompiler) -> Result<Self> {
        let StepKind::Plugin(layer) = step.kind else { return Ok(Asked::default()) };
        let (layer, Choice { runner, combination, tactic }) = (&network.layers[layer], &choices[layer]);
        let asked = match runner {
            Runner::Impl(implementation) => workspace_expr(network, layer, implementation, combination)
                .map(|workspace| Asked { workspace, kernels: None }),
            Runner::Aot(entry) => aot_step(network, layer, entry, combination, *tactic, compiler)
                .map(|AotStep { program, workspace }| Asked { workspace, kernels: Some(program) }),
        };
        asked.map_err(|e| e.in_layer(&layer.name, &layer.plugin.label()))
    }
}

/// The values that are size tensors: what a run found is asked for when it is over.
fn sizes(network: &Network, lowered: &Lowered) -> Vec<usize> {
    let of_step = |step: &Step| match step.kind {
        StepKind::Plugin(layer) => {
            let sizes = &network.layers[layer].sizes;
            step.outputs.iter().zip(sizes).filter(|(_, size)| size.is_some()).map(|(&value, _)| value).collect()
        }
        StepKind::Reformat => Vec::new(),
    };
    lowered.steps.iter().flat_map(of_step).collect()
}

struct Planner<'a> {
    network: &'a Network,
    lowered: &'a Lowered,
    memory: &'a MemoryPlan,
    max_dims: &'a [Dims],
    choices: &'a [Choice],
}

impl Planner<'_> {
    fn step(&self, position: usize, asked: Asked) -> Result<PlannedStep> {
        let step = &self.lowered.steps[position];
        let mut inputs = Vec::with_capacity(step.inputs.len());
        for (index, &value) in step.inputs.iter().enumerate() {
            let in_place = step.aliases.iter().position(|a| *a == Some(index));
            inputs.push(PlacedInput { tensor: self.placed(self.input_name(step, index), value), in_place });
        }
        let outputs = step.outputs.iter().enumerate();
        let outputs = outputs.map(|(index, &value)| self.placed(format!("outputs[{index}]").into(), value)).collect();
        let memory = StepMemory::new(inputs, outputs, self.memory.workspaces[position])?;

        let extents = step.inputs.iter().chain(&step.outputs).flat_map(|&v| self.shape(v).iter().cloned()).collect();
        let run = match step.kind {
            StepKind::Reformat => Run::Reformat,
            StepKind::Plugin(layer) => {
                let (layer, choice) = (&self.network.layers[layer], &self.choices[layer]);
                match (choice.runner, asked.kernels) {
                    (Runner::Aot(entry), Some(program)) => {
                        let tactic_name = choice.runner.tactic_name(choice.tactic);
                        let plugin = AotPlugin {
                            id: entry.id.into(),
                            version: entry.version,
                            tactic: choice.tactic,
                            tactic_name,
                            device_shape: entry.device_shape,
                        };
                        Run::Aot { plugin, program }
                    }
                    (Runner::Impl(implementation), _) => Run::Plugin {
                        implementation,
                        attributes: layer.attributes.clone(),
                        values: layer.values.clone(),
                        tactic: choice.tactic,
                    },
                    (Runner::Aot(_), None) => return Err(Error::invalid("its kernels weren't described")),
                }
            }
        };
        PlannedStep::new(step.name.clone(), run, memory, extents, asked.workspace, self.sizes(step)?)
    }

    fn sizes(&self, step: &Step) -> Result<Vec<Arc<OwnSize>>> {
        let StepKind::Plugin(layer) = step.kind else { return Ok(Vec::new()) };
        let mut sizes = Vec::new();
        for (output, symbol) in self.network.layers[layer].sizes.iter().enumerate() {
            let Some(symbol) = *symbol else { continue };
            let Some(upper) = self.network.symbols.get(symbol).and_then(|def| def.source.upper_bound()) else {
                return Err(Error::invalid(format_args!("size tensor {output} has no upper bound")));
            };
            sizes.push(Arc::new(OwnSize::new(output, symbol as usize, upper.clone())?));
        }
        Ok(sizes)
    }

    fn input_name(&self, step: &Step, index: usize) -> Arc<str> {
        match step.kind {
            StepKind::Plugin(layer) => self.network.layers[layer].plugin.entry.inputs[index].into(),
            StepKind::Reformat => self.network.tensors[self.value(step.inputs[index]).tensor].name.clone(),
        }
    }

    fn value(&self, value: usize) -> &Value {
        &self.lowered.values[value]
    }

    fn shape(&self, value: usize) -> &[ShapeExpr] {
        &self.network.tensors[self.value(value).tensor].shape
    }

    fn placed(&self, name: Arc<str>, value: usize) -> PlacedTensor {
        let Value { tensor, dtype, format, .. } = *self.value(value);
        let info = TensorInfo { name, dtype, format, dims: self.max_dims[tensor], scale: 1.0 };
        let region = self.memory.values[value];
        PlacedTensor { info, region, capacity: region.len, extents: None }
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
