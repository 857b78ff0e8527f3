//! The steps of an engine under one optimization profile, as data.

use std::sync::Arc;

use crate::device::cuda::{AotLaunches, AotProgram};
use crate::device::{BindingRule, Device, StepMemory};
use crate::error::Result;
use crate::network::{SymbolIndex, data_dependent};
use crate::plugin::{BoundPlugin, ImplEntry, Implementation, Work};
use crate::shape::{Profile, ShapeExpr, ShapeProgram, SymbolKind};

/// The steps of an engine under one profile, with the memory of each at its largest.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) profile: Profile,
    pub(crate) steps: Vec<PlannedStep>,
    pub(crate) arena: usize,
    /// Inputs, then outputs.
    pub(crate) bindings: Vec<BindingRule>,
    pub(crate) outputs: Arc<[OutputShape]>,
    /// The most results, and the most intermediate values, that evaluating a step's extents needs.
    pub(crate) most_extents: usize,
    pub(crate) most_scratch: usize,
}

/// The work of a step.
#[derive(Clone, Debug)]
pub(crate) enum PlannedWork {
    /// Converts type and layout, or copies.
    Reformat,
    /// Runs an impl with a tactic.
    Impl { bound: BoundPlugin, implementation: &'static ImplEntry, tactic: i32 },
    /// Runs kernels that lie in the engine. The plugin itself isn't needed.
    Kernels { plugin: AotPlugin, program: Arc<AotProgram> },
}

impl PlannedWork {
    /// Loads kernels that lie in the engine, and makes room for their arguments.
    ///
    /// # Errors
    /// When they can't be loaded.
    pub(crate) fn prepare(&self, device: &Device) -> Result<Work> {
        Ok(match self {
            PlannedWork::Reformat => Work::Reformat,
            PlannedWork::Impl { bound, implementation, tactic } => bound.work(implementation, *tactic),
            PlannedWork::Kernels { program, .. } => Work::Kernels(AotLaunches::new(program, device)?),
        })
    }

    /// The kernels that it runs, where they lie in the engine.
    fn kernels(&self) -> Option<&Arc<AotProgram>> {
        match self {
            PlannedWork::Kernels { program, .. } => Some(program),
            PlannedWork::Impl { .. } | PlannedWork::Reformat => None,
        }
    }

    /// The plugin's id and version, or what the builder inserted.
    fn label(&self) -> String {
        match self {
            PlannedWork::Reformat => "inserted by the builder".into(),
            PlannedWork::Impl { implementation, .. } => implementation.label(),
            PlannedWork::Kernels { plugin, .. } => format!("{} v{}", plugin.id, plugin.version),
        }
    }

    fn tactic_name(&self) -> Option<String> {
        match self {
            PlannedWork::Reformat => None,
            PlannedWork::Impl { implementation, tactic, .. } => {
                Some(Implementation::Impl(implementation).tactic_name(*tactic))
            }
            PlannedWork::Kernels { plugin, .. } => Some(plugin.tactic_name.clone()),
        }
    }

    /// Whether it copes with extents that only the device knows.
    fn device_shape(&self) -> bool {
        match self {
            // Tensors that depend on data are LINEAR: what is done to elements beyond the true extents is harmless.
            PlannedWork::Reformat => true,
            PlannedWork::Impl { implementation, .. } => implementation.device_shape,
            PlannedWork::Kernels { plugin, .. } => plugin.device_shape,
        }
    }
}

/// The plugin and tactic that kernels come from.
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
    pub(crate) work: PlannedWork,
    pub(crate) memory: StepMemory,
    /// Extents of the inputs and outputs, one after another, then the workspace's bytes.
    pub(crate) extents: Vec<ShapeExpr>,
    pub(crate) program: ShapeProgram,
    pub(crate) has_workspace: bool,
    pub(crate) sizes: Vec<Arc<OwnSize>>,
    /// Whether the extents depend on what earlier steps find.
    pub(crate) data_dependent: bool,
    /// The symbols of size tensors that have to be known before it runs: those of earlier steps that its extents depend
    /// on, where it doesn't cope with extents that only the device knows.
    pub(crate) awaited: Vec<usize>,
}

/// A size tensor of a step.
#[derive(Debug)]
pub(crate) struct OwnSize {
    pub(crate) output: usize,
    pub(crate) symbol: SymbolIndex,
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
        work: PlannedWork,
        memory: StepMemory,
        mut extents: Vec<ShapeExpr>,
        workspace: Option<ShapeExpr>,
        sizes: Vec<Arc<OwnSize>>,
    ) -> Result<Self> {
        let has_workspace = workspace.is_some();
        extents.extend(workspace);
        let own = |expr: &ShapeExpr| {
            expr.as_symbol().is_some_and(|symbol| sizes.iter().any(|s| s.symbol.position() == symbol.index as usize))
        };
        let of_kernels = work.kernels().map_or(&[][..], |program| &program.exprs);
        let data_dependent = extents.iter().chain(of_kernels).any(|e| data_dependent(e) && !own(e));
        let awaited = match !work.device_shape() && (data_dependent || !sizes.is_empty()) {
            true => found_before(extents.iter().chain(of_kernels), &sizes),
            false => Vec::new(),
        };
        Ok(PlannedStep {
            awaited,
            name,
            label: work.label(),
            tactic: work.tactic_name(),
            data_dependent,
            work,
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
    found.retain(|symbol| sizes.iter().all(|size| size.symbol.position() != *symbol));
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
        self.work.kernels()
    }
}

impl OwnSize {
    pub(crate) fn new(output: usize, symbol: SymbolIndex, upper_bound: ShapeExpr) -> Result<Self> {
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
        self.steps.iter().filter(|s| matches!(s.work, PlannedWork::Reformat)).map(|s| &s.name)
    }
}
