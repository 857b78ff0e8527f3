//! Declare a GPU op once, in Rust: its shapes, types, tactics, aliases and kernels. Run it in every engine.
//!
//! A plugin is a few annotated functions. [`register`] describes the outputs, [`autotune`] (optional) lists the types,
//! layouts and tactics to choose from, [`impl_plugin`] runs. An `Engine` is built from a network of them:
//!
//! ```
//! use plugin_runtime::prelude::*;
//! # use plugin_runtime::{device::Device, engine::Builder, network::Network, shape::Profile, tensor::HostTensor};
//!
//! /// Every element times a factor.
//! #[register("docs::scale")]
//! fn scale(x: &TensorDesc, factor: f32) -> TensorDesc {
//!     x.like()
//! }
//!
//! #[impl_plugin("docs::scale", device = cpu)]
//! fn scale_cpu(x: Tensor, factor: f32, outputs: [TensorMut; 1]) -> Result<()> {
//!     let [y] = outputs;
//!     for (y, x) in y.into_slice::<f32>()?.iter_mut().zip(x.as_slice::<f32>()?) {
//!         *y = x * factor;
//!     }
//!     Ok(())
//! }
//!
//! # fn main() -> Result<()> {
//! let mut network = Network::new();
//! let x = network.add_input("X", DataType::Float32, [-1, 3])?;
//! let [y] = network.add_plugin(scale::op(x, 2.0))?;
//! network.mark_output(y, "Y")?;
//!
//! let profile = Profile::new().dims("X", [1, 3], [2, 3], [8, 3]);
//! let engine = Builder::new(Device::best()?).profile(profile).build(&network)?;
//! let x = HostTensor::from_slice(&[1.0f32, 2.0, 3.0], &[1, 3])?;
//! let outputs = engine.create_context()?.run(&[("X", &x)])?;
//! assert_eq!(outputs[0].1.as_slice::<f32>()?, [2.0, 4.0, 6.0]);
//! # Ok(())
//! # }
//! ```
//!
//! On a GPU the same engine runs `#[impl_plugin(.., device = cuda)]`, which launches kernels that [`kernels!`]
//! declares, or the kernels that `#[aot_impl]` puts into the engine: see [`device::cuda`].
//!
//! # How data flows
//!
//! Data goes down this list:
//!
//! | module | what it does |
//! |---|---|
//! | [`shape`] | symbolic expressions of extents, their ranges and their evaluation; optimization profiles |
//! | [`tensor`] | element types, layouts, descs, views of data |
//! | [`device`] | the only code that touches memory and launches work, its own or a host's |
//! | [`plugin`] | what a plugin says of itself; the registry of all that are linked |
//! | [`network`] | the graph; shapes are inferred as it is made |
//! | [`tactic`] | combinations of types, layouts and tactics; their timing; the choice among them |
//! | [`engine`] | the memory plan, engines, execution |
//! | `host` | other engines that run the plugins |
//! | [`whole_file`] | files that are written whole or not at all |
//!
//! # For a plugin's author
//!
//! | page | what it says |
//! |---|---|
//! | [`concepts::plugins`] | attributes, defaults, versions, types, tactics of several devices |
//! | [`concepts::shapes`] | descs, shape expressions, size tensors, profiles, extents that only the device knows |
//! | [`concepts::tactics`] | combinations, tactics, how results are checked and timed, the lockfile |
//! | [`concepts::memory`] | views, workspaces, updates in place, memory and streams of somebody else, DLPack |
//! | [`concepts::kernels`] | kernels, launches, NVRTC, kernels in the engine file, capture |
//! | [`concepts::testing`] | a suite for plugins, one impl on given tensors, kernels without a GPU |
//!
//! # Features
//!
//! | feature | on by default | what it brings |
//! |---|---|---|
//! | `cuda` | yes | NVIDIA GPUs; without it only device `cpu` is found, and [`device::cuda`] only describes kernels |
//! | `onnx` | yes | `network::onnx`: networks from ONNX models, and models from networks |
//! | `onnxruntime` | no | `host::onnxruntime`: plugin libraries that ONNX Runtime loads |
//! | `tensorrt` | no | `host::tensorrt`: plugin libraries that TensorRT and TensorRT-RTX load |
//! | `torch` | no | `host::torch`: plugin libraries that PyTorch loads |
//! | `jax` | no | `host::jax`: plugin libraries for JAX |
//! | `testing` | no | `testing`: one impl on given tensors, a suite for plugins, kernels without a GPU |
//! | `bench` | no | what a benchmark compares an engine with: the same work without the engine |
//!
//! How the crate is built, and what has to stay true: [`architecture`].
//!
//! A crate of plugins that a program never names isn't linked, and registers nothing: write `use my_plugins as _;`.

