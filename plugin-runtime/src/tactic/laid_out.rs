//! A layer whose memory on a device is laid out for one combination.

use std::time::Duration;

use super::clock::{Cache, Clock, Original};
use super::layer_extents::dims;
use super::results::Results;
use super::room::of_results;
use super::scratch::Scratch;
use super::trial::Trials;
use crate::device::cpu::reformat::reformat;
use crate::device::{Frame, Region, StepMemory, Stream};
use crate::error::{Error, Result};
use crate::network::{Layer, Network};
use crate::plugin::{Implementation, Work, check_size};
use crate::shape::Dims;
use crate::tensor::{HostBytes, HostTensor, Representation};

/// A layer whose memory is laid out for one combination.
pub(super) struct LaidOut<'b> {
    pub(super) network: &'b Network,
    pub(super) layer: &'b Layer,
    pub(super) implementation: Implementation,
    /// One value per symbol, the layer's own size tensors at their upper bounds.
    pub(super) symbols: &'b [i64],
    pub(super) stream: &'b Stream,
    pub(super) memory: StepMemory,
    pub(super) frame: Frame,
    /// Inputs that are updated in place: their regions, and their data before a run.
    pub(super) originals: Vec<(Region, Original<'b>)>,
    /// One per tactic.
    pub(super) works: Vec<(i32, Result<Work>)>,
    pub(super) clock: &'b Clock,
    /// What lies between tensors and workspace.
    pub(super) gaps: Vec<Region>,
}

impl Trials for LaidOut<'_> {
    fn run(&mut self, tactic: i32, cache: Cache) -> Result<Duration> {
        let (layer, stream) = (self.layer, self.stream);
        let position = match self.works.iter().position(|(of, _)| *of == tactic) {
            Some(position) => position,
            None => {
                self.works.push((tactic, self.unlisted(tactic)));
                self.works.len() - 1
            }
        };
        let mut active = self.frame.activate(&mut [], &[])?;
        for (region, original) in &self.originals {
            original.restore(*region, &mut active, stream)?;
        }
        for (output, size) in self.memory.outputs().iter().zip(&layer.sizes) {
            if size.is_some() {
                active.clear_size(output, stream)?;
            }
        }
        match &mut self.works[position].1 {
            Ok(work) => self.clock.time(cache, || work.run(&mut active, &self.memory, stream)),
            Err(error) => Err(error.clone()),
        }
    }

    fn run_poisoned(&mut self, tactic: i32, poison: u8) -> Result<Results> {
        self.run_over(tactic, poison)?;
        Ok(Results { outputs: self.outputs().map_err(of_results)?, poison })
    }

    fn run_expecting(&mut self, tactic: i32, poison: u8, expected: &[HostTensor]) -> Result<Option<Results>> {
        self.run_over(tactic, poison)?;
        if self.gave(expected)? {
            return Ok(None);
        }
        Ok(Some(Results { outputs: self.outputs().map_err(of_results)?, poison }))
    }

    fn knows_cold(&self) -> bool {
        self.clock.knows_cold()
    }

    fn in_place(&self) -> Vec<bool> {
        self.layer.aliases.iter().map(Option::is_some).collect()
    }

    fn describe(&self) -> String {
        self.memory.describe()
    }
}

impl LaidOut<'_> {
    /// Runs a tactic over poison.
    fn run_over(&mut self, tactic: i32, poison: u8) -> Result<()> {
        let stream = self.stream;
        let mut active = self.frame.activate(&mut [], &[])?;
        let outputs = self.memory.outputs().iter().zip(&self.layer.aliases);
        let regions = outputs.filter(|(_, alias)| alias.is_none()).map(|(output, _)| (output.region, poison));
        // The workspace gets another byte: elements copied from it mustn't pass for unwritten.
        let gaps = self.gaps.iter().map(|&gap| (gap, poison));
        for (region, byte) in regions.chain([(self.memory.workspace(), !poison)]).chain(gaps) {
            active.fill(region, byte, stream)?;
        }
        self.run(tactic, Cache::Warm)?;
        self.check_gaps(poison)
    }

    /// A tactic that its combination doesn't list, such as a reference: an impl takes any.
    fn unlisted(&self, tactic: i32) -> Result<Work> {
        match self.implementation {
            Implementation::Impl(entry) => Ok(self.layer.bound.work(entry, tactic)),
            Implementation::Aot(_) => Err(Error::invalid(format_args!("it has no kernels for tactic {tactic}"))),
        }
    }

    /// Refuses a run that wrote between tensors.
    fn check_gaps(&mut self, poison: u8) -> Result<()> {
        let mut active = self.frame.activate(&mut [], &[])?;
        for gap in &self.gaps {
            let mut bytes = [0; Scratch::LONGEST_GAP];
            let bytes = &mut bytes[..gap.len];
            active.copy_out(*gap, bytes, self.stream)?;
            let Some(first) = bytes.iter().position(|byte| *byte != poison) else { continue };
            let last = bytes.iter().rposition(|byte| *byte != poison).unwrap_or(first);
            let mut placed = self.memory.inputs().iter().map(|input| &input.tensor).chain(self.memory.outputs());
            let before = placed.rfind(|tensor| tensor.region.offset + tensor.region.len == gap.offset);
            let what = before.map_or_else(|| "the workspace".to_owned(), |tensor| format!("`{}`", tensor.info.name));
            return Err(Error::plugin(format_args!(
                "it wrote to memory that isn't its own: past the end of {what}, bytes {first} to {last} after it"
            )));
        }
        Ok(())
    }

    /// The extents of what the last run wrote.
    fn written(&mut self) -> Result<Vec<Dims>> {
        let mut active = self.frame.activate(&mut [], &[])?;
        let mut symbols = self.symbols.to_vec();
        for (output, (placed, size)) in self.memory.outputs().iter().zip(&self.layer.sizes).enumerate() {
            if let Some(size) = size {
                let upper = symbols[size.position()];
                let found = active.read_size(placed, self.stream)?;
                check_size(output, found, upper)?;
                symbols[size.position()] = found;
            }
        }
        self.layer.outputs.iter().map(|&tensor| dims(self.network, tensor, &symbols)).collect()
    }

    /// Whether the last run wrote this, bit for bit, in row-major tensors.
    fn gave(&mut self, expected: &[HostTensor]) -> Result<bool> {
        let written = self.written()?;
        let mut active = self.frame.activate(&mut [], &[])?;
        for ((placed, dims), expected) in self.memory.outputs().iter().zip(written).zip(expected) {
            let row_major = placed.info.representation() == Representation::linear(expected.dtype());
            if !row_major
                || dims != expected.extents()
                || !active.holds(placed.region, expected.bytes(), self.stream)?
            {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// What the last run wrote.
    fn outputs(&mut self) -> Result<Vec<HostTensor>> {
        let written = self.written()?;
        let mut active = self.frame.activate(&mut [], &[])?;
        let mut outputs = Vec::new();
        for (placed, dims) in self.memory.outputs().iter().zip(written) {
            let representation = placed.info.representation();
            let row_major = Representation::linear(placed.info.dtype);
            let mut data = HostTensor::zeros(placed.info.dtype, &dims)?;
            if representation == row_major {
                active.copy_out(placed.region, data.bytes_mut(), self.stream)?;
            } else {
                let mut bytes = HostBytes::zeroed(representation.bytes(&dims)?)?;
                active.copy_out(placed.region, &mut bytes, self.stream)?;
                reformat(representation, &bytes, row_major, data.bytes_mut(), &dims)?;
            }
            outputs.push(data);
        }
        Ok(outputs)
    }
}
