//! The options of the commands that work on files of models and engines.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::BuildArgs;

#[derive(Args, Debug)]
pub(in crate::runner) struct RunArgs {
    /// ONNX model, whose operators are linked plugins, or engine.
    #[arg(value_name = "MODEL.onnx|ENGINE")]
    pub(in crate::runner) file: PathBuf,
    /// An input and the array to give it; once an input.
    #[arg(long = "input", value_name = "NAME=FILE.npy")]
    pub(in crate::runner) inputs: Vec<String>,
    /// Write each output to a file of its name in this folder, which is made if it isn't there. Bytes of a name that
    /// aren't letters, digits, '_', '-' or '.' are written as %XX.
    #[arg(long, value_name = "DIR")]
    pub(in crate::runner) output: Option<PathBuf>,
    /// Save the engine that was built, or TensorRT-RTX's plan.
    #[arg(long, value_name = "ENGINE")]
    pub(in crate::runner) save: Option<PathBuf>,
    /// What runs the model: this program's own engine, which takes models of linked plugins, or ONNX Runtime or TensorRT-RTX
    /// with the plugins in it, which take all operators.
    #[arg(long, value_enum, default_value_t = EngineName::Own)]
    pub(in crate::runner) engine: EngineName,
    /// ONNX Runtime's library, libonnxruntime.so; else what ONNXRUNTIME_LIBRARY names, else that of the Python that PYTHON
    /// names, or python3.
    #[arg(long, value_name = "FILE")]
    pub(in crate::runner) onnxruntime: Option<PathBuf>,
    /// Folder of the Python packages of TensorRT-RTX; else what TENSORRT_RTX_PACKAGES names, else those of the Python that
    /// PYTHON names, or python3.
    #[arg(long = "tensorrt-rtx", value_name = "DIR")]
    pub(in crate::runner) tensorrt_rtx: Option<PathBuf>,
    /// Library of plugins that TensorRT-RTX loads; else the one beside this program.
    #[arg(long, value_name = "FILE")]
    pub(in crate::runner) plugins: Option<PathBuf>,
    /// What TensorRT-RTX builds for; else the GPU that is there.
    #[arg(long, value_name = "sm_NN")]
    pub(in crate::runner) architecture: Option<String>,
    #[command(flatten)]
    pub(in crate::runner) profiles: ProfileArgs,
    #[command(flatten)]
    pub(in crate::runner) build: BuildArgs,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(in crate::runner) enum EngineName {
    Own,
    Onnxruntime,
    TensorrtRtx,
}

#[derive(Args, Debug)]
pub(in crate::runner) struct BuildModelArgs {
    /// ONNX model, whose operators are linked plugins.
    #[arg(value_name = "MODEL.onnx")]
    pub(in crate::runner) file: PathBuf,
    /// Where to save the engine.
    #[arg(long, value_name = "ENGINE")]
    pub(in crate::runner) save: PathBuf,
    #[command(flatten)]
    pub(in crate::runner) profiles: ProfileArgs,
    #[command(flatten)]
    pub(in crate::runner) build: BuildArgs,
}

#[derive(Args, Debug)]
pub(in crate::runner) struct ProfileArgs {
    /// The smallest, the usual and the largest shape of an input with dynamic dimensions, such as X=1x3:4x3:16x3; one
    /// shape alone stands for all three. Once an input; an input that is given again begins another profile. `run` takes
    /// an input that isn't given to have the shape of its file, and the first profile that fits.
    #[arg(long = "profile", value_name = "NAME=MIN:OPT:MAX")]
    pub(in crate::runner) profiles: Vec<String>,
}

#[derive(Args, Debug)]
pub(in crate::runner) struct InspectArgs {
    /// Engine, ONNX model or tuning lockfile.
    pub(in crate::runner) file: PathBuf,
    /// Print JSON.
    #[arg(long)]
    pub(in crate::runner) json: bool,
    /// Show the times that this tuning lockfile holds for what an engine runs.
    #[arg(long, value_name = "FILE")]
    pub(in crate::runner) lockfile: Option<PathBuf>,
}
