//! NVIDIA GPUs. Their driver and compiler are found when the program runs; nothing of CUDA is needed to build it.
//!
//! A kernel is written in CUDA C++ beside its plugin and declared with [`kernels!`](crate::kernels), which gives a typed
//! function that launches it. It is compiled for the GPU that is there when it is first used.

mod cache;
mod compiler;
mod constants;
mod driver;
mod gpu;
mod image;
mod kernel;
mod launch;
pub(crate) mod memory;
mod module;
mod nvrtc;
pub(crate) mod reformat;
mod slice;
mod source;
mod staging;
mod stream;
mod tensor;

pub(crate) use constants::DeviceConstants;
pub use driver::DeviceError;
pub(crate) use driver::find_gpus;
pub use gpu::CudaProperties;
pub(crate) use gpu::Gpu;
pub use kernel::KernelArgument;
#[doc(hidden)]
pub use kernel::{Kernel, parameter};
pub use launch::LaunchConfig;
pub(crate) use memory::DeviceMemory;
pub use slice::{DeviceSlice, DeviceSliceMut};
pub use source::{Architecture, KERNELS, KernelEntry, Parameter, Source};
pub(crate) use staging::PinnedMemory;
pub(crate) use stream::{CudaStream, Event, Graph};
pub use tensor::DeviceTensor;
