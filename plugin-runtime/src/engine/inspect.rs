//! Summaries of engines, for people and tools to read.

use super::inspect_kernels::{KernelsSummary, RuntimeKernelsSummary, kernels};
use super::plan::{Plan, PlannedStep, PlannedWork};
use super::{Engine, EngineInner};
use crate::device::{Base, PlacedTensor};
use crate::network::{Bounds, SymbolSource, checked_dims};
use crate::plugin::{AttributeValue, Registry};
use crate::shape::{Dims, Profile, ShapeExpr};
use crate::tactic::TimedSubject;

use crate::plugin::combination::Combination;
use crate::tensor::{DataType, Format};

/// An engine, built or loaded.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct EngineSummary {
    /// The inputs, in the order of their bindings.
    pub inputs: Vec<BindingSummary>,
    /// The outputs, in the order of their bindings, which come after the inputs'.
    pub outputs: Vec<BindingSummary>,
    /// Types and extents of the constants.
    pub constants: Vec<(DataType, Dims)>,
    /// One plan per optimization profile.
    pub plans: Vec<PlanSummary>,
    /// Kernels of the runtime itself that lie in the engine, where running it needs no compiler.
    pub runtime_kernels: Vec<RuntimeKernelsSummary>,
}

/// An input or output of an engine.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct BindingSummary {
    /// Its name.
    pub name: String,
    /// Element type.
    pub dtype: DataType,
    /// Extents, as expressions of the inputs' dynamic dimensions and of size tensors.
    pub shape: Vec<ShapeExpr>,
}

/// The plan of one optimization profile.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PlanSummary {
    /// The ranges of the inputs' dynamic dimensions.
    pub profile: Profile,
    /// Bytes that a context's intermediate tensors and scratch memory take in all.
    pub arena_bytes: usize,
    /// In the order in which they run.
    pub steps: Vec<StepSummary>,
}

/// One step of a plan.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct StepSummary {
    /// The layer's name, or what was inserted.
    pub name: String,
    /// The plugin that it runs; `None` for a conversion or copy that the builder inserted.
    pub plugin: Option<PluginSummary>,
    /// Types and layouts of the inputs and outputs: `FP32, FP32 (LINEAR)`.
    pub combination: String,
    /// The tensors that it reads.
    pub inputs: Vec<PlacedSummary>,
    /// The tensors that it writes.
    pub outputs: Vec<PlacedSummary>,
    /// Its scratch memory.
    pub workspace: Option<WorkspaceSummary>,
    /// Extents of the inputs, then outputs, that it is timed at: those of the profile's opt. Empty where they can't be
    /// computed.
    pub timed_dims: Vec<Dims>,
}

/// The plugin that a step runs.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PluginSummary {
    /// Its id.
    pub id: String,
    /// Its version.
    pub version: u32,
    /// Names and values of the attributes that its impl uses; none where kernels of the engine run.
    pub attributes: Vec<(&'static str, AttributeValue)>,
    /// The tactic's number.
    pub tactic: i32,
    /// The tactic's name.
    pub tactic_name: String,
    /// The AOT kernels that run in place of an impl.
    pub kernels: Option<KernelsSummary>,
}

/// A tensor that a step reads or writes.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PlacedSummary {
    /// The plugin's name for it.
    pub name: String,
    /// Element type.
    pub dtype: DataType,
    /// Memory layout.
    pub format: Format,
    /// Extents, as expressions.
    pub shape: Vec<ShapeExpr>,
    /// Where it lies.
    pub place: Place,
    /// The most bytes that it takes under the profile.
    pub bytes: usize,
}

/// Where a tensor lies.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Place {
    /// In the engine's own memory, from this byte on.
    Arena(usize),
    /// In the constant of this number.
    Constant(usize),
    /// In what the caller gives for the input of this name.
    Input(String),
    /// In what the caller gives for the output of this name.
    Output(String),
}

/// The scratch memory of a step, in the arena.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct WorkspaceSummary {
    /// The byte of the arena that it begins at.
    pub offset: usize,
    /// Bytes, as an expression.
    pub size: ShapeExpr,
    /// The most bytes that it takes under the profile.
    pub bytes: usize,
}

