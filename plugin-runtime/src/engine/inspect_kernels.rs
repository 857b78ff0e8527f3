//! The kernels that lie in an engine, for people and tools to read.

use super::plan::PlannedStep;
use super::runtime_kernels::RuntimeKernels;
use crate::device::cuda::{AotArg, AotBinary, AotParameter, AotProgram, LaunchParams, ProgramLaunch, ProgramParameter};
use crate::device::cuda::{Architecture, ImageKind};
use crate::shape::ShapeExpr;

/// The kernels that a step launches out of the engine itself, so that its plugin isn't needed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct KernelsSummary {
    /// The images that hold them, each for other architectures.
    pub images: Vec<ImageSummary>,
    /// The launches, in the order in which they run.
    pub launches: Vec<LaunchSummary>,
}

/// Kernels of the runtime itself, for what is between layers.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RuntimeKernelsSummary {
    /// The source that they are from.
    pub source: String,
    /// The images that hold them, each for other architectures.
    pub images: Vec<ImageSummary>,
}

/// Compiled kernels.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct ImageSummary {
    /// What it is.
    pub kind: ImageKind,
    /// The architecture that it was made for, where it says so. PTX runs on later ones too.
    pub architecture: Option<Architecture>,
    /// How large it is.
    pub bytes: usize,
}

/// One launch of one kernel.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct LaunchSummary {
    /// The kernel's name.
    pub kernel: String,
    /// How it is launched.
    pub launch: LaunchParams,
    /// Its parameters, in order.
    pub parameters: Vec<AotParameter>,
}

/// `cubin for sm_90`
impl std::fmt::Display for ImageSummary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kind = match self.kind {
            ImageKind::Cubin => "cubin",
            ImageKind::Ptx => "PTX",
            ImageKind::Fatbin => "fatbin",
        };
        match self.architecture {
            Some(architecture) => write!(f, "{kind} for {architecture}"),
            None => f.write_str(kind),
        }
    }
}

pub(super) fn kernels(step: &PlannedStep) -> Option<KernelsSummary> {
    let program = step.kernels()?;
    Some(KernelsSummary {
        images: program.module.binaries().iter().map(image).collect(),
        launches: program.launches.iter().map(|l| launch(l, program)).collect(),
    })
}

impl RuntimeKernelsSummary {
    pub(super) fn of(kernels: &RuntimeKernels) -> Self {
        RuntimeKernelsSummary {
            source: kernels.source().name.into(),
            images: kernels.module().binaries().iter().map(image).collect(),
        }
    }
}

fn image(binary: &AotBinary) -> ImageSummary {
    ImageSummary {
        kind: binary.image.kind(),
        architecture: binary.target.map(|target| target.architecture),
        bytes: binary.image.bytes().len(),
    }
}

fn launch(launch: &ProgramLaunch, program: &AotProgram) -> LaunchSummary {
    let expr = |at: usize| program.exprs.get(at).cloned().unwrap_or_else(|| ShapeExpr::constant(0));
    let parameter = |parameter: &ProgramParameter| match *parameter {
        ProgramParameter::Input(index) => AotParameter::Input(index),
        ProgramParameter::Output(index) => AotParameter::Output(index),
        ProgramParameter::Workspace => AotParameter::Workspace,
        ProgramParameter::I32(at) => AotParameter::Extra(AotArg::I32(expr(at))),
        ProgramParameter::I64(at) => AotParameter::Extra(AotArg::I64(expr(at))),
        ProgramParameter::F32(value) => AotParameter::Extra(AotArg::F32(value)),
    };
    let dimension =
        |at: usize| launch.dimensions(&program.exprs).get(at).cloned().unwrap_or_else(|| ShapeExpr::constant(1));
    LaunchSummary {
        kernel: launch.kernel.to_string(),
        launch: LaunchParams {
            grid: [0, 1, 2].map(dimension),
            block: [3, 4, 5].map(dimension),
            shared_mem: dimension(6),
        },
        parameters: launch.parameters.iter().map(parameter).collect(),
    }
}
