//! The rules that plugins follow; what breaks one is reported with what to write instead.

mod id;
mod onnx;
mod options;
mod outputs;
mod part;
mod registration;

pub(crate) use id::id;
pub(crate) use options::{device, device_shape, runtime, workspace};
pub(crate) use outputs::returns_right;
pub(crate) use part::part;
pub(crate) use registration::registration;