impl Engine {
    /// A summary of it. The constants' elements aren't read.
    pub fn inspect(&self) -> EngineSummary {
        let engine = &*self.0;
        let outputs = engine.plans.first().map(|plan| &*plan.outputs).unwrap_or_default();
        EngineSummary {
            inputs: engine.inputs.iter().enumerate().map(|(position, _)| input(engine, position)).collect(),
            outputs: (engine.outputs.iter().zip(outputs))
                .map(|((name, dtype), shape)| BindingSummary {
                    name: name.to_string(),
                    dtype: *dtype,
                    shape: shape.extents.clone(),
                })
                .collect(),
            constants: engine.constants.iter().map(|constant| (constant.dtype(), constant.shape())).collect(),
            plans: engine.plans.iter().map(|plan| plan_summary(engine, plan)).collect(),
            runtime_kernels: engine.runtime_kernels.iter().map(RuntimeKernelsSummary::of).collect(),
        }
    }
}

impl StepSummary {
    /// Whether a timing decision is about this step: the same plugin, types, layouts, tactic and extents, with the same
    /// values of the attributes that the impl uses.
    pub fn is_timed_by(&self, subject: &TimedSubject) -> bool {
        let dims = || self.timed_dims.iter().map(Dims::to_string);
        match (subject, &self.plugin) {
            (
                TimedSubject::Plugin { id, version, attributes, tensors, combination, tactic, ahead_of_time, .. },
                Some(plugin),
            ) => {
                let values = || plugin.attributes.iter().map(|(name, value)| format!("{name}={value}"));
                (id, *version, *tactic) == (&plugin.id, plugin.version, plugin.tactic)
                    && *ahead_of_time == plugin.kernels.is_some()
                    && *combination == self.combination
                    && values().all(|value| lists(attributes, &value))
                    && bracketed(tensors).map(at_opt).eq(dims())
            }
            (TimedSubject::Reformat { dims: at, from, to }, None) => {
                let laid_out = |tensors: &[PlacedSummary], expected: &str| {
                    tensors.iter().all(|t| format!("{} {}", t.dtype, t.format) == expected)
                };
                dims().next().as_ref() == Some(at) && laid_out(&self.inputs, from) && laid_out(&self.outputs, to)
            }
            _ => false,
        }
    }
}

/// The parts of a text that stand in brackets.
fn bracketed(text: &str) -> impl Iterator<Item = &str> {
    text.split_inclusive(']').filter_map(|part| part.find('[').map(|start| &part[start..]))
}

/// Extents at a profile's opt, of those that give its range: `[8, 4]` of `[1..8..64, 4]`.
fn at_opt(extents: &str) -> String {
    let opt = |extent: &str| match extent.split("..").collect::<Vec<_>>()[..] {
        [_, opt, _] => opt.to_owned(),
        _ => extent.to_owned(),
    };
    let inner = extents.trim_start_matches('[').trim_end_matches(']');
    format!("[{}]", inner.split(", ").map(opt).collect::<Vec<_>>().join(", "))
}

/// Whether an item stands in a list with `, ` between the items.
fn lists(text: &str, item: &str) -> bool {
    text.match_indices(item).any(|(start, _)| {
        let (before, after) = (&text[..start], &text[start + item.len()..]);
        (before.is_empty() || before.ends_with(", ")) && (after.is_empty() || after.starts_with(", "))
    })
}

fn input(engine: &EngineInner, position: usize) -> BindingSummary {
    let input = &engine.inputs[position];
    let extent = |(axis, &extent): (usize, &i64)| {
        let stands_there = |source: &SymbolSource| match source {
            SymbolSource::Dim(places) => places.contains(&(position, axis)),
            SymbolSource::Size { .. } => false,
        };
        let symbol = engine.symbols.iter().find(|def| stands_there(&def.source));
        symbol.map_or_else(|| ShapeExpr::constant(extent), |def| ShapeExpr::symbol(def.symbol.clone()))
    };
    BindingSummary {
        name: input.name.to_string(),
        dtype: input.dtype,
        shape: input.dims.iter().enumerate().map(extent).collect(),
    }
}

fn plan_summary(engine: &EngineInner, plan: &Plan) -> PlanSummary {
    let names: Vec<&str> = engine.inputs.iter().map(|input| &*input.name).collect();
    let layer = |_| ("a layer", String::new());
    let opt = Bounds::of_symbols(engine.symbols.iter(), &names, &layer, &plan.profile).map(|bounds| bounds.opt);
    let opt = opt.unwrap_or_default();
    PlanSummary {
        profile: plan.profile.clone(),
        arena_bytes: plan.arena,
        steps: plan.steps.iter().map(|step| step_summary(engine, step, &opt)).collect(),
    }
}

