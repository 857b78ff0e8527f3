//! Devices: the only code that touches memory and launches work.

mod aot;
pub mod cpu;
mod invocation;

pub use aot::{AotKernel, LaunchParams};
pub use invocation::{Invocation, Stream};

/// The kinds of device that an impl can be written for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
#[non_exhaustive]
pub enum DeviceKind {
    /// The embedded default device.
    Cpu,
    /// An NVIDIA GPU.
    Cuda,
}

impl DeviceKind {
    /// As it is written in `#[impl_plugin(.., device = ..)]`.
    pub const fn name(self) -> &'static str {
        match self {
            DeviceKind::Cpu => "cpu",
            DeviceKind::Cuda => "cuda",
        }
    }
}

impl std::fmt::Display for DeviceKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
