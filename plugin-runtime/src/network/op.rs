//! A plugin as `network.add_plugin(..)` takes it.

use super::TensorId;
use crate::plugin::AttributeValue;

/// A plugin with its inputs and attributes, ready to be added to a network.
#[derive(Clone, Debug)]
pub struct Op {
    /// `namespace::name`.
    pub id: &'static str,
    /// The plugin's version.
    pub version: u32,
    /// One tensor per input.
    pub inputs: Vec<TensorId>,
    /// One value per attribute.
    pub attributes: Vec<AttributeValue>,
    /// Whether its impl or its AOT kernels run.
    pub preference: Preference,
}

/// Which of the two a layer runs where its plugin has both: an impl (JIT, just in time: the plugin's own code enqueues
/// the work), or AOT kernels (ahead of time: they lie in the engine, which then needs no plugin to run).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Debug)]
#[non_exhaustive]
pub enum Preference {
    /// Nothing is said: the impl where there is one for the device, else the AOT kernels.
    #[default]
    Unspecified,
    /// The impl; the AOT kernels where there is none for the device.
    PreferJit,
    /// The AOT kernels; the impl where there are none, or where the device runs none (the CPU).
    PreferAot,
    /// The impl; without one for the device no engine is built.
    RequireJit,
    /// The AOT kernels; where there are none, or the device runs none, no engine is built.
    RequireAot,
}

#[cfg(feature = "onnx")]
impl Preference {
    /// Whether the AOT kernels are asked for (`Some(true)`) or the impl, if either is.
    pub(crate) fn aot(self) -> Option<bool> {
        match self {
            Preference::Unspecified => None,
            Preference::PreferJit | Preference::RequireJit => Some(false),
            Preference::PreferAot | Preference::RequireAot => Some(true),
        }
    }

    /// Whether nothing else will do.
    pub(crate) fn insists(self) -> bool {
        matches!(self, Preference::RequireJit | Preference::RequireAot)
    }
}

/// A plugin that `network.add_plugin(..)` takes: the constructor that `#[register]` makes. `N` is the number of outputs.
#[diagnostic::on_unimplemented(
    message = "`{Self}` isn't a plugin with its inputs",
    label = "write `plugin::op(input, .., attribute, ..)`, of the module that `#[register]` makes beside the function"
)]
pub trait IntoOp<const N: usize> {
    /// The plugin with its inputs and attributes.
    fn into_op(self) -> Op;

    /// Says whether the impl or the AOT kernels run.
    fn with_preference(self, preference: Preference) -> Preferring<Self>
    where
        Self: Sized,
    {
        Preferring { op: self, preference }
    }

    /// Runs the impl where there is one for the device, as it does where nothing is said.
    fn prefer_jit(self) -> Preferring<Self>
    where
        Self: Sized,
    {
        self.with_preference(Preference::PreferJit)
    }

    /// Runs the AOT kernels where there are any and the device runs them, else the impl.
    fn prefer_aot(self) -> Preferring<Self>
    where
        Self: Sized,
    {
        self.with_preference(Preference::PreferAot)
    }

    /// Runs the impl; without one for the device, building is an error.
    fn require_jit(self) -> Preferring<Self>
    where
        Self: Sized,
    {
        self.with_preference(Preference::RequireJit)
    }

    /// Runs the AOT kernels; where there are none, or the device runs none, building is an error.
    fn require_aot(self) -> Preferring<Self>
    where
        Self: Sized,
    {
        self.with_preference(Preference::RequireAot)
    }
}

/// A plugin that says whether its impl or its AOT kernels run: see [`IntoOp::prefer_aot`] and the others there.
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct Preferring<T> {
    op: T,
    preference: Preference,
}

impl<const N: usize, T: IntoOp<N>> IntoOp<N> for Preferring<T> {
    fn into_op(self) -> Op {
        Op { preference: self.preference, ..self.op.into_op() }
    }
}
