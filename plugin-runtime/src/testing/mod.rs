//! For tests of plugins: one impl on given tensors, a suite that each plugin has to pass, and kernels without a GPU.
//!
//! ```
//! use plugin_runtime::prelude::*;
//! use plugin_runtime::tensor::HostTensor;
//! use plugin_runtime::testing::{call, conformance};
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
//! // One run on tensors of one's own.
//! let x = HostTensor::from_slice(&[1.0f32, 2.0], &[2])?;
//! let outputs = call::<scale::Plugin>().attributes(scale::Attributes { factor: 3.0 }).run(&[&x])?;
//! assert_eq!(outputs[0].as_slice::<f32>()?, [3.0, 6.0]);
//!
//! // The suite: one line in a test.
//! conformance::<scale::Plugin>()
//!     .attributes(scale::Attributes { factor: 3.0 })
//!     .input(DataType::Float32, ["rows", "columns"])
//!     .check()?;
//! # Ok::<(), plugin_runtime::Error>(())
//! ```

mod call;
mod conformance;
mod engines;
mod hosts;
mod kernels;
#[cfg(feature = "onnxruntime")]
mod onnxruntime;
mod report;
mod shapes;
mod subject;

pub use call::{Call, call};
pub use conformance::{Conformance, conformance};
pub use kernels::check_kernels;
pub use report::ConformanceReport;
