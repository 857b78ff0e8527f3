//! Commands and options.

mod model;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use plugin_runtime::device::Device;
use plugin_runtime::engine::Builder;
use plugin_runtime::shape::MAX_RANK;
use plugin_runtime::tensor::DataType;

use super::device::DeviceName;
use super::failure::Result;
pub(super) use model::{BuildModelArgs, EngineName, InspectArgs, RunArgs};

/// Builds engines from the sample plugins, runs them, and checks the results against a plain reference.
///
/// The status is 0 when the result is right, 1 when it isn't or something failed, 2 when the command line is wrong.
#[derive(Debug, Parser)]
#[command(name = "samples", version)]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
#[command(rename_all = "snake_case")]
pub(super) enum Command {
    /// x + 1, element by element. A 10x3x32x32 input unless told otherwise.
    Add(AddArgs),
    /// Two additions in the caller's own buffer: x + 2, then + 4.
    #[command(alias = "inplace-add")]
    InplaceAdd(SampleArgs),
    /// Indices of the elements of a matrix that aren't zero. A 128x128 input unless told otherwise.
    #[command(alias = "non-zero")]
    NonZero(SampleArgs),
    /// Circular padding of the last dimensions. A 10x3x32x32 input unless told otherwise.
    #[command(alias = "circ-pad")]
    CircPad(CircPadArgs),
    /// All samples in one go; the additions with dynamic shapes, from 1x1x1 over 3x4x5 to 6x8x10.
    All(AllArgs),
    /// Every linked plugin: schema, versions, impls and tactics.
    List,
    /// Runs a model, or an engine: .npy files in, .npy files out.
    Run(RunArgs),
    /// Builds an engine from a model, and saves it.
    Build(BuildModelArgs),
    /// What an engine, a model or a tuning lockfile holds.
    Inspect(InspectArgs),
    /// Writes a crate of plugins into a new folder: one plugin for CPU and GPU, a test, the library for other engines.
    New(NewArgs),
    /// Times the samples beside a copy of as many bytes; on a GPU also the host's part beside bare launches. Build with --release for figures that mean something.
    Bench(BenchArgs),
}

/// What every command that builds an engine takes.
#[derive(Args, Debug)]
pub(super) struct BuildArgs {
    /// Device to build for and run on; the best one there is unless told otherwise.
    #[arg(long, value_name = "cpu|cuda|cuda:N")]
    pub(super) device: Option<DeviceName>,
    /// Seed of the made-up data.
    #[arg(long, default_value_t = 0)]
    pub(super) seed: u64,
    /// Show each combination and tactic with its time or why it was left out, and the winner.
    #[arg(short, long)]
    pub(super) verbose: bool,
    /// Keep timings in this file: those it holds are reused, those it lacks are added.
    #[arg(long, value_name = "FILE")]
    pub(super) lockfile: Option<PathBuf>,
    /// Time nothing: take all timings from --lockfile, and fail where it lacks one.
    #[arg(long, requires = "lockfile")]
    pub(super) locked: bool,
    /// Take results of implementations as they come, instead of comparing them; the lockfile gets nothing then.
    #[arg(long, conflicts_with = "locked")]
    pub(super) without_checks: bool,
}

impl BuildArgs {
    pub(super) fn device(&self) -> Result<Device> {
        match self.device {
            Some(name) => name.find(),
            None => Ok(Device::best()?),
        }
    }

    pub(super) fn builder<'o>(&self, device: Device) -> Builder<'o> {
        let builder = Builder::new(device).seed(self.seed);
        let builder = if self.without_checks { builder.without_checks() } else { builder };
        match &self.lockfile {
            Some(path) if self.locked => builder.locked(path),
            Some(path) => builder.lockfile(path),
            None => builder,
        }
    }
}

