//! Declare a GPU op once, in Rust: its shapes, types, tactics, aliases and kernels. Run it in every engine.

pub mod device;
pub mod engine;
mod error;
pub mod network;
pub mod plugin;
pub mod shape;
pub mod tactic;
pub mod tensor;

pub use error::{ElementTypeError, Error, LayerError, Result};
pub use plugin_macros::{Tactic, aot_impl, autotune, impl_plugin, register};

/// What a plugin's author needs: `use plugin_runtime::prelude::*;`
pub mod prelude {
    pub use crate::bail;
    pub use crate::device::{AotKernel, LaunchParams, Stream};
    pub use crate::error::{Error, Result};
    pub use crate::shape::ShapeExpr;
    pub use crate::tactic::{AutoTuneCombination, Tactic};
    pub use crate::tensor::{
        DataType, Element, Format, SizeTensorDesc, Tensor, TensorDesc, TensorMut, Workspace, size_tensor,
    };
    pub use half::{bf16, f16};
    pub use plugin_macros::{Tactic, aot_impl, autotune, impl_plugin, register};
}

/// What the attributes' expansions name; not for use by hand.
#[doc(hidden)]
pub mod __private {
    pub use crate::device::{AotKernel, DeviceKind, Invocation};
    pub use crate::error::Result;
    pub use crate::network::TensorId;
    pub use crate::plugin::shim::*;
    pub use crate::plugin::*;
    pub use crate::shape::ShapeExpr;
    pub use crate::tactic::{AutoTuneCombination, Tactic};
    pub use crate::tensor::{IntoOutputs, OutputDesc, TensorDesc};
    pub use half::{bf16, f16};
    pub use linkme;
}
