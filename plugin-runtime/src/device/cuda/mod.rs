//! NVIDIA GPUs. Their driver and compiler are found when the program runs; nothing of CUDA is needed to build it.
//!
//! A kernel is written in CUDA C++ beside its plugin and declared with [`kernels!`](crate::kernels), which gives a typed
//! function that launches it. It is compiled for the GPU that is there when it is first used.
//!
//! | variable | what it says |
//! |---|---|
//! | `NVRTC_LIBRARY` | the path of the compiler, `libnvrtc.so.13`; else the loader is asked, then `CUDA_HOME`, `CUDA_PATH` and `/usr/local/cuda` |
//! | `PLUGIN_RUNTIME_CACHE` | the folder where compiled kernels are kept; empty: nowhere; else `plugin-runtime` in `$XDG_CACHE_HOME` or `~/.cache` |
//!
//! The folder only grows; it may be deleted at any time. A kernel is compiled again when its source, its headers, options,
//! the GPU's architecture or the compiler's version change, but not when a header that it finds elsewhere does. Where no
//! compiler is found, what any version of it left there is used.

mod aot;
mod cache;
pub(crate) mod compiler;
mod constants;
mod declare;
mod driver;
mod event;
mod find;
#[cfg(any(feature = "bench", test))]
mod floor;
mod gpu;
mod graph;
pub(crate) mod image;
pub(crate) mod kernel;
mod kernel_memory;
mod launch;
mod measure;
pub(crate) mod memory;
pub(crate) mod module;
#[cfg(any(feature = "bench", test))]
mod nodes;
mod nvrtc;
mod queue;
pub(crate) mod reformat;
pub(crate) mod runtime;
pub(crate) mod services;
pub(crate) mod settle;
mod source;
mod staging;
mod stream;
mod sys;
mod tensor;
mod uses;

#[cfg(feature = "tensorrt")]
pub(crate) use aot::DIMENSIONS;
pub use aot::{AotArg, AotImage, AotKernel, AotLaunch, AotParameter, IntoArguments, LaunchParams};
pub(crate) use aot::{
    AotBinary, AotCompiler, AotLaunches, AotModule, AotProgram, AotSlots, CheckedLaunches, LARGEST_IMAGE,
    ProgramLaunch, ProgramParameter,
};
#[cfg(any(feature = "testing", test))]
pub(crate) use compiler::find_nvrtc;
pub use compiler::{CompileReport, KernelReport, compile_report};
pub(crate) use constants::DeviceConstants;
pub use driver::DeviceError;
pub(crate) use event::Event;
pub(crate) use find::find_gpus;
#[cfg(feature = "bench")]
pub(in crate::device) use floor::convert;
#[cfg(any(feature = "bench", test))]
pub use floor::{BareLaunches, device_copy};
pub use gpu::CudaProperties;
#[cfg(feature = "tensorrt")]
pub(crate) use gpu::current;
pub(crate) use gpu::{Bound, Gpu};
pub(crate) use graph::{Graph, Recorded};
pub use image::ImageKind;
pub use kernel::KernelArgument;
#[doc(hidden)]
pub use kernel::{Kernel, parameter};
pub use kernel_memory::{AnyElement, KernelInput, KernelMemory, KernelOutput};
#[doc(hidden)]
pub use kernel_memory::{argument_of, chosen_instance, length_of};
pub use launch::LaunchConfig;
pub use measure::GpuTimer;
pub(crate) use memory::DeviceMemory;
pub(in crate::device) use memory::Lent;
pub use source::{Architecture, Instance, KERNELS, KernelEntry, Parameter, SOURCES, Source};
pub(crate) use staging::PinnedMemory;
pub(crate) use stream::CudaStream;
pub use tensor::DeviceTensor;
