//! The static entries that the attributes emit, gathered at link time.

use std::fmt;

use linkme::distributed_slice;

use super::{AttributeSchema, AttributeValue, Compare, Sample};
use crate::device::{DeviceKind, DynAttributes, Invocation};

use crate::device::cuda::AotKernel;
use crate::error::Result;
use crate::plugin::combination::AutoTuneCombination;
use crate::shape::ShapeExpr;
use crate::tensor::{OutputDesc, TensorDesc};

/// Source location of an entry.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Location {
    /// Path of the source file, as the compiler was given it.
    pub file: &'static str,
    /// Line, from 1.
    pub line: u32,
    /// Column, from 1.
    pub column: u32,
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// The entry that `#[register]` emits.
#[derive(Clone, Copy, Debug)]
pub struct PluginEntry {
    /// `namespace::name`.
    pub id: &'static str,
    /// From 1.
    pub version: u32,
    /// The doc comment of the function.
    pub description: &'static str,
    /// Names of the inputs, first to last.
    pub inputs: &'static [&'static str],
    /// The attributes, first to last.
    pub attributes: &'static [AttributeSchema],
    /// Number of outputs.
    pub outputs: usize,
    /// Domains and operators, `domain::Operator`, under which ONNX models may name it besides its id.
    pub onnx: &'static [&'static str],
    /// The shape function. The slice holds one desc per input.
    pub infer: fn(&[TensorDesc], &DynAttributes) -> Result<Vec<OutputDesc>>,
    /// How its outputs are compared, where the author says so.
    pub compare: Option<Comparisons>,
    /// Samples of its inputs, where the author gives some.
    pub sample_inputs: Option<SampleInputs>,
    /// Makes the typed attribute struct from one value per attribute.
    pub attributes_from_values: fn(&[AttributeValue]) -> Result<Box<DynAttributes>>,
    /// Source location of the function.
    pub location: Location,
}

impl PluginEntry {
    /// `namespace::name v1`
    pub(super) fn label(&self) -> String {
        format!("{} v{}", self.id, self.version)
    }
}

/// Says how each output is compared, for inputs and attributes.
pub type Comparisons = fn(&[TensorDesc], &DynAttributes) -> Result<Vec<Compare>>;

/// Gives a sample of each input, for inputs and attributes.
pub type SampleInputs = fn(&[TensorDesc], &DynAttributes) -> Result<Vec<Sample>>;

/// Lists combinations for inputs, outputs and attributes.
pub type ListCombinations = fn(&[TensorDesc], &[TensorDesc], &DynAttributes) -> Result<Vec<AutoTuneCombination>>;

/// The entry that `#[autotune]` emits.
#[derive(Clone, Copy, Debug)]
pub struct AutotuneEntry {
    /// The plugin's id.
    pub id: &'static str,
    /// The plugin's version.
    pub version: u32,
    /// Lists the combinations; inputs, then outputs, then the attributes.
    pub combinations: ListCombinations,
    /// Source location of the function.
    pub location: Location,
}

/// Gives a tactic's name, where its enum has one of that number.
pub type TacticNames = fn(i32) -> Option<&'static str>;

/// Gives a scratch size in bytes for inputs, outputs and attributes.
pub type WorkspaceSize = fn(&[TensorDesc], &[TensorDesc], &DynAttributes) -> Result<ShapeExpr>;

/// The entry that `#[impl_plugin]` emits.
#[derive(Clone, Copy, Debug)]
pub struct ImplEntry {
    /// The plugin's id.
    pub id: &'static str,
    /// The plugin's version.
    pub version: u32,
    /// The device it runs on.
    pub device: DeviceKind,
    /// Names of the attributes it uses: the ones that an engine file keeps.
    pub attributes: &'static [&'static str],
    /// Names of its tactics; `None` where it has no `tactic` parameter or takes a plain integer.
    pub tactic_names: Option<TacticNames>,
    /// Whether it has a `tactic` parameter.
    pub takes_tactic: bool,
    /// The scratch memory it asks for.
    pub workspace: Option<WorkspaceSize>,
    /// Whether it copes with extents that only the device knows. If not, a run waits for them.
    pub device_shape: bool,
    /// Runs it.
    pub run: fn(&mut Invocation<'_>) -> Result<()>,
    /// Source location of the function.
    pub location: Location,
}

/// The entry that `#[aot_impl]` emits.
#[derive(Clone, Copy, Debug)]
pub struct AotEntry {
    /// The plugin's id.
    pub id: &'static str,
    /// The plugin's version.
    pub version: u32,
    /// Names of the tactics, as in [`ImplEntry`].
    pub tactic_names: Option<TacticNames>,
    /// Whether it has a `tactic` parameter.
    pub takes_tactic: bool,
    /// As [`ImplEntry::device_shape`]: then launch dimensions are computed from upper bounds.
    pub device_shape: bool,
    /// Describes the kernel; inputs, outputs, attributes, tactic.
    pub kernel: fn(&[TensorDesc], &[TensorDesc], &DynAttributes, i32) -> Result<AotKernel>,
    /// Source location of the function.
    pub location: Location,
}

/// All linked `#[register]` functions.
#[distributed_slice]
pub static PLUGINS: [PluginEntry];

/// All linked `#[autotune]` functions.
#[distributed_slice]
pub static AUTOTUNES: [AutotuneEntry];

/// All linked `#[impl_plugin]` functions.
#[distributed_slice]
pub static IMPLS: [ImplEntry];

/// All linked `#[aot_impl]` functions.
#[distributed_slice]
pub static AOT_IMPLS: [AotEntry];
