//! Devices: the only code that touches memory and launches work.

mod aot;
mod binding;
mod constant;
pub mod cpu;
mod frame;
mod invocation;
mod map;
mod step;

pub use aot::{AotKernel, LaunchParams};
pub use binding::Binding;
pub(crate) use binding::{BindingRule, BindingUse};
pub(crate) use constant::{Constant, ConstantInFile};
pub(crate) use frame::{Active, Base, Frame, Region};
pub use invocation::{DynAttributes, Invocation};
pub(crate) use map::FileBytes;
pub(crate) use step::{PlacedInput, PlacedTensor, Slot, StepMemory, StepViews};

use crate::error::{Error, Result};
use crate::suggest::did_you_mean;

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

/// A device that engines are built for and run on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    kind: DeviceKind,
}

impl Device {
    /// The CPU, which is always there.
    pub fn cpu() -> Device {
        Device { kind: DeviceKind::Cpu }
    }

    /// The fastest device that was found.
    ///
    /// # Errors
    /// None while the CPU is the only one.
    pub fn best() -> Result<Device> {
        Ok(Device::cpu())
    }

    /// The device of a name: `cpu` or `cuda`.
    ///
    /// # Errors
    /// When the name is another, or the device isn't available.
    pub fn from_name(name: &str) -> Result<Device> {
        match name {
            "cpu" => Ok(Device::cpu()),
            "cuda" => Err(Error::invalid(
                "device `cuda` isn't available: this version runs on the CPU only; use device `cpu`",
            )),
            _ => Err(Error::invalid(format_args!(
                "no device `{name}`{}; devices are `cpu` and `cuda`",
                did_you_mean(name, ["cpu", "cuda"])
            ))),
        }
    }

    /// Its kind.
    pub fn kind(&self) -> DeviceKind {
        self.kind
    }

    /// A new queue of work on this device.
    ///
    /// # Errors
    /// None on the CPU.
    pub fn create_stream(&self) -> Result<Stream> {
        Ok(Stream { device: self.clone() })
    }
}

/// A queue of work on a device. On the CPU, work is done when it is enqueued.
#[derive(Clone, Debug)]
pub struct Stream {
    device: Device,
}

impl Stream {
    /// The device it belongs to.
    pub fn device(&self) -> &Device {
        &self.device
    }
}