fn step_summary(engine: &EngineInner, step: &PlannedStep, opt: &[i64]) -> StepSummary {
    let memory = &step.memory;
    let mut extents = &step.extents[..];
    let mut placed = |tensor: &PlacedTensor| {
        let (shape, rest) = extents.split_at(tensor.info.dims.len().min(extents.len()));
        extents = rest;
        PlacedSummary {
            name: tensor.info.name.to_string(),
            dtype: tensor.info.dtype,
            format: tensor.info.format,
            shape: shape.to_vec(),
            place: place(engine, tensor),
            bytes: tensor.capacity,
        }
    };
    let inputs: Vec<_> = memory.inputs().iter().map(|input| placed(&input.tensor)).collect();
    let outputs: Vec<_> = memory.outputs().iter().map(placed).collect();
    let workspace = memory.workspace();
    let workspace = extents.first().filter(|_| step.has_workspace).map(|size| WorkspaceSummary {
        offset: workspace.offset,
        size: size.clone(),
        bytes: workspace.len,
    });
    let laid_out = inputs.iter().chain(&outputs).map(|tensor| (tensor.dtype, tensor.format));
    let (types, formats) = laid_out.unzip();
    StepSummary {
        name: step.name.to_string(),
        plugin: plugin(step),
        combination: Combination { types, formats, tactics: Vec::new(), references: Vec::new() }.to_string(),
        timed_dims: timed_dims(step, inputs.iter().chain(&outputs), opt).unwrap_or_default(),
        inputs,
        outputs,
        workspace,
    }
}

fn place(engine: &EngineInner, tensor: &PlacedTensor) -> Place {
    let inputs = engine.inputs.len();
    match tensor.region.base {
        Base::Arena => Place::Arena(tensor.region.offset),
        Base::Constant(index) => Place::Constant(index),
        Base::Binding(index) if index < inputs => Place::Input(engine.inputs[index].name.to_string()),
        Base::Binding(index) => {
            Place::Output(engine.outputs.get(index - inputs).map(|(name, _)| name.to_string()).unwrap_or_default())
        }
    }
}

fn plugin(step: &PlannedStep) -> Option<PluginSummary> {
    let (implementation, values, tactic) = match &step.work {
        PlannedWork::Reformat => return None,
        PlannedWork::Impl { implementation, bound, tactic } => (implementation, bound.values(), tactic),
        PlannedWork::Kernels { plugin, .. } => {
            return Some(PluginSummary {
                id: plugin.id.to_string(),
                version: plugin.version,
                attributes: Vec::new(),
                tactic: plugin.tactic,
                tactic_name: plugin.tactic_name.clone(),
                kernels: kernels(step),
            });
        }
    };
    let schemas = Registry::global().and_then(|registry| registry.get(implementation.id, implementation.version));
    let schemas = schemas.map_or(&[][..], |plugin| plugin.entry.attributes);
    let used = schemas.iter().zip(values.iter()).filter(|(schema, _)| implementation.attributes.contains(&schema.name));
    Some(PluginSummary {
        id: implementation.id.into(),
        version: implementation.version,
        attributes: used.map(|(schema, value)| (schema.name, value.clone())).collect(),
        tactic: *tactic,
        tactic_name: step.tactic.clone().unwrap_or_default(),
        kernels: None,
    })
}

/// Extents at a profile's opt, the step's own size tensors at their upper bounds.
fn timed_dims<'s>(
    step: &PlannedStep,
    tensors: impl Iterator<Item = &'s PlacedSummary>,
    opt: &[i64],
) -> Option<Vec<Dims>> {
    let mut symbols = opt.to_vec();
    for size in &step.sizes {
        let upper = size.upper_bound.evaluate(&symbols).ok()?.max(0);
        *symbols.get_mut(size.symbol.position())? = upper;
    }
    let dims = |tensor: &PlacedSummary| {
        let extents = tensor.shape.iter().map(|expr| expr.evaluate(&symbols).ok()).collect::<Option<Vec<_>>>()?;
        checked_dims(&extents, |axis| tensor.shape[axis].to_string()).ok()
    };
    tensors.map(dims).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_and_lists_are_taken_apart() {
        let tensors = "FP32 [2, 3], constant INT64 [] -> FP16 [2, 3]";
        assert_eq!(bracketed(tensors).collect::<Vec<_>>(), ["[2, 3]", "[]", "[2, 3]"]);
        assert_eq!(bracketed("no brackets ]").count(), 0);
        for (item, listed) in [("a=1", true), ("b=[1, 2]", true), ("b=[1]", false), ("=1", false), ("c=3", true)] {
            assert_eq!(lists("a=1, b=[1, 2], c=3", item), listed, "{item}");
        }
        assert!(!lists("aa=12", "a=1") && !lists("", "a=1"));
    }
}