#[cfg(doc)]
#[doc = include_str!("../ARCHITECTURE.md")]
pub mod architecture {}
#[cfg(any(doc, doctest))]
pub mod concepts {
    //! One page per subject, for a plugin's author who knows CUDA and TensorRT.

    #[doc = include_str!("../docs/kernels.md")]
    pub mod kernels {}
    #[doc = include_str!("../docs/memory.md")]
    pub mod memory {}
    #[doc = include_str!("../docs/plugins.md")]
    pub mod plugins {}
    #[doc = include_str!("../docs/shapes.md")]
    pub mod shapes {}
    #[doc = include_str!("../docs/tactics.md")]
    pub mod tactics {}
    #[doc = include_str!("../docs/testing.md")]
    pub mod testing {}
}
pub mod device;
pub mod engine;
mod error;
mod guard;
#[cfg(any(feature = "onnxruntime", feature = "tensorrt", feature = "python", test))]
pub mod host;
pub mod network;
pub mod plugin;
pub mod shape;
mod suggest;
mod table;
pub mod tactic;
pub mod tensor;
#[cfg(any(feature = "testing", test))]
pub mod testing;
pub mod whole_file;
mod wording;

pub use bytemuck;
pub use error::{Context, Error, ErrorKind, LayerContext, Result};
pub use plugin_macros::{Tactic, aot_impl, autotune, impl_plugin, register};

/// All that a plugin's author needs: `use plugin_runtime::prelude::*;`
pub mod prelude {
    pub use crate::bail;
    pub use crate::device::Stream;
    pub use crate::device::cuda::{AotArg, AotImage, AotKernel, AotLaunch, AotParameter, LaunchConfig, LaunchParams};
    pub use crate::dims;
    pub use crate::dispatch;
    pub use crate::error::{Error, Result};
    pub use crate::kernels;
    pub use crate::network::IntoOp;
    pub use crate::plugin::combination::{AutoTuneCombination, Tactic};
    pub use crate::plugin::{Compare, Sample};
    pub use crate::shape::ShapeExpr;
    pub use crate::tensor::{
        DataType, DeviceSlice, DeviceSliceMut, Element, Format, SizeTensorDesc, Tensor, TensorDesc, TensorMut,
        Workspace, size_tensor,
    };
    pub use half::{bf16, f16};
    pub use plugin_macros::{Tactic, aot_impl, autotune, impl_plugin, register};
}

/// Names for the attributes' expansions; not for use by hand.
#[doc(hidden)]
pub mod __private {
    pub use crate::__attribute_goes_on_a_free_function as attribute_goes_on_a_free_function;
    pub use crate::device::cuda::{
        AnyElement, AotKernel, KERNELS, Kernel, KernelArgument, KernelEntry, KernelInput, KernelOutput, argument_of,
        chosen_instance, length_of, parameter,
    };
    pub use crate::device::{DeviceKind, DynAttributes, Invocation};
    pub use crate::error::{CanFail, Result};
    pub use crate::network::{IntoOp, Op, TensorId};
    pub use crate::plugin::combination::{AutoTuneCombination, Tactic};
    pub use crate::plugin::shim::*;
    pub use crate::plugin::*;
    pub use crate::shape::{IntoExpr, ShapeExpr};
    pub use crate::tensor::{Chosen, Element, IntoOutputs, OutputDesc, TensorDesc, is_element, no_such_element};
    pub use half::{bf16, f16};
    pub use linkme;
    pub use plugin_macros::{dispatch, kernels};

    /// Element types by their names, whatever an author gives these to.
    pub mod elements {
        pub use half::{bf16, f16};
        pub use std::primitive::{f32, i8, i32, i64, u8};
    }
}

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
