//! Building engines and running them.

mod builder;
mod context;
mod file;
mod inspect;
mod inspect_kernels;
mod lower;
mod memory;
mod plan;
mod planner;
mod report;
mod runtime_kernels;

use std::sync::{Arc, Mutex};

pub use builder::Builder;
pub use context::ExecutionContext;
pub use report::{BuildEvent, BuildReport, InsertedStep};

pub use inspect::{
    BindingSummary, EngineSummary, Place, PlacedSummary, PlanSummary, PluginSummary, StepSummary, WorkspaceSummary,
};

pub use inspect_kernels::{ImageSummary, KernelsSummary, LaunchSummary, RuntimeKernelsSummary};

use crate::device::cuda::DeviceConstants;
use crate::device::{Constant, Device};
use crate::error::{Error, LayerContext, Result};
use crate::network::{Network, SymbolDef, TensorIndex};
use crate::shape::Dims;
use crate::suggest::did_you_mean;
use crate::tensor::DataType;
use plan::Plan;
#[cfg(any(feature = "onnxruntime", feature = "tensorrt", feature = "python", test))]
pub(crate) use plan::{PlannedStep, PlannedWork};
#[cfg(any(feature = "onnxruntime", feature = "tensorrt", feature = "python", test))]
pub(crate) use planner::{Asked, own_sizes};
use runtime_kernels::RuntimeKernels;

/// A network made ready to run on a device: shapes, types, layouts, tactics and memory are settled. Cheap to clone;
/// each thread runs it through an [`ExecutionContext`] of its own.
#[derive(Clone, Debug)]
pub struct Engine(Arc<EngineInner>);

#[derive(Debug)]
pub(crate) struct EngineInner {
    device: Device,
    inputs: Vec<InputInfo>,
    outputs: Vec<(Arc<str>, DataType)>,
    constants: Arc<[Constant]>,
    /// The constants in a GPU's memory, once a context needed them.
    on_device: Mutex<Option<Arc<DeviceConstants>>>,
    symbols: Vec<SymbolDef>,
    plans: Vec<Plan>,
    /// Compiled kernels of the runtime itself, so that running needs no compiler.
    runtime_kernels: Vec<RuntimeKernels>,
    report: BuildReport,
}

#[derive(Debug)]
struct InputInfo {
    name: Arc<str>,
    dtype: DataType,
    /// -1 where an extent is dynamic.
    dims: Dims,
}

/// The inputs of a network as (name, extents), -1 where one is dynamic.
fn input_dims(network: &Network) -> Vec<(&str, Dims)> {
    let dims = |&tensor: &TensorIndex| {
        let node = &network.tensors[tensor];
        let extents: Vec<i64> = node.shape.iter().map(|e| e.constant_value().unwrap_or(-1)).collect();
        (&*node.name, Dims::new(&extents).unwrap_or_default())
    };
    network.inputs.iter().map(dims).collect()
}

impl Engine {
    fn new(
        device: Device,
        network: &Network,
        plans: Vec<Plan>,
        runtime_kernels: Vec<RuntimeKernels>,
        report: BuildReport,
    ) -> Self {
        let input = |((name, dims), tensor): ((&str, Dims), &TensorIndex)| InputInfo {
            name: name.into(),
            dtype: network.tensors[*tensor].dtype,
            dims,
        };
        Engine(Arc::new(EngineInner {
            device,
            inputs: input_dims(network).into_iter().zip(&network.inputs).map(input).collect(),
            outputs: network.outputs.iter().map(|(t, name)| (name.clone(), network.tensors[*t].dtype)).collect(),
            constants: network.constants.iter().cloned().map(Constant::Owned).collect(),
            on_device: Mutex::default(),
            symbols: network.symbols.iter().cloned().collect(),
            plans,
            runtime_kernels,
            report,
        }))
    }

    /// The device it was built for.
    pub fn device(&self) -> &Device {
        &self.0.device
    }

    /// The trials and choices of its build.
    pub fn report(&self) -> &BuildReport {
        &self.0.report
    }

    /// Names and element types of the inputs, in the order of their bindings.
    pub fn inputs(&self) -> impl ExactSizeIterator<Item = (&str, DataType)> {
        self.0.inputs.iter().map(|i| (&*i.name, i.dtype))
    }

    /// Names and element types of the outputs, in the order of their bindings, which come after the inputs'.
    pub fn outputs(&self) -> impl ExactSizeIterator<Item = (&str, DataType)> {
        self.0.outputs.iter().map(|(name, dtype)| (&**name, *dtype))
    }

    /// Number of optimization profiles.
    pub fn profiles(&self) -> usize {
        self.0.plans.len()
    }

    /// A context that runs under the first optimization profile.
    ///
    /// # Errors
    /// When the host has no memory left for it.
    pub fn create_context(&self) -> Result<ExecutionContext> {
        self.create_context_for(0)
    }

    /// A context that runs under an optimization profile, counted from 0.
    ///
    /// # Errors
    /// When there is no such profile, or the host has no memory left.
    pub fn create_context_for(&self, profile: usize) -> Result<ExecutionContext> {
        ExecutionContext::new(self.0.clone(), profile)
    }
}

impl EngineInner {
    /// Loads the kernels that lie in the engine into its device.
    ///
    /// # Errors
    /// When no image suits the device, or the driver refuses it: names the layer.
    fn load_kernels(&self) -> Result<()> {
        for step in self.plans.iter().flat_map(|plan| &plan.steps) {
            if let Some(program) = step.kernels() {
                program
                    .module
                    .loaded(&self.device)
                    .map_err(|e| e.in_layer(LayerContext::new(&step.name, &step.label)))?;
            }
        }
        self.provide_runtime_kernels()
    }

    /// # Errors
    /// When the driver refuses an image.
    fn provide_runtime_kernels(&self) -> Result<()> {
        match self.device.gpu() {
            Some(gpu) => self.runtime_kernels.iter().try_for_each(|kernels| kernels.provide(gpu)),
            None => Ok(()),
        }
    }

    fn input(&self, name: &str) -> Result<usize> {
        let names = || self.inputs.iter().map(|i| &*i.name);
        names().position(|n| n == name).ok_or_else(|| {
            Error::invalid(format_args!("the engine has no input `{name}`{}", did_you_mean(name, names())))
        })
    }

    fn output(&self, name: &str) -> Result<usize> {
        let names = || self.outputs.iter().map(|(n, _)| &**n);
        names().position(|n| n == name).ok_or_else(|| {
            Error::invalid(format_args!("the engine has no output `{name}`{}", did_you_mean(name, names())))
        })
    }
}
