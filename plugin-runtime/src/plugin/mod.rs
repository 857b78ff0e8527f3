//! What a plugin says of itself: id, attributes, static entries, and the registry that joins them.

mod attribute;
pub mod check;
mod entry;
mod guard;
mod registry;
#[doc(hidden)]
pub mod shim;
mod spec;
mod suggest;

pub use attribute::{Attribute, AttributeSchema, AttributeType, AttributeValue};
pub use entry::{
    AOT_IMPLS, AUTOTUNES, AotEntry, AutotuneEntry, DynAttributes, IMPLS, ImplEntry, ListCombinations, Location,
    PLUGINS, PluginEntry, TacticNames, WorkspaceSize,
};
pub(crate) use guard::guarded;
pub use registry::{Conflict, Plugin, Registry, RegistryError};
pub use spec::{AttributeSet, IntoOp, IntoResult, KnownTactics, Op, PluginSpec};
pub(crate) use suggest::did_you_mean;