#[derive(Args, Debug)]
pub(super) struct SampleArgs {
    #[command(flatten)]
    pub(super) build: BuildArgs,
    /// Extents of the made-up input: 4,5 or 4x5.
    #[arg(long, value_parser = parse_shape, conflicts_with = "input")]
    pub(super) shape: Option<Shape>,
    /// Type of the input; f32, or what --input holds, unless told otherwise.
    #[arg(long, value_enum)]
    pub(super) dtype: Option<InputType>,
    /// Take the input from this .npy file.
    #[arg(long, value_name = "FILE.npy")]
    pub(super) input: Option<PathBuf>,
    /// Write the result to this .npy file, if it is right.
    #[arg(long, value_name = "FILE.npy")]
    pub(super) output: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(super) struct AddArgs {
    #[command(flatten)]
    pub(super) sample: SampleArgs,
    /// Let the builder run the plugin in half precision too, and take what is faster.
    #[arg(long)]
    pub(super) autotune: bool,
    /// Put the kernel itself into the engine.
    #[arg(long)]
    pub(super) aot: bool,
}

#[derive(Args, Debug)]
pub(super) struct CircPadArgs {
    #[command(flatten)]
    pub(super) sample: SampleArgs,
    /// How the network is made: from an ONNX file or by API calls.
    #[arg(long, value_enum)]
    pub(super) mode: Option<Mode>,
    /// Let the builder choose between all tactics; else it has one.
    #[arg(long = "multi_tactic", alias = "multi-tactic")]
    pub(super) multi_tactic: bool,
    /// (before, after) pairs, from the last dimension backwards.
    #[arg(long, value_delimiter = ',', default_value = "1,1,1,1", allow_hyphen_values = true)]
    pub(super) pads: Vec<i32>,
    /// Put the kernel itself into the engine.
    #[arg(long)]
    pub(super) aot: bool,
    /// Save the engine to --artifacts_dir, as circ_pad.engine.
    #[arg(long = "save_engine", alias = "save-engine")]
    pub(super) save_engine: bool,
    /// Load circ_pad.engine from --artifacts_dir; the other options are ignored.
    #[arg(long = "load_engine", alias = "load-engine")]
    pub(super) load_engine: bool,
    /// Folder of ONNX files and engines.
    #[arg(long = "artifacts_dir", alias = "artifacts-dir", value_name = "DIR")]
    pub(super) artifacts_dir: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(super) struct AllArgs {
    #[command(flatten)]
    pub(super) build: BuildArgs,
    /// Type of the inputs.
    #[arg(long, value_enum, default_value = "f32")]
    pub(super) dtype: InputType,
}

#[derive(Args, Debug)]
pub(super) struct NewArgs {
    /// The folder, called as the crate is to be: my-plugins.
    #[arg(value_name = "FOLDER")]
    pub(super) folder: PathBuf,
}

#[derive(Args, Debug)]
pub(super) struct BenchArgs {
    #[command(flatten)]
    pub(super) build: BuildArgs,
    /// Write the rows to this file: a JSON array of work, dtype, shape, median_us, floor_us; of a GPU also cold_us, goal
    /// and met.
    #[arg(long, value_name = "FILE")]
    pub(super) json: Option<PathBuf>,
    /// Show ratios to the times in this file, which samples/peers/cpu_peers.py writes, or gpu_peers.py for a GPU.
    #[arg(long, value_name = "FILE")]
    pub(super) peers: Option<PathBuf>,
    /// Time only work whose name contains this.
    #[arg(long, value_name = "TEXT")]
    pub(super) only: Option<String>,
    /// Time changes of type and layout, as engines insert them, in place of the samples.
    #[arg(long)]
    pub(super) conversions: bool,
    /// Time builds of one layer, with all that it takes to find its tactic, in place of the samples; what each phase takes
    /// is shown with --verbose.
    #[arg(long, conflicts_with = "conversions")]
    pub(super) builds: bool,
    /// Time work on the CPU and its floor each by itself, so that each finds the caches as it left them, instead of in turns.
    #[arg(long)]
    pub(super) alone: bool,
    /// On the CPU, show fastest times in place of medians: where other programs run meanwhile.
    #[arg(long)]
    pub(super) fastest: bool,
    /// Show which times have a goal on a GPU, and time nothing.
    #[arg(long)]
    pub(super) goals: bool,
    /// Small inputs and few runs, to see that it works.
    #[arg(long)]
    pub(super) quick: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(super) enum InputType {
    F32,
    F16,
}

impl InputType {
    pub(super) fn data_type(self) -> DataType {
        match self {
            InputType::F32 => DataType::Float32,
            InputType::F16 => DataType::Float16,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(super) enum Mode {
    Onnx,
    Inetdef,
}

/// Extents given on the command line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Shape(pub(super) Vec<i64>);

pub(super) fn parse_shape(text: &str) -> std::result::Result<Shape, String> {
    let extents = text.split([',', 'x']).map(|extent| {
        extent
            .trim()
            .parse()
            .ok()
            .filter(|e| *e >= 0)
            .ok_or_else(|| format!("'{extent}' isn't an extent; expected whole numbers from 0, such as 4,5 or 4x5"))
    });
    let extents = extents.collect::<std::result::Result<Vec<i64>, _>>()?;
    if extents.len() > MAX_RANK {
        return Err(format!("{} dimensions were given; at most {MAX_RANK} are possible", extents.len()));
    }
    Ok(Shape(extents))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
    }

    #[test]
    fn shapes() {
        for text in ["4,5,0", "4x5x0", " 4, 5 ,0"] {
            assert_eq!(parse_shape(text), Ok(Shape(vec![4, 5, 0])));
        }
        for text in ["", "4,", "4xx5", "-1", "4.5", "99999999999999999999", "1,1,1,1,1,1,1,1,1"] {
            assert!(parse_shape(text).is_err(), "{text}");
        }
    }
}
