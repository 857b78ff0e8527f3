//! One suite of cases for every runtime: each case once, with what it has to give; every runtime runs all of them.
//!
//! A runtime joins by [`Runtime`]: it says which cases it leaves out, and why, and runs the others. [`for_each_case!`](crate::for_each_case) makes
//! a test of each, named as the case:
//!
//! ```text
//! macro_rules! on_mine {
//!     ($($case:ident)*) => { $(
//!         #[test]
//!         fn $case() {
//!             suite::check(&mut Mine::new(), suite::cases::$case());
//!         }
//!     )* };
//! }
//! tests::for_each_case!(on_mine);
//! ```

pub mod cases;
mod cpu;
pub mod files;

pub use cpu::{Cpu, built, run_by_name};

use plugin_runtime::network::Network;
use plugin_runtime::prelude::*;
use plugin_runtime::shape::Profile;
use plugin_runtime::tensor::HostTensor;

use crate::command::skipped;

/// A network, and what it has to give.
#[derive(Clone, Debug)]
pub struct Case {
    /// As the function in [`cases`] that makes it.
    pub name: &'static str,
    /// What runs.
    pub network: Network,
    /// The range of its shapes, where it has dynamic ones.
    pub profile: Option<Profile>,
    /// Types that may be used besides the network's own.
    pub types: Vec<DataType>,
    /// (output, input) for each output that lies in an input's memory.
    pub in_place: Vec<(&'static str, &'static str)>,
    /// Kinds of device whose impls all its plugins have, besides the CPU.
    pub on: Vec<On>,
    /// Whether a layer waits for extents that an earlier one finds, as it doesn't say that it copes without.
    pub waits: bool,
    /// One after another.
    pub runs: Vec<Run>,
}

/// What a case can run on besides the CPU.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum On {
    /// A GPU, by impls.
    Cuda,
    /// A GPU, by kernels compiled ahead of time.
    AheadOfTime,
}

/// Inputs by name, and the outputs in their order, to the bit.
#[derive(Clone, Debug)]
pub struct Run {
    /// By name.
    pub inputs: Vec<(&'static str, HostTensor)>,
    /// In the network's order.
    pub expected: Vec<HostTensor>,
}

impl Run {
    /// Whether another run has inputs of the same extents.
    pub fn has_the_shapes_of(&self, other: &Run) -> bool {
        self.inputs.iter().zip(&other.inputs).all(|((_, a), (_, b))| a.shape() == b.shape())
    }

    /// The inputs as an engine takes them.
    pub fn inputs(&self) -> Vec<(&str, &HostTensor)> {
        self.inputs.iter().map(|(name, tensor)| (*name, tensor)).collect()
    }
}

/// Whatever runs networks of plugins.
pub trait Runtime {
    /// As tests name it.
    fn name(&self) -> &'static str;

    /// Why it can't run a case, if it can't.
    fn leaves_out(&self, case: &Case) -> Option<String>;

    /// The outputs of each of a case's runs. Outputs hold poison before, and what lies behind inputs and outputs stays as
    /// it is.
    ///
    /// # Errors
    /// When it can't, which fails the case.
    fn run(&mut self, case: &Case) -> Result<Vec<Vec<HostTensor>>>;
}

/// Runs a case, and compares what it gives to the bit. Says by name where it is left out.
///
/// # Panics
/// When it gives something else.
pub fn check(runtime: &mut dyn Runtime, case: Case) {
    let what = format!("{} on {}", case.name, runtime.name());
    if let Some(reason) = runtime.leaves_out(&case) {
        return skipped(&what, &reason);
    }
    let found = runtime.run(&case).unwrap_or_else(|error| panic!("{what}: {error}"));
    assert_eq!(found.len(), case.runs.len(), "{what}");
    for (number, (found, run)) in found.iter().zip(&case.runs).enumerate() {
        assert_same(found, &run.expected, &format!("{what}, run {number}"));
    }
}

/// Both have the same outputs, to the bit.
///
/// # Panics
/// When one differs.
pub fn assert_same(found: &[HostTensor], expected: &[HostTensor], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (output, (found, expected)) in found.iter().zip(expected).enumerate() {
        let what = format!("{what}, output {output}");
        assert_eq!((found.dtype(), found.shape()), (expected.dtype(), expected.shape()), "{what}");
        let differs = found.bytes().iter().zip(expected.bytes()).position(|(a, b)| a != b);
        assert_eq!(differs, None, "{what}: the first byte that differs, of {}", found.bytes().len());
    }
}
