//! What a plugin says of itself: id, attributes, static entries, and the registry that joins them.

mod attribute;
pub mod check;
pub mod combination;
mod compare;
mod conflict;
mod entry;
mod join;
mod onnx_names;
mod registry;
mod runner;
mod sample;
#[doc(hidden)]
pub mod shim;
mod spec;

pub use attribute::{Attribute, AttributeSchema, AttributeType, AttributeValue};
pub(crate) use compare::Tolerance;
pub use compare::{Compare, IntoComparisons};
pub(crate) use conflict::linked;
pub use conflict::{Conflict, RegistryError};
pub use entry::{
    AOT_IMPLS, AUTOTUNES, AotEntry, AutotuneEntry, Comparisons, IMPLS, ImplEntry, ListCombinations, Location, PLUGINS,
    PluginEntry, SampleInputs, TacticNames, WorkspaceSize,
};
pub(crate) use onnx_names::OWN_DOMAIN;
pub use registry::{Plugin, Registry};
pub(crate) use runner::{AOT_TACTIC, Runner};
pub use sample::Sample;
pub(crate) use sample::Values;
pub use spec::{AttributeSet, IntoResult, KnownTactics, PluginSpec};

pub use crate::device::DynAttributes;
