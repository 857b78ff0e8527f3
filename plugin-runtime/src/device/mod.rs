//! Devices: the only code that touches memory and launches work.

mod active;
mod binding;
mod captured;
mod constant;
#[cfg(feature = "bench")]
mod conversion;
pub mod cpu;
pub mod cuda;
pub mod dlpack;
mod frame;
mod invocation;
mod layout;
mod map;
#[cfg(test)]
mod numbers;
mod region;
mod step;
mod stream;
mod views;

pub(crate) use active::Active;
pub use binding::{Binding, FOREIGN_ALIGNMENT};
pub(crate) use binding::{BindingRule, BindingUse};
pub(crate) use constant::{Constant, ConstantInFile};
#[cfg(feature = "bench")]
pub use conversion::Conversion;
pub(crate) use frame::{Frame, FrameSize};
#[doc(hidden)]
pub use invocation::{DynAttributes, Invocation};
pub(crate) use layout::StepLayout;
pub(crate) use map::FileBytes;
pub(crate) use region::{Base, Region};
pub(crate) use step::{PlacedInput, PlacedTensor, Slot, StepMemory};
pub use stream::Stream;
pub(crate) use views::StepViews;

use crate::error::{Error, Result};
use crate::suggest::{did_you_mean, no_such};
use cuda::{CudaProperties, CudaStream, Gpu};

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

/// Reads what `Display` writes.
impl std::str::FromStr for DeviceKind {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        const ALL: [DeviceKind; 2] = [DeviceKind::Cpu, DeviceKind::Cuda];
        let known = ALL.map(DeviceKind::name);
        let found = ALL.into_iter().find(|kind| kind.name() == name);
        found.ok_or_else(|| Error::invalid(no_such("kind of device", name, known)))
    }
}

/// A device that engines are built for and run on.
#[derive(Clone, Debug)]
pub struct Device(Backend);

#[derive(Clone, Debug)]
enum Backend {
    Cpu,
    Cuda(&'static Gpu),
}

impl PartialEq for Device {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        // There is one object for each GPU.
        let place = |device: &Device| device.gpu().map_or(0, |gpu| std::ptr::from_ref(gpu).addr());
        place(self) == place(other)
    }
}

impl Eq for Device {}

impl Device {
    /// The CPU, which is always there.
    pub fn cpu() -> Device {
        Device(Backend::Cpu)
    }

    /// A GPU, counted from 0 as its driver does.
    ///
    /// # Errors
    /// When there is no driver, or no such GPU: says what was looked for.
    pub fn cuda(ordinal: usize) -> Result<Device> {
        let gpus = cuda::find_gpus()?;
        match gpus.get(ordinal) {
            Some(gpu) => Ok(Device(Backend::Cuda(gpu))),
            None => Err(Error::invalid(format_args!(
                "there is no device `cuda:{ordinal}`: the driver shows {} GPUs, counted from 0",
                gpus.len()
            ))),
        }
    }

    /// The fastest device that was found: the first GPU, or else the CPU.
    ///
    /// # Errors
    /// None at present.
    pub fn best() -> Result<Device> {
        Ok(Device::cuda(0).unwrap_or_else(|_| Device::cpu()))
    }

    /// Its kind.
    pub fn kind(&self) -> DeviceKind {
        match self.0 {
            Backend::Cpu => DeviceKind::Cpu,
            Backend::Cuda(_) => DeviceKind::Cuda,
        }
    }

    /// Properties of the GPU; `None` for a CPU.
    pub fn cuda_properties(&self) -> Option<&'static CudaProperties> {
        self.gpu().map(Gpu::properties)
    }

    /// Free and total memory of the GPU in bytes; `None` for a CPU.
    ///
    /// # Errors
    /// When the driver doesn't tell.
    pub fn cuda_memory(&self) -> Result<Option<(usize, usize)>> {
        self.gpu().map(Gpu::memory).transpose()
    }

    #[inline]
    pub(crate) fn gpu(&self) -> Option<&'static Gpu> {
        match self.0 {
            Backend::Cpu => None,
            Backend::Cuda(gpu) => Some(gpu),
        }
    }

    /// A new queue of work on this device.
    ///
    /// # Errors
    /// On the CPU, when `PLUGIN_RUNTIME_THREADS` is no number of threads; on a GPU, when the driver refuses.
    pub fn create_stream(&self) -> Result<Stream> {
        if self.gpu().is_none() {
            cpu::check_threads()?;
        }
        let queue = self.gpu().map(CudaStream::new).transpose()?;
        Ok(Stream::new(self.clone(), queue))
    }
}

/// `cpu` or `cuda:0`
impl std::fmt::Display for Device {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Backend::Cpu => f.write_str("cpu"),
            Backend::Cuda(gpu) => write!(f, "cuda:{}", gpu.ordinal()),
        }
    }
}

/// Finds the device of a name: `cpu`, `cuda` for the first GPU, or `cuda:1` for another. It's an error when the name is
/// another, or the device isn't available.
impl std::str::FromStr for Device {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        match name.split_once(':') {
            None if name == "cpu" => Ok(Device::cpu()),
            None if name == "cuda" => Device::cuda(0),
            Some(("cuda", ordinal)) => match ordinal.parse() {
                Ok(ordinal) => Device::cuda(ordinal),
                Err(_) => Err(Error::invalid(format_args!("in `{name}`, write a GPU's number: `cuda:0`"))),
            },
            _ => Err(Error::invalid(format_args!(
                "no device `{name}`{}; devices are `cpu`, `cuda`, `cuda:1` ..",
                did_you_mean(name, ["cpu", "cuda"])
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for kind in [DeviceKind::Cpu, DeviceKind::Cuda] {
            assert_eq!(kind.to_string().parse::<DeviceKind>().unwrap(), kind);
        }
        assert_eq!("cpu".parse::<Device>().unwrap(), Device::cpu());
        assert_eq!(Device::cpu().to_string(), "cpu");
    }

    #[test]
    fn other_names_are_errors_that_say_what_there_is() {
        let error = "cud".parse::<DeviceKind>().unwrap_err().to_string();
        assert_eq!(error, "no kind of device `cud`; did you mean `cuda`?; expected one of `cpu`, `cuda`");
        for (name, expected) in [
            ("CUDA", "no device `CUDA`; did you mean `cuda`?; devices are `cpu`, `cuda`, `cuda:1` .."),
            ("", "no device ``; devices are `cpu`, `cuda`, `cuda:1` .."),
            ("cpu:0", "no device `cpu:0`; did you mean `cpu`?; devices are `cpu`, `cuda`, `cuda:1` .."),
            ("cuda:x", "in `cuda:x`, write a GPU's number: `cuda:0`"),
            ("cuda:-1", "in `cuda:-1`, write a GPU's number: `cuda:0`"),
        ] {
            assert_eq!(name.parse::<Device>().unwrap_err().to_string(), expected);
        }
    }
}
