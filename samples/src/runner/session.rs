//! Building and running engines, with what is shown of it.

use std::io::Write;
use std::path::Path;

use plugin_runtime::ErrorKind;
use plugin_runtime::device::{Device, Stream};
use plugin_runtime::engine::{Builder, Engine};
use plugin_runtime::network::Network;
use plugin_runtime::tensor::HostTensor;

use super::cli::BuildArgs;
use super::device::shown_device;
use super::failure::{Failure, Result};
use super::npy;
use super::output::Output;
use super::text::shown_lines;
use super::tuning::{self, Progress};

/// A device, and where results are shown.
pub(super) struct Session<'a> {
    args: &'a BuildArgs,
    device: Device,
    out: &'a mut Output,
}

impl<'a> Session<'a> {
    /// # Errors
    /// When the device that the command line asks for isn't there.
    pub(super) fn new(args: &'a BuildArgs, out: &'a mut Output) -> Result<Self> {
        Ok(Session { args, device: args.device()?, out })
    }

    pub(super) fn seed(&self) -> u64 {
        self.args.seed
    }

    /// # Errors
    /// When the device has none to give.
    pub(super) fn stream(&self) -> Result<Stream> {
        Ok(self.device.create_stream()?)
    }

    /// Builds an engine; shows its progress on a terminal, what couldn't be checked, and with `--verbose` what was tried.
    ///
    /// # Errors
    /// When the network can't be built.
    pub(super) fn build(
        &mut self,
        network: &Network,
        configure: impl for<'o> FnOnce(Builder<'o>) -> Builder<'o>,
    ) -> Result<Engine> {
        let progress = Progress::new();
        let builder = configure(self.args.builder(self.device.clone()));
        let built = builder.observe(|event| progress.update(event)).build(network);
        progress.finish();
        let is_there = self.args.lockfile.as_ref().is_none_or(|path| path.exists());
        let engine = built.map_err(|error| match self.args.locked {
            true if error.kind() == ErrorKind::NotTimed || !is_there => {
                Failure::work(format_args!("{error} (without --locked, the lockfile gets what it lacks)"))
            }
            _ => error.into(),
        })?;
        if self.args.verbose {
            self.out.table(&tuning::table(engine.report()))?;
        } else {
            for warning in tuning::warnings(engine.report()) {
                // Nobody misses it where stderr is closed.
                let _ = writeln!(std::io::stderr(), "warning: {}", shown_lines(&warning));
            }
        }
        Ok(engine)
    }

    /// Runs an engine with one input, `X`, and one output.
    ///
    /// # Errors
    /// When it can't be run.
    pub(super) fn run_one(&mut self, engine: &Engine, sample: &str, x: &HostTensor) -> Result<HostTensor> {
        let outputs = engine.create_context()?.run(&[("X", x)])?;
        let [(_, output)] = <[_; 1]>::try_from(outputs)
            .map_err(|outputs| Failure::work(format_args!("{sample} should have one output, got {}", outputs.len())))?;
        Ok(output)
    }

    /// Tells what was run, and that it was right.
    ///
    /// # Errors
    /// When standard output can't be written.
    pub(super) fn right(
        &mut self,
        sample: &str,
        inputs: &[(&str, &HostTensor)],
        outputs: &[(&str, &HostTensor)],
    ) -> Result<()> {
        let device = shown_device(&self.device);
        let (inputs, outputs) = (describe(inputs), describe(outputs));
        self.out.line(format_args!("{sample} on {device}: {inputs} -> {outputs}: right"))
    }

    /// Writes a result, where the command line asks for it.
    ///
    /// # Errors
    /// When it can't be written.
    pub(super) fn save(&mut self, path: Option<&Path>, tensor: &HostTensor) -> Result<()> {
        let Some(path) = path else { return Ok(()) };
        npy::write(path, tensor)?;
        self.out.line(format_args!("written to {}", path.display()))
    }
}

fn describe(tensors: &[(&str, &HostTensor)]) -> String {
    let tensors: Vec<String> =
        tensors.iter().map(|(name, tensor)| format!("{name} {} {:?}", tensor.dtype(), tensor.shape())).collect();
    tensors.join(", ")
}
