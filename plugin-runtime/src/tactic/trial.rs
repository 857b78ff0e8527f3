//! The device that trials run on, as traits: real ones, and a fake one in tests.

use std::fmt::Debug;
use std::time::Duration;

use super::clock::Cache;
use super::results::Results;
use crate::error::Result;
use crate::network::At;
use crate::plugin::ImplEntry;
use crate::plugin::combination::Combination;
use crate::tensor::DataType;
use crate::tensor::HostTensor;

/// Bytes that outputs are filled with before a run, one per run. The first makes NaN as a float, and is out of bounds
/// as an index; any two differ in each half of the byte.
pub(super) const POISONS: [u8; 4] = [0xff, 0x00, 0xa5, 0x5a];

/// A layer with input data on a device, ready to be laid out for one combination after another.
pub(super) trait Bench: Debug {
    /// Which of a profile's shapes it is at.
    fn at(&self) -> At;

    /// The network's own types, LINEAR.
    fn own_combination(&self) -> Combination;

    /// The types that the network has the outputs in.
    fn output_types(&self) -> Vec<DataType>;

    /// The layer's inputs, row-major.
    #[cfg(any(feature = "testing", test))]
    fn inputs(&self) -> &[HostTensor] {
        &[]
    }

    /// Whether the layer's implementation has a tactic.
    fn knows(&self, tactic: i32) -> bool;

    /// The same layer and data for the plugin's impl for the CPU.
    fn on_cpu(&self, entry: &'static ImplEntry) -> Result<Box<dyn Bench + '_>>;

    /// Lays the inputs out for a combination.
    ///
    /// # Errors
    /// When that takes more memory than there is, or the author's functions fail.
    fn lay_out(&self, combination: &Combination) -> Result<Box<dyn Trials + '_>>;
}

/// A layer whose memory is laid out for one combination.
pub(super) trait Trials {
    /// Runs a tactic once; inputs that it updates in place are restored before.
    fn run(&mut self, tactic: i32, cache: Cache) -> Result<Duration>;

    /// Runs a tactic once, with outputs that aren't updated in place and scratch memory full of poison before, and so is
    /// what lies between tensors.
    ///
    /// # Errors
    /// When it fails, or writes to memory that isn't its own.
    fn run_poisoned(&mut self, tactic: i32, poison: u8) -> Result<Results>;

    /// As [`Trials::run_poisoned`]; `None` where the outputs are bit for bit what is expected.
    ///
    /// # Errors
    /// As [`Trials::run_poisoned`].
    fn run_expecting(&mut self, tactic: i32, poison: u8, expected: &[HostTensor]) -> Result<Option<Results>>;

    /// Whether runs with a cold cache are timed apart.
    fn knows_cold(&self) -> bool;

    /// For each output, whether it is updated in place.
    fn in_place(&self) -> Vec<bool>;

    /// `x FP32 [2, 3] -> FP32 [2, 3]`
    fn describe(&self) -> String;
}
