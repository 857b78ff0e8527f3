//! What a plugin says of itself: id, attributes, static entries, and the registry that joins them.

mod attribute;
mod bound;
pub mod check;
pub mod combination;
mod compare;
mod conflict;
mod entry;
mod implementation;
mod join;
mod onnx_names;
mod output_rules;
mod registry;
mod sample;
#[doc(hidden)]
pub mod shim;
mod spec;
mod work;

pub use attribute::{Attribute, AttributeSchema, AttributeType, AttributeValue};
pub(crate) use bound::BoundPlugin;
#[cfg(test)]
pub(crate) use bound::DescribedKernels;
#[cfg(feature = "tensorrt")]
pub(crate) use bound::DescribedLaunches;
pub(crate) use compare::Tolerance;
pub use compare::{Compare, IntoComparisons};
#[cfg(feature = "onnx")]
pub(crate) use conflict::linked;
pub use conflict::{Conflict, RegistryError};
#[doc(hidden)]
pub use entry::{
    AOT_IMPLS, AUTOTUNES, Comparisons, IMPLS, ListCombinations, PLUGINS, SampleInputs, TacticNames, WorkspaceSize,
};
pub use entry::{AotEntry, AutotuneEntry, ImplEntry, Location, PluginEntry};
pub(crate) use implementation::{Implementation, TacticName};
#[cfg(feature = "onnx")]
pub(crate) use onnx_names::OWN_DOMAIN;
pub(crate) use output_rules::check_size;
pub use registry::{Plugin, Registry};
pub use sample::Sample;
pub(crate) use sample::Values;
#[doc(hidden)]
pub use spec::{AttributeSet, IntoResult, KnownTactics, PluginSpec};
pub(crate) use work::Work;
